"""Reads are placed, and chains built from them: on reads cut in code from made chains."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from pyteomics.mass import std_aa_mass

from conftest import Write
from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, MISSING, RESIDUES, decode, encode, merge_il
from lacuna.evidence.chain import GapHint, _gap
from lacuna.placing.aligning.align import MIN_SCORE, align
from lacuna.placing.aligning.alignment import BLOCK, INSERTED, MATCH, OTHER_BLOCK
from lacuna.placing.aligning.carried import BIN, BLOCK_TOLERANCE, REACH, Carried
from lacuna.placing.aligning.joints import ANY_JOINT, CDR3_JOINT, V_JOINT, JointRule
from lacuna.placing.aligning.kernel import compiled
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.aligning.readset import IN_REPEAT, MAX_READ, MIN_READ, ReadSet, collapse
from lacuna.placing.aligning.seeds import AFTER_RIGHT, diagonals, word_weights
from lacuna.placing.build import build, of_usual_length
from lacuna.placing.chains.further import MAX_OF_LOCUS, _germline
from lacuna.placing.chains.populations import Population, is_serum, populations
from lacuna.placing.place import place
from lacuna.placing.rows import rows_of
from lacuna.placing.sources.contaminants import read_contaminants
from lacuna.placing.sources.segments import WORD, BestSegments, best_of_loci, score_segments
from lacuna.placing.stretches.arms import front_arms, into_j, ways_to_join, without_overlap
from lacuna.placing.stretches.cdr3 import _with_start_of_fr4, with_junction
from lacuna.placing.stretches.cdr3_joints import unjoined_in_cdr3
from lacuna.placing.stretches.junction import Path, Surroundings, touching, weigh_paths
from lacuna.placing.stretches.junction_mass import JunctionMass
from lacuna.placing.stretches.loops import weighs_as, with_loop
from lacuna.placing.stretches.similar import similar_reads
from lacuna.placing.stretches.word_paths import WordGraph, paths
from lacuna.placing.votes.chance import least_score
from lacuna.placing.votes.consensus import (
    Votes,
    amide_nats,
    next_draft,
    place_weights,
    votes,
    votes_for_template,
)
from lacuna.placing.votes.draft import cdr3_germline, draft_of, protein_of
from lacuna.placing.votes.modifications import carried_by_cysteine, end_differences
from lacuna.placing.votes.placement import of_one_locus, place_on, place_on_text, text_of
from lacuna.placing.votes.revise import choose_v, fit_of, with_lengths
from lacuna.reads.read import Read
from reads import (
    Sure,
    chain_with_cdr3,
    draft_from,
    germline_draft,
    merged,
    numbered,
    other_heavy,
    peptide,
    read_set,
    reads_of,
    tiles,
)

TEXT = "EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRF"


class Mixed(Sure):
    """The same, but of some reads by name."""

    def __init__(self, of_read: Mapping[str, Sequence[float]]) -> None:
        super().__init__()
        self.of_read = of_read

    def probabilities(self, reads: Sequence[Read]) -> list[np.ndarray]:
        usual = super().probabilities(reads)
        named = (self.of_read.get(read.name) for read in reads)
        return [p if own is None else np.array(own) for p, own in zip(usual, named, strict=True)]


def laid_on(text: str, *residues: str, modifications: Any = ()) -> Any:
    reads = read_set(*residues, modifications=modifications)
    tokens = merge_il(encode(text))
    return align(reads, *diagonals(reads, tokens, np.zeros(len(tokens), int)), tokens)


def joints(rule: JointRule, stretch: str, *reads: str) -> list[float]:
    """Weight of the reads over each joint of a stretch between FR3 and FR4."""
    before, after = encode("SLRAEDTAVYYC"), encode("WGQGTLVTVSS")
    around = Surroundings(read_set(*reads), before, after, np.zeros(len(reads)), rule)
    (path,) = weigh_paths(around, [encode(stretch)])
    return path.joints.tolist()


def thinnest_joint(rule: JointRule, stretch: str, *reads: str) -> float:
    return min(joints(rule, stretch, *reads))


# --- reads -----------------------------------------------------------------------------------


def test_equal_reads_count_once_and_little_more() -> None:
    found = read_set("PEPTIDE", "PEPTLDE", "PEPTIDE", "OTHER"[:3])
    assert len(found) == 1
    assert found.count.tolist() == [3]
    assert found.weight[0] == pytest.approx(1 + 0.5 * np.log2(3))
    assert found.group.tolist() == [0, 0, 0, -1]


def test_modifications_tell_reads_apart_and_weigh() -> None:
    reads = [peptide("NAMED", modifications=[(2, 15.995)]), peptide("NAMED")]
    found = collapse(reads, Sure().probabilities(reads))
    weights = found.cumulative()[:, -1]
    assert len(found) == 2
    assert weights[0] - weights[1] == pytest.approx(15.995)


def test_modifications_of_the_ends_are_on_the_end_residues() -> None:
    reads = [peptide("PEPTK", modifications=[(-1, 42.01), (5, -0.98)])]
    found = collapse(reads, Sure().probabilities(reads))
    assert found.delta[0, [0, 4]].tolist() == [42.01, -0.98]
    assert len(read_set("P" * (MIN_READ - 1))) == 0


def test_modifications_of_residues_that_are_cut_off_are_cut_off_too() -> None:
    chain = (TEXT + TEXT[::-1])[: MAX_READ + 3]
    found = read_set(chain, modifications=[(-1, 42.01), (MAX_READ, 57.02), (len(chain), -0.98)])
    assert found.length.tolist() == [MAX_READ]
    assert found.delta[0].nonzero()[0].tolist() == [0]


# --- alignment -------------------------------------------------------------------------------


def test_a_read_is_laid_where_it_is_from() -> None:
    found = laid_on(TEXT, TEXT[20:34])
    assert found.span.tolist() == [[20, 34]]
    assert (found.kind[0, :14] == MATCH).all()


def test_a_long_read_is_laid_as_a_whole() -> None:
    """As middle-down sequencing gives them: 99 residues, with a modification far behind."""
    text = TEXT + "TISRDNSKNTLYLQMNSLRAEDTAVYYCAKDRGYSSGWYFDYWGQGTLVTVSS"
    found = laid_on(text, text[3:102], modifications=[(92, 57.02)])
    assert found.span.tolist() == [[3, 102]]
    assert (found.kind[0, :99] == MATCH).all()


def test_only_the_core_of_a_read_with_a_wrong_end_is_laid() -> None:
    found = laid_on(TEXT, "KKHHW" + TEXT[20:34])
    assert found.core[0].tolist() == [5, 19]


@pytest.mark.parametrize(
    ("chain", "read", "modifications"),
    [
        ("AYLQMNSLRAEDTAVYY", "AYLQMGGSLRAEDTAVYY", ()),  # N = GG
        ("AYLQMNSLRAEDTAVYY", "AYLAGMNSLRAEDTAVYY", ()),  # Q = AG
        ("GLEWVSAISGSGGSTYY", "GLEADVSAISGSGGSTYY", ()),  # W = AD
        ("SPSDIQMTQSPSSLSAS", "SPSDLGMSTQSPSSLSAS", ()),  # Q + M(ox) = G + M + S
    ],
)
def test_blocks_of_equal_mass_and_other_length(chain: str, read: str, modifications: Any) -> None:
    found = laid_on(chain, read, modifications=modifications)
    assert found.core.tolist() == [[0, len(read)]]
    assert (found.kind[0] == OTHER_BLOCK).any()
    assert not (found.kind[0] == INSERTED).any()


@pytest.mark.parametrize(
    ("chain", "read", "under"),
    [
        ("AYLQMNSLRAEDTAVYY", "AYLQMGGSLRAEDTAVYY", [4, 5, 5, 6]),
        ("AYLQMGGSLRAEDTAVYY", "AYLQMNSLRAEDTAVYY", [4, 6, 7, 8]),
    ],
)
def test_residues_of_a_block_lie_within_it(chain: str, read: str, under: list[int]) -> None:
    assert laid_on(chain, read).at[0, 4:8].tolist() == under


@pytest.mark.parametrize(("before", "begin"), [("", 0), ("KKHHD", 7)])
def test_a_core_begins_with_a_block_at_the_start_of_a_read_only(before: str, begin: int) -> None:
    """Behind wrong residues, two of the right mass are so by chance."""
    assert TEXT[36:38] == "VR"
    found = laid_on(TEXT, before + "RV" + TEXT[38:52])
    assert found.core[0].tolist() == [begin, len(before) + 16]


def test_residues_that_are_rare_in_proteins_tell_more_where_a_read_is_from() -> None:
    common, rare = (laid_on(f"{text}PP{TEXT}", text) for text in ("LSAGLEVL", "WHMYWCHF"))
    assert common.core.tolist() == rare.core.tolist() == [[0, 8]]
    assert common.score[0] + 5.0 < rare.score[0]


def test_blocks_of_other_length_can_be_left_out() -> None:
    text = merge_il(encode("AYLQMNSLRAEDTAVYY"))
    reads = replace(read_set("AYLQMGGSLRAEDTAVYY"), shift=0)
    found = align(reads, *diagonals(reads, text, np.zeros(len(text), int)), text)
    assert not (found.kind == OTHER_BLOCK).any()


def test_an_exchange_of_two_residues_is_a_block() -> None:
    found = laid_on(TEXT, TEXT[20:26] + TEXT[27] + TEXT[26] + TEXT[28:36])
    assert (found.kind[0] == BLOCK).sum() == 2


def test_an_unlisted_oxidation_is_a_block() -> None:
    # M(ox) L = Y P within 0.004 Da, though the tool reports no modification.
    found = laid_on("AEDSKMLTVQSPSSLSAS", "AEDSKYPTVQSPSSLSAS")
    assert (found.kind[0] == BLOCK).sum() == 2
    # Of two M one is oxidised.
    found = laid_on("AEDSKMLMTVQSPSSLSAS", "AEDSKYMPTVQSPSSLSAS")
    assert (found.kind[0] == BLOCK).sum() == 3


def test_an_insertion_of_two_residues() -> None:
    found = laid_on(TEXT, TEXT[20:32] + "HW" + TEXT[32:44])
    assert (found.kind[0] == INSERTED).sum() == 2
    assert found.span.tolist() == [[20, 44]]


def test_no_read_is_laid_across_two_chains() -> None:
    one, other = merge_il(encode(TEXT[:20])), merge_il(encode(TEXT[20:40]))
    reads = read_set(TEXT[8:32])
    found = place_on_text(reads, text_of([one, other]))
    assert len(found.chain)
    for (start, stop), chain in zip(found.alignment.span, found.chain, strict=True):
        assert found.text.owner[start] == found.text.owner[stop - 1] == chain


@pytest.mark.parametrize(("loci", "told"), [("HK", 1), ("HH", 2), ("H", 2)])
def test_reads_that_fit_chains_of_two_loci_tell_nothing_of_either(loci: str, told: int) -> None:
    """The first of two reads fits two chains, or a chain and a contaminant."""
    both = "RKDTYLHWHPR"
    chains = [protein_of(f"{ends}{both}{ends[::-1]}") for ends in ("GSWNQAFMK", "PLTEYVDCF")]
    drafts = [replace(d, locus=locus) for d, locus in zip(chains, loci, strict=False)]
    placements = place_on(read_set(both, f"NQAFMK{both}"), chains)
    assert np.unique(placements.alignment.read).tolist() == [0, 1]
    assert len(np.unique(of_one_locus(placements, drafts).alignment.read)) == told


def test_reads_of_other_proteins_are_laid_nowhere() -> None:
    assert not len(laid_on(TEXT, "HHKWDDMNPC", "EVQLKKHHWP").read)


def test_a_mutated_chain_of_which_little_is_read_is_found() -> None:
    """A VHH, say, of which reads show a tenth of the words of any V segment, and no constant
    region."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY", constant=False)
    mutated = "".join("W" if i % 8 == 7 and c not in "CW" else c for i, c in enumerate(chain))
    parts = [mutated[start : start + 18] for start in (0, 62)]
    reads = [replace(peptide(p[i:]), name=f"{p}{i}") for p in parts for i in range(4)]
    placed = place(reads, Sure())
    assert placed.names == ("heavy",)
    assert sum(row.chain == "heavy" for row in placed.rows) >= 6


