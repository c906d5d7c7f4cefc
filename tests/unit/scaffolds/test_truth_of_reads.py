"""True chains are matched with the chains that reads gave, whatever they are called."""

from pathlib import Path

from chains import germline_chain, hidden
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.scaffolds.truth import place
from lacuna.scaffolds.truth_of_reads import in_shape, match, write_truth

HEAVY, LIGHT = germline_chain("H", 1), germline_chain("K", 2)


def chain(name: str, sequence: str, *gaps: Gap) -> Scaffold:
    return Scaffold(name, "", sequence, gaps, 1)


def gap(start: int, end: int, *, known: bool = True) -> Gap:
    return Gap(start, end, end - start if known else 0, end - start if known else None)


def test_each_scaffold_gets_the_truth_that_it_is_like() -> None:
    scaffolds = [
        chain("kappa", hidden(LIGHT, [(30, 40)]), gap(30, 40)),
        chain("heavy", hidden(HEAVY, [(50, 60)]), gap(50, 60)),
        chain("heavy_2", "WHK" * 30),
    ]
    found = match(scaffolds, [chain("mine_H", "AA" + HEAVY), chain("mine_L", LIGHT)])
    assert [(m.scaffold.chain, m.truth.chain) for m in found] == [
        ("kappa", "mine_L"),
        ("heavy", "mine_H"),
    ]
    assert in_shape(found[0]) == LIGHT and in_shape(found[1]) == HEAVY


def test_a_wrong_residue_of_reads_is_counted_and_the_gap_still_scored() -> None:
    shown = hidden(HEAVY[:20] + "W" + HEAVY[21:], [(50, 60)]).replace("I", "J")
    (found,) = match([chain("heavy", shown, gap(50, 60))], [chain("H", HEAVY)])
    assert (found.shown, found.wrong) == (len(HEAVY) - 10, 1)
    assert place(shown, found.scaffold.gaps, in_shape(found)) == [HEAVY[50:60]]


def test_a_gap_of_unknown_length_has_what_lies_between_its_sides() -> None:
    shown = HEAVY[:50] + "XXX" + HEAVY[60:]
    (found,) = match([chain("heavy", shown, gap(50, 53, known=False))], [chain("H", HEAVY)])
    assert in_shape(found) == HEAVY


def test_residues_that_reads_skip_are_put_between_theirs() -> None:
    shown = HEAVY[:50] + HEAVY[52:]
    (found,) = match([chain("heavy", shown, gap(50, 50, known=False))], [chain("H", HEAVY)])
    assert in_shape(found) == HEAVY


def test_what_the_truth_does_not_have_stays_unknown(tmp_path: Path) -> None:
    shown = hidden(HEAVY + "ASTKGPSVFP", [(len(HEAVY) + 2, len(HEAVY) + 5)])
    end = len(HEAVY) + 2
    write_truth(
        [chain("heavy", shown, gap(end, end + 3))], [chain("H", HEAVY)], tmp_path / "t.fasta"
    )
    (record,) = read_scaffolds(tmp_path / "t.fasta")
    assert isinstance(record, Scaffold) and record.sequence == shown
