"""CDR3 by the reads that lead into it: paths, arms, joints, FR4."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pyteomics.mass import std_aa_mass

from lacuna.antibody.germlines import j_segments
from lacuna.core.alphabet import MISSING, RESIDUES, decode, encode
from lacuna.evidence.chain import GapHint, _gap
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_JOINT, V_JOINT, JointRule
from lacuna.placing.aligning.readset import ReadSet, collapse
from lacuna.placing.build import of_usual_length
from lacuna.placing.stretches.arms import (
    front_arms,
    into_j,
    read_arms,
    ways_to_join,
    without_overlap,
)
from lacuna.placing.stretches.cdr3 import _open_stretch, _with_start_of_fr4, with_junction
from lacuna.placing.stretches.cdr3_joints import unjoined_in_cdr3
from lacuna.placing.stretches.junction import Path, Surroundings, touching, weigh_paths
from lacuna.placing.stretches.junction_mass import JunctionMass
from lacuna.placing.stretches.loops import weighs_as, with_loop
from lacuna.placing.stretches.word_paths import WordGraph, paths
from lacuna.placing.votes.draft import Draft, draft_of, protein_of
from lacuna.placing.votes.modifications import carried_by_cysteine
from lacuna.placing.votes.placement import place_on
from reads import (
    DOMAIN,
    Mixed,
    built,
    chain_with_cdr3,
    draft_from,
    germline_draft,
    peptide,
    read_set,
    reads_of,
    tiles,
)


def joints(rule: JointRule, stretch: str, *reads: str) -> list[float]:
    """Weight of the reads over each joint of a stretch between FR3 and FR4."""
    before, after = encode("SLRAEDTAVYYC"), encode("WGQGTLVTVSS")
    around = Surroundings(read_set(*reads), before, after, np.zeros(len(reads)), rule)
    (path,) = weigh_paths(around, [encode(stretch)])
    return path.joints.tolist()


def thinnest_joint(rule: JointRule, stretch: str, *reads: str) -> float:
    return min(joints(rule, stretch, *reads))


def test_paths_lead_from_anchor_to_anchor() -> None:
    chain = "DTAVYYCARWGGDGFYAMDYWGQGTLVTVSS"
    reads = tiles(chain, length=12, step=2)
    graph = WordGraph(reads_of(reads))
    found = paths(graph, encode("DTAVYYC"), encode("WGQGTLV"), 3, 30)
    assert decode(found[0]) == "ARWGGDGFYAMDY"


def test_no_path_without_reads_over_the_junction() -> None:
    reads = [peptide("EDTAVYYCAR"), peptide("YAMDYWGQGTLVTVSS")]
    graph = WordGraph(reads_of(reads))
    assert paths(graph, encode("DTAVYYC"), encode("WGQGTLV"), 3, 30) == []


def test_if_many_reads_touch_a_stretch_those_that_reach_into_it_weigh_it_and_the_surest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    left, stretch, right = "LQMNSLRAEDTAVYYC", "ARWGGD", "WGQGTLVTVSS"
    into = {"TAVYYCAR": 0.6, "YYCARWGG": 0.8, "GGDWGQGT": 0.7}
    beside = {"AEDTAVYY": 0.9, "GQGTLVTV": 0.95}
    texts = [*beside, "LQMNSLRA", *into]  # of which the third lies far from it
    sure = {r: [{**into, **beside}.get(r, 0.95)] * len(r) for r in texts}
    given = [peptide(r, r) for r in texts]
    reads = collapse(given, Mixed(sure).probabilities(given))
    none = np.zeros(len(reads))
    around = Surroundings(reads, encode(left), encode(right), none, CDR3_JOINT)

    def kept(most: int) -> set[str]:
        monkeypatch.setattr("lacuna.placing.stretches.junction.MOST_READS", most)
        return {texts[row] for row in touching(around, [encode(stretch)])}

    assert kept(9) == {*into, *beside}
    assert kept(4) == {*into, "GQGTLVTV"}
    assert kept(3) == {*into}
    assert kept(2) == {"YYCARWGG", "GGDWGQGT"}


def test_arms_are_joined_end_to_end_and_where_they_overlap() -> None:
    found = [decode(s) for s in ways_to_join(encode("ARWG"), encode("WGDY"))]
    assert found == ["ARWGWGDY", "ARWGDY"]
    found = [decode(s) for s in ways_to_join(encode("HGGDGFYAE"), encode("SFYATDY"))]
    assert found == ["HGGDGFYAESFYATDY", "HGGDGFYATDY"]


def test_residues_that_both_arms_show_are_stated_once() -> None:
    ahead, back = encode("ARWGG"), encode("GGDGF")
    assert decode(without_overlap(ahead, back)) == "ARW"
    assert decode(without_overlap(ahead, back[2:])) == "ARWGG"
    assert len(without_overlap(back, back)) == 0
    assert decode(without_overlap(encode("HGGDGFYAE"), encode("SFYATDY"))) == "HGGDG"
    assert decode(without_overlap(encode("ARYYE"), encode("SYYDY"))) == "ARYYE"  # by chance


def test_a_stretch_goes_on_into_a_j_segment_that_it_shares_enough_with() -> None:
    head, fr4 = encode("YYWYFDV"), encode("WGAGT")
    whole = into_j(encode("ARHLYW"), head, fr4)
    assert whole is not None and decode(whole) == "ARHLYWYFDV"
    assert into_j(encode("ARHLY"), head, fr4) is None  # a Y is common there
    assert into_j(encode("ARYY"), encode("YYYYYGMDV"), fr4) is None  # at which Y?


@pytest.mark.parametrize(
    ("ahead", "head", "fr4", "whole"),
    [
        ("ARGGGGFAYW", "YFDY", "WGQGT", "ARGGGGFAY"),
        ("QHHYGLPFTF", "WT", "FGQGT", "QHHYGLPFT"),
        ("QHHYGLPFTFG", "WT", "FGQGT", "QHHYGLPFT"),
        ("ARGGW", "YFDV", "WGQGT", None),  # W alone may be one of CDR3
        ("ARGGYW", "YWYFDY", "WGQGT", None),  # at which W?
    ],
)
def test_a_stretch_that_ends_with_the_start_of_fr4_is_whole(
    ahead: str, head: str, fr4: str, whole: str | None
) -> None:
    found = into_j(encode(ahead), encode(head), encode(fr4))
    assert (None if found is None else decode(found)) == whole


def test_a_cdr3_that_is_cut_behind_trp118_is_of_the_right_length() -> None:
    chain = chain_with_cdr3("H", "ARGGSSNAPLH")
    cut = chain.index("WGQG") + 1
    reads = [r for n in (12, 14, 16) for r in tiles(chain[:cut], length=n)] + tiles(chain[cut:])
    placed = built(reads)
    draft = placed.drafts[0]
    assert decode(draft.tokens[slice(*draft.cdr3())]) == "ARGGSSNAPLH"


def test_a_joint_needs_residues_that_say_something_on_both_sides() -> None:
    left, right = "SLRAEDTAVYYCARHW", "RHWDYWGQGTLV"
    assert thinnest_joint(CDR3_JOINT, "ARHWDY", left, right) == 1.0  # H and W are seldom in CDR3s
    left, right = "SLRAEDTAVYYCASSS", "SSSDYWGQGTLV"
    assert thinnest_joint(CDR3_JOINT, "ASSSDY", left, right) == 0.0  # S is not


@pytest.mark.parametrize(("begins", "over"), [("YC", 0.0), ("YYC", 1.0)])
def test_the_first_joint_of_a_cdr3_needs_three_residues_in_front(begins: str, over: float) -> None:
    """Tools write YC in front of a CDR3 whose beginning they cannot read, however rare C is."""
    found = joints(CDR3_JOINT, "GGDGFYHMDY", begins + "GGDGFYHMDYWG")
    assert found[0] == over and found[3] == 1.0


@pytest.mark.parametrize(
    ("own", "over"), [((), 0.0), (("YYCGGHCGYDY",), 2.0), (("YYCGGHCGYDY", "AVYYCGGHC"), 4.0)]
)
def test_reads_of_a_yc_within_a_cdr3_do_not_join_its_rest_to_fr3(
    own: Sequence[str], over: float
) -> None:
    """In ARDGGAYCGGHCGYDY, the A of AYC is soon misread as Y."""
    misread = ("GDGYYCGGHCGYDYWG", "NDYYCGGHCGYDY")
    assert joints(CDR3_JOINT, "GGHCGYDY", *own, *misread)[0] == over
    assert joints(ANY_JOINT, "GGHCGYDY", *own, *misread)[0] == 2.0 + len(own)


def test_a_read_of_more_than_a_few_residues_in_front_of_a_cdr3_is_of_its_fr3() -> None:
    assert joints(CDR3_JOINT, "GGHCGYDY", "NDAVYYCGGHCGYDY")[0] == 1.0


def test_a_read_that_leaves_residues_out_is_not_over_their_joints() -> None:
    """It may be of another chain that begins and ends alike."""
    another, own = "AVYYCARHWVWFDYWGQGTL", "AVYYCARHWVHSWFDYWGQGTL"
    stretch = "ARHWVHSWFDY"
    assert joints(ANY_JOINT, stretch, another) == [1.0] * 5 + [0.0] * 3 + [1.0] * 4
    assert thinnest_joint(CDR3_JOINT, stretch, another, own) == 1.0
    assert joints(ANY_JOINT, "ARHWVHWFDY", another) == [1.0] * 11  # a mistake of the tool
    assert joints(ANY_JOINT, "ARHWVWFDY", own) == [1.0] * 5 + [0.0] + [1.0] * 4


def test_only_residues_without_another_one_between_speak_for_a_joint() -> None:
    """C104 of another chain lies on the C of a CDR3."""
    stretch, another = "ARGHCSRWHWDY", "AVYYCARWHWDYWGQGTL"
    found = joints(CDR3_JOINT, stretch, another)
    assert found[:8] == [0.0] * 8 and found[8] == 1.0
    assert joints(CDR3_JOINT, stretch, another.replace("CAR", "CSR"))[7] == 1.0


def test_a_joint_in_front_of_a_cdr3_needs_three_residues_on_both_sides() -> None:
    left, right = "SLRAEDTAVYYCARHW", "RHWDYWGQGTLV"
    assert thinnest_joint(V_JOINT, "ARHWDY", left, right) == 0.0  # however rare they are
    assert thinnest_joint(V_JOINT, "ARHWDY", left + "D", "A" + right) == 1.0


LOOP = DOMAIN.index("GSGGSTYY"), DOMAIN.index("YYADS")


def in_loop(reads: ReadSet) -> str:
    """The residues that a stretch of CDR2 of a domain has by its reads."""
    (start, stop), draft = LOOP, draft_from(DOMAIN)
    left, right = draft.tokens[:start], draft.tokens[stop:]
    around = Surroundings(reads, left, right, np.zeros(len(reads)), V_JOINT)
    found = with_loop(around, draft, LOOP, WordGraph(reads))
    return decode(found.tokens[start : stop + len(found) - len(draft)])


@pytest.mark.parametrize(
    ("usual", "longer", "follows"), [(0, 2, True), (3, 4, False), (3, 12, True)]
)
def test_a_loop_is_of_another_length_if_clearly_more_reads_show_it(
    usual: int, longer: int, follows: bool
) -> None:
    start, stop = LOOP
    other = DOMAIN[: start + 3] + "H" + DOMAIN[start + 3 :]
    reads = [
        chain[start - 9 + i : stop + 6 + i]
        for chain, n in ((DOMAIN, usual), (other, longer))
        for i in range(n)
    ]
    assert in_loop(read_set(*reads)) == ("GSGHGST" if follows else "GSGGST")


def test_a_loop_of_another_length_must_be_liked_better_the_more_it_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And the more reads like the one that is there."""
    none = read_set("WWWWWWWW")
    monkeypatch.setattr("lacuna.placing.stretches.loops.refined", lambda _, best, *__, **___: best)

    def least(stretch: str, gain: float) -> float:
        """Nats more than those of the present stretch, from which another takes its place."""

        def weighed(_: Surroundings, stretches: Sequence[np.ndarray]) -> list[Path]:
            other, present = stretches
            return [Path(other, gain + more, joints), Path(present, gain, joints)]

        joints = np.full(len(stretch) + 1, 9.0)
        monkeypatch.setattr("lacuna.placing.stretches.loops.paths", lambda *_: [encode(stretch)])
        monkeypatch.setattr("lacuna.placing.stretches.loops.weigh_paths", weighed)
        for more in np.arange(0.0, 100.0, 0.5).tolist():
            if in_loop(none) == stretch:
                return more
        return np.inf

    assert 0.0 < least("GSHGST", 50.0) < least("GSGHGST", 50.0) < least("GSGHHHGST", 50.0) < np.inf
    assert least("GSGHGST", 0.0) > least("GSHGST", 0.0)
    assert least("GSGHGST", 50.0) < least("GSGHGST", 150.0)
    assert least("GSHGST", 50.0) == least("GSHGST", 150.0)  # of the same length, however many
    assert least("GSNST", 50.0) == least("GSHST", 50.0)  # though N weighs as much as GG
    monkeypatch.setattr("lacuna.placing.stretches.loops.weighs_as", lambda *_: True)
    assert least("GSNST", 50.0) == np.inf


