"""Gap tables, as users and attackers write them."""

import re
import tracemalloc

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Rejected, Scaffold
from scaffold_reader import HEADER, Reader, fixed


def test_letters_under_a_gap_are_hidden_and_kept_as_truth(read: Reader) -> None:
    scaffold = read.one("ACDEFGHIKL", "0\t3\n8\t10")
    assert scaffold.sequence == "XXXEFGHIXX"
    assert scaffold.gaps == (fixed(0, 3, "ACD"), fixed(8, 10, "KL"))


def test_a_row_over_gap_characters_only_adds_what_it_knows(read: Reader) -> None:
    scaffold = read.one("AC---FG", "2\t5\t340.2\t20")
    assert scaffold.sequence == "ACXXXFG"
    assert scaffold.gaps == (Gap(2, 5, 3, 3, 340.2, pytest.approx(0.006804), None),)


def test_a_row_over_letters_and_gap_characters_hides_the_letters_and_has_no_truth(
    read: Reader,
) -> None:
    scaffold = read.one("ACD--GJK", "1\t7")
    assert scaffold.sequence == "AXXXXXJK"
    assert scaffold.gaps == (fixed(1, 7),)


def test_rows_split_a_run_and_what_is_left_of_it_stays_a_gap(read: Reader) -> None:
    scaffold = read.one("A------C", "2\t4\t200.1\n4\t5")
    assert [(gap.start, gap.end) for gap in scaffold.gaps] == [(1, 2), (2, 4), (4, 5), (5, 7)]
    assert [gap.mass for gap in scaffold.gaps] == [None, 200.1, None, None]


def test_an_empty_row_inserts_a_gap_of_unknown_length(read: Reader) -> None:
    scaffold = read.one("AC--D", "0\t0\n1\t1\t300.1\n3\t3\t\t\t2\t4\n5\t5\t\t\t1")
    assert scaffold.sequence == "ACXXD"
    assert scaffold.gaps == (
        Gap(0, 0, 1, None),
        Gap(1, 1, 1, None, 300.1, pytest.approx(0.003001)),
        fixed(2, 3),
        Gap(3, 3, 2, 4),
        fixed(3, 4),
        Gap(5, 5, 1, None),
    )


def test_lengths_of_a_row(read: Reader) -> None:
    scaffold = read.one("ACDEFGHIKL", "0\t2\t\t\t1\t4\n3\t5\t\t\t2\n6\t8\t\t\t\t9")
    assert scaffold.gaps == (
        Gap(0, 2, 1, 4, truth="AC"),
        Gap(3, 5, 2, None, truth="EF"),
        Gap(6, 8, 1, 9, truth="HI"),
    )


def test_a_row_adds_to_an_inline_mass(read: Reader) -> None:
    scaffold = read.one("AX[+400.1]C{420 Da}D", "1\t2\t\t50\t3\t4\n3\t4\t\t50")
    assert scaffold.gaps == (
        Gap(1, 2, 3, 4, 400.1, pytest.approx(0.020005)),
        Gap(3, 4, 1, None, 420.5, 0.5, interval=True),
    )


@pytest.mark.parametrize("tolerance", [0.02, 0.5, 2.0])
def test_a_row_may_only_widen_an_interval(write: Write, tolerance: float) -> None:
    fasta = write("c.fasta", ">a\nAC{420 Da}D\n")
    gaps = write("g.tsv", f"chain\tstart\tend\ttolerance_da\na\t2\t3\t{tolerance}\n")
    [found] = read_scaffolds(fasta, gaps)
    if tolerance >= 0.5:
        assert isinstance(found, Scaffold)
        (gap,) = found.gaps
        assert (gap.mass, gap.tolerance_da, gap.interval) == (420.5, tolerance, False)
    else:
        assert isinstance(found, Rejected)
        assert found.reason == (
            "g.tsv:2: 'a' has a tolerance of 0.02 Da for the gap at 2..3, whose mass of {420 Da} "
            "is known to 1 Da; write the mass with decimals, or leave the tolerance out"
        )