@pytest.mark.parametrize(("residues", "names"), [(7, ()), (9, ("heavy",))])
def test_a_chain_is_not_started_by_a_run_as_short_as_other_proteins_share(
    residues: int, names: tuple[str, ...]
) -> None:
    """Reads of albumin and of proteases hold three words of a V segment at most."""
    run = chain_with_cdr3("H", "ARWGGDGFYHMDY")[30 : 30 + residues]
    ends = ["WHKWF", "HMWHH", "WFMHW", "WHHWM", "MHKWH"]
    reads = [peptide(end + run + end[::-1], end) for end in ends]
    assert place(reads, Sure()).names == names


def test_reads_of_other_proteins_are_no_chain() -> None:
    trypsin = "IVGGYTCGANTVPYQVSLNSGYHFCGGSLINSQWVVSAAHCYKSGIQVRLGEDNINVVEGNEQFISASKSIVHPSYN"
    reads = [replace(r, name=f"{i}-{r.name}") for i in range(3) for r in tiles(trypsin[i:])]
    assert place(reads, Sure()).names == ()


def test_remembered_alignments_are_those_that_would_be_made() -> None:
    reads = read_set(TEXT[4:20], TEXT[20:34], "KKHHW" + TEXT[25:40], "WWHKPWWHKP", TEXT[50:66])
    memory = Memory.of(reads)
    for text in (TEXT, TEXT[:30] + "W" + TEXT[31:], "GG" + TEXT[:45] + TEXT[46:], TEXT):
        drafts = [protein_of(text), protein_of(TEXT[20:40])]
        known, made = place_on(reads, drafts, memory=memory), place_on(reads, drafts)
        assert (known.alignment.read == made.alignment.read).all()
        assert np.array_equal(known.alignment.at, made.alignment.at)
        assert np.array_equal(known.alignment.span, made.alignment.span)
        some = np.array([1, 2, 4])
        assert np.array_equal(
            place_on(reads, drafts, some, memory).alignment.score,
            place_on(reads, drafts, some).alignment.score,
        )