def test_a_stretch_of_equal_mass_is_no_other_length() -> None:
    """GMSN for QMN whose M is oxidised, though no search listed that."""
    around = Surroundings(read_set("WWWWWWWW"), encode("A"), encode("A"), np.zeros(1), V_JOINT)
    assert weighs_as(around, encode("GMSN"), encode("QMN"))
    assert not weighs_as(around, encode("GG"), encode("N"))  # as the search can tell
    assert not weighs_as(around, encode("GMTN"), encode("QMN"))
    assert not weighs_as(around, encode("GMSN"), np.array([MISSING] * 3, np.uint8))


def test_reads_go_on_from_the_last_residues_of_a_framework() -> None:
    reads = read_set("CARHWGGDS", "YYCARHWGG", "LCARHWGGDS")
    arms = front_arms(reads, encode("AVYYC"), np.zeros(3))
    assert "ARHWGGDS" in {decode(arm) for arm in arms}
    assert all(decode(arm).startswith("ARH") for arm in arms)
    assert front_arms(reads, encode("AVYYC"), np.full(3, 30.0)) == []  # they lie elsewhere


def test_a_cdr3_of_more_than_34_residues_is_not_shortened() -> None:
    cdr3 = "ADKGNGGTYSKEDGSYYDGWTSPGDYGKSDQWHFKMDP"
    chain = chain_with_cdr3("H", cdr3)
    (draft,) = built([r for i in range(3) for r in tiles(chain[i:])]).drafts
    assert decode(draft.tokens[slice(*draft.cdr3())]) == cdr3