@pytest.mark.parametrize(
    ("sequence", "rows", "line", "words"),
    [
        ("ACDE", "2\t9", 2, "has a gap at 2..9 past its end at 4; correct the positions"),
        ("ACDE*", "4\t5", 2, "past its end at 4"),
        ("ACDE", "0\t1\n5\t5", 3, "past its end"),
        ("ACDE", "2\t4\n0\t3", 2, "has a gap at 2..4 that overlaps the one at 0..3; keep one"),
        ("ACDE", "0\t4\n2\t2", 3, "overlaps"),
        ("ACDE", "2\t2\n2\t2", 3, "overlaps"),
        ("ACDE", "1\t2\n1\t2", 3, "overlaps"),
        ("ACDE", "3\t1", 2, "starts at 3 and ends before, at 1; swap them"),
        ("ACDE", "one\t2", 2, "has a gap with start 'one'; give a whole number"),
        ("ACDE", "1\t2.5", 2, "end '2.5'"),
        ("ACDE", "-1\t2", 2, "start -1; give 0 or more"),
        ("ACDE", "1", 2, "without start or end"),
        ("ACDE", "0\t2\theavy", 2, "mass 'heavy'; give a number"),
        ("ACDE", "0\t2\tinf", 2, "mass 'inf'; give a number"),
        ("ACDE", "0\t2\t-200", 2, "mass -200; give 0 or more"),
        ("ACDE", "0\t2\t20.1", 2, "gap mass of 20.1 Da, less than the lightest residue (57.02146"),
        ("ACDE", "0\t2\t1e8", 2, "more than 50000 residues weigh"),
        ("ACDE", "0\t2\t200\t1e6", 2, "tolerance_ppm 1e+06; give less than 1e+06"),
        ("ACDE", "0\t2\t200\t-1", 2, "tolerance_ppm -1; give 0 or more"),
        ("ACDE", "0\t2\t\t\t5\t3", 2, "min_length 5 and max_length 3"),
        ("ACDE", "0\t2\t\t\t\t0", 2, "min_length 1 and max_length 0"),
        (
            "ACDE",
            "2\t2\t\t\t0",
            2,
            "min_length 0, but a gap holds at least one residue; give 1, or",
        ),
        ("ACDE", "2\t2\t\t\t0.0\t3", 2, "remove the row if nothing is missing"),
        ("ACDE", "0\t2\t\t\t3\t4", 2, "hides 2 residues, outside its lengths 3 to 4"),
        ("ACDE", "0\t2\t\t\t3", 2, "hides 2 residues, outside its lengths 3 to open"),
        ("ACDE", "0\t2\t\t\t1\t2\tmore", 2, "1 cell more than the header; remove it"),
        ("ACDE", "0\t2\t\t\t1\t2\tand\tmore", 2, "2 cells more than the header; remove them"),
        ("AEQLVE", "1\t3\t200.0797", 2, "weigh 257.1012 Da, not 200.0797 Da, which those"),
        ("AEQLVE", "1\t3\t200.0797", 2, "count from 0, so subtract 1 from start and end"),
        ("AEQLVE", "2\t3\t257.1012", 2, "which they and the one before weigh"),
        ("AEQLVE", "2\t3\t257.1012", 2, "count from 0, so subtract 1 from start, or"),
        ("AX[+400.1]C", "1\t2\t400", 2, "both inline and in the table; keep one of them"),
        ("AX[+400.1]C", "0\t2", 2, "covers an inline mass gap"),
    ],
)
def test_a_bad_row_rejects_its_chain_alone(
    read: Reader, sequence: str, rows: str, line: int, words: str
) -> None:
    bad = read.fault(sequence, rows)
    assert (bad.line, bad.column) == (line, None)
    assert bad.reason.startswith(f"gaps.tsv:{line}: 'm' has a ")
    assert words in bad.reason


@pytest.mark.parametrize(
    ("rows", "line", "others"),
    [
        ("0\t1\n5\t5\n3\t1", 4, ""),  # rows that cannot be read go before those that do not fit
        ("3\t1\n0\t1\n3\tx", 2, " (bad as well: line 4)"),
        ("6\t7\n0\t1\n5\t9", 2, " (bad as well: line 4)"),
        ("\n".join(["3\t1"] * 9), 2, " (bad as well: line 3, 4, 5, 6, 7 and 3 more)"),
    ],
)
def test_all_bad_rows_of_a_chain_are_named_at_once(
    read: Reader, rows: str, line: int, others: str
) -> None:
    bad = read.fault("ACDE", rows)
    assert bad.line == line
    assert bad.reason.endswith(others) and ("bad as well" in bad.reason) == bool(others)


