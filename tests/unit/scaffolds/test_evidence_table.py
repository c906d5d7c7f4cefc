"""Evidence that a user gives: how the table is read, and what it does to a missing residue."""

from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain, hidden
from conftest import Write
from gaps import mass_of
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.filling.evidence import with_evidence
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Rejected, Scaffold
from laws import LAWS, fill

HEADER = "chain\tposition\tresidue\tprobability\n"


def weights(**shares: float) -> tuple[float, ...]:
    """Weights of the residues that are named; the others share what is left of 1."""
    rest = (1 - sum(shares.values())) / (20 - len(shares))
    return tuple(shares.get(residue, rest) for residue in RESIDUES)


def read(write: Write, sequence: str, rows: str, header: str = HEADER) -> Scaffold | Rejected:
    fasta = write("a.fasta", f">a\n{sequence}\n")
    (record,) = read_scaffolds(fasta, evidence=write("e.tsv", header + rows))
    return record


def test_residues_that_are_not_named_share_what_is_left(write: Write) -> None:
    scaffold = read(write, "AC-EF", "a\t3\tD\t0.62\na\t3\tN\t0.2\na\t1\tA\t1\n")
    assert isinstance(scaffold, Scaffold)
    first, third = scaffold.evidence
    assert (first.position, third.position) == (0, 2)  # in the file from 1
    assert first.weights == pytest.approx(weights(A=1))
    assert third.weights == pytest.approx(weights(D=0.62, N=0.2))
    assert from_json(to_json(scaffold)) == scaffold


def test_one_column_a_residue_says_the_same(write: Write) -> None:
    wide = read(write, "AC-EF", "a,3,.62,.2\n", "chain,position,D,N\n")
    assert isinstance(wide, Scaffold)
    assert wide.evidence == (PositionEvidence(2, wide.evidence[0].weights),)
    assert wide.evidence[0].weights == pytest.approx(weights(D=0.62, N=0.2))


@pytest.mark.parametrize("none", ["", "NA", "nan"])
def test_a_cell_of_a_wide_table_may_say_that_it_has_no_value(write: Write, none: str) -> None:
    header = "chain\tposition\twithin\tspread\tA\tD\tN\n"
    wide = read(write, "AC-EF", f"a\t3\t{none}\t{none}\t{none}\t.62\t.2\n", header)
    assert isinstance(wide, Scaffold)
    assert wide.evidence == (PositionEvidence(2, wide.evidence[0].weights),)
    assert wide.evidence[0].weights == pytest.approx(weights(D=0.62, N=0.2))


def test_a_row_of_a_wide_table_without_any_value_rejects_its_chain(write: Write) -> None:
    """It would count as even probabilities of all residues."""
    bad = read(write, "AC-EF", "a\t3\t\tNA\n", "chain\tposition\tD\tN\n")
    assert isinstance(bad, Rejected)
    assert bad.reason.startswith("e.tsv:2: 'a' has no probability at position 3; give")


def test_two_decimals_of_all_twenty_need_not_sum_to_one(write: Write) -> None:
    cells = "\t".join(["0.05"] * 18 + ["0.05", "0.08"])
    scaffold = read(
        write, "AC-", f"a\t3\t{cells}\n", "chain\tposition\t" + "\t".join(RESIDUES) + "\n"
    )
    assert isinstance(scaffold, Scaffold)
    assert sum(scaffold.evidence[0].weights) == pytest.approx(1)


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("a\t9\tD\t0.5\n", 2, "position 9 past its end at 5"),
        ("a\t0\tD\t0.5\n", 2, "'0'; give a whole number from 1"),
        ("a\t3\tD\t0.5\na\tx\tD\t0.5\n", 3, "'x'; give a whole number from 1"),
        ("a\t2.5\tD\t0.5\n", 2, "'2.5'; give a whole number from 1"),
        ("a\t0.0\tD\t0.5\n", 2, "'0.0'; give a whole number from 1"),
        ("a\t3\tO\t0.5\n", 2, "the residue 'O'; give one of ACDEFGHIKLMNPQRSTVWY"),
        ("a\t3\tD\t1.5\n", 2, "'1.5' as the probability of D; give a number from 0 to 1"),
        ("a\t3\tD\t0,9\n", 2, "'0,9' as the probability of D; write a decimal point: 0.9"),
        ("a\t3\tD\tnan\n", 2, "'nan' as the probability of D"),
        ("a\t3\tD\t\n", 2, "'' as the probability of D"),
        ("a\t3\tD\t.5\na\t3\tD\t.4\n", 3, "two probabilities of D at position 3"),
        ("a\t3\tD\t.9\na\t3\tN\t.9\n", 2, "probabilities that sum to 1.8 at position 3"),
    ],
)
def test_a_bad_row_rejects_its_chain(write: Write, rows: str, line: int, said: str) -> None:
    bad = read(write, "AC-EF", rows)
    assert isinstance(bad, Rejected) and not bad.remark
    assert bad.reason.startswith(f"e.tsv:{line}: 'a' has ") and said in bad.reason
    assert bad.line == line