def test_an_open_cdr3_has_the_usual_length() -> None:
    draft = germline_draft("K").with_cdr3(encode("QQXXXXXXXXXPT"))
    start, stop = of_usual_length(draft).cdr3()
    assert decode(of_usual_length(draft).tokens[start:stop]) == "QQXXXXXPT"
    longer = draft.with_cdr3(encode("QQHWTTNWXXXXXXPT"))
    start, stop = of_usual_length(longer).cdr3()
    assert decode(of_usual_length(longer).tokens[start:stop]) == "QQHWTTNWXPT"


def test_a_cdr3_does_not_repeat_the_end_of_fr3() -> None:
    chain = chain_with_cdr3("H", "GREGLRYYGLLGDY")
    at = chain.index("YYCGREG") + 1
    chain = chain[:at] + "L" + chain[at + 1 :]
    placed = built(tiles(chain))
    assert decode(placed.drafts[0].tokens)[:115] == chain.replace("I", "L")[:115]


@pytest.mark.parametrize("first", ["R", "S", "P"])
@pytest.mark.parametrize("cut", [False, True])
def test_the_first_residue_of_fr4_may_be_mutated(first: str, cut: bool) -> None:
    """cut: whether all reads that show it begin at most four residues in front of it."""
    chain = chain_with_cdr3("H", "AVKSGGYHDPKTETVADD").replace("WGQG", f"{first}GQG")
    at = chain.index(f"{first}GQGT")
    reads = tiles(chain)
    if cut:
        ends = [chain[i:at] for i in range(3)] + [chain[at - i :] for i in range(5)]
        reads = [r for end in ends for n in (12, 14) for r in tiles(end, length=n)]
    placed = built(reads)
    (draft,) = placed.drafts
    assert draft.bridged
    assert decode(draft.tokens)[:110] == chain.replace("I", "L")[:110]
    assert draft.cdr3()[1] == at