@pytest.mark.parametrize(
    ("sequence", "row"),
    [
        ("AEQLVE", "1\t3\t257.1012"),  # the mass of the letters
        ("AEQLVE", "1\t3\t300.1"),  # of neither: the letters are thought wrong
        ("ACQLVE", "1\t3\t231.1"),  # what C carries is not known
        ("AAEALVE", "1\t3\t200.0797"),  # these weigh as much as those before
        ("AEXXVE", "1\t3\t200.0797"),  # there is nothing to compare
        ("AEQLVE", "0\t2\t257.1012"),
    ],
)
def test_a_mass_that_may_be_of_the_letters_given_is_taken(
    read: Reader, sequence: str, row: str
) -> None:
    assert read.one(sequence, row).gaps[0].mass == float(row.split()[2])


def test_ids_with_blanks_and_in_another_case_are_explained(read: Reader) -> None:
    fasta = ">mab heavy chain\nACD\n>mab light chain\nACD\n"
    first, second, blank, case, other = read(fasta, "mab L1\t0\t1\nMAB\t0\t1\nz\t0\t1\n")
    assert isinstance(first, Scaffold)
    reasons = [found.reason for found in (second, blank, case, other)]
    assert "an id ends at the first blank: write mab_light_chain, say" in reasons[0]
    assert "an id ends at the first blank: did you mean 'mab'?" in reasons[1]
    assert reasons[2].endswith("'MAB' is not a chain of heavy.fasta; did you mean 'mab'?")
    assert reasons[3].endswith("correct the id (known: mab) or remove the row")


def test_rows_of_unknown_chains_come_last_in_order_of_their_lines(read: Reader) -> None:
    found = read(">a\nACD\n", "z\t0\t1\na\t0\t1\ny\t1\nz\t9\t1\n")
    assert isinstance(found[0], Scaffold) and found[0].gaps[0].truth == "A"
    assert [(record.chain, record.line) for record in found[1:]] == [("z", 1), ("y", 3), ("z", 4)]
    assert found[1] == Rejected(
        "z",
        1,
        None,
        "gaps.tsv:1: 'z' is not a chain of heavy.fasta; correct the id (known: a) or remove the "
        "row",
    )


def test_a_row_without_an_id_is_told(read: Reader) -> None:
    _, found = read(">a\nACD\n", "chain\tstart\tend\n\t0\t1\n")
    assert isinstance(found, Rejected)
    assert found.reason == (
        "gaps.tsv:2: '' is not a chain of heavy.fasta; correct the id (known: a) or remove the row"
    )


def test_rows_of_a_rejected_chain_are_not_reported_as_unknown(read: Reader) -> None:
    assert len(read(">a\nAOC\n>b\nAC\n", "a\t0\t1\n")) == 2


@pytest.mark.parametrize(
    "table",
    [
        "a\t1\t3\n",
        "# made by hand\ntrack name=gaps\nbrowser position x\na\t1\t3\tname\t0\t+\n",
        "a 1 3\n",
        "a\t1\t3\t1\n",
        "a\t1\t3\t2.5\t0\t+\nz\t1\t3\tgap2\n",
        "a\t1\t3\tgap1\nz\t1\t3\t2.5\n",
        "a\t1\t3\r\n",
        "\ufeffchain\tstart\tend\na\t1\t3\n",
        "end\tCHAIN\tstart\n\n3\ta\t1\n",
        "#chain\tstart\tend\na\t1\t3\n",
        "chain\tstart\tend\tmass\na\t1\t3\t.\n",
        "chain\tstart\tend\tmass\na\t1\t3\tNA\n",
        "chain\tstart\tend\tmass\na\t1\t3\tnull\n",
    ],
)
def test_bed_and_tsv_say_the_same(read: Reader, table: str) -> None:
    found, *_ = read(">a\nACDE\n", table)
    assert found == Scaffold("a", "", "AXXE", (fixed(1, 3, "CD"),), 1)