def test_a_residue_written_again_and_again_tells_nothing() -> None:
    reads = read_set("LLSSSSSSK", "GDYKDHHHHHH", "SSSGGGGS")
    assert (reads.right[0, 2:8] <= 0.06).all() and reads.right[0, 0] > 0.9
    assert (reads.right[1, :11] > 0.9).all() and (reads.right[2, :8] > 0.9).all()


# --- consensus -------------------------------------------------------------------------------


def test_deamidation_goes_one_way() -> None:
    draft = protein_of("AYPTNGYTRYA")
    reads = [peptide("AYPTNGYTRYA", f"n{i}") for i in range(4)]
    reads += [peptide("YPTDGYTRYA", "d"), peptide("AYPTDGYTRY", "e"), peptide("AYPTDGYTR", "f")]
    found = collapse(reads, Sure().probabilities(reads))
    vote = votes(found, place_on(found, [draft]), 0, len(draft))
    before_g = np.arange(len(draft)) == 4
    assert amide_nats(vote, before_g, 0)[4] > 2.0
    reads = [r for r in reads if "D" in r.residues]
    found = collapse(reads, Sure().probabilities(reads))
    vote = votes(found, place_on(found, [draft]), 0, len(draft))
    assert amide_nats(vote, before_g, 0)[4] < 0.0


@pytest.mark.parametrize("chain", ["AYPTDGYTRYA", "AYPTNGYTRYA"])
def test_deamidated_n_is_laid_on_d_and_on_n_and_votes_for_d(chain: str) -> None:
    draft = protein_of(chain)
    found = collapse([peptide("AYPTNGYTRYA", modifications=[(4, 0.98)])], [np.full(11, 0.95)])
    assert decode(found.tokens[0]) == "AYPTDGYTRYA" and decode(found.written[0]) == "AYPTNGYTRYA"
    assert found.delta.max() == 0.0
    placements = place_on(found, [draft])
    assert (placements.alignment.kind[0] == MATCH).all()
    vote = votes(found, placements, 0, len(draft))
    assert decode(vote.nats[4:5].argmax(1).astype(np.uint8)) == "D"
    # Of another residue, and beside another modification, it is one like any other.
    other = collapse(
        [peptide("AYPSTNK", modifications=[(3, 0.98), (5, 0.98), (5, 58.0)])], [np.full(7, 0.9)]
    )
    assert decode(other.tokens[0]) == "AYPSTDK"
    assert other.delta[0].tolist() == [0, 0, 0, 0.98, 0, 58.0, 0]


def test_a_minority_is_seen_beside_the_majority() -> None:
    draft = protein_of(TEXT)
    changed = TEXT[:30] + "W" + TEXT[31:]
    reads = [r for i in range(3) for r in tiles(TEXT[i:])] + tiles(changed)
    found = collapse(reads, Sure().probabilities(reads))
    vote = votes(found, place_on(found, [draft]), 0, len(draft))
    order = np.argsort(-vote.nats[30])[:2]
    assert decode(order.astype(np.uint8)) == TEXT[30] + "W"


@pytest.mark.parametrize("turned", [False, True])
def test_a_last_residue_beyond_a_core_counts(turned: bool) -> None:
    """Alignments end before a residue that differs, which would tell of germline alone."""
    start, stop = 20, 34
    shown = TEXT[start:stop]
    one, two = ("W" + shown[1:], "WW" + shown[2:])
    if turned:
        one, two = (shown[:-1] + "W", shown[:-2] + "WW")
    place = stop - 1 if turned else start
    for read, counts in ((one, True), (two, False)):
        found, draft = read_set(read), protein_of(TEXT)
        placements = place_on(found, [draft])
        assert (placements.alignment.at[0] == place).sum() == 0
        vote = votes(found, placements, 0, len(draft))
        assert (vote.nats[place, RESIDUES.index("W")] > 0) == counts


def test_reads_of_one_place_count_less_than_reads_of_several() -> None:
    draft = protein_of(TEXT)

    def weight(reads: Sequence[Read]) -> float:
        found = collapse(reads, Sure().probabilities(reads))
        return float(place_weights(found, place_on(found, [draft])).sum())

    peptides = [TEXT[10:17] + other + TEXT[18:26] for other in "ADFW"]
    assert weight([peptide(r, r) for r in peptides]) == pytest.approx(4**0.6)
    assert weight([peptide(TEXT[i : i + 16], f"r{i}") for i in range(4)]) == pytest.approx(4.0)


DOMAIN = TEXT + "TISRDNSKNTLYLQMNSLRAEDTAVYYCARDYGGNFDYWGQGTLVTVSS"


def votes_of_run(shown: str, text: str) -> tuple[Votes, int]:
    """Votes of reads in each of which another one of equal residues is least sure, and the place of
    the first of these in the text."""
    at, length = shown.index("SS"), shown.count("S")
    reads = [peptide(shown[i:], f"r{i}") for i in range(length)]
    sure = {f"r{i}": [0.6 if c == at else 0.95 for c in range(len(shown) - i)] for i in range(3)}
    found = collapse(reads, Mixed(sure).probabilities(reads))
    draft = protein_of(text)
    return votes(found, place_on(found, [draft]), 0, len(draft)), text.index("SS")


def test_a_residue_too_many_among_equal_ones_is_at_one_place() -> None:
    found, first = votes_of_run("GKEREGVACLSSSGGHTNYADS", "GKEREGVACLSSGGHTNYADS")
    assert list(found.inserted) == [first]
    assert found.passed[first] == pytest.approx(0)
    assert (found.passed[first + 1 : first + 6] > 1).all()


@pytest.mark.parametrize(("shown", "shorter"), [("PKWALDRF", False), ("RATGPDRF", True)])
def test_a_read_that_weighs_as_much_as_the_chain_has_no_residue_less(
    shown: str, shorter: bool
) -> None:
    """PKWALDRF weighs as much as RATGIPDRF."""
    text = "APRLLISDASSRATGIPDRFSGSGSGTDFTLTI"
    found = read_set(f"LISDASS{shown}")
    draft = protein_of(text)
    vote = votes(found, place_on(found, [draft]), 0, len(draft))
    assert (vote.deleted.sum() > 0) == shorter
    assert not vote.inserted


def next_template(*residues: str) -> str:
    """The next template of a domain by reads on it."""
    found, draft = read_set(*residues), draft_from(DOMAIN)
    vote = votes_for_template(found, place_on(found, [draft]), 0, draft)
    return decode(next_draft(draft, vote).tokens)


def test_a_template_follows_two_reads_into_a_mutated_loop() -> None:
    loop, mutated = "GSGGSTYYADSVKGRF", "PDWHKTYYADSVKGRF"
    reads = [mutated, mutated[1:-1]]  # which lie on it by YYADSVKGR alone
    assert next_template(*reads) == merged(DOMAIN.replace(loop, loop[0] + mutated[1:]))
    # The first residue is shown by one read only, which may end wrongly.
    assert next_template(reads[0]) == merged(DOMAIN)


def test_reads_beyond_their_cores_change_no_cdr3() -> None:
    """Their paths through it are tried as a whole."""
    reads = ["HWKMFDY"[i:] + DOMAIN[-11 : 117 - j] for i in range(2) for j in range(3)]
    assert next_template(*reads) == merged(DOMAIN)


