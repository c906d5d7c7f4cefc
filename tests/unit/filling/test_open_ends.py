"""Ends of V domains that are missing without a mark: where they are found, and where not."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyteomics.mass import calculate_mass

from chains import constant_region, fasta, germline_chain, hidden, random_protein
from conftest import Write
from lacuna.antibody.imgt import FR4_LAST
from lacuna.antibody.numbering import number_chain
from lacuna.core.config import check_config
from lacuna.core.files import LacunaError
from lacuna.core.tables import CHAIN_TABLE, GAP_TABLE
from lacuna.filling.lengths.open_ends import open_ends
from lacuna.scaffolds.residue_masses import UNMODIFIED, Modifications
from lacuna.scaffolds.scaffold import Gap, IntactMass, ResidueModification, Scaffold
from lacuna.steps.one_file import fill_file
from lacuna.templates.nearest import Library


def scaffold(sequence: str, *gaps: Gap) -> Scaffold:
    return Scaffold("c", "", sequence, gaps, 1)


def lengths(found: Scaffold) -> tuple[int, int]:
    """Residues that are missing at the beginning and at the end without a mark."""
    first = [g.min_length for g in found.gaps if g.start == g.end == 0]
    last = [g.min_length for g in found.gaps if g.start == g.end == len(found.sequence)]
    return sum(first), sum(last)


@pytest.mark.parametrize("locus", "HKL")
def test_a_chain_that_begins_late_lacks_what_germline_has_before(
    locus: str, library: Library
) -> None:
    chain = germline_chain(locus, 3)
    stop = int((number_chain(chain).columns <= 30).sum())
    cut = [scaffold(chain[n:]) for n in range(stop)]
    assert [lengths(found) for found in open_ends(cut, library, UNMODIFIED)] == [
        (n, 0) for n in range(stop)
    ]


@pytest.mark.parametrize("locus", "HKL")
def test_a_chain_that_stops_within_fr4_lacks_the_rest_of_it(locus: str, library: Library) -> None:
    chain = germline_chain(locus, 2)
    assert number_chain(chain).columns[-1] == FR4_LAST[locus]
    cut = [scaffold(chain[: len(chain) - n]) for n in range(8)]
    assert [lengths(found) for found in open_ends(cut, library, UNMODIFIED)] == [
        (0, n) for n in range(8)
    ]


def test_other_ends_are_left_as_they_are(library: Library) -> None:
    heavy = germline_chain("H", 1)
    chains = [
        scaffold(heavy),
        scaffold("MKHLWFFLLLVAAPRWVLS" + heavy),  # a leader
        scaffold(heavy + constant_region("H")[:50]),
        scaffold(heavy[: heavy.rindex("C") + 4]),  # stops in CDR3
        scaffold(heavy[: heavy.rindex("C") + 1] + "ARFSGSNYDYFD"),  # with F where FR4 might begin
        scaffold(heavy[heavy.rindex("C") + 1 :] + constant_region("H")),  # begins behind Cys104
        scaffold(hidden(heavy[4:], [(0, 3)]), Gap(0, 3, 3, 3)),
        scaffold(heavy[4:], Gap(0, 0, 1, None)),  # a marked end without a position of its own
        scaffold(heavy[:-3], Gap(len(heavy) - 3, len(heavy) - 3, 3, 3)),
        scaffold("X" * 30, Gap(0, 30, 30, 30)),
        scaffold(random_protein(100, 1)),
    ]
    assert open_ends(chains, library, UNMODIFIED) == chains


@pytest.mark.parametrize(("missing", "added"), [(0, 0), (6, 6), (3, 6)])
def test_a_chain_that_has_its_intact_mass_lacks_nothing(
    missing: int, added: int, library: Library
) -> None:
    """missing: residues of germline that the mass shows besides those of the chain."""
    chain = germline_chain("H", 3)
    mass = float(calculate_mass(sequence=chain[6 - missing :]))
    intact = IntactMass(mass, 0.1, "monoisotopic")
    (found,) = open_ends([replace(scaffold(chain[6:]), intact=intact)], library, UNMODIFIED)
    assert lengths(found) == (added, 0)


def test_a_form_that_is_allowed_has_the_intact_mass_too(library: Library) -> None:
    """Without its last lysine, a kappa chain that begins late lacks no first residue."""
    chain = germline_chain("K", 1)[1:]
    assert chain.endswith("K")
    intact = IntactMass(float(calculate_mass(sequence=chain[:-1])), 0.1, "monoisotopic")
    given = replace(scaffold(chain), intact=intact)
    for allowed, added in ((UNMODIFIED, 1), (Modifications(clipped_lysine=True), 0)):
        (found,) = open_ends([given], library, allowed)
        assert lengths(found) == (added, 0)


def test_gaps_and_modifications_stay_where_they_are(library: Library) -> None:
    chain = hidden(germline_chain("K", 1)[5:-3], [(40, 44)])
    tag = ResidueModification(2, 57.02146)
    given = Scaffold("c", "d", chain, (Gap(40, 44, 4, 4),), 7, (tag,))
    [found] = open_ends([given], library, UNMODIFIED)
    stop = len(chain)
    first, *others, last = found.gaps
    assert (first.start, first.end, first.min_length, first.max_length) == (0, 0, 5, 5)
    assert (last.start, last.end, last.min_length, last.max_length) == (stop, stop, 3, 3)
    assert tuple(others) == given.gaps
    assert (found.sequence, found.modifications, found.line) == (chain, (tag,), 7)


def test_ends_of_a_chain_of_two_domains(library: Library) -> None:
    linked = germline_chain("H", 1)[6:] + "GGGGS" * 3 + germline_chain("K", 1)[:-4]
    [found] = open_ends([scaffold(linked)], library, UNMODIFIED)
    assert lengths(found) == (6, 4)


def test_auto_completes_the_ends_of_repertoires_alone(write: Write, tmp_path: Path) -> None:
    whole = germline_chain("H", 5)
    cut = {"late": whole[9:], "whole": whole, "early": whole[:-2]}
    rows = "".join(f"{name}\t{sequence}\tV\n" for name, sequence in cut.items())
    table = write("a.tsv", "sequence_id\tsequence_aa\tv_call\n" + rows)
    plain = write("a.fasta", fasta({**cut, "gap": hidden(whole, [(50, 52)])}))
    fill_file({"fasta": table}, tmp_path / "t", {})
    filled = (tmp_path / "t" / "filled.fasta").read_text().splitlines()[1::2]
    assert [len(sequence) for sequence in filled] == [len(whole)] * 3
    assert filled[1] == whole and filled[0].endswith(whole[9:]) and filled[2].endswith("TVSS")
    gaps = list(GAP_TABLE.read(tmp_path / "t" / "gaps.tsv"))
    first = [(g.chain, g.start, g.end, g.first, g.last) for g in gaps if g.rank == 1]
    stop = len(whole)
    assert first == [("late", 0, 0, 1, 9), ("early", stop - 2, stop - 2, stop - 1, stop)]
    found = list(CHAIN_TABLE.read(tmp_path / "t" / "chains.tsv"))
    assert [(c.n_terminal, c.c_terminal) for c in found] == [(9, 0), (0, 0), (0, 2)]
    fill_file({"fasta": plain}, tmp_path / "p", {})
    found = list(CHAIN_TABLE.read(tmp_path / "p" / "chains.tsv"))
    assert [c.missing for c in found] == [0, 0, 0, 2]
    fill_file({"fasta": plain}, tmp_path / "q", {"complete_ends": True})
    found = list(CHAIN_TABLE.read(tmp_path / "q" / "chains.tsv"))
    assert [c.missing for c in found] == [9, 0, 2, 2]


def test_the_key_is_auto_true_or_false() -> None:
    for given, read in {"auto": "auto", "true": True, "False": False, False: False}.items():
        config = check_config({"samples": "-", "complete_ends": given})
        assert config["complete_ends"] == read
    with pytest.raises(LacunaError, match="'complete_ends' is 'yes'; use one of auto, true, false"):
        check_config({"samples": "-", "complete_ends": "yes"})


@pytest.mark.parametrize(("locus", "first"), [("H", 11), ("K", 9), ("L", 10)])
def test_a_chain_that_stops_in_front_of_fr4_lacks_nothing(
    locus: str, first: int, library: Library
) -> None:
    """first: residues that are cut off with the first one that is not doubtful in FR4."""
    chain = germline_chain(locus, 2)
    cut = [scaffold(chain[:-n]) for n in (first - 1, first)]
    assert [lengths(found) for found in open_ends(cut, library, UNMODIFIED)] == [
        (0, first - 1),
        (0, 0),
    ]


def test_an_end_that_lacks_residues_says_nothing_of_the_other_one(library: Library) -> None:
    heavy = germline_chain("H", 1)
    behind = heavy.rindex("C") + 1
    late, early = heavy[6:], heavy[:-3]
    chains = {
        "MKHLWFFLLLVAAPRWVLS" + early: (0, 3),  # a leader
        "X" + early[1:]: (0, 3),
        early[behind:]: (0, 0),  # begins behind Cys104
        late + constant_region("H")[:50]: (6, 0),
        late[:-1] + "X": (6, 0),
        heavy[6 : behind + 3]: (6, 0),  # stops in CDR3
        heavy[6:behind] + "ARFSGSNYDYFD": (6, 0),  # with F where FR4 might begin
    }
    found = open_ends(list(map(scaffold, chains)), library, UNMODIFIED)
    assert [lengths(one) for one in found] == list(chains.values())
