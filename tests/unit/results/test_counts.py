"""The counts of a sample's chains, and the message if nothing was filled."""

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.core.tables import (
    CHAIN_TABLE,
    CONTAMINANT,
    EVIDENCE_TABLE,
    PLACED_TABLE,
    REJECTED_TABLE,
    UNSURE_FILE,
    EvidenceRow,
    PlacedRow,
)
from lacuna.results.counts import Counts, count_sample, explain_nothing, lacking_reads
from lacuna.results.summary import count_doubts
from tsv import row_of

REJECTED = Path("out/s/rejected.tsv")


def test_chains_gaps_and_records_are_counted(write: Write) -> None:
    gaps = {"missing": 8, "filled": 6, "gaps": 3, "open": 1, "without_template": 2}
    rows = [  # with names that a reader of tables might take for something else
        row_of(CHAIN_TABLE, chain='"a', species="human", length=120, n_terminal=3, **gaps),
        row_of(CHAIN_TABLE, chain="NA", length=9, ambiguous=2, resolved=2),
        row_of(CHAIN_TABLE, chain="=1", species="human", length=3),
    ]
    chains = write("chains.tsv", CHAIN_TABLE.whole(rows))
    reasons = [('"a', 'a "quoted" reason'), ("", "no"), ("", "Note: fine")]
    faults = [row_of(REJECTED_TABLE, chain=x, line=1, reason=why) for x, why in reasons]
    rejected = write("rejected.tsv", REJECTED_TABLE.whole(faults))
    found = count_sample(chains, rejected)
    assert found == Counts(
        chains=3,
        without_gap=1,
        short=2,
        gaps=3,
        open=1,
        without_template=2,
        missing=8,
        filled=6,
        ambiguous=2,
        resolved=2,
        rejected=2,
        noted=1,
        reason='a "quoted" reason',
        n_terminal=1,
        inside=1,
        species=(("human", 2),),
    )
    assert found.nearest_species() == "2 human, 1 not recognised as an antibody"
    assert not found.nothing_filled


def test_reads_are_counted_as_placed_or_not(write: Write) -> None:
    rows = [
        PlacedRow("r.csv:2", "peaks", "a", 0, 9, 30.0, "whole", ""),
        PlacedRow("r.csv:3", "peaks", "TRYP_PIG", 3, 9, 20.0, CONTAMINANT, ""),
        PlacedRow("r.csv:4", "peaks", "a", 3, 9, 20.0, CONTAMINANT, ""),  # of the same name
        PlacedRow("r.csv:5", "peaks", "rejected", 3, 9, 20.0, "whole", ""),  # a chain in no table
    ]
    reads = write("reads.tsv", PLACED_TABLE.whole(rows))
    row = row_of(CHAIN_TABLE, chain="a", locus="H", length=120)
    chains = write("chains.tsv", CHAIN_TABLE.whole([row]))
    found = count_sample(chains, write("rejected.tsv", REJECTED_TABLE.header), reads)
    assert (found.reads, found.placed, found.of_others) == (4, 1, 2)
    contaminants = "and 2 of contaminants (see reads.tsv)"
    assert list(found.notes()) == [f"1 of 4 reads placed, {contaminants}"]
    assert list(replace(found, reads=60).notes()) == ["1 of 60 reads placed"]
    nothing = Counts(reads=9, of_others=8)
    assert list(nothing.notes())[1] == "no chain found: too few reads, or none of an antibody"
    assert "are of an antibody" in explain_nothing({"s": (Counts(reads=2), REJECTED)})


def test_a_chain_that_was_not_found_has_its_warning_already() -> None:
    """It was logged when the reads were placed: the error need not say it again."""
    said = explain_nothing({"s": (Counts(reads=90, lost="80 reads: set species"), REJECTED)})
    assert "80 reads" not in said and said.endswith("see the warning on reads that fit no chain")