def test_reads_of_another_chain_do_not_change_a_template_that_many_read() -> None:
    own = [DOMAIN[i:j] for i in (46, 47) for j in range(64, 68)]
    other = "PDWHKTYYADSVKGRF"
    others = [other[i : 16 - j] for i in range(5) for j in range(5)]
    assert next_template(*own, *others) == merged(DOMAIN)


# --- junctions -------------------------------------------------------------------------------


def test_paths_lead_from_anchor_to_anchor() -> None:
    chain = "DTAVYYCARWGGDGFYAMDYWGQGTLVTVSS"
    reads = tiles(chain, length=12, step=2)
    graph = WordGraph(collapse(reads, Sure().probabilities(reads)))
    found = paths(graph, encode("DTAVYYC"), encode("WGQGTLV"), 3, 30)
    assert decode(found[0]) == "ARWGGDGFYAMDY"


def test_no_path_without_reads_over_the_junction() -> None:
    reads = [peptide("EDTAVYYCAR"), peptide("YAMDYWGQGTLVTVSS")]
    graph = WordGraph(collapse(reads, Sure().probabilities(reads)))
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
    placed = place(reads, Sure())
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
    (draft,) = place([r for i in range(3) for r in tiles(chain[i:])], Sure()).drafts
    assert decode(draft.tokens[slice(*draft.cdr3())]) == cdr3


def test_an_open_cdr3_has_the_usual_length() -> None:
    draft = germline_draft("K").with_cdr3(encode("QQXXXXXXXXXPT"))
    start, stop = of_usual_length(draft).cdr3()
    assert decode(of_usual_length(draft).tokens[start:stop]) == "QQXXXXXPT"
    longer = draft.with_cdr3(encode("QQHWTTNWXXXXXXPT"))
    start, stop = of_usual_length(longer).cdr3()
    assert decode(of_usual_length(longer).tokens[start:stop]) == "QQHWTTNWXPT"


# --- segments, drafts ------------------------------------------------------------------------


def test_the_locus_of_reads_is_found() -> None:
    reads = tiles(chain_with_cdr3("K", "QQYNSYPLT"))
    found = collapse(reads, Sure().probabilities(reads))
    use = np.zeros(len(v_segments().names))
    scores = score_segments(word_weights(found, WORD))
    seen = {x.locus: x for x in best_of_loci(scores, "auto", use)}
    assert seen["K"].v_share > 0.5 > seen["H"].v_share
    assert seen["K"].c_seen > seen["L"].c_seen


def test_residues_of_a_read_without_confidences_are_right_or_wrong_together() -> None:
    alike = read_set("ELVISK", probability=0.6)
    judged = replace(alike, judged=np.ones(len(alike), dtype=bool))
    assert word_weights(judged, 5).max() == pytest.approx(0.6**5)
    assert word_weights(alike, 5).max() == pytest.approx(0.6 * AFTER_RIGHT**4)


def test_chains_of_reads_without_confidences_are_found() -> None:
    """At the probability that the default model gives their residues."""
    chains = chain_with_cdr3("H", "ARDYGSSYFDY"), chain_with_cdr3("K", "QQYNSYPLT")
    reads = [replace(r, name=f"{i}{r.name}") for i, c in enumerate(chains) for r in tiles(c)]
    assert place(reads, Sure(0.57)).names == ("heavy", "kappa")


def test_words_of_a_constant_region_say_nothing_of_v() -> None:
    """Reads of a kappa constant region hold QGLSS, as IGKV1-12 does."""
    constant = next(c.sequence for c in constants() if c.locus == "K" and c.species == "human")
    reads = tiles(constant)
    scores = score_segments(word_weights(collapse(reads, Sure().probabilities(reads)), WORD))
    assert scores.v.max() == 0.0 and scores.c.max() > 50.0


def test_an_unread_v_segment_is_of_the_species_of_the_constant_region() -> None:
    """However much better the use of human segments is known."""
    constant = next(c.sequence for c in constants() if c.locus == "K" and c.species == "mouse")
    reads = tiles(constant)
    scores = score_segments(word_weights(collapse(reads, Sure().probabilities(reads)), WORD))
    v = v_segments()
    use = np.where(v.species == SPECIES.index("human"), 1.0, 0.5)
    (kappa,) = [x for x in best_of_loci(scores, "auto", use) if x.locus == "K"]
    assert v.species[kappa.v] == SPECIES.index("mouse")


def test_no_chain_is_of_an_orphon() -> None:
    orphon = next(i for i, name in enumerate(v_segments().names) if "/OR" in name)
    row = v_segments().tokens[orphon]
    reads = tiles(decode(row[row != ABSENT]) * 2)
    scores = score_segments(word_weights(collapse(reads, Sure().probabilities(reads)), WORD))
    assert scores.v.argmax() == orphon
    use = np.zeros(len(v_segments().names))
    for locus in best_of_loci(scores, "auto", use):
        assert "/OR" not in v_segments().names[locus.v]


def test_a_draft_has_v_and_j_at_the_ends_of_its_cdr3() -> None:
    draft = draft_of("H", 0, 0, -1)
    start, stop = draft.cdr3()
    assert draft.columns[start - 1] == CYS104
    assert (cdr3_germline(0, 0, 20)[8:10] == ABSENT).all()
    longer = draft.with_cdr3(encode("ARWWWWWWWWWWWWWWWWWWDY"))
    assert longer.cdr3() == (start, start + 22)
    assert len(longer) == len(draft) + 22 - (stop - start)


def test_a_function_is_compiled_where_nothing_can_be_kept() -> None:
    space: dict[str, Callable] = {}
    exec("def double(x): return 2 * x", space)  # of no file, beside which to keep it
    assert compiled(space["double"])(2) == 4


@pytest.mark.parametrize("off", [-BLOCK_TOLERANCE, -0.0124, 0.0, 0.0126, BLOCK_TOLERANCE])
def test_masses_that_fit_are_possible_however_they_are_rounded(off: float) -> None:
    """Four rounded running masses may be off by two steps, the exact ones decide."""
    carried = Carried.of(cysteine=(57.021464,))
    masses = np.array([0.0, *carried.masses, 2 * 57.021464])
    steps = np.rint((masses[:, None] + off) / BIN).astype(np.int32) + np.arange(-2, 3)
    assert carried.possible[steps + REACH].all()
    assert not carried.possible[[0, 1000 + REACH, -1]].any()


def test_a_read_like_another_segment_is_told_by_its_columns() -> None:
    rows = v_segments()
    mouse = next(i for i, name in enumerate(rows.names) if name.startswith("IGHV14-3"))
    row = rows.tokens[mouse]
    residues = decode(row[28:43][row[28:43] != ABSENT])
    drafts = [draft_of(locus, int(np.argmax(rows.locus == i)), 0, -1) for i, locus in ((0, "H"),)]
    depth = np.where((drafts[0].columns >= 28) & (drafts[0].columns <= 42), 0.0, 5.0)
    found = similar_reads(read_set(residues), np.arange(1), drafts, [depth])
    assert [s.chain for s in found] == [0]
    assert found[0].columns[-1] == 42
    assert similar_reads(read_set(residues), np.arange(1), drafts, [depth + 5.0]) == []