@pytest.mark.parametrize("row", ["a\t1\t3\t559.3118", "a 1 3 559.3118 10", "a,1,3,559.3118"])
def test_masses_without_a_header_are_not_taken_for_names(read: Reader, row: str) -> None:
    remedy = "if it is the mass of the gap, begin with a line of chain, start, end, mass"
    with pytest.raises(LacunaError, match=rf"gaps.tsv:1: .* holds '559.3118' here; {remedy}"):
        read(">a\nACDE\n", f"{row}\n")


@pytest.mark.parametrize("name", ["track_7", "browsers", "a\u00a0b", "c\u00a0"])
@pytest.mark.parametrize("table", ["chain\tstart\tend\n{}\t1\t3\n", "z 0 0\n{} 1 3\n"])
def test_rows_of_chains_of_unusual_names_count(read: Reader, name: str, table: str) -> None:
    first, *_ = read(f">{name}\nACDE\n", table.format(name))
    assert first == Scaffold(name, "", "AXXE", (fixed(1, 3, "CD"),), 1)


@pytest.mark.parametrize("table", [HEADER, "# nothing\n"])
def test_a_table_without_rows_adds_nothing(read: Reader, table: str) -> None:
    assert read(">a\nACDE\n", table) == [Scaffold("a", "", "ACDE", (), 1)]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("chain\tstart\n", "gaps.tsv:1: column 'end' is missing; found chain, start; rename"),
        ("chain\tstart\tend\tlength\n", "'length'; remove it, or give min_length and max_length"),
        ("chain\tstart\tend\tmas\n", "gaps.tsv:1: unknown column 'mas'; did you mean 'mass'?"),
        ("chain\tstart\tend\tend\n", "gaps.tsv:1: column 'end' occurs twice"),
        ("\nname\tfrom\tto\n", "gaps.tsv:2: neither the header of a gap table nor a BED row"),
        (">a\nACD\n", "gaps.tsv:1: neither"),
        ("", "gaps.tsv: the gap table is empty; begin with chain, start, end"),
        ("\n \n", "gaps.tsv: the gap table is empty"),
    ],
)
def test_a_table_that_is_none_stops_the_run(read: Reader, table: str, words: str) -> None:
    with pytest.raises(LacunaError, match=re.escape(words)) as error:
        read(">a\nACDE\n", table)
    assert "tabs" not in str(error.value)  # commas and semicolons do as well


@pytest.mark.parametrize(
    "table",
    [
        "chain,start,end,mass\na,1,3,200.1\n",
        "chain;start;end;mass\r\na;1;3;200.1\r\n",
        '\ufeff"chain","start","end","mass"\n"a","1","3","200.1"\n',
        '"chain"\t"start"\t"end"\t"mass"\n"a"\t1\t3\t200.1\n',
        '"chain" "start" "end" "mass"\n"a" 1 3 200.1\n',
        'chain\tstart\tend\tmass\na\t"1"\t"3"\t"200.1"\n',
        "Chain, Start, End, Mass\na, 1, 3, 200.1\n",
        "chain ,start , end, mass\na , 1 , 3 , 200.1\n",
        "chain ;start ;end\na ;1 ;3\n",
        "chain\tstart\tend\tmin_length\tmax_length\na\t1.0\t3.0\t2.0\t2.0\n",
        "chain\rstart\rend\n".replace("\r", "\t") + "a\t1\t3\r",
        "a,1,3\n",
        "a;1;3\n",
    ],
)
def test_tables_of_spreadsheets_are_read(read: Reader, table: str) -> None:
    (found,) = read(">a\nACDE\n", table)
    assert isinstance(found, Scaffold)
    assert [(gap.start, gap.end, gap.truth) for gap in found.gaps] == [(1, 3, "CD")]
    assert found.gaps[0].mass == (200.1 if "200.1" in table else None)


