"""Stretches of likely residues that spectra show."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lacuna.core.alphabet import RESIDUES
from lacuna.core.tables import SPECTRUM, SPECTRUM_TABLE
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.json_lines import write_scaffolds
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Scaffold
from lacuna.spectra.likely import (
    LIKELY_PROBABILITY,
    STILL_WRONG_SHARE,
    SURE_PROBABILITY,
    confirmed,
    with_likely,
)
from lacuna.spectra.peaks import fragments
from lacuna.spectra.read import Spectrum
from lacuna.spectra.table import stretches_of, with_spectra
from lacuna.steps.read_spectra import fits_of_known, look_at_spectra, own_spectra
from peaks import as_mgf, spectrum_of, weights

CHAIN = "MGLSDGEWQLVLNVWGKVEADIPGHGQEVLIRLFKGHPETLEKFDKFKHLK"
PEPTIDE = "VEADIPGHGQEVLIR"
START = CHAIN.index(PEPTIDE)
END = START + len(PEPTIDE)


def told(position: int, residue: str, share: float, spread: float = 0.0) -> PositionEvidence:
    """A settled distribution; I and L share what is said of either."""
    weights = np.full(len(RESIDUES), (1 - share) / (len(RESIDUES) - 1 - (residue in "IL")))
    for one in "IL" if residue in "IL" else residue:
        weights[RESIDUES.index(one)] = share / 2 if residue in "IL" else share
    return PositionEvidence(position, tuple(weights.tolist()), True, spread)


def unsure(share: float, spread: float = 0.0, letters: str = CHAIN) -> Scaffold:
    """The chain of which most residues of the peptide are only likely."""
    start, end = START + 2, END - 2
    evidence = tuple(told(i, letters[i], share, spread) for i in range(start, end))
    sequence = CHAIN[:start] + "X" * (end - start) + CHAIN[end:]
    return Scaffold(
        "c", "", sequence, (Gap(start, end, end - start, end - start),), 1, (), evidence
    )


def stretches_by(folder: Path, chain: Scaffold, *spectra: Spectrum) -> list[tuple[int, int]]:
    """The stretches that spectra show of a chain, by the table that is written of them."""
    write_scaffolds(folder / "00000.jsonl", [chain])
    Alkylation((("none", 1.0),), "stated").write(folder / "alkylation.json")
    (folder / "s.mgf").write_text(as_mgf(list(spectra)))
    table = folder / "spectra.tsv"
    look_at_spectra(
        *(folder, [folder / "s.mgf"], folder / "alkylation.json", table),
        tolerance_ppm=10.0,
        modifications={},
    )
    return stretches_of(SPECTRUM_TABLE.read(table)).get("c", [])


def test_likely_residues_are_known_ones_and_the_others_stay_gaps() -> None:
    chain = unsure(0.9)
    at = [e.position for e in chain.evidence]
    rare = {at[3]: 0.9 * LIKELY_PROBABILITY, at[4]: 0.9 * LIKELY_PROBABILITY}
    weak = tuple(
        told(e.position, CHAIN[e.position], rare.get(e.position, 0.9)) for e in chain.evidence
    )
    likely = with_likely(replace(chain, evidence=weak))
    expected = "".join("X" if i in rare else letter for i, letter in enumerate(CHAIN))
    expected = expected[: at[0]] + expected[at[0] : at[-1] + 1].replace("I", "L") + CHAIN[END - 2 :]
    assert likely.chain.sequence == expected
    assert [(gap.start, gap.end) for gap in likely.chain.gaps] == [(at[3], at[4] + 1)]
    assert np.flatnonzero(likely.filled).tolist() == [i for i in at if i not in rare]
    assert likely.logs[at[0]] == pytest.approx(np.log(0.9)) and likely.logs[0] == 0


def test_what_is_given_about_a_residue_does_not_make_it_likely() -> None:
    chain = unsure(0.9)
    given = tuple(replace(one, settled=False) for one in chain.evidence)
    likely = with_likely(replace(chain, evidence=given))
    assert likely.chain == replace(chain, evidence=given) and not likely.filled.any()


@pytest.mark.parametrize("share, spread", [(0.9, 0.0), (0.99, 0.1)])
def test_a_spectrum_of_likely_residues_confirms_them(
    tmp_path: Path, share: float, spread: float
) -> None:
    chain = unsure(share, spread)
    assert stretches_by(tmp_path, chain, spectrum_of(PEPTIDE)) == [(START, END)]
    (read,) = with_spectra([chain], tmp_path / "spectra.tsv")
    for before, after in zip(chain.evidence, read.evidence, strict=True):
        residue = CHAIN[before.position]
        same = [RESIDUES.index(one) for one in ("IL" if residue in "IL" else residue)]
        wrong = 1 - sum(after.weights[i] for i in same)
        assert wrong == pytest.approx(STILL_WRONG_SHARE * (1 - share))
        assert after.spread == pytest.approx(STILL_WRONG_SHARE * spread)
        assert len({round(after.weights[i], 9) for i in same}) == 1  # I or L stays open


def test_a_spectrum_of_another_peptide_confirms_nothing(tmp_path: Path) -> None:
    assert stretches_by(tmp_path, unsure(0.9), spectrum_of("VEADIPGHGQEVLSR")) == []


def test_residues_in_another_order_are_not_confirmed(tmp_path: Path) -> None:
    """DIPG, where the spectrum has GDIP: no fragment between them is there."""
    chain = unsure(0.9)
    at = CHAIN.index("DIPG")
    found = stretches_by(tmp_path, chain, spectrum_of("VEAGDIPHGQEVLIR"))
    assert found == [(START, at), (at + 4, END)]


def test_two_residues_between_cleavages_are_confirmed_and_three_are_not(tmp_path: Path) -> None:
    for missing, expected in (
        ([5], [(START, END)]),
        ([5, 6], [(START, START + 4), (START + 7, END)]),
    ):
        made = spectrum_of(PEPTIDE, missing=missing)
        assert stretches_by(tmp_path, unsure(0.9), made) == expected


def test_a_peptide_that_carries_something_is_not_confirmed(tmp_path: Path) -> None:
    """With a likely Q where E is true, it would look like one with a deamidated N."""
    at = PEPTIDE.index("Q")
    letters = PEPTIDE.replace("P", "N")
    wrong = CHAIN[:START] + letters + CHAIN[END:]
    true = spectrum_of(letters[:at] + "E" + letters[at + 1 :])
    assert stretches_by(tmp_path, unsure(0.9, letters=wrong), true) == []
    assert stretches_by(tmp_path, unsure(0.9, letters=wrong), spectrum_of(letters)) == [
        (START, END)
    ]


def test_a_spectrum_of_known_residues_confirms_nothing(tmp_path: Path) -> None:
    """Nor is it one of likely residues that are as heavy, if it fits its own place better."""
    assert stretches_by(tmp_path, unsure(0.9), spectrum_of("GHPETLEK")) == []
    chain = unsure(0.9)
    both = replace(chain, sequence=chain.sequence + PEPTIDE[::-1][1:] + "R")
    assert stretches_by(tmp_path, both, spectrum_of(PEPTIDE[::-1][1:] + "R")) == []


def with_another_gap(whole: Scaffold) -> tuple[Scaffold, Gap]:
    """The chain with a gap behind it that has residues on either side like those of the peptide."""
    behind = "GHPETLEKVEDAIPMSTAFVLIRNGWHK"
    at = len(CHAIN) + behind.index("MSTAF")
    gap = Gap(at, at + 5, 5, 5)
    sequence = (CHAIN + behind)[:at] + "XXXXX" + (CHAIN + behind)[at + 5 :]
    known = replace(whole, sequence=whole.sequence + sequence[len(CHAIN) :])
    return replace(known, gaps=(*whole.gaps, gap)), gap


def test_a_spectrum_of_likely_residues_says_nothing_of_a_gap_elsewhere() -> None:
    chain, gap = with_another_gap(unsure(0.9))
    spectra = [(one.precursor, fragments(one)) for one in [spectrum_of(PEPTIDE)]]
    allowed = Modifications(((0.0, 1.0),))
    fits = [fits_of_known(one, spectra, allowed, 10.0) for one in (chain, with_likely(chain).chain)]
    for likely, used in (([], 1), (fits[1:], 0)):
        own = own_spectra([chain], fits[:1], spectra, allowed, 10.0, likely=likely)
        assert [len(of_gap) for _, one, of_gap in own if one == gap] == [used]


@pytest.mark.parametrize("unlikely", [[7], [5, 8]])
def test_a_spectrum_of_gaps_between_likely_residues_says_nothing_of_another(
    tmp_path: Path, unlikely: list[int]
) -> None:
    """Some residues of its peptide are not likely; they have no mass by any other spectrum."""
    whole, at = unsure(SURE_PROBABILITY), [START + i for i in unlikely]
    evidence = [
        told(one.position, CHAIN[one.position], 0.5 if one.position in at else SURE_PROBABILITY)
        for one in whole.evidence
    ]
    chain, gap = with_another_gap(replace(whole, evidence=tuple(evidence)))
    beside = with_likely(chain, SURE_PROBABILITY).chain
    assert [one.start for one in beside.gaps] == [*at, gap.start]
    spectra = [(one.precursor, fragments(one)) for one in [spectrum_of(PEPTIDE)]]
    allowed = Modifications(((0.0, 1.0),))
    known = [fits_of_known(chain, spectra, allowed, 10.0)]
    for others, used in (([], 1), ([beside], 0)):
        own = own_spectra([chain], known, spectra, allowed, 10.0, beside=others)
        assert [len(of_gap) for _, one, of_gap in own if one == gap] == [used]
    stretches_by(tmp_path, chain, spectrum_of(PEPTIDE))
    rows = SPECTRUM_TABLE.read(tmp_path / "spectra.tsv")
    assert gap.start not in [row.start for row in rows]


@pytest.mark.parametrize(
    "shown, asked", [("VEADIPGHGQEVLIR", False), ("GHGQEVLIR", False), ("", True)]
)
def test_of_a_long_gap_that_has_been_seen_no_mass_is_asked(
    tmp_path: Path, shown: str, asked: bool
) -> None:
    """A spectrum spans it whose residues are not the likely ones."""
    other = spectrum_of("VEADIPSHGQEVLIR", name="other")
    spectra = [other, spectrum_of(shown, name="own")] if shown else [other]
    stretches_by(tmp_path, unsure(0.9), *spectra)
    kinds = [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "spectra.tsv")]
    assert (SPECTRUM in kinds) == asked
    chain = unsure(0.9)
    mass = float(weights("ADIPSHGQEVL").sum())
    weighed = replace(chain, gaps=(replace(chain.gaps[0], mass=mass, tolerance_da=0.01),))
    stretches_by(tmp_path, weighed, *spectra)  # of one whose mass is given
    assert SPECTRUM in [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "spectra.tsv")]


def test_a_spectrum_that_shows_little_confirms_nothing(tmp_path: Path) -> None:
    """Two cleavages one behind the other, as any spectrum may show."""
    few = spectrum_of(PEPTIDE, missing=[*range(1, 6), *range(8, 15)], noise=150)
    assert stretches_by(tmp_path, unsure(0.9), few) == []


def test_a_peptide_that_two_chains_may_have_is_confirmed_in_neither(tmp_path: Path) -> None:
    chain, other = unsure(0.9), replace(unsure(0.9), chain="d", line=3)
    write_scaffolds(tmp_path / "00001.jsonl", [other])
    assert stretches_by(tmp_path, chain, spectrum_of(PEPTIDE)) == []
    write_scaffolds(tmp_path / "00001.jsonl", [replace(other, evidence=())])
    assert stretches_by(tmp_path, chain, spectrum_of(PEPTIDE)) == [(START, END)]


def test_residues_that_are_not_likely_are_not_confirmed() -> None:
    chain = unsure(0.9 * LIKELY_PROBABILITY)
    assert confirmed(chain.evidence, [(START, END)]) == chain.evidence
    sure = unsure(0.9).evidence
    assert confirmed(sure, [(START, START + 3)])[1:] == sure[1:]
