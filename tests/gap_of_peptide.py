"""A chain with a gap in one tryptic peptide, and what spectra of that peptide say of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from chains import germline_chain, hidden
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.filling.masses.by_spectra import rank_by_spectra
from lacuna.filling.search.cleavages import shown
from lacuna.filling.search.decode import Ranking
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Scaffold, SpectralEvidence
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import fragments
from lacuna.spectra.read import Precursor, Spectrum
from peaks import spectrum_of, weights

CHAIN = "MGLSDGEWQLVLNVWGKVEADIPGHGQEVLIRLFKGHPETLEKFDKFKHLK"
PEPTIDE = "VEADIPGHGQEVLIR"  # from 17; a tryptic one
START, END = 20, 25  # of the gap: DIPGH
READINGS = MassRules().readings()
SHARED = Path(__file__).resolve().parents[2] / "shared" / "reads"


def gapped(start: int = START, end: int = END, mass: bool = True) -> tuple[Scaffold, Gap]:
    """The chain with a gap, of known mass or not."""
    whole = float(weights(CHAIN[start:end]).sum())
    given = (whole, whole * 1e-5) if mass else (None, None)
    gap = Gap(start, end, end - start, end - start, *given)
    letters = hidden(CHAIN, [(start, end)]).replace("-", "X")
    return Scaffold("c", "", letters, (gap,), 1), gap


def seen(*spectra: Spectrum) -> list[tuple[Precursor, object]]:
    """Spectra as a search for those that span a gap takes them."""
    return [(spectrum.precursor, fragments(spectrum)) for spectrum in spectra]


def evidence_of(*spectra: Spectrum, mass: bool = True) -> SpectralEvidence | None:
    """What spectra say of the gap, None if they say nothing; mass: whether it is known."""
    scaffold, gap = gapped(mass=mass)
    found = look(scaffold, gap, seen(*spectra), READINGS, 10.0)
    return None if found is None else found.evidence


def cleaved(evidence: SpectralEvidence) -> dict[int, float]:
    """Nats of the true inner cleavages of the gap, by the number of residues before them."""
    true = np.cumsum(weights(CHAIN[START:END]))[:-1]
    nats = shown(evidence).nats(true) - evidence.unseen
    return dict(enumerate(nats.tolist(), start=1))


def unread(chain: str, start: int, end: int) -> Scaffold:
    """A chain with a gap of known length."""
    letters = hidden(chain, [(start, end)]).replace("-", "X")
    return Scaffold("c", "", letters, (Gap(start, end, end - start, end - start),), 1)


LIGHTER = PEPTIDE.replace("DIPGH", "DIPGS")


def of_peptides(peptides: Iterable[str], **made: Any) -> list[Spectrum]:
    """A spectrum of each peptide."""
    return [spectrum_of(one, name=f"made:{i}", **made) for i, one in enumerate(peptides)]


def even(*sequences: str) -> np.ndarray:
    """A network that holds these equally probable, residue by residue."""
    table = np.full((len(sequences[0]), N_RESIDUES), 1e-4)
    for sequence in sequences:
        table[np.arange(len(sequence)), [RESIDUES.index(r) for r in sequence]] += 1.0
    return np.asarray(table / table.sum(1, keepdims=True))


def mixed(evidence: SpectralEvidence, sure: float = 0.6) -> tuple[Ranking, str]:
    """The gap ranked by a network that holds DLPGN likely, and less so the truth."""
    table = np.full((5, N_RESIDUES), 0.0)
    for row, first, second in zip(table, "DLPGN", CHAIN[START:END].replace("I", "L"), strict=True):
        row[:] = 0.001
        row[RESIDUES.index(second)] += 0.3
        row[RESIDUES.index(first)] += sure
    table /= table.sum(1, keepdims=True)
    return rank_by_spectra(table, 5, evidence, MassRules())


HEAVY = germline_chain("H", 1, constant=True)
FIRST, LAST = 60, 65  # of a gap; the tryptic peptide around it is found in the chain


def around(chain: str, start: int, end: int) -> str:
    """The tryptic peptide that holds a stretch."""
    cuts = [0, *(i + 1 for i, r in enumerate(chain) if r in "KR"), len(chain)]
    return chain[max(c for c in cuts if c <= start) : min(c for c in cuts if c >= end)]