def bridged_by(*reads: str, locus: str = "H", known: str = "") -> str:
    """The CDR3 and FR4 of a germline chain as its reads bridge it; known: the CDR3 so far."""
    draft = germline_draft(locus)
    draft = draft.with_cdr3(encode(known)) if known else draft
    start, stop = draft.cdr3()
    found = read_set(*reads)
    around = Surroundings(
        found, draft.tokens[:start], draft.tokens[stop:], np.zeros(len(reads)), CDR3_JOINT
    )
    clear = draft.tokens[start:stop] < (MISSING if known else 0)
    built = with_junction(around, draft, WordGraph(found), clear, [], [])
    return decode(built.tokens[start:])


@pytest.mark.parametrize("arm", ["YCARDHWNPTDSY", "FKNPTDSY"])
def test_what_a_read_shows_of_fr3_and_of_the_beginning_is_not_in_a_cdr3_twice(arm: str) -> None:
    known = encode("ARDHWG")
    draft = germline_draft("H").with_cdr3(known)
    start, stop = draft.cdr3()
    found = read_set("DTAVYYCARDHW", f"{arm}WGQGTLVTV", f"{arm}WGQGTLVT")
    around = Surroundings(found, draft.tokens[:start], draft.tokens[stop:], np.zeros(3), CDR3_JOINT)
    stretch = decode(_open_stretch(around, known, np.arange(6) < 5, [encode(arm)]))
    assert stretch.startswith("ARDHWXXX") and stretch.endswith("PTDSY") and "C" not in stretch