# --- the whole -------------------------------------------------------------------------------


def test_mutated_chain_of_another_cdr3_is_rebuilt() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    chain = chain[:30] + "WHK" + chain[33:70] + "H" + chain[71:]
    placed = place(tiles(chain), Sure())
    assert placed.names == ("heavy",)
    built = decode(placed.drafts[0].tokens)
    assert placed.drafts[0].bridged
    assert built[:120] == chain.replace("I", "L")[:120]


def test_two_residues_inserted_into_a_loop_are_found() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    chain = chain[:29] + "HW" + chain[29:]
    placed = place(tiles(chain), Sure())
    assert decode(placed.drafts[0].tokens)[:110] == chain.replace("I", "L")[:110]


def test_what_no_read_joins_stays_open() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("ARWGG")
    reads = tiles(chain[: at + 1]) + tiles(chain[at + 14 :])
    placed = place(reads, Sure())
    start, stop = placed.drafts[0].cdr3()
    assert not placed.drafts[0].bridged
    assert (placed.drafts[0].tokens[start:stop] >= MISSING).any()


def test_a_cdr3_that_a_protease_cuts_keeps_what_reads_show_on_both_sides() -> None:
    """All reads end behind Arg106 or begin six residues behind it: none joins the two parts."""
    chain = chain_with_cdr3("H", "ARTSYTGGYWYEDL")
    cut = chain.index("ARTSYTGG") + 2
    reads = [
        r for i in range(3) for r in (*tiles(chain[i:cut]), *tiles(chain[cut + 6 : -i or None]))
    ]
    placed = place(numbered(reads), Sure())
    (draft,) = placed.drafts
    start, stop = draft.cdr3()
    assert not draft.bridged
    loop = decode(draft.tokens[start:stop])
    assert loop.startswith("ARX") and loop.endswith("XWYEDL")


def test_reads_that_begin_at_cys104_lead_into_a_cdr3() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("CARWGG")  # chymotrypsin cuts in front of it
    over = [peptide(chain[at : at + n], f"over{n}") for n in (10, 11, 12)]
    behind = [*tiles(chain[at + 7 :]), *tiles(chain[at + 8 :])]
    placed = place([*tiles(chain[: at + 3]), *over, *behind], Sure())
    start, stop = placed.drafts[0].cdr3()
    assert decode(placed.drafts[0].tokens[start:stop]) == "ARWGGDGFYHMDY"
    assert placed.drafts[0].bridged


def test_reads_of_other_proteins_that_begin_with_c_lead_into_no_cdr3() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("ARWGG")
    others = [peptide("CKRTMTALSHGGH"[:n], f"other{n}") for n in (11, 12, 13)]
    placed = place([*tiles(chain[: at + 1]), *tiles(chain[at + 14 :]), *others], Sure())
    assert "TMTA" not in decode(placed.drafts[0].tokens)


def test_contaminants_attract_their_reads() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    reads = [*tiles(chain), peptide("LGEHNIDVLEGNEQFINAAK", "trypsin"), peptide("DYKDDDDK", "tag")]
    placed = place(reads, Sure(), contaminants=read_contaminants())
    rows = {row.read: row for row in placed.rows}
    assert rows["trypsin"].chain == "trypsin_porcine"
    assert rows["trypsin"].placed_as == "contaminant"
    assert rows["tag"].chain.startswith("tag_")


@pytest.mark.parametrize(
    ("residues", "protein"),
    [
        ("LVNELTEFAK", "serum_albumin_bovine"),
        ("TNAENEFVTLKK", "keratin_1_human"),
        ("SSGGSSSVK", "keratin_1_human"),  # it led to wrong residues of kappa chains
        ("NLDLDSLLAEVK", "keratin_2_human"),
        ("TLLDLDNTR", "keratin_9_human"),
        ("SQYEQLAEQNR", "keratin_10_human"),
        ("GSTLACTGSLVNNTANDRK", "Lys-C_Achromobacter"),
        ("QGTMWCTGSLVNNSANDK", "Lys-C_Lysobacter"),
        ("YSGEGDLALVK", "Glu-C_Staphylococcus"),
        ("VGLAPVA", "pepsin_A_porcine"),
        ("DDPSVSKELLAEAK", "protein_A"),
    ],
)
def test_usual_contaminants_are_bundled(residues: str, protein: str) -> None:
    reads = [*tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")), peptide(residues, "other")]
    rows = {row.read: row for row in place(reads, Sure(), contaminants=read_contaminants()).rows}
    assert (rows["other"].chain, rows["other"].placed_as) == (protein, "contaminant")


def test_contaminants_that_cannot_be_used_are_named(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    text = ">alb\nMKWVuTFISOLLF*LFSS*\n>alb\nMKWVM[Oxidation]TF\n>odd\nMKWV1TF\n>empty\n"
    bundled = len(read_contaminants())
    assert not caplog.text
    found = read_contaminants(write("con.fasta", text))[bundled:]
    assert found == [("alb", "MKWVXTFISXLLFXLFSS"), ("alb", "MKWVMTF")]
    lines = caplog.text.splitlines()
    assert len(lines) == 2
    assert "con.fasta:6: 'odd' has '1' at column 5" in lines[0]
    assert "con.fasta:7: 'empty' has no sequence" in lines[1]


@pytest.mark.parametrize(
    ("highest", "why"),
    [(0.5, "fits no chain, all confidences low"), (0.51, "fits no chain"), (None, "fits no chain")],
)
def test_reads_of_files_of_low_confidences_are_told_from_others(
    highest: float | None, why: str
) -> None:
    # Of other files the second alone is low, and so all of its reads are.
    given = [
        replace(peptide("GGGGSGGGGS"), score=0.2, file="a"),
        replace(peptide("GGGGSGGGGS"), score=highest, file="a"),
        replace(peptide("GGGGSGGGGS"), score=0.9, confidences=(0.1,) * 9 + (0.5,), file="b"),
    ]
    found = [row.placed_as for row in place(given, Sure()).rows]
    assert found == [why, why, "fits no chain, all confidences low"]


def test_every_read_has_its_row() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    reads = [*tiles(chain), peptide("WWHKP", "odd"), peptide("AC", "short")]
    rows = place(reads, Sure()).rows
    assert [row.read for row in rows] == [read.name for read in reads]
    assert {row.placed_as for row in rows[-2:]} == {"fits no chain", "shorter than a seed"}
    changed = tiles(chain)
    mutated = peptide(chain[40:47] + "P" + chain[48:56], "mutated")
    row = place([*changed, mutated], Sure()).rows[-1]
    assert row.differences == f"{chain[47]}48P".replace("I", "L")
    assert (row.start, row.end) == (40, 56)


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (TEXT[26:36] + TEXT[37:50], "V37del"),
        (TEXT[26:36] + TEXT[38:56], "VR37-38del"),
        (TEXT[26:37] + "HD" + TEXT[37:50], "37-38insHD"),
        (TEXT[26:37] + "W" + TEXT[37:50], "37-38insW"),
        (TEXT[26:36] + "W" + TEXT[37:50], "V37W"),
        (TEXT[26:37] + "WF" + TEXT[39:52], "R38W,Q39F"),
        (TEXT[3:14] + "N" + TEXT[16:30], "GG15-16N"),
        (TEXT[3:14] + "N" + TEXT[16:26] + TEXT[27:40], "GG15-16N,F27del"),
    ],
)
def test_differences_say_what_is_missing_and_what_is_more(read: str, said: str) -> None:
    reads = read_set(read)
    placements = place_on(reads, [protein_of(TEXT)])
    (row,) = rows_of([peptide(read)], reads, placements, ["c"], 1)
    assert (row.differences, row.placed_as) == (said, "whole")