def test_a_gap_keeps_its_mass_unless_a_row_says_yes(write: Write) -> None:
    header = HEADER.replace("\n", "\tat_odds\n")
    fasta = write("a.fasta", ">a\nACD-EFGHIK\n")
    gaps = write("g.tsv", "chain\tstart\tend\tmass\na\t3\t4\t71.0371\n")
    masses = {}
    for said in ("yes", "Yes", "no", "", "?"):
        table = write("e.tsv", header + f"a\t4\tA\t0.9\t{said}\n")
        (record,) = read_scaffolds(fasta, gaps, evidence=table)
        masses[said] = record.reason if isinstance(record, Rejected) else record.gaps[0].mass
    assert masses == {"yes": None, "Yes": None, "no": 71.0371, "": 71.0371} | {
        "?": "e.tsv:2: 'a' has '?' as at_odds; give yes, or nothing"
    }


def test_evidence_for_neither_residue_of_a_code_is_a_contradiction(write: Write) -> None:
    bad = read(write, "ACBEF", "a\t3\tK\t1\n")
    assert isinstance(bad, Rejected) and "has B at position 3" in bad.reason


def test_a_gap_of_unknown_length_has_no_positions(write: Write) -> None:
    bad = read(write, "ACX[+367.0537]EF", "a\t3\tK\t1\n")
    assert (
        isinstance(bad, Rejected) and "position 3, which is a gap of unknown length" in bad.reason
    )


WITHIN = "chain\tposition\tresidue\tprobability\twithin\n"


def test_evidence_within_a_gap_of_unknown_length_tells_its_length(write: Write) -> None:
    rows = "a\t3\tK\t1\t1\na\t3\tW\t.9\t2\na\t4\tE\t1\t\n"
    told = read(write, "ACX[+314.1743]EF", rows, WITHIN)
    assert isinstance(told, Scaffold)
    (gap,) = told.gaps
    assert (gap.start, gap.end, gap.min_length, gap.max_length) == (2, 3, 2, 2)
    assert gap.mass == 314.1743 and 0.9 < gap.length_probability < 1
    assert [e.weights for e in gap.shown] == [
        pytest.approx(weights(K=1)),
        pytest.approx(weights(W=0.9)),
    ]
    assert [e.position for e in told.evidence] == [3]
    assert from_json(to_json(told)) == told
    grown = with_lengths(told, [2])
    assert grown.sequence == "ACXXEF" and grown.gaps[0].shown == ()
    assert [(e.position, e.weights) for e in grown.evidence] == [
        (2, gap.shown[0].weights),
        (3, gap.shown[1].weights),
        (4, told.evidence[0].weights),
    ]


def test_whole_numbers_may_be_written_with_a_point(write: Write) -> None:
    rows = "a\t3.0\tK\t1\t1.0\na\t3.0\tW\t.9\t2.0\na\t4.0\tE\t1\t\n"
    plain = read(write, "ACX[+314.1743]EF", rows.replace(".0", ""), WITHIN)
    assert isinstance(plain, Scaffold)
    assert read(write, "ACX[+314.1743]EF", rows, WITHIN) == plain