@pytest.mark.parametrize(
    ("front", "behind", "closed"),
    [
        ("DFATYYCQQHNT", "WTFGQGTKVELK", False),  # the T may be that of another place
        ("DFATYYCQQHNTF", "GQGTKVELK", True),
    ],
)
def test_only_reads_of_a_cdr3_lead_it_into_fr4(front: str, behind: str, closed: bool) -> None:
    reads = [text[i:] for text in (front, behind) for i in range(3)]
    found = bridged_by(*reads, locus="K", known="QQHNTXXXX")
    assert found.replace("X", "") == "QQHNTFGQGTKVELK"
    assert ("X" not in found) == closed


@pytest.mark.parametrize(
    ("locus", "front", "on", "closed"),
    [
        ("H", "ASPLHYEGFDY", "", True),  # as IGHJ4 ends
        ("H", "ASPLHYEGLLDY", "", False),  # the same by chance
        ("H", "ASPLHYEGLLDY", "W", False),  # W is of every J segment
        ("H", "ASPLHYEGYFD", "", False),  # with the Y of IGHJ4, or with the L of IGHJ2?
        ("K", "QQHNYFQ", "", False),  # IGHJ1 is of another locus
    ],
)
def test_a_stretch_may_end_as_another_j_segment_does(
    locus: str, front: str, on: str, closed: bool
) -> None:
    """Of a digest by chymotrypsin, in a chain that was started with IGHJ1 (AEYFQHWGQG)."""
    start = {"H": "SLRSDDTAVYYC", "K": "SLQPEDFATYYC"}[locus]
    reads = [(start + front + on)[i:] for i in range(4)]
    found = bridged_by(*reads, locus=locus, known=front + "XXX")
    assert found.startswith(front + ("WGQG" if closed else "X"))