def test_reads_of_which_no_row_can_be_used_are_to_be_corrected() -> None:
    nothing = Counts(reads=0, rejected=9, reason="r.csv:2: 'x' in the peptide; correct it")
    said = explain_nothing({"s": (nothing, REJECTED)})
    assert "no read can be used, 9 records rejected (first: r.csv:2: 'x' in" in said
    assert said.endswith("correct the records as rejected.tsv says")
    assert "antibody" not in said and "0 of 0" not in said


def test_low_confidences_are_named_if_no_chain_is_found(write: Write) -> None:
    def notes(unsure: int, others: int) -> str:
        whys = [UNSURE_FILE] * unsure + ["fits no chain"] * others
        rows = [
            PlacedRow(f"r:{i}", "table", "", None, None, None, w, "") for i, w in enumerate(whys)
        ]
        reads = write("reads.tsv", PLACED_TABLE.whole(rows))
        chains = write("chains.tsv", CHAIN_TABLE.header)
        counts = count_sample(chains, write("rejected.tsv", REJECTED_TABLE.header), reads)
        return ", ".join(counts.notes())

    said = "confidences are low (none above 0.5 in the files of 3 reads): if they are on another "
    assert f"none of an antibody, {said}scale, remove their column, or" in notes(3, 2)
    assert notes(2, 3).endswith("none of an antibody")
    assert "confidence" not in ", ".join(Counts(reads=5, unsure=4, chains=1).notes())


def test_chains_whose_cdr3_reads_do_not_show_are_named(write: Write) -> None:
    def rows(chain: str, states: str) -> list[EvidenceRow]:
        words = {"o": "observed", "i": "inferred", "d": "doubtful"}
        return [
            row_of(EVIDENCE_TABLE, chain=chain, imgt=str(104 + i), region=region, state=words[x])
            for i, (x, region) in enumerate(zip(states, ["FR3", *["CDR3"] * 9], strict=False))
        ]

    def said(*chains: list[EvidenceRow]) -> str:
        text = "".join(map(EVIDENCE_TABLE.text, chains))
        return lacking_reads(write("evidence.tsv", EVIDENCE_TABLE.header + text))

    assert said(rows("heavy", "ioodo"), rows("kappa", "ooo")) == ""
    found = said(rows("heavy", "ooiid"), rows("kappa", "ooo"), rows("lambda", "oi"))
    assert found == "reads do not show 2 of 4 residues in CDR3 of heavy, 1 of 1 in CDR3 of lambda"
    many = said(*(rows(f"c{i}", "oi") for i in range(8)))
    assert many.endswith("1 of 1 in CDR3 of c4 and 3 more chains")
    # Of a domain that is hardly read, CDR3 is the least.
    assert said(rows("kappa", "iioii")) == (
        "reads do not show 4 of 5 residues in the V domain of kappa"
    )
    serum = [row._replace(flags="length;serum") for row in rows("kappa", "iioii")]
    assert said(serum).startswith("WARNING: reads of many antibodies")


