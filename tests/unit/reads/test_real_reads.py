"""Files as the tools wrote them."""

import gzip
from pathlib import Path

import pytest

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.masses import WATER
from lacuna.core.paths import WORKFLOW
from lacuna.reads.origin import neutral_mass, positive
from lacuna.reads.peptide import Peptide, peptide_mass
from lacuna.reads.readers import read_peptides
from lacuna.reads.table import BadLine, head_of, layouts, layouts_without_header, rows
from lacuna.reads.tools import novob

SHARED = WORKFLOW.parents[1] / "shared" / "reads"


FORMATS = SHARED / "formats"
WRITERS = {  # what a file's name begins with, and the tools that it may be of
    "peaks__DATA_DB": {"peaks_db"},
    "peaks": {"peaks"},
    "instanovo": {"instanovo", "instanovoplus"},
    "novor": {"novor", "novor_db"},
    "deepnovofamily": {"deepnovo"},
    "maxquant__MAXQUANT_NOVO": {"maxnovo"},
    "maxquant": {"maxquant"},
    "mztab__CASANOVO": {"casanovo"},
    "mztab__CONTRANOVO": {"contranovo"},
    "mztab__ADANOVO": {"adanovo"},
}
# Whose residues and modifications mostly weigh what was measured, in these files.
WEIGHED = {"peaks", "peaks__DATA_DB", "novor", "deepnovofamily", "novob", "proteoscape"}
NO_PEPTIDES = {"maxquant__MAXNOVO_ALL_PEPTIDES"}  # features without one
MZ = {"m/z", "mz(data)", "mz", "precursor_mz", "precursor mz", "pepmass"}
CHARGE = {"z", "precursor_charge", "charge"}
files = sorted(FORMATS.glob("*.txt")) or [FORMATS]


def measured(path: Path) -> dict[str, float]:
    """Masses (Da) of the peptides in a file, by line: of precursors, else as the tool has them."""
    with path.open() as handle:
        head = head_of(handle)
    without_header = layouts_without_header(head, novob.FORMATS[0].required)
    layout = next(one for one in (*layouts(head), *without_header) if MZ.intersection(one.names))
    with path.open() as handle:
        table = [row for row in rows(handle, layout, layout.names) if not isinstance(row, BadLine)]
    found = {}
    for line, cells in table:
        mz, z = ([cells[n] for n in cells if n in names] or [""] for names in (MZ, CHARGE))
        mass = neutral_mass(mz[0], z[0]) or positive(cells.get("mass", ""))
        if "pepmass" in cells and "delta_mass" in cells:
            mass = float(cells["pepmass"]) + WATER
        if mass is not None:
            found[str(line)] = mass
    return found


@pytest.mark.parametrize("path", files, ids=lambda path: path.stem)
def test_real_files_are_recognised(path: Path) -> None:
    if not path.is_file():
        pytest.skip("../shared/reads/formats is not here")
    kind = next((k for k in WRITERS if path.name.startswith(k)), path.name.partition("__")[0])
    if kind == "mztab":
        with pytest.raises(LacunaError, match="without scores of residues"):
            read_peptides([path])
        return
    found = read_peptides([path])
    assert {r.tool for r in found.reads} <= WRITERS.get(kind, {kind})
    assert bool(found.reads) != (path.stem in NO_PEPTIDES)
    assert len(found.rejected) <= 2
    if kind in WEIGHED:
        masses = measured(path)
        fit = [
            abs(masses[line] - peptide_mass(Peptide(one.residues, one.modifications, (), 0))) < 0.05
            for one in found.reads
            if (line := one.name.split(":")[-1].split(".")[0]) in masses
        ]
        assert sum(fit) >= 0.65 * len(fit)
    for one in found.reads:
        assert one.residues and set(one.residues) <= set(RESIDUES)
        assert one.confidences is None or len(one.confidences) == len(one.residues)
        assert all(0 <= c <= 1 for c in one.confidences or ())


def test_real_gzipped_reads_keep_their_broken_last_line() -> None:
    path = SHARED / "NB6_instanovo.csv.gz"
    if not path.is_file():
        pytest.skip("../shared/reads is not here")
    found = read_peptides([path])
    with gzip.open(path, "rt") as handle:
        n_lines = sum(1 for _ in handle)
    assert [row.line for row in found.rejected] == [n_lines]
    assert len(found.reads) < n_lines - 1
