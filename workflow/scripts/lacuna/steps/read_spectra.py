"""What a sample's spectra say about its gaps, from files to files."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.tables import SPECTRUM_TABLE, SpectrumRow
from lacuna.scaffolds.alkylation import read_alkylation
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.scaffolds.residue_masses import Modifications, mass_rules
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import fragments
from lacuna.spectra.read import read_spectra

MAX_LOOKS = 2_000_000  # gaps times spectra of a sample, some milliseconds each

LOG = logging.getLogger(__name__)


def look_at_spectra(
    scaffolds: Path,
    spectra: Sequence[Path],
    alkylation: Path,
    out: Path,
    *,
    tolerance_ppm: float,
    modifications: Mapping[str, bool],
) -> None:
    """Write the rows of all gaps that spectra span, in the order of the chains.

    scaffolds: a folder with the blocks of a sample; alkylation: the state of its C;
    tolerance_ppm: of precursors. Raises LacunaError if a file of spectra cannot be used, or gaps
    and spectra are too many.
    """
    found = [(spectrum.precursor, fragments(spectrum)) for spectrum in read_spectra(spectra)]
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    chains = [
        chain
        for block in sorted(scaffolds.glob("[0-9]*.jsonl"))
        for chain in read_scaffold_block(block)
    ]
    gaps = sum(len(chain.gaps) for chain in chains)
    if gaps * len(found) > MAX_LOOKS:
        raise LacunaError(
            f"{spectra[0]}: {len(found)} spectra and {gaps} gaps of the sample make more than "
            f"{MAX_LOOKS} pairs; give fewer of either"
        )
    rows: list[SpectrumRow] = []
    spanned = 0
    for chain in chains:
        for gap in chain.gaps:
            readings = mass_rules(chain, gap, allowed).readings()
            shown = look(chain, gap, found, readings, tolerance_ppm)
            if shown is not None:
                rows += shown.rows
                spanned += 1
    LOG.info("%d spectra; %d of %d gaps are spanned by some", len(found), spanned, gaps)
    with atomic_write(out) as handle:
        handle.write(SPECTRUM_TABLE.header + SPECTRUM_TABLE.text(rows))
