"""What reads say of each position, and the template that follows from it."""

from collections.abc import Sequence

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode
from lacuna.placing.aligning.alignment import MATCH
from lacuna.placing.aligning.readset import collapse
from lacuna.placing.votes.consensus import (
    Votes,
    amide_nats,
    next_draft,
    place_weights,
    votes,
    votes_for_template,
)
from lacuna.placing.votes.draft import protein_of
from lacuna.placing.votes.placement import place_on
from lacuna.placing.votes.revise import with_lengths
from lacuna.reads.read import Read
from reads import (
    DOMAIN,
    TEXT,
    Mixed,
    built,
    chain_with_cdr3,
    draft_from,
    germline_draft,
    merged,
    peptide,
    read_set,
    reads_of,
    tiles,
    votes_with,
)


def test_deamidation_goes_one_way() -> None:
    draft = protein_of("AYPTNGYTRYA")
    reads = [peptide("AYPTNGYTRYA", f"n{i}") for i in range(4)]
    reads += [peptide("YPTDGYTRYA", "d"), peptide("AYPTDGYTRY", "e"), peptide("AYPTDGYTR", "f")]
    found = reads_of(reads)
    vote = votes(found, place_on(found, [draft]), 0)
    before_g = np.arange(len(draft)) == 4
    assert amide_nats(vote, before_g, 0)[4] > 2.0
    reads = [r for r in reads if "D" in r.residues]
    found = reads_of(reads)
    vote = votes(found, place_on(found, [draft]), 0)
    assert amide_nats(vote, before_g, 0)[4] < 0.0


@pytest.mark.parametrize("chain", ["AYPTDGYTRYA", "AYPTNGYTRYA"])
def test_deamidated_n_is_laid_on_d_and_on_n_and_votes_for_d(chain: str) -> None:
    draft = protein_of(chain)
    found = collapse([peptide("AYPTNGYTRYA", modifications=[(4, 0.98)])], [np.full(11, 0.95)])
    assert decode(found.tokens[0]) == "AYPTDGYTRYA" and decode(found.written[0]) == "AYPTNGYTRYA"
    assert found.delta.max() == 0.0
    placements = place_on(found, [draft])
    assert (placements.alignment.kind[0] == MATCH).all()
    vote = votes(found, placements, 0)
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
    found = reads_of(reads)
    vote = votes(found, place_on(found, [draft]), 0)
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
        vote = votes(found, placements, 0)
        assert (vote.nats[place, RESIDUES.index("W")] > 0) == counts


def test_reads_of_one_place_count_less_than_reads_of_several() -> None:
    draft = protein_of(TEXT)

    def weight(reads: Sequence[Read]) -> float:
        found = reads_of(reads)
        return float(place_weights(found, place_on(found, [draft])).sum())

    peptides = [TEXT[10:17] + other + TEXT[18:26] for other in "ADFW"]
    assert weight([peptide(r, r) for r in peptides]) == pytest.approx(4**0.6)
    assert weight([peptide(TEXT[i : i + 16], f"r{i}") for i in range(4)]) == pytest.approx(4.0)


def votes_of_run(shown: str, text: str) -> tuple[Votes, int]:
    """Votes of reads in each of which another one of equal residues is least sure, and the place of
    the first of these in the text."""
    at, length = shown.index("SS"), shown.count("S")
    reads = [peptide(shown[i:], f"r{i}") for i in range(length)]
    sure = {f"r{i}": [0.6 if c == at else 0.95 for c in range(len(shown) - i)] for i in range(3)}
    found = collapse(reads, Mixed(sure).probabilities(reads))
    draft = protein_of(text)
    return votes(found, place_on(found, [draft]), 0), text.index("SS")


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
    vote = votes(found, place_on(found, [draft]), 0)
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


@pytest.mark.parametrize(
    ("residues", "weight", "inserted"),
    [("HW", 3.0, True), ("HW", 1.5, False), ("HW" * 6, 9, False)],
)
def test_some_residues_that_several_reads_show_are_inserted(
    residues: str, weight: float, inserted: bool
) -> None:
    """Twelve are too many for a V domain, and those of a single read may be wrong."""
    draft = germline_draft("H")
    at = draft.find(30)
    more = {at: {tuple(encode(residues).tolist()): weight}}
    revised = with_lengths(draft, votes_with(len(draft), inserted=more))
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
    at = draft.find(30)
    here = np.arange(len(draft)) == at
    depth, gone = np.where(here, read, 9.0), np.where(here, lack, 0.0)
    revised = with_lengths(draft, votes_with(len(draft), depth=depth, deleted=gone))
    germline = decode(draft.tokens)
    assert decode(revised.tokens) == (germline[:at] + germline[at + 1 :] if left_out else germline)


