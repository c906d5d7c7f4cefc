"""CDR3s that proteases cut: what the ends of reads tell of cuts, and whether two sides meet."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from lacuna.core.alphabet import MISSING, RESIDUES, decode, encode, merge_il
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_SHARES
from lacuna.placing.bridge import met_at_cuts
from lacuna.placing.place import Placed
from lacuna.placing.stretches.frameworks import begins_again, holds_fr4, holds_v
from lacuna.placing.stretches.junction import Surroundings
from lacuna.placing.stretches.meeting import NO_SIDE, Met, Question, closed_by_meeting, meet
from lacuna.placing.stretches.sides import Opening, Side, _with_longer, sides_of
from lacuna.placing.votes.cleavage import Cleavage, cleavage_of
from lacuna.placing.votes.draft import Draft, Meeting
from lacuna.placing.votes.placement import Assembly, place_on, place_on_text, text_of
from lacuna.reads.read import Read
from reads import (
    built,
    chain_with_cdr3,
    digest,
    germline_draft,
    merged,
    peptide,
    read_set,
    reads_of,
    without,
)


def loop(placed: Placed) -> str:
    start, stop = placed.drafts[0].cdr3()
    return decode(placed.drafts[0].tokens[start:stop])


def cutters(found: Cleavage) -> tuple[str, str]:
    return tuple(
        "".join(RESIDUES[i] for i in np.flatnonzero(own)) for own in (found.behind, found.before)
    )  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("behind", "before"), [("KR", ""), ("FLMWY", ""), ("", "D"), ("K", "D"), ("ASTV", "")]
)
def test_the_ends_of_reads_tell_where_proteases_cut(behind: str, before: str) -> None:
    chain = "".join(np.random.default_rng(1).choice(list("ACDEFGHKLMNPQRSTVWY"), 1500))
    found = reads_of(digest(chain, behind=behind, before=before))
    placements = place_on_text(found, text_of([encode(chain)]))
    assert cutters(cleavage_of(found, placements)) == (behind, before)


@pytest.mark.parametrize(("behind", "found"), [("FY", "FWY"), ("FL", "FL")])
def test_what_cuts_behind_f_and_y_cuts_behind_w(behind: str, found: str) -> None:
    """Even if the chain has no W."""
    chain = "".join(np.random.default_rng(2).choice(list("ADEFGHKLNPQRSTVY"), 1500))
    digested = reads_of(digest(chain, behind=behind))
    placements = place_on_text(digested, text_of([encode(chain)]))
    assert cutters(cleavage_of(digested, placements)) == (found, "")


def test_two_peptides_that_follow_each_other_close_a_cdr3() -> None:
    chain = chain_with_cdr3("H", "ARTSYTGGYWYEDL")
    reads = without(digest(chain, behind="KR"), chain, across="CAR|TSY")
    placed = built(reads)
    assert loop(placed) == "ARTSYTGGYWYEDL"
    assert placed.drafts[0].meeting.at == 2


def test_a_cut_behind_the_first_residue_of_fr4_ends_a_cdr3() -> None:
    """Chymotrypsin cuts behind Phe118: no read goes on over it."""
    chain = chain_with_cdr3("K", "QQRNDAPST")
    reads = without(digest(chain, behind="FWYLM"), chain, across="PSTF|GQG")
    placed = built(reads)
    assert loop(placed) == "QQRNDAPST"


def test_a_cut_in_front_of_the_last_residue_of_fr3_leaves_a_cdr3_whole() -> None:
    """Chymotrypsin may cut in front of Cys104: reads that begin with it show a CDR3 that no read
    joins to FR3, and the Cys is not in it once more."""
    chain = chain_with_cdr3("H", "VREVAARFSL")
    reads = without(digest(chain, behind="FYLM"), chain, across="VYY|CVR")
    whole = chain[chain.index("CVREV") :]
    over = [peptide(whole[:n], f"over{n}") for n in (17, 20, 22)]  # none with residues of FR3
    placed = built([*reads, *over])
    assert loop(placed) == "VREVAARFSL"
    assert placed.drafts[0].meeting.at == 0


def test_the_first_residue_of_fr4_seldom_ends_a_peptide_by_chance() -> None:
    """W is rarer in CDR3s than Y, so that another W than that of FR4 is less likely."""

    def odds(first: str) -> float:
        around = Surroundings(
            read_set("WWWWWWWW"), encode("AVYYC"), encode(f"{first}GQG"), np.zeros(1), ANY_JOINT
        )
        cuts = np.isin(list(RESIDUES), ["W", "Y"])
        cleavage = Cleavage(cuts, np.zeros(20, bool), np.full(9, 4.0), np.ones(9, bool))
        asked = Question(around, range(1, 12), lambda _: 0.0, cleavage, (6, 0.1))
        left = Side(tuple(encode(f"NPRDS{first}").tolist()), 0, 4.0, 0.9)
        found = meet(asked, [left], [Side((), 1, 4.0, 0.9)])
        assert found is not None
        return found.probability / sum(found.others.values())

    rarer = CDR3_SHARES[RESIDUES.index("Y")] / CDR3_SHARES[RESIDUES.index("W")]
    assert odds("W") == pytest.approx(rarer * odds("Y"))


def test_a_peptide_that_is_missing_leaves_a_cdr3_open() -> None:
    """Both sides end at cuts, but a kappa CDR3 of 6 residues is rarer than a missing DSR."""
    chain = chain_with_cdr3("K", "QQRDSRAST")
    reads = without(digest(chain, behind="KR"), chain, across="CQQR|DSR")
    spanned = without(iter(reads), chain, across="DSR|AST")
    placed = built([read for read in spanned if read.residues != "DSR"])
    assert (placed.drafts[0].tokens >= MISSING).any()
    assert placed.drafts[0].meeting is None


def test_cuts_of_few_reads_are_seldom_spanned() -> None:
    depth = np.array([2.0, 2.0, 2.0, 40.0, 40.0, 40.0])
    none = np.zeros(20, bool)
    cleavage = Cleavage(none, none, depth, np.array([False, False, True, True, True, True]))
    assert cleavage.not_spanned(2.0) == pytest.approx(3 / 5)
    assert cleavage.not_spanned(40.0) == pytest.approx(3 / 8)


def test_what_cuts_of_many_reads_show_tells_nothing_of_one_of_few() -> None:
    """That reads span cuts of about as many reads does."""
    none = np.zeros(20, bool)
    few, others = [2.0, 2.4, 2.8], [6.0] * 9

    def not_spanned(*spanned: bool) -> float:
        return Cleavage(none, none, np.array(few + others), np.array(spanned)).not_spanned(2.0)

    assert not_spanned(*[False] * 3, *[False] * 9) == not_spanned(*[False] * 3, *[True] * 9)
    assert not_spanned(False, True, True, *[False] * 9) < not_spanned(*[False] * 12)


def closed_as(reads: list[Read], cdr3: str) -> Draft:
    """The chain of reads with a CDR3 that two residues seem to join, after cuts are looked at."""
    (draft,) = built(reads).drafts
    given = replace(draft.with_cdr3(merge_il(encode(cdr3))), bridged=True)
    (found,) = met_at_cuts(Assembly.of(reads_of(reads), [given]))
    return found


@pytest.mark.parametrize(
    ("seems", "changes"),
    # Peptides end with LW and begin with LW, but not where the proteases cut.
    [("ARDSSGAGI", True), ("ARDSSGAGIWNFYL", False)],
)
def test_two_residues_that_a_cdr3_has_twice_do_not_join_it(seems: str, changes: bool) -> None:
    chain = chain_with_cdr3("H", "ARDSSGAGIWNFYL")
    reads = without(digest(chain, behind="FLMWYKR", missed=5), chain, across="GAGIW|NFYL")
    found = closed_as(reads, seems)
    start, stop = found.cdr3()
    assert decode(found.tokens[start:stop]) == "ARDSSGAGLWNFYL"
    assert (found.meeting is not None) == changes
    assert not changes or found.meeting.probability < 0.95


def test_a_length_that_reads_like_better_leaves_another_one_in_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = chain_with_cdr3("H", "ARDSSGAGIWNFYL")
    reads = without(digest(chain, behind="FLMWYKR", missed=5), chain, across="GAGIW|NFYL")
    monkeypatch.setattr("lacuna.placing.bridge.PROBABLE_MEETING", 1.0)
    found = closed_as(reads, "ARDSSGAGI")
    assert decode(found.tokens[slice(*found.cdr3())]) == merged("ARDSSGAGI")
    assert found.meeting is not None and found.meeting.at == len("ARDSSGAG")
    assert found.meeting.probability < 0.1  # the sides are sure


@pytest.mark.parametrize(
    ("length", "probability"), [(9, 0.3), (11, 0.3 + 0.7 * 0.2), (12, 0.3 + 0.7 * 0.1)]
)
def test_another_length_is_right_as_well_if_the_sides_are_misread(
    length: int, probability: float
) -> None:
    met = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0})
    unsure = replace(met, probability=0.7 * 0.7, others={11: 0.2, 12: 0.1})
    assert unsure.probability_of(length) == pytest.approx(probability)


@pytest.mark.parametrize(
    ("cdr3", "again"),
    [
        ("QQYFCQQYYNYPFT", 5),
        ("QQYFCQQYFCQQYNT", 10),
        ("QQYYNYPFT", 0),
        ("ARDCSGGSCYDY", 0),
        ("ARDYC", 0),
    ],
)
def test_a_cdr3_that_begins_twice_is_known(cdr3: str, again: int) -> None:
    assert begins_again(encode(cdr3)) == again


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], str | None]:
    """How a kappa CDR3, of which there are reads, is closed by two sides; None if it stays open."""

    def closed(cdr3: str, left: str, right: str) -> str | None:
        sides = [[Side(tuple(encode(text).tolist()), 0, 4.0, 0.9)] for text in (left, right)]
        monkeypatch.setattr("lacuna.placing.stretches.meeting.sides_of", lambda *_: sides)
        draft = germline_draft("K").with_cdr3(encode("QQYXXXPFT"))
        start, stop = draft.cdr3()
        reads = reads_of(digest(chain_with_cdr3("K", cdr3), behind="FLMWYKR", missed=3))
        placed = place_on(reads, [draft])
        before, behind = draft.tokens[:start], draft.tokens[stop:]
        around = Surroundings(reads, before, behind, placed.best(len(reads)), ANY_JOINT)
        cleavage = cleavage_of(reads, placed)
        found = closed_by_meeting(around, draft, placed.of(0), cleavage)
        return None if found is None else decode(found.trial.tokens)

    return closed


@pytest.mark.parametrize(
    ("right", "meets"),
    [("ALYFCQQYYNYPFT", None), ("SNYPFT", "QQYSNYPFT"), ("CSNYPFT", "QQYCSNYPFT")],
)
def test_a_side_that_begins_in_a_mutated_fr3_is_no_second_half(
    closed: Callable[[str, str, str], str | None], right: str, meets: str | None
) -> None:
    """It shows the whole CDR3, as far as the other side does not."""
    assert closed("QQYSNYPFT", "QQY", right) == meets


def test_a_side_that_leads_through_fr3_is_of_another_chain(
    closed: Callable[[str, str, str], str | None],
) -> None:
    assert closed("QLTISSLQPEDFATYYCT", "Q", "LTISSLQPEDFATYYCT") is None


@pytest.mark.parametrize(
    ("cdr3", "left", "right"),
    [
        ("QQYSGGYPFT", "QQY", "SNYPFT"),
        ("QQYSAGYPFT", "QQY", "SQYPFT"),
        ("QQYSGAYPFT", "QQY", "SQYPFT"),
        ("QQYGGYSPFT", "QQYNY", "SPFT"),
        ("QQYSNYPFT", "QQY", "SNYPFT"),
    ],
)
def test_two_residues_that_a_tool_wrote_as_one_may_be_where_sides_meet(
    closed: Callable[[str, str, str], str | None], cdr3: str, left: str, right: str
) -> None:
    """N weighs what GG does, and Q what AG does; other reads tell which it is."""
    assert closed(cdr3, left, right) == cdr3


def test_reads_that_fit_nowhere_lead_a_side_on() -> None:
    """One that ends with an unknown residue shows no side."""
    draft = germline_draft("H")
    start, _ = draft.cdr3()
    front = decode(draft.tokens[start - 12 : start])
    reads = read_set(front + "ARGNEKT", "ARGNEKTDSHQF", "GNEKTDSHQF", front + "ARX")
    draft = draft.with_cdr3(np.concatenate((encode("AR"), np.full(10, MISSING, np.uint8))))
    placements = place_on(reads, [draft])
    elsewhere = np.array([40.0, 0.0, 0.0, 40.0])
    opening = Opening.of_cdr3(draft)
    left, _ = sides_of(reads, placements, draft, opening, elsewhere)
    assert {decode(np.array(side.tokens, np.uint8)) for side in left} == {"ARGNEKT", "ARGNEKTDSHQF"}


def test_short_reads_lead_no_side_on_that_they_are_within() -> None:
    """The longest read of the sample is shorter than the residues by which it would be told."""
    left = chain_with_cdr3("H", "ARTSYTGGYWYEDL")[:106]
    found = reads_of([peptide(left[-6:], "short")])
    side = Side(tuple(encode(left[-9:]).tolist()), 0, 1.0, 1.0)
    assert _with_longer([side], found, turned=False) == [side]


@pytest.mark.parametrize(
    ("reads", "longest"),
    [
        (("HWKDEPPWM", "WKDEPPWM"), "CARHWKDEPPWM"),
        (("HWKDEPPWM", "WKDEPPWM", "EPPWMFGHTQ", "PPWMFGHTQ"), "CARHWKDEPPWMFGHTQ"),
        (("HWKDEPPWM", "WKDEPPHM"), "CARHWKDE"),  # they do not agree
        (("DEPPWM",) * 5, "CARHWKDE"),  # of two residues by chance
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_reads_lead_a_side_on_that_share_its_end_and_agree(
    reads: Sequence[str], longest: str, turned: bool
) -> None:
    step = -1 if turned else 1
    side = Side(tuple(encode("CARHWKDE"[::step]).tolist()), 0, 4.0, 0.9)
    found = _with_longer([side], read_set(*(r[::step] for r in reads)), turned=turned)
    texts = [decode(np.array(one.tokens, np.uint8))[::step] for one in found]
    assert max(texts, key=len) == longest


def test_another_cdr3_has_no_place_where_sides_meet() -> None:
    draft = replace(germline_draft("H").with_cdr3(encode("ARTSYTGGYW")), meeting=Meeting(2, 0.5))
    assert draft.with_cdr3(encode("ARTSY")).meeting is None


def sides_meet(
    left: str,
    right: str,
    germline: Mapping[str, float],
    *reads: str,
    also: str = "",
    most: float = np.inf,
    ends: tuple[str, str] = ("SLSCAAS", "WVRQAPG"),
) -> Met:
    """How the sides meet of a stretch that a protease cuts behind K: the nats of residues are those
    of the first of some texts that fit them, ? for any residue; also: another right side; most:
    nats that reads may count; ends: residues in front of the stretch and behind it."""
    reads = reads or ("WWWWWWWW",)
    around = Surroundings(read_set(*reads), *map(encode, ends), np.zeros(len(reads)), ANY_JOINT)
    cleavage = Cleavage(
        np.arange(20) == RESIDUES.index("K"), np.zeros(20, bool), np.full(9, 4.0), np.ones(9, bool)
    )
    sides = [
        Side(tuple(encode(part).tolist()), 0, 4.0, 0.9) if part else NO_SIDE
        for part in (left, right, *filter(None, (also,)))
    ]

    def nats(residues: np.ndarray) -> float:
        text = "".join("?" if r >= MISSING else RESIDUES[r] for r in residues)
        fits = (n for one, n in germline.items() if re.fullmatch(text.replace("?", "."), one))
        return max(fits, default=-20.0)

    asked = Question(around, range(1, 12), nats, cleavage, (6, 0.1), most)
    found = meet(asked, sides[:1], sides[1:])
    assert found is not None
    return found


@pytest.mark.parametrize("ends", [("SLSCAAS", "WVXQAPG"), ("SXSCAAS", "WVRQAPG")])
def test_sides_meet_beside_a_residue_that_is_not_known(ends: tuple[str, str]) -> None:
    """Between J and the constant region of a rabbit's kappa chain is one that no germline has."""
    found = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0}, ends=ends)
    assert decode(found.trial.tokens) == "GFTKSYA"