def test_a_read_is_shared_by_chains_that_it_fits_equally_well_and_by_no_others() -> None:
    """The chains differ in one residue."""
    one, other = TEXT, TEXT[:40] + "H" + TEXT[41:]
    given = [peptide(residues) for residues in (one[34:48], other[36:50], one[10:24])]
    reads = reads_of(given)
    placements = place_on(reads, [protein_of(one), protein_of(other)])
    rows = rows_of(given, reads, placements, ["one", "other"], 2)
    assert [row.placed_as for row in rows] == ["whole", "whole", "shared"]
    assert [row.chain for row in rows[:2]] == ["one", "other"]
    assert placements.alignment.read.tolist() == [0, 1, 2, 2]
    assert placements.share == pytest.approx([1.0, 1.0, 0.5, 0.5])


def test_two_loci_are_two_chains() -> None:
    reads = tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")) + tiles(chain_with_cdr3("K", "QQHYTTPPT"))
    assert place(reads, Sure()).names == ("heavy", "kappa")


def test_a_heavy_chain_has_a_light_one_that_is_hardly_read() -> None:
    heavy, light = chain_with_cdr3("H", "ARWGGDGFYHMDY"), chain_with_cdr3("K", "QQYNSYPLT")
    few = [peptide(light[-n:], f"{n}") for n in (18, 19, 20)]
    assert [d.locus for d in place([*tiles(heavy), *few], Sure()).drafts] == ["H", "K"]
    assert [d.locus for d in place(tiles(heavy), Sure()).drafts] == ["H"]


def test_a_further_chain_has_its_share_of_the_reads() -> None:
    main, other = (
        tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")),
        tiles(other_heavy("ARDYGSSYFDY")[:96]),
    )
    many = numbered(main * 10)
    assert len(place([*many, *other], Sure()).drafts) == 2
    many = numbered(main * 400)
    assert len(place([*many, *other], Sure()).drafts) == 1


def test_one_chain_of_each_locus_is_a_serum_by_many_places_only() -> None:
    heavy, kappa = (germline_draft(locus) for locus in "HK")
    few = [Population(name, 0.5, 60, 30, 3) for name in ("heavy", "kappa")]
    assert not is_serum(few, [heavy, kappa])
    assert is_serum([replace(p, places=8) for p in few], [heavy, kappa])
    assert is_serum(few, [heavy, heavy])
    # Misread peptides of one chain, whose confidences are all high, make no serum.
    well_read = replace(few[0], runs=200, others=50, places=24)
    assert not is_serum([well_read, replace(few[1], runs=300, others=200)], [heavy, kappa])


@pytest.mark.parametrize(
    ("loops", "differ"),
    [
        (("HWKDPE", "PDWHKF", "WEHPKD", "KFDWHP", "DPHKWE"), True),
        (("HWKDPE",) * 5, False),  # a mutated loop that is not built yet
        (("HWKDPE", "PDWHKF", "WEHPKD"), False),  # too few to say what most show
    ],
)
def test_reads_that_go_on_into_loops_of_their_own_are_of_several_chains(
    loops: Sequence[str], differ: bool
) -> None:
    draft = draft_from(DOMAIN)
    at = draft.find(27)
    reads = read_set(*(DOMAIN[at - 14 + i : at] + loop for i, loop in enumerate(loops)))
    placements = place_on(reads, [draft])
    assert len(np.unique(placements.alignment.read)) == len(loops)
    (found,) = populations(reads, placements, ["heavy"], [draft])
    assert (found.others > 0.5 * max(found.runs, 1)) == differ
    assert (found.runs > 0) == (len(loops) > 3)


def test_two_heavy_chains_keep_their_cdr3s() -> None:
    one, other = chain_with_cdr3("H", "ARWGGDGFYHMDY"), other_heavy("AKHWPSSKYESSLDV")
    placed = place(tiles(one) + tiles(other) + tiles(other[2:]), Sure())
    assert placed.names == ("heavy", "heavy_2")
    built = {decode(d.tokens)[:110] for d in placed.drafts}
    assert built == {chain.replace("I", "L")[:110] for chain in (one, other)}


def test_shared_reads_go_with_the_abundance_of_chains() -> None:
    one, other = chain_with_cdr3("H", "ARWGGDGFYHMDY"), other_heavy("AKHWPSSKYESSLDV")
    rare = tiles(other, step=3)
    placed = place([*tiles(one), *(rare * 5)], Sure())
    shares = {p.name: p.share for p in placed.populations}
    assert sum(shares.values()) == pytest.approx(1.0)
    built = dict(zip(placed.names, placed.drafts, strict=True))
    frequent = next(n for n, d in built.items() if decode(d.tokens)[:9] == other[:9])
    assert shares[frequent] == pytest.approx(5 / 6, abs=0.06)


@pytest.mark.parametrize(
    ("residues", "counts"),
    [
        ("AVSSSSSSK", False),
        ("ASSSSASSSSTSSDSSGK", False),
        ("LSCSVSSSTLSGK", True),
        ("SISSSSSYIYYADSVK", True),  # IGHV3-21
    ],
)
def test_reads_full_of_serine_have_failed(residues: str, counts: bool) -> None:
    """Six in a row, or seven among twelve; hardly any chain has so many."""
    (right,) = read_set(residues).right
    serine = residues.index("SSS") + 1
    assert (right[serine] > IN_REPEAT) == counts


def test_a_cdr3_does_not_repeat_the_end_of_fr3() -> None:
    chain = chain_with_cdr3("H", "GREGLRYYGLLGDY")
    at = chain.index("YYCGREG") + 1
    chain = chain[:at] + "L" + chain[at + 1 :]
    placed = place(tiles(chain), Sure())
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
    placed = place(numbered(reads), Sure())
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
    own = place_on(reads, [draft]).of(0)
    found = unjoined_in_cdr3(reads, own, draft, 0)
    assert [RESIDUES[t] for t in draft.tokens[found]] == apart


def like_segment(v: int, differing: int) -> np.ndarray:
    """The V segment most like another one of its locus and species that differs in so many residues
    at least, and in no column."""
    rows, row = v_segments(), v_segments().tokens[v, : CYS104 + 1]
    others = rows.tokens[:, : CYS104 + 1]
    same = (rows.locus == rows.locus[v]) & (rows.species == rows.species[v])
    same &= ((others == ABSENT) == (row == ABSENT)).all(1)
    differ = (merge_il(others) != merge_il(row)).sum(1)
    found: np.ndarray = merge_il(
        rows.tokens[np.argmin(np.where(same & (differ >= differing), differ, 999))]
    )
    return found