def test_a_table_that_is_none_is_named(write: Write) -> None:
    good = write("rejected.tsv", REJECTED_TABLE.header)
    with pytest.raises(LacunaError, match=r"chains\.tsv: is not a table with the columns length, "):
        count_sample(write("chains.tsv", "chain\tmissing\nm\t5\n"), good)
    with pytest.raises(LacunaError, match=r"gone\.tsv"):
        count_sample(write("c.tsv", CHAIN_TABLE.header), good.with_name("gone.tsv"))


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (Counts(), True),
        (Counts(chains=5, without_gap=5), True),
        (Counts(chains=1, gaps=2, open=2, missing=9), True),
        (Counts(chains=1, gaps=2, open=1), False),  # one gap may be filled with no residue
        (Counts(chains=1, ambiguous=1, resolved=1), False),
        (Counts(chains=2, without_gap=2, reads=9, placed=5), False),  # chains are the result
        (Counts(reads=9), True),
    ],
)
def test_when_nothing_is_filled(counts: Counts, said: bool) -> None:
    assert counts.nothing_filled is said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (
            Counts(chains=20_000, without_gap=20_000, short=20_000),
            "s: 20000 chains without a gap, 20000 chains of less than 10 residues; check that the "
            "FASTA holds protein sequences, and mark missing residues with X or -, or give a gap "
            "table (column 'gaps', or --gaps)",
        ),
        (
            Counts(chains=1, without_gap=1),
            "s: 1 chain without a gap; mark missing residues with X or -, or give a gap table "
            "(column 'gaps', or --gaps)",
        ),
        (
            Counts(),
            "s: no chains; the table of rearrangements has a header and no rows; give one with "
            "rows",
        ),
        (
            Counts(rejected=6),
            "s: 6 records rejected (see out/s/rejected.tsv); "
            "correct the records as rejected.tsv says",
        ),
        (
            Counts(rejected=1, reason="a.fasta:1: 'a' is DNA; translate it"),
            "s: 1 record rejected (a.fasta:1: 'a' is DNA; translate it; see out/s/rejected.tsv); "
            "correct the records as rejected.tsv says",
        ),
        (
            Counts(rejected=2, reason="a.fasta:1: 'a' is DNA; translate it"),
            "s: 2 records rejected (first: a.fasta:1: 'a' is DNA; translate it; see "
            "out/s/rejected.tsv); correct the records as rejected.tsv says",
        ),
        (  # a chain without a gap is no obstacle beside one that stays open
            Counts(chains=3, without_gap=2, gaps=1, open=1),
            "s: 1 gap left open, 2 chains without a gap; the status of each gap in gaps.tsv says "
            "why it stays open",
        ),
        (
            Counts(chains=2, without_gap=2, rejected=1),
            "s: 2 chains without a gap, 1 record rejected (see out/s/rejected.tsv); correct the "
            "records as rejected.tsv says",
        ),
        (
            Counts(chains=2, gaps=3, open=3, rejected=1),
            "s: 3 gaps left open, 1 record rejected (see out/s/rejected.tsv); the status of each "
            "gap in gaps.tsv says why it stays open",
        ),
    ],
)
def test_it_says_why_nothing_was_filled_and_what_to_do(counts: Counts, said: str) -> None:
    assert explain_nothing({"s": (counts, REJECTED)}) == f"nothing was filled; {said}"


def test_a_line_names_no_more_samples_than_can_be_read() -> None:
    many = {f"s{i}": (Counts(rejected=1), REJECTED) for i in range(7)}
    line = explain_nothing(many)
    assert "; s4: 1 record" in line and "s5" not in line and "; and 2 more samples; " in line
    assert "\n" not in line


def test_chains_that_are_not_recognised_are_counted_too() -> None:
    found = Counts(chains=6, species=(("human", 4), ("rat", 1)))
    assert found.nearest_species() == "4 human, 1 rat, 1 not recognised as an antibody"
    assert Counts(chains=6).nearest_species() == ""
    many = Counts(chains=3_000, species=(("human", 1_900),))
    said = many.nearest_species(separator=",")
    assert said == "1,900 human, 1,100 not recognised as an antibody"


def test_it_says_what_share_of_the_chains_lacked_what() -> None:
    found = Counts(chains=800, n_terminal=400, c_terminal=100, inside=200)
    assert found.lacking() == (
        "of the chains, 50.0% lacked the N terminus, 12.5% lacked the C terminus and 25.0% lacked "
        "residues inside"
    )
    assert Counts(chains=3, n_terminal=1, inside=2).lacking() == (
        "of 3 chains, 1 lacked the N terminus and 2 lacked residues inside"
    )
    assert Counts(chains=8, inside=2).lacking() == ""
    assert Counts(chains=1, n_terminal=1).lacking() == ""


def test_a_table_without_its_columns_is_named(write: Write) -> None:
    fault = "doubts.tsv: is not a table with the columns position .*; run the workflow again"
    with pytest.raises(LacunaError, match=fault):
        count_doubts(write("doubts.tsv", "chain\nm\n"))
