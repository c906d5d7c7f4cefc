"""What the report says of samples, usual and unusual ones."""

from pathlib import Path

import pytest

from lacuna.results.report.words import imgt_span, percent
from report_page import COLUMNS, ORDINARY, Make, Page, Rows, chain, gap, maker, residue, score


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    return maker(tmp_path, monkeypatch)


# --- what it says --------------------------------------------------------------------------------


def test_counts_of_a_sample(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    overview = page.table("All samples")
    assert overview == [
        ["ordinary", "2", "0", "4", "9", "3", "0", "1"]
        + ["90.0 (85.0 to 95.0)", "80.0, germline copy"]
    ]
    assert "1 gap left open: no number of residues has its mass." in page.text
    assert "Gaps 3 of 4 filled 0 sure, 2 likely, 1 unsure, 1 left open" in page.text
    assert "Check before ordering a gene 3 residues" in page.text


def test_the_model_stands_first_and_each_method_with_its_protocol(make: Make) -> None:
    rows = Page(make({"ordinary": ORDINARY})).table("Residues of gaps whose truth is known")
    assert [row[0] for row in rows] == ["Lacuna", "Germline copy", "Tutorial LSTM, true context"]
    assert rows[0][1:] == ["90.0", "85.0 to 95.0", "90 of 100", "15 of 20", "0.890", "0.021"]
    assert rows[1][5:] == ["", ""]


def test_breakdowns_are_sorted_along_the_chain_and_by_number(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    regions = page.table("By region")
    assert [(row[0], row[1], row[3], row[4]) for row in regions] == [
        ("FR1", "85", "98.8", ""),
        ("CDR3", "15", "40.0", "20.0"),
    ]
    assert [row[0] for row in page.table("By gap length")] == ["3", "12"]
    assert [row[0] for row in page.table("By locus")] == ["H"]
    assert "By chain" not in page.text


def test_marks_are_drawn_at_their_shares(make: Make) -> None:
    page = Page(make({"ordinary": ORDINARY}))
    dots = [a for tag, a in page.elements if tag == "circle" and a.get("cy") == "50%"]
    assert [dot["cx"] for dot in dots[:3]] == ["90%", "80%", "20%"]
    assert ["model" in (dot["class"] or "") for dot in dots[:3]] == [True, False, False]
    intervals = [a for tag, a in page.elements if tag == "line" and "ci" in (a["class"] or "")]
    assert (intervals[0]["x1"], intervals[0]["x2"]) == ("85%", "95%")


def test_the_least_certain_gaps_come_first_with_their_truth(make: Make) -> None:
    path = make({"ordinary": ORDINARY})
    rows = Page(path).table("The 3 gaps")
    assert [row[:5] for row in rows] == [
        ["mab1", "21–22", "23–111A", "2", "0.2"],
        ["mab2", "11–12", "13–111A", "2", "0.5"],
        ["mab1", "11–15", "13–111A", "5", "0.9"],
    ]
    assert [row[5] for row in rows] == ["WW·Y", "KL", "ACDEF"]
    assert [row[6] for row in rows] == ["WY 0.1", "", "ACDEY 0.05"]
    html = path.read_text(encoding="utf-8")
    assert '<span class="s2 wrong" title="W 0.21, in truth Y">W</span>' in html
    assert "And 1 more gap." in Page(path).text


@pytest.mark.parametrize(
    ("baseline", "width", "words"),
    [
        (80, 0.02, "10.0 points above the best baseline, germline copy."),
        (80, 0.06, "10.0 points above the best baseline, germline copy, which may be chance"),
        (99, 0.02, "9.0 points below the best baseline, germline copy."),
        (90, 0.02, "The best baseline, germline copy, does just as well."),
    ],
)
def test_it_says_whether_the_model_is_better(
    make: Make, baseline: int, width: float, words: str
) -> None:
    rows = [score(width=width), score(method="germline_copy", right=baseline, width=width)]
    page = Page(make({"s": ORDINARY | {"accuracy": rows}}))
    assert words in page.text


@pytest.mark.parametrize(
    ("right", "mean", "ece", "words"),
    [
        (90, "0.9200", "0.0200", "can be taken at face value (off by 2.0 points on average)"),
        (60, "0.9200", "0.3200", "It is overconfident: it expects 92.0 %"),
        (90, "0.6000", "0.3000", "It is underconfident: it expects 60.0 %"),
        (90, "0.9000", "0.2000", "off by 20.0 points in both directions"),
    ],
)
def test_it_says_what_probabilities_are_worth(
    make: Make, right: int, mean: str, ece: str, words: str
) -> None:
    rows = [score(right=right, mean=mean, ece=ece)]
    assert words in Page(make({"s": ORDINARY | {"accuracy": rows}})).text


def test_it_names_the_weakest_region_and_warns_of_few_residues(make: Make) -> None:
    page = Page(make({"s": ORDINARY}))
    assert "It is weakest in CDR3: 40.0 % of 15 residues." in page.text
    assert "more than a hint" not in page.text
    few = ORDINARY | {"accuracy": [score(right=9, n=10)]}
    assert "With 10 residues, none of this is more than a hint." in Page(make({"s": few})).text


def test_a_share_is_rounded_once(make: Make) -> None:
    """378 of 408 are 92.647 %; the table has 0.9265, which would be 92.7."""
    page = Page(make({"s": ORDINARY | {"accuracy": [score(right=378, n=408)]}}))
    assert "378 are right: 92.6 %" in page.text


def test_a_calibration_of_few_residues_says_how_few(make: Make) -> None:
    few, enough = (
        Page(make({"s": ORDINARY | {"residues": [residue("a", 1, "A", 0.95, "A")] * n}})).text
        for n in (99, 100)
    )
    assert "With 99 residues, the plot says little of what a probability means." in few
    assert "it is off by" in enough and "the plot says little" not in enough


def test_of_sure_residues_those_with_a_truth_are_counted(make: Make) -> None:
    residues = [residue("a", 1, "A", 0.95, "A")] * 3 + [residue("a", 1, "A", 0.99, "C")]
    residues += [residue("a", 1, "A", 0.9499, "C"), residue("a", 1, "A", 0.96)]
    page = Page(make({"s": ORDINARY | {"residues": residues}}))
    assert "Of the 4 with a probability of 0.95 or more, 75.0 % are right." in page.text


# --- unusual samples -----------------------------------------------------------------------------


def test_without_truth_it_says_so_and_gives_what_the_model_expects(make: Make) -> None:
    tables: dict[str, Rows] = {
        "gaps": [gap("a", 1, 0.5)],
        "residues": [residue("a", 1, "A", p) for p in (0.5, 0.7, 0.96, 0.84)],
    }
    page = Page(make({"blind": tables}))
    assert "No truth is known here" in page.text
    assert "expects 3 of 4 residues to be right (75.0 %); 1 has a probability" in page.text
    assert "Check residues below 0.80" in page.text
    assert "What a probability is worth" not in page.text
    assert len(page.tables) == 2  # all samples, the least certain gaps
    assert page.table("All samples") == [["blind", "1", "0", "1", "4", "2", "0", "0"]]


def test_it_asks_to_check_residues_only_if_some_are_unsure(make: Make) -> None:
    tables: dict[str, Rows] = {
        "gaps": [gap("a", 1, 0.9)],
        "residues": [residue("a", 1, "A", p) for p in (0.8, 0.96)],
    }
    page = Page(make({"blind": tables}))
    assert "expects 2 of 2 residues to be right" in page.text
    assert "Check residues" not in page.text


def test_where_everything_was_rejected(make: Make) -> None:
    page = Page(make({"s": {"rejected": [("a", 1, "", "s.fasta:1: 'a' has no sequence")]}}))
    assert "Nothing was filled: every record was rejected" in page.text
    assert page.table("Records that could not be used")[0][3] == "s.fasta:1: 'a' has no sequence"


def test_where_there_is_nothing_at_all(make: Make) -> None:
    assert "Nothing was filled, so there is nothing to trust." in Page(make({"s": {}})).text
    assert Page(make({})).table("All samples") == []


def test_samples_with_and_without_truth_stand_side_by_side(make: Make) -> None:
    page = Page(make({"known": ORDINARY, "blind": {"residues": [residue("a", 1, "A", 0.5)]}}))
    rows = page.table("All samples")
    assert [row[0] for row in rows] == ["known", "blind"]
    assert rows[1][8:] == ["not known", ""]


def test_where_no_chain_has_a_gap(make: Make) -> None:
    page = Page(make({"s": {"chains": [chain(f"c{i}", length=3 + 7 * i) for i in range(4)]}}))
    assert "Nothing was filled: no chain has a gap. Mark missing residues with X or -." in page.text
    assert page.table("All samples") == [["s", "0", "4", "0", "0", "0", "0", "0"]]
    assert "4 chains without a gap." in page.text
    assert "1 chain of less than 10 residues." in page.text


def test_gaps_that_were_filled_without_a_template_are_told(make: Make) -> None:
    rows = [list(gap("a", i, 0.1)) for i in range(5)]
    for row, status in zip(
        rows, ["filled (no template)", "filled (no template; not p)"], strict=False
    ):
        row[10] = status
    rows[2][10] = "filled (not proven best: another may have up to 0.2)"
    rows[3][10] = "filled (not proven best: another may have up to 0.3)"
    text = Page(make({"s": {"gaps": rows}})).text
    assert "2 gaps filled without a template: no antibody domain and no homolog there." in text
    assert "2 gaps filled with what is not proven to be the best of its mass." in text


def test_ambiguity_codes_are_told_apart_from_gaps(make: Make) -> None:
    """They are likely right and, unlike gaps, numerous."""
    tables: dict[str, Rows] = {
        "accuracy": [
            score(right=6, n=10),
            score("ambiguity", "J", right=58, n=60),
            score("ambiguity", "J", "germline_copy", right=57, n=60),
            score("ambiguity", "Z", right=2, n=2),
        ],
        "gaps": [
            gap("a", 1, 0.9, 1, "A"),
            gap("a", 2, 0.5, 1, "L", "J"),
            gap("a", 3, 0.6, 1, "L", "J"),
        ],
        "residues": [
            residue("a", 1, "A", 0.97, "C"),
            *(residue("a", i, "L", 0.99, "L", "J") for i in range(2, 4)),
        ],
        "chains": [chain("a", gaps=1, filled=1, codes=62)],
    }
    page = Page(make({"s": tables}))
    assert page.table("All samples")[0][:5] == ["s", "1", "0", "1", "1"]
    assert page.table("All samples")[0][6:8] == ["62", "0"]
    assert "Of 10 residues whose truth is known, 6 are right" in page.text
    assert "Of the 1 with a probability of 0.95 or more, 0 % are right." in page.text
    assert (
        "62 of 62 ambiguity codes are resolved; right where that is known: J 58 of 60, Z 2 of 2."
        in page.text
    )
    rows = page.table("By ambiguity code")
    assert [[row[0], row[1], *row[3:]] for row in rows] == [
        ["J", "60", "96.7", "95.0"],
        ["Z", "2", "100", ""],
    ]
    assert [row[0] for row in page.table("The one gap")] == ["a"]
    assert [row[0] for row in page.table("Probability given")] == ["1"]  # residue


def test_codes_alone_need_no_gap(make: Make) -> None:
    tables: dict[str, Rows] = {
        "accuracy": [score("ambiguity", "J", right=3, n=4)],
        "gaps": [gap("a", i, 0.5, 1, "L", "J") for i in range(4)],
        "residues": [residue("a", i, "L", 0.5, "L", "J") for i in range(4)],
        "chains": [chain("a", codes=4)],
    }
    page = Page(make({"s": tables}))
    assert "4 of 4 ambiguity codes are resolved; right where that is known: J 3 of 4." in page.text
    assert "No truth" not in page.text and "Nothing was filled" not in page.text
    assert page.table("All samples") == [["s", "1", "0", "0", "0", "4", "4", "0"]]


def test_a_method_that_is_not_known_is_shown_by_its_name(make: Make) -> None:
    rows = [score(), score(method="my_method", right=50)]
    page = Page(make({"s": ORDINARY | {"accuracy": rows}}))
    assert page.table("Residues of gaps")[1][0] == "my_method"


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0"), (1, "100"), (0.9999, "99.9"), (0.0001, "0.1"), (0.5, "50.0"), (0.8956, "89.6")],
)
def test_all_and_none_are_said_only_where_true(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_gap_that_reaches_out_of_its_domain_and_one_too_large_are_told(make: Make) -> None:
    at, status = COLUMNS["gaps"].index("imgt_last"), COLUMNS["gaps"].index("status")
    rows = [list(gap("a", number, 0.5)) for number in (1, 2)]
    rows[0][at] = ""
    rows[1][status] = "mass_too_large (decoded are up to 60 residues or 8000 Da)"
    page = Page(make({"s": {"gaps": rows, "residues": [residue("a", 1, "A", 0.5)]}}))
    assert [row[2] for row in page.table("The 2 gaps")] == ["from 13", "23–111A"]
    assert "1 gap left open: too long or heavy to be searched by its mass." in page.text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [("5", "7", "5–7"), ("5", "5", "5"), ("127", "", "from 127"), ("", "3", "to 3"), ("", "", "")],
)
def test_a_gap_may_reach_out_of_its_domain(first: str, last: str, text: str) -> None:
    assert imgt_span(first, last) == text