def test_evidence_within_a_gap_that_is_as_long_as_written(write: Write) -> None:
    told = read(write, "ACX[+128.0950]EF", "a\t3\tK\t1\t1\n", WITHIN)
    assert isinstance(told, Scaffold)
    (gap,) = told.gaps
    assert gap.fixed and gap.shown == () and gap.length_probability < 1
    assert [(e.position, e.weights) for e in told.evidence] == [(2, pytest.approx(weights(K=1)))]


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        ("a\t2\tK\t1\t1\n", 2, "within a gap of unknown length at position 2, where none begins"),
        ("a\t3\tK\t1\t1\na\t3\tK\t1\t3\n", 2, "no evidence for residue 2 of 3 in the gap"),
        ("a\t3\tK\t1\t1\na\t3\tK\t2\t2\n", 3, "'2' as the probability of K"),
        ("a\t3\tK\t1\tx\n", 2, "evidence for within 'x'; give a whole number from 1"),
        ("a\t5\tK\t1\t1\na\t5\tK\t1\t2\n", 2, "2 residues in the gap of unknown length at "),
    ],
)
def test_bad_evidence_within_a_gap_rejects_its_chain(
    write: Write, rows: str, line: int, said: str
) -> None:
    fasta = write("a.fasta", ">a\nACX[+367.0537]EXF\n")
    gaps = write("g.tsv", "chain\tstart\tend\tmin_length\tmax_length\na\t4\t5\t3\t9\n")
    (bad,) = read_scaffolds(fasta, gaps, evidence=write("e.tsv", WITHIN + rows))
    assert isinstance(bad, Rejected) and not bad.remark
    assert bad.reason.startswith(f"e.tsv:{line}: 'a' has ") and said in bad.reason


def test_two_tables_that_tell_of_one_gap_are_multiplied_or_contradict_each_other(
    write: Write,
) -> None:
    fasta = write("a.fasta", ">a\nACX[+314.1743]EF\n")
    one = write("1.tsv", WITHIN + "a\t3\tK\t.5\t1\na\t3\tW\t1\t2\n")
    (told,) = read_scaffolds(fasta, evidence=[one, one])
    assert isinstance(told, Scaffold)
    k, rest = 0.5 * 0.5, (0.5 / 19) ** 2
    assert told.gaps[0].shown[0].weights == pytest.approx(weights(K=k / (k + 19 * rest)))
    other = write("2.tsv", WITHIN + "a\t3\tK\t1\t1\n")
    (bad,) = read_scaffolds(fasta, evidence=[one, other])
    assert isinstance(bad, Rejected) and "evidence for 1 residue in the gap" in bad.reason


def test_rows_of_a_chain_that_is_not_there_are_listed(write: Write) -> None:
    fasta = write("a.fasta", ">a\nAC-EF\n>bad\nACO\n")
    rows = write("e.tsv", HEADER + "bad\t1\tA\t1\nb\t3\tD\t0.5\n")
    good, bad, unknown = read_scaffolds(fasta, evidence=rows)
    assert isinstance(good, Scaffold) and not good.evidence
    assert isinstance(bad, Rejected) and isinstance(unknown, Rejected)
    assert unknown.reason == (
        "e.tsv:3: 'b' is not a chain of a.fasta; correct the id (known: a, bad) or remove the row"
    )


def test_several_tables_are_multiplied(write: Write) -> None:
    fasta = write("a.fasta", ">a\nAC-EF\n")
    one = write("e.tsv", HEADER + "a\t3\tD\t.8\na\t3\tN\t.2\n")
    two = write("r.tsv", HEADER + "a\t3\tD\t.2\na\t3\tN\t.8\na\t1\tA\t1\n")
    (both,) = read_scaffolds(fasta, evidence=[one, two])
    assert isinstance(both, Scaffold)
    assert [e.position for e in both.evidence] == [0, 2]
    assert both.evidence[1].weights == pytest.approx(weights(D=0.5, N=0.5))
    against = write("x.tsv", HEADER + "a\t3\tK\t1\n")
    (bad,) = read_scaffolds(fasta, evidence=[one, against])
    assert isinstance(bad, Rejected) and "position 3 that contradicts its reads" in bad.reason


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("chain\tposition\tresidue\n", "column 'probability' of the evidence table is missing"),
        ("chain\tA\tC\n", "column 'position' of the evidence table is missing"),
        ("chain\tposition\tA\tresidue\n", "column 'residue' as well as one column a residue"),
        ("chain\tposition\tO\n", "unknown column 'O'"),
        ("chain\tposition\tA\tA\n", "column 'A' is there twice"),
        (HEADER + "a\t3\tD\t0.5\t7\n", "e.tsv:2: 5 cells under 4 columns"),
    ],
)
def test_a_table_of_other_columns_stops_the_run(write: Write, text: str, said: str) -> None:
    fasta = write("a.fasta", ">a\nAC-EF\n")
    with pytest.raises(LacunaError) as error:
        list(read_scaffolds(fasta, evidence=write("e.tsv", text)))
    assert said in str(error.value) and "e.tsv" in str(error.value)