@pytest.mark.parametrize(
    "table",
    [
        '"chain"\t"start"\t"end"\n"1"\t"a"\t1\t3\n',
        '"chain" "start" "end"\n"one" "a" 1 3\n',
        "chain start end\n1 1 0 3\n",
        "chain\tstart\tend\n1\ta\t1\t3\n",
        '"chain","start","end"\n"1","a",1,3\n',
    ],
)
def test_row_names_of_r_are_named(read: Reader, table: str) -> None:
    said = (
        "gaps.tsv:2: 4 cells under 3 columns; if the first are row names, write the table with "
        "row.names=FALSE; otherwise remove what is too much"
    )
    with pytest.raises(LacunaError, match=re.escape(said)):
        read(">a\nACDE\n>1\nACDE\n", table)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("0\t2\t367,0537", "mass '367,0537'; write a decimal point: 367.0537"),
        ("0\t2\t1_000", "mass '1_000'; give a number"),
        ("0\t2\t1,591.3", "mass '1,591.3'; write it without separators of thousands: 1591.3"),
        ("0\t2\t1.591,3", "mass '1.591,3'; write it without separators of thousands: 1591.3"),
        ("0\t2\t1,591", "mass '1,591'; write 1591, or 1.591 if the comma is a decimal one"),
        ("0", "a gap row without start or end; give chain, start and end"),
        ("0\t2.5", "a gap with end '2.5'; give a whole number"),
        ("0\t02-Jan", "a gap with end '02-Jan'; give a whole number"),
        ("1\t5", "past its end at 4; correct the positions: they count from 0, the end exclusive"),
        ("0\t" + "9" * 5000, "a gap with end of 5000 digits; give a smaller number"),
        ("0\t" + "x" * 5000, f"a gap with end '{'x' * 37}...'; give a whole number"),
        ("0\t2\t" + "9" * 99_000, "a gap with mass"),
        ("0\t2\t" + "9" * 200_000, "a gap row of more than 100000 characters"),
        ("2\t2\t\t\t1\t1e9", "max_length '1e9'; give a whole number"),
        ("2\t2\t\t\t1\t1000000000", "of 1 to 1000000000 residues, more choices than the limit of"),
        ("2\t2\t\t\t3000000000", "may have 3000000004 residues with what its gaps may hold, more"),
        ("2\t2\t9e6\n3\t3\t9e6", "may have 96736 residues with what its gaps may hold, more"),
    ],
)
def test_a_row_that_cannot_be_meant_is_named(read: Reader, rows: str, words: str) -> None:
    bad = read.fault("ACDE", rows)
    assert words in bad.reason and len(bad.reason) < 250 and "tabs" not in bad.reason


@pytest.mark.parametrize("name", ["track", "browser", "#5", "#a"])
@pytest.mark.parametrize("table", ["{}\t1\t3\n", "{} 1 3\n", "chain\tstart\tend\n{}\t1\t3\n"])
def test_a_chain_may_be_called_as_a_keyword_or_comment(read: Reader, name: str, table: str) -> None:
    (found,) = read(f">{name}\nACDE\n", table.format(name))
    assert found == Scaffold(name, "", "AXXE", (fixed(1, 3, "CD"),), 1)


def test_a_row_behind_a_comment_mark_is_no_row_of_a_chain_that_is_not_there(read: Reader) -> None:
    assert read(">a\nACDE\n", "#a\t0\t1\n#b 5 9\na\t1\t3\n#a\t3\t4\n") == [
        Scaffold("a", "", "AXXE", (fixed(1, 3, "CD"),), 1)
    ]


def test_a_header_without_end_is_told_in_a_short_line(read: Reader) -> None:
    for header in ("chain\tstart\tend\t" + "x" * 200_000, "chain" + "\tx" * 40_000):
        with pytest.raises(LacunaError) as error:
            read(">a\nACDE\n", header + "\n")
        assert len(str(error.value)) < 500


def test_a_contradiction_of_long_gaps_is_told_in_a_short_line(read: Reader) -> None:
    letters = "A" * 40_000, "C" * 40_000
    _, bad = read(f">m\n{letters[0]}\n", "m\t0\t40000\n", truth=f">m\n{letters[1]}\n")
    assert isinstance(bad, Rejected)
    assert "where the scaffold hides AAAA" in bad.reason and len(bad.reason) < 500