def test_one_of_two_equal_residues_is_shown_by_reads_that_show_both() -> None:
    draft = germline_draft("H")
    at = int(np.flatnonzero(draft.tokens[1:] == draft.tokens[:-1])[0])
    here = np.arange(len(draft)) == at
    depth, gone = np.where(here, 4.0, 9.0), np.where(here, 3.0, 0.0)
    germline = decode(draft.tokens)
    for passed, left_out in ((0.0, True), (4.0, False)):
        every = np.full(len(draft), passed)
        found = votes_with(len(draft), depth=depth, deleted=gone, passed=every)
        kept = germline[:at] + germline[at + left_out :]
        assert decode(with_lengths(draft, found).tokens) == kept


@pytest.mark.parametrize("n", [2, 4])
def test_residues_that_stand_there_twice_are_shown_by_reads_that_show_them_twice(n: int) -> None:
    """As in HVQVQW, if V segments have two residues more there than the chain."""
    draft = germline_draft("H")
    at, stop = 40, 40 + n
    draft = draft.with_residues(slice(stop, stop + n), draft.tokens[at:stop])
    here = np.isin(np.arange(len(draft)), range(at, stop))
    depth, gone = np.where(here, 90.0, 99.0), np.where(here, 3.0, 0.0)
    before = decode(draft.tokens)
    for passed, left_out in ((0.0, n), (4.0, 0)):
        every = np.full(len(draft), passed)
        found = votes_with(len(draft), depth=depth, deleted=gone, passed=every)
        kept = before[:at] + before[at + left_out :]
        assert decode(with_lengths(draft, found).tokens) == kept


def test_a_residue_of_the_j_motif_is_never_left_out() -> None:
    """Reads that join a CDR3 to the second residue of FR4 show its first one."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    (draft,) = built(tiles(chain)).drafts
    at = draft.cdr3()[1]
    left_out = np.where(np.arange(len(draft)) == at, 9.0, 0.0)
    revised = with_lengths(draft, votes_with(len(draft), deleted=left_out))
    start, stop = revised.cdr3()
    assert (start, stop) == (at - 13, at - 1)
    assert decode(revised.tokens)[start : stop + 4] == "ARWGGDGFYHMDYGQG"


@pytest.mark.parametrize(("shown", "followed"), [("RGQG", "RGQG"), ("LDVR", "WGVG")])
def test_reads_change_one_residue_of_the_j_motif_and_not_two(shown: str, followed: str) -> None:
    """Those of a CDR3 that is longer than the template's lie on FR4."""
    draft = draft_from(DOMAIN)
    at = draft.cdr3()[1]
    found = votes_with(len(draft), depth=np.full(len(draft), 4.0))
    found.nats[np.arange(at, at + 4), encode(shown)] = 30.0
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
    (draft,) = built([*tiles(chain), *first]).drafts
    assert decode(draft.tokens)[:20] == merged(chain)[:20]
    assert draft.columns[:3].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("start", "more"), [("QEQLV", "Q"), ("EQLV", None), ("QQQLV", "Q")])
def test_what_is_in_front_of_a_chain_is_told_though_its_first_residue_differs(
    start: str, more: str | None
) -> None:
    found = read_set(start + "ESGGGLVQPGGSL")
    draft = protein_of("QQLVESGGGLVQPGGSLKLSCKASG")
    vote = votes(found, place_on(found, [draft]), 0)
    assert vote.inserted.get(0) == ({(RESIDUES.index(more),): 1.0} if more else None)
    assert vote.passed[0] == float(more is None)


def test_nothing_is_put_in_front_of_column_1() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    first = [peptide("GGS" + chain[:n], f"first{n}") for n in (11, 13, 17)]
    (draft,) = built([*tiles("GGS" + chain), *first]).drafts
    assert decode(draft.tokens)[:20] == merged(chain)[:20]


def test_residues_that_a_read_leaves_out_are_deleted_and_no_others() -> None:
    draft = protein_of(TEXT)
    found = read_set(TEXT[26:36] + TEXT[38:50])
    vote = votes(found, place_on(found, [draft]), 0)
    assert np.flatnonzero(vote.deleted).tolist() == [36, 37]


def test_residues_too_many_among_equal_ones_are_those_residues() -> None:
    found, first = votes_of_run("GKEREGVACLSSSGGHTNYADS", "GKEREGVACLSSGGHTNYADS")
    assert list(found.inserted[first]) == [(RESIDUES.index("S"),)]