def test_evidence_moves_with_its_residue_behind_a_gap_that_grows() -> None:
    gaps = Gap(1, 2, 1, None, 300.0, 0.1), Gap(3, 4, 1, 1)
    told = PositionEvidence(0, weights(A=1)), PositionEvidence(3, weights(D=1))
    scaffold = with_lengths(Scaffold("a", "", "AXCXE", gaps, 1, (), told), [3, None])
    assert scaffold.sequence == "AXXXCXE"
    assert [e.position for e in scaffold.evidence] == [0, 5]


def test_network_and_evidence_are_multiplied() -> None:
    network = np.full((2, 20), 0.05)
    network[1] = weights(D=0.4, N=0.4)
    told = PositionEvidence(3, weights(N=0.75, D=0.25))
    scaffold = Scaffold("a", "", "AXCXE", (Gap(1, 2, 1, 1), Gap(3, 4, 1, 1)), 1, (), (told,))
    targets = np.array([[0, 1, 0, 1], [0, 3, 0, 3]])
    joined = with_evidence([scaffold], targets, network)
    assert (joined[0] == network[0]).all()
    d, n = joined[1, RESIDUES.index("D")], joined[1, RESIDUES.index("N")]
    assert n == pytest.approx(0.75) and d == pytest.approx(0.25)
    assert with_evidence([Scaffold("a", "", "AXC", (), 1)], targets, network) is network


def test_a_settled_distribution_takes_the_networks_place(write: Write) -> None:
    fasta = write("a.fasta", ">a\nAJC-E\n")
    rows = write("s.tsv", HEADER + "a\t2\tI\t.9\na\t4\tD\t.6\na\t4\tN\t.4\n")
    (scaffold,) = read_scaffolds(fasta, settled=rows)
    assert isinstance(scaffold, Scaffold) and all(e.settled for e in scaffold.evidence)
    assert from_json(to_json(scaffold)) == scaffold
    network = np.zeros((2, 20))
    network[:, [RESIDUES.index("I"), RESIDUES.index("L")]] = 0.5
    joined = with_evidence([scaffold], np.array([[0, 1, 0, 1], [0, 3, 0, 3]]), network)
    assert joined[1, RESIDUES.index("D")] == pytest.approx(0.6)
    assert joined[0, RESIDUES.index("I")] == pytest.approx(0.9 / (0.9 + 0.1 / 19))
    assert joined[0, RESIDUES.index("K")] == 0  # J has two choices


@pytest.mark.slow
@pytest.mark.parametrize("letter", "XB")
def test_a_share_of_a_doubtful_position_is_spread(write: Write, letter: str) -> None:
    row = "a\t2\tD\t1"
    header = HEADER.rstrip() + "\tspread\n"
    scaffold = read(write, f"A{letter}C", f"{row}\t0.056\n", header)
    network = np.full((1, 20), 0.05)
    (joined,) = with_evidence([scaffold], np.array([[0, 1, 0, 1]]), network)
    assert joined.max() == pytest.approx(1 - 0.056 * 19 / 20) and joined.sum() == pytest.approx(1)
    assert "spread" in str(read(write, f"A{letter}C", f"{row}\t1.5\n", header))


def test_evidence_decides_letters_and_mass_gaps_and_changes_nothing_observed(
    tmp_path: Path,
) -> None:
    chain = germline_chain("H", 1)
    spans = [(30, 31), (100, 104)]
    mass = mass_of(chain[100:104])
    gaps = Gap(30, 31, 1, 1), Gap(100, 104, 4, 4, mass, 0.01)
    plain = Scaffold("a", "", hidden(chain, spans), gaps, 1)
    # An order of the CDR3's residues that the mass allows and nobody would guess.
    wanted = chain[100:104][::-1]
    told = (
        PositionEvidence(10, weights(W=1)),  # observed
        PositionEvidence(30, weights(W=1)),
        *(PositionEvidence(100 + i, weights(**{r: 0.99999})) for i, r in enumerate(wanted)),
    )
    given = Scaffold("a", "", plain.sequence, gaps, 1, (), told)
    for name in ("without", "with", "again"):
        (tmp_path / name).mkdir()
    before = fill([plain], tmp_path / "without").filled["a"]
    after = fill([given], tmp_path / "with").filled["a"]
    assert after == chain[:30] + "W" + chain[31:100] + wanted + chain[104:]
    assert before[10] == after[10] == chain[10] and before[30] != "W"
    beside = Scaffold("b", "", plain.sequence, gaps, 3)
    both = fill([given, beside], tmp_path / "again")
    assert both.filled == {"a": after, "b": before}
    for law in LAWS:
        law(both)