@pytest.mark.parametrize(("nats", "chosen"), [(8.0, True), (0.2, False)])
def test_a_chain_is_put_on_the_v_segment_that_reads_show(nats: float, chosen: bool) -> None:
    """But not for what hardly one read shows."""
    draft = germline_draft("H")
    segment = like_segment(draft.v, differing=2)
    inside = np.flatnonzero((draft.columns > 0) & (draft.columns <= CYS104))
    letters, nothing = np.zeros((len(draft), 20)), np.zeros(len(draft))
    letters[inside, segment[draft.columns[inside]]] = nats
    shown = Votes(letters, nothing, np.zeros((len(draft), 4)), {}, nothing, nothing, nothing)
    now = choose_v(draft, shown, np.zeros(len(v_segments().names)))
    assert np.array_equal(now.tokens, draft.tokens)
    at = inside[segment[draft.columns[inside]] != merge_il(draft.germline)[inside]]
    followed = merge_il(now.germline)[at] == segment[draft.columns[at]]
    assert (now.v != draft.v, followed.all()) == (chosen, chosen)


def test_a_segment_that_has_more_or_fewer_columns_than_a_chain_fits_it_less() -> None:
    draft = germline_draft("H")
    row = v_segments().tokens[draft.v]
    free = int(np.flatnonzero(row[1:CYS104] == ABSENT)[0]) + 1
    more, fewer = row.copy(), row.copy()
    more[free], fewer[30] = RESIDUES.index("G"), ABSENT
    same = np.where(np.arange(20) == merge_il(draft.germline)[:, None], 0.0, -8.0)
    fit = fit_of(draft, same, np.stack([row, more, fewer]), 1, CYS104)
    assert fit[0] == 0.0 and fit[1] == fit[2] < 0.0


@pytest.mark.parametrize("first", [30, 60])
def test_insertions_that_most_reads_show_come_first(first: int) -> None:
    """There is room for six residues; the order in which reads were met does not matter."""
    draft = germline_draft("H")
    nothing = np.zeros(len(draft))
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    common, rare = tuple(encode("HWHW").tolist()), tuple(encode("WWHH").tolist())
    found = {draft.find(30): {rare: 3.0}, draft.find(60): {common: 9.0}}
    more = {at: found[at] for at in sorted(found, key=lambda at: at != draft.find(first))}
    revised = with_lengths(draft, Votes(letters, nothing, amide, more, nothing, nothing, nothing))
    assert "HWHW" in decode(revised.tokens) and "WWHH" not in decode(revised.tokens)


@pytest.mark.parametrize(
    ("residues", "weight", "inserted"),
    [("HW", 3.0, True), ("HW", 1.5, False), ("HW" * 6, 9, False)],
)
def test_some_residues_that_several_reads_show_are_inserted(
    residues: str, weight: float, inserted: bool
) -> None:
    """Twelve are too many for a V domain, and those of a single read may be wrong."""
    draft = germline_draft("H")
    nothing, at = np.zeros(len(draft)), draft.find(30)
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    more = {at: {tuple(encode(residues).tolist()): weight}}
    revised = with_lengths(draft, Votes(letters, nothing, amide, more, nothing, nothing, nothing))
    germline = decode(draft.tokens)
    expected = germline[:at] + residues + germline[at:] if inserted else germline
    assert decode(revised.tokens) == expected


@pytest.mark.parametrize(
    ("read", "lack", "left_out"),
    [(0.0, 3.0, True), (2.5, 3.0, True), (3.0, 3.0, False), (5.0, 3.0, False), (0.0, 1.5, False)],
)
def test_a_residue_that_most_reads_lack_is_left_out(
    read: float, lack: float, left_out: bool
) -> None:
    draft = germline_draft("H")
    nothing, at = np.zeros(len(draft)), draft.find(30)
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    here = np.arange(len(draft)) == at
    depth, gone = np.where(here, read, 9.0), np.where(here, lack, 0.0)
    revised = with_lengths(draft, Votes(letters, depth, amide, {}, gone, nothing, nothing))
    germline = decode(draft.tokens)
    assert decode(revised.tokens) == (germline[:at] + germline[at + 1 :] if left_out else germline)


def test_one_of_two_equal_residues_is_shown_by_reads_that_show_both() -> None:
    draft = germline_draft("H")
    at = int(np.flatnonzero(draft.tokens[1:] == draft.tokens[:-1])[0])
    nothing, here = np.zeros(len(draft)), np.arange(len(draft)) == at
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    depth, gone = np.where(here, 4.0, 9.0), np.where(here, 3.0, 0.0)
    germline = decode(draft.tokens)
    for passed, left_out in ((0.0, True), (4.0, False)):
        found = Votes(letters, depth, amide, {}, gone, nothing + passed, nothing)
        kept = germline[:at] + germline[at + left_out :]
        assert decode(with_lengths(draft, found).tokens) == kept


def test_a_residue_of_the_j_motif_is_never_left_out() -> None:
    """Reads that join a CDR3 to the second residue of FR4 show its first one."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    (draft,) = place(tiles(chain), Sure()).drafts
    at = draft.cdr3()[1]
    nothing = np.zeros(len(draft))
    left_out = np.where(np.arange(len(draft)) == at, 9.0, 0.0)
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    revised = with_lengths(draft, Votes(letters, nothing, amide, {}, left_out, nothing, nothing))
    start, stop = revised.cdr3()
    assert (start, stop) == (at - 13, at - 1)
    assert decode(revised.tokens)[start : stop + 4] == "ARWGGDGFYHMDYGQG"


@pytest.mark.parametrize(("shown", "followed"), [("RGQG", "RGQG"), ("LDVR", "WGVG")])
def test_reads_change_one_residue_of_the_j_motif_and_not_two(shown: str, followed: str) -> None:
    """Those of a CDR3 that is longer than the template's lie on FR4."""
    draft = draft_from(DOMAIN)
    at = draft.cdr3()[1]
    nothing = np.zeros(len(draft))
    letters, amide = np.zeros((len(draft), 20)), np.zeros((len(draft), 4))
    letters[np.arange(at, at + 4), encode(shown)] = 30.0
    found = Votes(letters, nothing + 4, amide, {}, nothing, nothing, nothing)
    assert decode(next_draft(draft, found).tokens)[at : at + 4] == followed


def test_a_residue_in_front_of_a_segment_without_one_is_kept() -> None:
    """Some rabbit V segments begin in column 2, their chains in column 1."""
    segments = v_segments()
    own = np.flatnonzero(segments.species == SPECIES.index("rabbit"))
    v = next(i for i in own.tolist() if segments.names[i] == "IGHV1S7*01")
    row = segments.tokens[v, : CYS104 + 1]
    assert (row[1:3] != ABSENT).tolist() == [False, True]
    fr4 = chain_with_cdr3("H", "").split("VYYC")[1]
    chain = "QE" + decode(row[row != ABSENT])[1:] + "ARDSYGFKL" + fr4
    first = [peptide(chain[:n], f"first{n}") for n in (11, 13, 17)]
    (draft,) = place([*tiles(chain), *first], Sure()).drafts
    assert decode(draft.tokens)[:20] == merged(chain)[:20]
    assert draft.columns[:3].tolist() == [1, 2, 3]


