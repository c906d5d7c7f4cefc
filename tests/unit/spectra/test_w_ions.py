"""I or L by w ions."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chains import hidden
from conftest import Write
from gap_of_peptide import CHAIN, PEPTIDE, READINGS, evidence_of, seen
from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.masses import PROTON
from lacuna.core.tables import CLEAVAGE, GAP_TABLE, RESIDUE_TABLE, SIDE, SPECTRUM
from lacuna.filling.masses.by_spectra import rank_by_spectra
from lacuna.filling.search.decode import rank_sequences
from lacuna.filling.search.stages import one_mass
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.ions import LOST_BY_I, LOST_BY_L, OFFSET
from lacuna.spectra.odds import look
from lacuna.spectra.read import ALL_SERIES
from lacuna.steps.one_file import fill_file
from peaks import as_mgf, spectrum_of, weights


def test_w_ions_tell_i_from_l() -> None:
    start, end = 28, 31  # VLI of ...QEVLIR
    whole = float(weights(CHAIN[start:end]).sum())
    gap = Gap(start, end, 3, 3, whole, whole * 1e-5)
    scaffold = Scaffold("c", "", hidden(CHAIN, [(start, end)]).replace("-", "X"), (gap,), 1)
    each = weights(PEPTIDE)
    z = {i: each[i:].sum() + OFFSET["z"] + PROTON for i in (12, 13)}
    made = spectrum_of(
        PEPTIDE, series=ALL_SERIES, said=ALL_SERIES, extra=[z[12] - LOST_BY_L, z[13] - LOST_BY_I]
    )
    found = look(scaffold, gap, seen(made), READINGS, 10.0)
    assert found is not None
    assert {row.kind for row in found.rows} >= {SPECTRUM, CLEAVAGE, SIDE}
    even = np.full((3, N_RESIDUES), 1 / N_RESIDUES)
    stages = replace(one_mass(whole, whole * 1e-5), spectra=found.evidence)
    ranking = rank_sequences(even, 3, stages, MassRules())
    assert ranking.candidates[0].sequence == "VLI"
    isoleucine, leucine = RESIDUES.index("I"), RESIDUES.index("L")
    assert ranking.distributions[1, leucine] > 3 * ranking.distributions[1, isoleucine]
    assert ranking.distributions[2, isoleucine] > 3 * ranking.distributions[2, leucine]
    plain = rank_sequences(even, 3, one_mass(whole, whole * 1e-5), MassRules())
    assert plain.candidates[0].sequence.count("I") != 1


@pytest.mark.parametrize(("start", "end", "code"), [(29, 31, "XX"), (29, 30, "J"), (30, 31, "J")])
def test_w_ions_tell_i_from_l_at_the_first_residue_of_a_gap(
    start: int, end: int, code: str
) -> None:
    """...QEVLIR: the z ion before the gap is one of the known residues."""
    gap = Gap(start, end, end - start, end - start)
    scaffold = Scaffold("c", "", CHAIN[:start] + code + CHAIN[end:], (gap,), 1)
    each, first = weights(PEPTIDE), start - 17
    lost = LOST_BY_I if CHAIN[start] == "I" else LOST_BY_L
    w = float(each[first:].sum()) + OFFSET["z"] + PROTON - lost
    found = look(
        scaffold, gap, seen(spectrum_of(PEPTIDE, series=ALL_SERIES, extra=[w])), READINGS, 10.0
    )
    assert found is not None
    ((at, _, nats),) = found.evidence.sides
    assert at == 0.0
    assert nats > 1 if lost == LOST_BY_I else nats < -1
    of_code = np.isin(list(RESIDUES), list("IL" if code == "J" else RESIDUES))
    even = np.tile(of_code / of_code.sum(), (end - start, 1))
    ranking, _ = rank_by_spectra(even, 1, found.evidence, MassRules())
    assert ranking.candidates[0].sequence[0] == CHAIN[start]
    assert ranking.distributions[0, RESIDUES.index(CHAIN[start])] > 0.7


@pytest.mark.parametrize("true", ["VEADIPGHGQEVLLR", "VEADIPGHGQEVLIR"])
def test_a_spectrum_of_a_peptide_with_i_or_l_tells_which(
    true: str, write: Write, tmp_path: Path
) -> None:
    """J is as good as known: the peptide is one without a gap."""
    each = weights(true)[13:].sum() + OFFSET["z"] + PROTON
    w = each - (LOST_BY_I if true[13] == "I" else LOST_BY_L)
    letters = CHAIN.replace(PEPTIDE, "VEADIPGHGQEVLJR")
    fasta = write("c.fasta", f">c\n{letters}\n")
    shares = {}
    for name, extra in (("with", [w]), ("without", [])):
        made = spectrum_of(true, series=("c", "z"), extra=extra)
        mgf = write(f"{name}.mgf", as_mgf([made], "ETD"))
        out = tmp_path / name
        fill_file({"fasta": fasta}, out, {"alkylation": "none"}, spectra=[mgf])
        (row,) = RESIDUE_TABLE.read(out / "residues.tsv")
        gaps = {gap.candidate: gap for gap in GAP_TABLE.read(out / "gaps.tsv")}
        shares[name], gap = gaps[true[13]].probability or 0.0, gaps[row.residue]
        assert gap.probability == pytest.approx(row.probability, abs=1e-3)
        assert "by spectra" not in gap.status
    odds = {name: share / (1 - share) for name, share in shares.items()}
    assert odds["with"] > 5 * odds["without"]


def test_w_ions_of_a_cleavage_that_other_spectra_lack_tell_nothing() -> None:
    """The first has a peak as if the gap began with P, and the w ion of L behind it."""
    z = float(weights(PEPTIDE)[3:].sum() - weights("P").sum()) + OFFSET["z"] + PROTON
    made = [
        spectrum_of(
            PEPTIDE,
            series=ALL_SERIES,
            said=ALL_SERIES,
            extra=[z, z - LOST_BY_L] * (i == 0),
            name=f"made:{i}",
        )
        for i in range(6)
    ]
    alone, together = evidence_of(made[0]), evidence_of(*made)
    assert alone is not None and together is not None

    def of_wrong(sides: Iterable[tuple[float, float, float]]) -> list[float]:
        return [mass for mass, *_ in sides if abs(mass - weights("P").sum()) < 0.01]

    assert of_wrong(alone.sides) and not of_wrong(together.sides)
