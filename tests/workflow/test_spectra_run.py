"""Samples with spectra: what they change, and what runs again."""

import io
import re

import pytest
from runs import Run, Workspace

from chains import fasta, germline_chain, hidden
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.masses import CARBAMIDOMETHYL
from peaks import as_mgf, as_mzml, spectrum_of

pytestmark = pytest.mark.workflow

START, END = 60, 65
HEAVY = germline_chain("H", 1)
CHAIN = HEAVY[:START] + "GHWPE" + HEAVY[END:]
PEPTIDE = CHAIN[43:67]  # a tryptic one
UNREAD = "NTLYLQMNSLR"  # of HEAVY, FR3


def reads() -> str:
    """A PEAKS table of 500 reads of HEAVY and a light chain, none of which shows UNREAD."""
    handle = io.StringIO()
    chains = [("heavy", HEAVY, 0.5), ("light", germline_chain("K", 2), 0.5)]
    start = HEAVY.index(UNREAD)
    drawn = simulate_reads(chains, 500, 1)
    kept = [
        read
        for read in drawn
        if read.chain != "heavy" or read.end <= start or read.start >= start + len(UNREAD)
    ]
    write_peaks(kept, handle, "simulated")
    return handle.getvalue()


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A chain with a gap: without spectra, with those of its peptide, and with noise; and reads of
    another antibody, with the spectra of its tryptic peptides."""
    assert CHAIN[42] in "KR" and PEPTIDE[-1] in "KR"
    space = Workspace(tmp_path_factory.mktemp("spectra"))
    space.write("chains.fasta", fasta({"a": hidden(CHAIN, [(START, END)])}))
    space.write("good.mgf", as_mgf([spectrum_of(PEPTIDE)]))
    space.write("more.mzML", as_mzml([spectrum_of(PEPTIDE, 3)]))
    space.write("noise.mgf", as_mgf([spectrum_of(PEPTIDE, series=(), noise=200)]))
    rows = [{"sample": "without"}, {"sample": "with", "spectra": "good.mgf;more.mzML"}]
    rows.append({"sample": "noisy", "spectra": "noise.mgf"})
    rows = [{**row, "alkylation": "none"} for row in rows]
    space.write("reads.csv", reads())
    cut = [one for one in re.findall("[^KR]*[KR]", HEAVY) if len(one) > 5]
    space.write("cut.mgf", as_mgf([spectrum_of(one, carried=CARBAMIDOMETHYL) for one in cut]))
    built = {"sample": "built", "reads": "reads.csv", "spectra": "cut.mgf"}
    space.sheet(*({**row, "fasta": "chains.fasta"} for row in rows), built)
    space.config(precision="float32", pack_chains=0)
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run()


def test_spectra_fill_a_gap_and_noise_changes_nothing(space: Workspace, finished: Run) -> None:
    assert finished.jobs()["read_spectra"] == 3
    assert space.chains("with")["a"] == CHAIN
    first = space.rows("with/gaps.tsv")[0]
    assert "Da by spectra" in first["status"] and float(first["probability"]) > 0.9
    results = space.results()
    assert results["noisy/gaps.tsv"] == results["without/gaps.tsv"]
    assert space.rows("noisy/spectra.tsv") == []
    assert not (space.folder / "out" / "without" / "spectra.tsv").exists()
    rows = space.rows("with/spectra.tsv")
    assert {row["kind"] for row in rows} == {"spectrum", "mass", "unseen", "cleavage"}
    assert rows[0]["spectrum"].endswith(" as 43..67")
    without, of, noisy = (space.folder / "out" / "summary.txt").read_text().splitlines()[:3]
    assert "spectra" not in without
    assert "; spectra span 1 of 1 gap" in of
    assert "; WARNING: none of the spectra spans a gap (are they of these chains" in noisy


def test_spectra_confirm_what_no_read_shows(space: Workspace, finished: Run) -> None:
    shown = [row for row in space.rows("built/spectra.tsv") if row["kind"] == "stretch"]
    assert any(row["ions"] == "10/10 cleavages" for row in shown)
    heavy = [row for row in space.rows("built/evidence.tsv") if row["chain"] == "heavy"]
    text = "".join(row["residue"] for row in heavy)
    start = text.index(UNREAD)
    found = heavy[start : start + len(UNREAD)]
    assert {(row["state"], row["flags"], row["depth"]) for row in found} == {
        ("observed", "spectra", "0.0")
    }


def test_another_spectrum_fills_its_sample_alone_again(space: Workspace, finished: Run) -> None:
    assert space.run("--dry-run").jobs() == {}
    before = (space.folder / "good.mgf").read_text()
    try:
        space.write("good.mgf", as_mgf([spectrum_of(PEPTIDE, noise=5)]))
        planned = space.run("--dry-run").jobs()
    finally:
        space.write("good.mgf", before)
    assert planned["read_spectra"] == planned["fill_gaps"] == 1


def test_a_file_that_holds_no_spectra_stops_the_run(space: Workspace, finished: Run) -> None:
    before = (space.folder / "noise.mgf").read_text()
    try:
        space.write("noise.mgf", "peptide\nEVQLV\n")
        run = space.run(status=1)
    finally:
        space.write("noise.mgf", before)
    assert "noise.mgf: neither MGF nor mzML: it begins with 'peptide'" in run.error()