def test_nothing_is_put_in_front_of_column_1() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    first = [peptide("GGS" + chain[:n], f"first{n}") for n in (11, 13, 17)]
    (draft,) = place([*tiles("GGS" + chain), *first], Sure()).drafts
    assert decode(draft.tokens)[:20] == merged(chain)[:20]


def test_no_cdr3_runs_through_another_fr4() -> None:
    light, heavy = chain_with_cdr3("K", "QQHYTTPPT"), chain_with_cdr3("H", "ARWGGDGFYHMDY")
    over = heavy[heavy.index("ARWGG") - 6 :]
    placed = place(tiles(light) + tiles(over), Sure())
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
    found = collapse(reads, Sure().probabilities(reads))
    assert (mass in carried_by_cysteine(found, place_on(found, [draft]))) is at_c
    if at_c:
        # Once it is known, the ends fit; it is still what C carries.
        known = replace(found, cysteine=(mass,))
        placements = place_on(known, [draft])
        assert (placements.alignment.core[:, 1] == known.length[placements.alignment.read]).all()
        assert carried_by_cysteine(known, placements) == (mass,)


def test_what_c_carries_is_not_found_among_ends_of_any_mass() -> None:
    """Eight ends are 57.02 Da heavier, which is enough if no other ends are near that mass."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("C")
    behind = sum(std_aa_mass[r] for r in chain[at : at + 3]) + 57.02146

    def end(n: int, tail: str, more: float) -> Read:
        off = behind - sum(std_aa_mass[r] for r in tail) + more
        return peptide(chain[at - n : at] + tail, f"{n}{tail}", [(n + len(tail) - 1, off)])

    def carried(reads: Sequence[Read]) -> tuple[float, ...]:
        found = collapse(reads, Sure().probabilities(reads))
        return carried_by_cysteine(found, place_on(found, [protein_of(chain)]))

    same = [end(n, "WWH", 0.0) for n in range(9, 17)]
    tails = ["".join(tail) for tail in product("WHYFM", repeat=3)]
    others = [end(n, t, 0.0125 * (k - 62)) for k, t in enumerate(tails) for n in (17, 18)]
    assert carried(same) == (57.021464,)
    assert carried([*same, *others]) == ()


def test_the_end_of_a_read_at_the_end_of_a_chain_counts_once() -> None:
    """Behind the last residue of a light chain, a C, are other chains or nothing."""
    chain = chain_with_cdr3("K", "QQHYTTPPT")[:100] + "SFNRGEC"
    read = peptide(
        chain[-15:-1] + "W", "r", [(14, std_aa_mass["C"] + 71.037114 - std_aa_mass["W"])]
    )
    reads = collapse([read], Sure().probabilities([read]))
    for others in ([], [protein_of(chain_with_cdr3("H", "ARWGGDGFYHMDY"))]):
        ends = end_differences(reads, place_on(reads, [protein_of(chain), *others]))
        assert ends == pytest.approx([71.037114])


@pytest.mark.parametrize(("written", "expected"), [(1, ()), (2, (57.021464,))])
def test_what_c_carries_is_found_where_the_tool_wrote_it(
    written: int, expected: tuple[float, ...]
) -> None:
    """On a twentieth of the C's of reads, of which there are 38."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("C")
    ends = [(n, end) for n in range(3, 22) for end in (6, 7)]
    reads = [
        peptide(chain[at - n : at + end], f"r{i}", [(n, 57.02)] if i < written else ())
        for i, (n, end) in enumerate(ends)
    ]
    found = collapse(reads, Sure().probabilities(reads))
    assert carried_by_cysteine(found, place_on(found, [protein_of(chain)])) == expected


def test_cores_must_be_better_where_many_reads_agree_by_chance() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    rng = np.random.default_rng(1)
    foreign = [peptide("".join(rng.choice(list(RESIDUES), 14)), f"f{i}") for i in range(6000)]

    def least(*reads: Read, probability: float = 0.95) -> float:
        found = collapse(reads, Sure(probability).probabilities(reads))
        draft = protein_of(chain)
        return least_score(found, [draft], place_on(found, [draft]))

    assert least(*tiles(chain)) == MIN_SCORE
    # Five unsure residues are no better than many by chance, but agree with no chain backwards.
    assert least(*tiles(chain, length=5, step=1), probability=0.8) == MIN_SCORE
    assert least(*tiles(chain), *foreign) > MIN_SCORE


def test_a_short_core_beside_long_sure_ends_is_of_another_protein() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    core = chain[60:66]
    other = peptide(f"WHMKWCF{core}FCWHKMW", "other")
    end = peptide(f"WHM{chain[63:75]}", "end")
    rows = {row.read: row for row in place([*tiles(chain), other, end], Sure()).rows}
    assert rows["other"].placed_as == "fits no chain"
    assert (rows["end"].chain, rows["end"].placed_as) == ("heavy", "core")
    # If the ends may be wrong, the core is all that can be judged by.
    doubtful = Mixed({"other": [0.3] * 7 + [0.95] * 6 + [0.3] * 7})
    rows = {row.read: row for row in place([*tiles(chain), other], doubtful).rows}
    assert rows["other"].chain == "heavy"


def test_the_order_of_reads_does_not_matter() -> None:
    reads = tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY"))
    one, other = place(reads, Sure()), place(reads[::-1], Sure())
    assert np.array_equal(one.drafts[0].tokens, other.drafts[0].tokens)


def test_nothing_is_made_of_no_reads() -> None:
    placed = place([peptide("WWHKPWWHKP")], Sure())
    assert placed.names == () and placed.rows[0].placed_as == "fits no chain"
    assert build(placed.reads, [], [], np.zeros(len(v_segments().names)))[1] == []


@pytest.mark.parametrize("residues", [(), ("EVQ",), ("EVQL", "GGL")])
def test_nothing_is_made_of_reads_shorter_than_a_word(residues: tuple[str, ...]) -> None:
    placed = place([peptide(r) for r in residues], Sure())
    assert placed.names == () and len(placed.rows) == len(residues)
    assert all(row.placed_as != "placed" for row in placed.rows)


def test_chains_that_are_started_together_count_too() -> None:
    draft = draft_of("K", 0, 0, -1)
    found = [BestSegments("K", v, 0, -1, 90.0, 1.0, 0.0, 0.0) for v in range(MAX_OF_LOCUS)]
    assert len(_germline(found, [draft] * (MAX_OF_LOCUS - 1))) == 1
    assert len(_germline(found, [])) == MAX_OF_LOCUS


def test_a_further_chain_has_the_constant_region_of_one_that_has_any() -> None:
    """The first of its locus may be a VHH."""
    vhh, whole = draft_of("H", 0, 0, -1), draft_of("H", 0, 0, 0)
    found = [BestSegments("H", 1, 0, -1, 90.0, 1.0, 0.0, 0.0)]
    assert [d.c for d in _germline(found, [vhh, whole])] == [0]
    assert [d.c for d in _germline(found, [vhh])] == [-1]


def test_the_mass_of_an_open_cdr3_is_no_other_gaps() -> None:
    mass = JunctionMass(98, 106, 900.4)
    assert _gap(98, 106, mass).mass == 900.4
    assert _gap(30, 31, mass) == GapHint(30, 31, None, None)