def nats_of_chance(shared: str) -> float:
    """Nats that residues of both sides count."""
    return -float(np.log(CDR3_SHARES[encode(shared)]).sum())


def test_residues_that_both_sides_show_count_and_are_between_two_cuts() -> None:
    found = sides_meet("GFKWHK", "WHKSYA", {"GFKWHKSYA": 0.0})
    assert decode(found.trial.tokens) == "GFKWHKSYA"
    cut = np.log(CDR3_SHARES[RESIDUES.index("K")])
    assert found.trial.nats == pytest.approx(nats_of_chance("WHK") + cut)


def test_a_side_that_begins_in_front_of_a_stretch_needs_one_cut() -> None:
    found = sides_meet("", "ASGFTKSYA", {"GFTKSYA": 0.0}, ends=("SLSCKAS", "WVRQAPG"))
    assert decode(found.trial.tokens) == "GFTKSYA"
    assert found.trial.nats == pytest.approx(nats_of_chance("AS"))


def test_a_single_residue_is_seldom_cut_off_on_both_of_its_sides() -> None:
    """K and KK between the same sides: one residue, or a peptide of two, would be missing."""
    one = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0, "GFTKKSYA": 0.0})
    two = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0, "GFTKDKSYA": 0.0})
    assert one.others[8] < 0.5 * two.others[9]