def test_a_quoted_id_that_is_no_chain_is_told_why(read: Reader) -> None:
    _, bad = read(">a\nACDE\n", '"a"\t1\t3\n'.replace("\t1\t3", " 1 3"))
    assert isinstance(bad, Rejected) and bad.reason.endswith("heavy.fasta; remove the quotes")
    good = read('>"a"\nACDE\n', '"a" 1 3\n')[0]
    assert isinstance(good, Scaffold) and good.gaps


def test_a_bomb_is_read_in_little_memory(write: Write) -> None:
    table = write("g.tsv.gz", "chain\tstart\tend\na\t1\t" + "3" * 30_000_000)
    fasta = write("a.fasta", ">a\nACDE\n")
    tracemalloc.start()
    (bad,) = read_scaffolds(fasta, table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(bad, Rejected) and "more than 100000 characters" in bad.reason
    assert peak < 10_000_000


def test_a_tolerance_may_be_given_in_daltons(write: Write) -> None:
    fasta = write("a.fasta", ">a\nACDEF\n")
    head = "chain\tstart\tend\tmass\ttolerance_ppm\ttolerance_da\n"
    (scaffold,) = read_scaffolds(fasta, write("g.tsv", head + "a\t1\t3\t200\t\t0.02\n"))
    assert isinstance(scaffold, Scaffold)
    assert scaffold.gaps[0].tolerance_da == 0.02
    (bad,) = read_scaffolds(fasta, write("h.tsv", head + "a\t1\t3\t200\t10\t0.02\n"))
    assert isinstance(bad, Rejected)
    assert "tolerance_ppm and tolerance_da; keep one of them" in bad.reason
    (bad,) = read_scaffolds(fasta, write("i.tsv", head + "a\t1\t3\t0\t\t200\n"))
    assert isinstance(bad, Rejected)
    assert (
        "gap mass of 0 Da with a tolerance of 200 Da; give a tolerance that is less" in bad.reason
    )


def test_a_row_may_give_a_tolerance_to_a_mass_with_decimals(write: Write) -> None:
    fasta = write("c.fasta", ">a\nAC{420.2 Da}D\n")
    gaps = write("g.tsv", "chain\tstart\tend\ttolerance_da\na\t2\t3\t0.02\n")
    assert list(read_scaffolds(fasta, gaps)) == [
        Scaffold("a", "", "ACXD", (Gap(2, 3, 1, None, 420.2, 0.02),), 1)
    ]


@pytest.mark.parametrize("start", [1, 2])
def test_neighbouring_masses_of_which_one_has_no_length_are_a_gap_of_no_length(
    read: Reader, start: int
) -> None:
    (gap,) = read.one("AX[+300.1]X[+200.1]D", f"{start}\t{start + 1}\t\t\t1\t3").gaps
    assert (gap.start, gap.end, gap.min_length, gap.max_length) == (1, 3, 2, None)
    assert [piece.max_length for piece in gap.pieces] == [
        3 if start == at else None for at in (1, 2)
    ]


def test_neighbouring_masses_behind_another_gap_are_one_gap(read: Reader) -> None:
    gaps = read.one("AX[+400.1]CX[+300.1]X[+200.1]D").gaps
    assert [(gap.start, gap.end, gap.mass) for gap in gaps] == [
        (1, 2, 400.1),
        (3, 5, pytest.approx(500.2)),
    ]


@pytest.mark.parametrize(("tolerance", "fits"), [("1", False), ("20", True)])
def test_a_mass_may_be_above_the_heaviest_residues_by_its_tolerance(
    read: Reader, tolerance: str, fits: bool
) -> None:
    """The heaviest residue weighs 186.07931 Da."""
    most = 1000 * 186.079313
    rows = HEADER + f"a\t1\t2\t{most + 1:.3f}\t{tolerance}\n"
    (found,) = read(">a\nAXD\n", rows, max_length=1000)
    assert isinstance(found, Scaffold) == fits


def test_a_point_is_an_empty_cell(read: Reader) -> None:
    """As in a BED file."""
    assert read.one("ACDE", "1\t3\t.\t.\t.\t.").gaps == (fixed(1, 3, "CD"),)


def test_a_position_in_digits_of_another_script_is_none(read: Reader) -> None:
    assert "has a gap with start '\u0661'" in read.fault("ACDE", "\u0661\t3").reason