def test_a_stretch_does_not_end_as_a_j_segment_if_reads_show_another_end() -> None:
    front, behind = "SLRSDDTAVYYCASPLHYEGFDY", "HNMDVWGQGTLVTVSS"
    reads = [text[i:] for text in (front, behind) for i in range(4)]
    found = bridged_by(*reads, known="ASPLHYEGFDYXXXHNMDV")
    assert "YX" in found and found.endswith("MDVWGQGTLVTVSS")


def test_a_residue_too_many_is_no_mutated_start_of_fr4() -> None:
    read = "AEDTAVYYCARDENYNDPARYFWGGQGTLVTV"
    assert bridged_by(*(read[i:] for i in range(4))).endswith("WGQGTLVTVSS")


def test_one_misread_peptide_is_no_mutated_start_of_fr4() -> None:
    """D and W in the wrong order join SSW and Y to the second residue of FR4."""
    front, behind = "AEDTAVYYCAKDPEYSSWYGVGF", "DYWGQGTLVTVSS"
    reads = [text[i:] for text in (front, behind) for i in range(4)]
    found = bridged_by(*reads, *["DWYGQGTLV"] * 2, known="AKDPEYSSWYXXX")
    assert found.endswith("XWGQGTLVTVSS")


@pytest.mark.parametrize(("reads", "mutated"), [((), False), (("YYVGQGT",) * 2, True)])
def test_a_mutated_start_of_fr4_is_in_some_read(
    monkeypatch: pytest.MonkeyPatch, reads: tuple[str, ...], mutated: bool
) -> None:
    """Trypsin cuts WGKG, so that no read may hold the start of FR4 with either residue."""
    path = Path(encode("ARDYYV"), 20.0, np.full(7, 2.0))
    monkeypatch.setattr("lacuna.placing.stretches.cdr3._closed", lambda *_: path)
    draft = germline_draft("H")
    start, stop = draft.cdr3()
    found = read_set("AEDTAVYYCARDYYV", *reads)
    sides = draft.tokens[:start], draft.tokens[stop:]
    around = Surroundings(found, *sides, np.zeros(len(found)), CDR3_JOINT)
    built = _with_start_of_fr4(around, draft, draft.tokens[start:stop], WordGraph(found))
    assert (built is not None) == mutated


@pytest.mark.parametrize(("first", "taken"), [("W", False), ("L", True)])
def test_no_light_chain_has_the_cdr3_of_a_heavy_one(first: str, taken: bool) -> None:
    """FR3 and FR4 are alike from the second residue of FR4 on, so that reads join both chains."""
    read = f"EDFATYYCAKRGDLVGQKFNDY{first}GQGTKVEL"
    found = bridged_by(*(read[i:] for i in range(4)), locus="K")
    assert found.startswith(f"AKRGDLVGQKFNDY{first}GQG") == taken
    assert found.endswith(f"{first if taken else 'F'}GQGTKVELK")


@pytest.mark.parametrize(
    ("end", "is_open"), [("LREQDSGVYSCAAVP", True), ("GHWQKHNFMSRCAAVP", False)]
)
def test_no_cdr3_runs_through_an_fr3(end: str, is_open: bool) -> None:
    chain = f"AEDTAVYYCAADLTRHFGGVDNAKHPVYLQMNN{end}LLVNFRQWGQGTLVTVSS"
    found = bridged_by(*(chain[i : i + 16] for i in range(len(chain) - 15)))
    assert ("X" in found) == is_open


def test_no_cdr3_runs_through_an_fr4_whose_start_is_mutated() -> None:
    own, other = "AEDTAVYYCRQVAGNFRGQGTLVTVSS", "GNFRGQGTLVTVYWGQGTLVTVSS"
    reads = (text[i:] for text in (own, other) for i in range(4))
    assert bridged_by(*reads) == "RQVAGNFRGQGTLVTVSS"