def test_what_is_missing_ends_where_proteases_cut() -> None:
    cut = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0, "GFTKDKSYA": 3.0})
    not_cut = sides_meet("GFTK", "SYA", {"GFTKSYA": 0.0, "GFTKDDSYA": 3.0})
    assert not_cut.others[9] < cut.others[9]


def test_sides_that_share_rare_residues_are_not_joined_end_to_end() -> None:
    """GFWHKWHKSYA would have them twice."""
    text = {"GFWHKSYA": 0.0, "GFWHKWHKSYA": 0.0}
    found = sides_meet("GFWHK", "WHKSYA", text)
    assert decode(found.trial.tokens) == "GFWHKSYA"
    assert 11 not in found.others


def test_a_stretch_is_surer_if_two_peptides_end_it_alike() -> None:
    """One of them may begin wrongly."""
    text = {"GFTKSYA": 0.0}
    one, two = (sides_meet("GFTK", "SYA", text, also=also) for also in ("", "TKSYA"))
    assert decode(one.trial.tokens) == decode(two.trial.tokens) == "GFTKSYA"
    assert 1.0 - two.probability < 1.0 - one.probability - 0.03


@pytest.mark.parametrize(("most", "found"), [(np.inf, "GFTKDKSYA"), (1.0, "GFTKSYA")])
def test_reads_count_for_a_length_as_much_as_they_may(most: float, found: str) -> None:
    text = {"GFTKSYA": 0.0, "GFTKDKSYA": -5.0}
    reads = ["CAASGFTKDKSYAWVR"[i:] for i in range(3)]
    met = sides_meet("GFTK", "SYA", text, *reads, also="DKSYA", most=most)
    assert decode(met.trial.tokens) == found


