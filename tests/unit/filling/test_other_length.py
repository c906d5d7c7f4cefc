"""Gaps whose masses or spectra fit another length than the one that was given."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain
from gaps import mass_of, sure_of
from lacuna.core.tables import GAP_TABLE, MassDoubt
from lacuna.filling.masses.by_spectra import length_by_spectra
from lacuna.filling.masses.other_length import length_by_masses
from lacuna.filling.search.decode import rank_sequences
from lacuna.filling.search.stages import Stage, Stages, one_mass
from lacuna.scaffolds.residue_masses import MassRules
from lacuna.scaffolds.scaffold import Gap, Rival, ShownMass, SpectralEvidence
from lacuna.steps.one_file import fill_file

TRUE, AS_HEAVY = "PSASG", "PSSQ"  # Q weighs what AG does
SAID = f"{MassDoubt.OTHER_LENGTH} 5 residues"
RULES = MassRules()


likely = partial(sure_of, share=0.97)  # a network that expects these residues


def named(probabilities: np.ndarray, stages: Stages) -> str:
    ranking = rank_sequences(probabilities, 5, stages, RULES)
    return length_by_masses(probabilities, ranking, stages, RULES)


def weighing(letters: str) -> Stages:
    return one_mass(mass_of(letters), 0.004)


def test_a_mass_that_only_improbable_residues_have_fits_another_length() -> None:
    assert named(likely("SASG"), weighing(TRUE)) == SAID
    assert named(likely("PAS"), weighing(TRUE)) == ""  # nothing has it


@pytest.mark.parametrize("letters", [TRUE, AS_HEAVY])
def test_a_mass_that_fits_says_nothing(letters: str) -> None:
    for share in (0.9, 0.5, 0.3):
        assert named(likely(letters, share=share), weighing(TRUE)) == ""


def test_masses_of_beginnings_count_and_several_pieces_do_not() -> None:
    first = Stage(mass_of("PS"), 0.002)
    whole = Stage(mass_of(TRUE), 0.004, False, True, 4, 4)
    assert named(likely("SASG"), Stages((first, whole))) == SAID
    pieces = Stage(mass_of("PS"), 0.002, False, True, 2, 2), whole
    assert named(likely("PSPSAS"), Stages(pieces)) == ""


def test_a_mass_that_spectra_show_counts_only_if_the_length_can_have_it() -> None:
    def shown(letters: str) -> SpectralEvidence:
        return SpectralEvidence(mass=ShownMass(mass_of(letters), 0.004, 6.0))

    assert length_by_spectra(likely("SASG"), shown(TRUE), RULES) == SAID
    assert length_by_spectra(likely(TRUE), shown(TRUE), RULES) == ""
    assert length_by_spectra(likely("PAS"), shown(TRUE), RULES) == ""
    # Of several masses that which fits best speaks for the length.
    heavy = shown("WWWWWWW")  # no length about this one has it
    for some in ((TRUE, heavy), (heavy, TRUE)):
        first, other = (shown(one) if one == TRUE else heavy for one in some)
        both = replace(first, others=(other,))
        assert length_by_spectra(likely("SASG"), both, RULES) == SAID
        assert length_by_spectra(likely(TRUE), both, RULES) == ""


@pytest.mark.parametrize(("given", "told"), [(4, True), (5, False)])
def test_a_gap_of_given_length_and_mass_is_named(tmp_path: Path, given: int, told: bool) -> None:
    """SFLSA weighs what YLQT does, which is filled in if four residues are given."""
    chain = germline_chain("K", 1)
    at = chain.index("SFLSA")
    letters = f"{chain[:at]}{'X' * given}{chain[at + 5 :]}"
    (tmp_path / "c.fasta").write_text(f">c\n{letters}\n")
    row = f"c\t{at}\t{at + given}\t{mass_of('SFLSA'):.4f}"
    (tmp_path / "gaps.tsv").write_text(f"chain\tstart\tend\tmass\n{row}\n")
    inputs = {"fasta": tmp_path / "c.fasta", "gaps": tmp_path / "gaps.tsv"}
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"})
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert len(first.candidate) == given
    assert (MassDoubt.OTHER_LENGTH in MassDoubt.of_status(first.status)) == told


def test_a_length_that_was_chosen_is_not_given() -> None:
    """It has been compared with others already."""
    gap = Gap(8, 12, 4, 4)
    assert gap.length_given
    assert not replace(gap, length_probability=0.9).length_given
    assert not replace(gap, rivals=(Rival("SFLSA", 0.1, 505.25, (1.0,)),)).length_given
    assert not Gap(8, 9, 0, None).length_given