@pytest.mark.parametrize(("over", "apart"), [((), ["Y", "G"]), (("CARDYGGNFDY",) * 2, [])])
def test_residues_of_a_cdr3_that_no_read_joins_are_known(
    over: tuple[str, ...], apart: list[str]
) -> None:
    draft = draft_from(DOMAIN)
    sides = ["LQMNSLRAEDTAVYYCARDY", "GGNFDYWGQGTLVTVSS"]
    reads = read_set(*(sides * 2), *over)
    found = unjoined_in_cdr3(reads, place_on(reads, [draft]), draft)
    assert [RESIDUES[t] for t in draft.tokens[found]] == apart


def test_no_cdr3_runs_through_another_fr4() -> None:
    light, heavy = chain_with_cdr3("K", "QQHYTTPPT"), chain_with_cdr3("H", "ARWGGDGFYHMDY")
    over = heavy[heavy.index("ARWGG") - 6 :]
    placed = built(tiles(light) + tiles(over))
    assert "K" in [draft.locus for draft in placed.drafts]
    for draft in placed.drafts:
        start, stop = draft.cdr3()
        loop = decode(draft.tokens[start:stop])
        assert "WGQG" not in loop and "TVSS" not in loop


@pytest.mark.parametrize("mass", [57.021464, 125.047679])
@pytest.mark.parametrize("at_c", [True, False])
def test_what_c_carries_is_found_by_the_ends_of_reads(at_c: bool, mass: float) -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    draft = protein_of(chain)
    # Each read is right up to a residue; behind it the residues are wrong but weigh what is there.
    at = chain.index("C") + (0 if at_c else 30)
    off = sum(std_aa_mass[r] for r in chain[at : at + 3]) + mass
    off -= sum(std_aa_mass[r] for r in "WWH")
    ends = [chain[at - n : at] + "WWH" for n in range(9, 20)]
    reads = [peptide(r, f"r{i}", [(len(r) - 1, off)]) for i, r in enumerate(ends)]
    found = reads_of(reads)
    assert (mass in carried_by_cysteine(found, place_on(found, [draft]))) is at_c
    if at_c:
        # Once it is known, the ends fit; it is still what C carries.
        known = replace(found, cysteine=(mass,))
        placements = place_on(known, [draft])
        assert (placements.alignment.core[:, 1] == known.length[placements.alignment.read]).all()
        assert carried_by_cysteine(known, placements) == (mass,)


def test_the_mass_of_an_open_cdr3_is_no_other_gaps() -> None:
    mass = JunctionMass(98, 106, 900.4)
    assert _gap(98, 106, mass).mass == 900.4
    assert _gap(30, 31, mass) == GapHint(30, 31, None, None)


def test_a_cdr3_that_shows_fr3_begins_behind_it() -> None:
    """Where a chain differs from germline in front of CDR3, reads of it may lie within CDR3."""
    front, behind = "AEDTAVYYCARDHW", "NPTDSYWGQGTLVTVSS"
    reads = [text[i:] for text in (front, behind) for i in range(4)]
    found = bridged_by(*reads, known="ARVYYCARDHWXXXNPTDSY")
    assert found.startswith("ARDHWX") and found.endswith("TDSYWGQGTLVTVSS")
    assert bridged_by(*reads, known="ARVYYCARDHW").startswith("ARDHW")


def into_segment(segment: str, front: str, *behind: str, known: str = "") -> Draft:
    """A chain of a J segment of which reads show FR3 and the beginning of CDR3, and what follows
    (behind); known: the CDR3 so far."""
    known = known or f"{front}XXX"
    draft = draft_of("H", germline_draft("H").v, j_segments().names.index(segment), -1)
    draft = draft.with_cdr3(encode(known))
    start, stop = draft.cdr3()
    found = read_set(*(f"SLRSDDTAVYYC{front}"[i:] for i in range(4)), *behind)
    sides = draft.tokens[:start], draft.tokens[stop:]
    around = Surroundings(found, *sides, np.zeros(len(found)), CDR3_JOINT)
    return with_junction(around, draft, WordGraph(found), encode(known) < MISSING, [], [])