@pytest.mark.parametrize(
    ("cdr3", "holds"),
    [
        ("AKTYYYMDVWGKYYTYYYYMDV", True),
        ("AKTYYYMDVWGK", True),
        ("AKTYYYMDVW", False),
        ("AREVSRYFGSGSYYWAPTYYGMDV", False),  # of a natural antibody
    ],
)
def test_a_cdr3_that_goes_on_into_fr4_is_known(cdr3: str, holds: bool) -> None:
    assert holds_fr4(encode(cdr3)) == holds


@pytest.mark.parametrize(
    ("cdr3", "holds"),
    [
        ("AADLTRHFGGVDNAKHPVYLQMNNLREQDSGVYSCAAVPLLVNFRQCSL", True),
        ("AADLTRHFGGVDNAKHPVYLQMNNLREQDSGVYS", False),
        ("TATEDAFTNHAMGWYRQALGKQRELVALIS", True),
        ("TATEDAFTNHAMGWYRQALGKQ", False),
        ("TTVHQQTHQDQTCPDGYTRTNYYCRRDGCGSWCNGAERQQPCVRGPCCCDLTYRTAYEYHVN", False),
    ],
    ids=["through FR3", "without its Cys", "through FR2", "without its end", "of cattle"],
)
def test_a_cdr3_that_runs_through_another_v_is_known(cdr3: str, holds: bool) -> None:
    assert holds_v(encode(cdr3.replace("I", "L"))) == holds