@pytest.mark.parametrize(
    ("segment", "front", "rest", "ends_as"),
    [
        ("IGHJ4*01", "ASPLHEGFD", "YWGQG", "IGHJ4*01"),
        ("IGHJ3*01", "ASPLHEGFD", "VWGQG", "IGHJ3*01"),
        ("IGHJ1*01", "ASPLHEGFD", "XXXXX", "IGHJ1*01"),  # FD is too little for another segment
        ("IGHJ1*01", "ASPLHEGFDY", "WGQG", "IGHJ4*01"),
        ("IGHJ3*01", "ASPLHYEGMDV", "WGQG", "IGHJ3*01"),  # its own V is enough
    ],
)
def test_little_of_its_own_j_segment_ends_a_cdr3_and_more_of_another_one(
    segment: str, front: str, rest: str, ends_as: str
) -> None:
    found = into_segment(segment, front)
    assert decode(found.tokens[found.cdr3()[0] :]).startswith(front + rest)
    assert j_segments().names[found.j] == ends_as
    assert found.bridged == ("X" not in rest)


@pytest.mark.parametrize(("behind", "closed"), [("HN", True), ("VHN", False)])
def test_one_residue_of_reads_behind_a_cdr3_may_be_misread(behind: str, closed: bool) -> None:
    """The first one that a read shows is: of HN that is N, of VHN the residues HN."""
    front = "ASPLHYEGFDY"
    reads = [f"{behind}WGQGTLVTVSS"[:n] for n in (8, 9, 10, 12)]
    found = into_segment("IGHJ1*01", front, *reads, known=f"{front}XXX{behind}")
    assert found.bridged == closed
    end = "" if closed else "XXXXXXHN"
    assert decode(found.tokens[found.cdr3()[0] :]).startswith(f"{front}{end}WGQG")


def test_what_is_changed_in_a_closed_cdr3_makes_no_framework_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = "AEDTAVYYCARDHWNPTDSYWGQGTLVTVSS"
    reads = [whole[i : i + 16] for i in range(len(whole) - 15)]

    def closed_as(changed: str) -> str:
        def edited(_: Surroundings, best: Path, **__: int) -> Path:
            return best if (best.tokens >= MISSING).any() else replace(best, tokens=encode(changed))

        monkeypatch.setattr("lacuna.placing.stretches.cdr3.refined", edited)
        return bridged_by(*reads, known="ARDHWXXXNPTDSY").removesuffix("WGQGTLVTVSS")

    assert closed_as("ARDHWNPSDSY") == "ARDHWNPSDSY"
    assert closed_as("ARDHWGQGTLVDSY") == "ARDHWNPTDSY"


def test_arms_overlap_where_one_of_them_begins() -> None:
    """Though the residue in front of it is the last one of the other arm."""
    assert decode(without_overlap(encode("DHWKEE"), encode("HWKYD"))) == "D"
    assert decode(without_overlap(encode("HWKEY"), encode("DYHWKA"))) == ""
    assert "DHWKYD" in [decode(s) for s in ways_to_join(encode("DHWKEE"), encode("HWKYD"))]


def test_reads_lead_into_a_stretch_from_what_is_behind_it() -> None:
    draft = draft_from(DOMAIN)
    stop = DOMAIN.index("WGQG")
    arm = "HWNPTKSY"
    shown = f"{arm}{DOMAIN[stop : stop + 11]}", DOMAIN[stop - 1 : stop + 11], DOMAIN[20:40]
    for read, leads in zip(shown, (True, False, False), strict=True):
        reads = read_set(read)
        found = [decode(a) for a in read_arms(reads, place_on(reads, [draft]).alignment, stop)]
        assert bool(found) == leads and all(arm.endswith(one) for one in found)
        assert (arm in found) == leads
