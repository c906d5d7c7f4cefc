"""Species, loci and segments of reads, and drafts made of them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode, merge_il
from lacuna.placing.aligning.carried import BIN, BLOCK_TOLERANCE, REACH_BINS, Carried
from lacuna.placing.aligning.compiled import compiled
from lacuna.placing.aligning.seeds import RIGHT_AFTER_RIGHT, word_weights
from lacuna.placing.place import place
from lacuna.placing.sources.segments import WORD, best_of_loci, score_segments
from lacuna.placing.votes.draft import cdr3_germline, draft_of
from lacuna.placing.votes.revise import choose_v, fit_of, with_lengths
from reads import (
    Sure,
    chain_with_cdr3,
    germline_draft,
    peptide,
    read_set,
    reads_of,
    tiles,
    votes_with,
)

NO_USE = np.zeros(len(v_segments().names))


def test_the_locus_of_reads_is_found() -> None:
    reads = tiles(chain_with_cdr3("K", "QQYNSYPLT"))
    found = reads_of(reads)
    use = np.zeros(len(v_segments().names))
    scores = score_segments(word_weights(found, WORD))
    seen = {x.locus: x for x in best_of_loci(scores, "auto", use)}
    assert seen["K"].v_share > 0.5 > seen["H"].v_share
    assert seen["K"].c_seen > seen["L"].c_seen


def test_residues_of_a_read_without_confidences_are_right_or_wrong_together() -> None:
    alike = read_set("ELVISK", probability=0.6)
    judged = replace(alike, judged=np.ones(len(alike), dtype=bool))
    assert word_weights(judged, 5).max() == pytest.approx(0.6**5)
    assert word_weights(alike, 5).max() == pytest.approx(0.6 * RIGHT_AFTER_RIGHT**4)


def test_chains_of_reads_without_confidences_are_found() -> None:
    """At the probability that the default model gives their residues."""
    chains = chain_with_cdr3("H", "ARDYGSSYFDY"), chain_with_cdr3("K", "QQYNSYPLT")
    reads = [replace(r, name=f"{i}{r.name}") for i, c in enumerate(chains) for r in tiles(c)]
    assert place(reads, Sure(0.57)).names == ("heavy", "kappa")


def test_words_of_a_constant_region_say_nothing_of_v() -> None:
    """Reads of a kappa constant region hold QGLSS, as IGKV1-12 does."""
    constant = next(c.sequence for c in constants() if c.locus == "K" and c.species == "human")
    reads = tiles(constant)
    scores = score_segments(word_weights(reads_of(reads), WORD))
    assert scores.v.max() == 0.0 and scores.c.max() > 50.0


def test_words_that_reads_hold_by_chance_show_no_segment() -> None:
    """Thousands of reads of other proteins hold words of every segment."""
    rng = np.random.default_rng(1)
    noise = [peptide("".join(rng.choice(list(RESIDUES), 15)), f"n{i}") for i in range(20_000)]
    for chain in ("", chain_with_cdr3("H", "ARDYGSSYFDY")):
        weights = word_weights(reads_of([*tiles(chain), *noise]), WORD)
        best = best_of_loci(score_segments(weights), "auto", NO_USE)
        assert [x.locus for x in best if x.c_seen >= 5 or x.v_seen >= 5] == ["H"][: len(chain)]


def test_an_unread_v_segment_is_of_the_species_of_the_constant_region() -> None:
    """However much better the use of human segments is known."""
    constant = next(c.sequence for c in constants() if c.locus == "K" and c.species == "mouse")
    reads = tiles(constant)
    scores = score_segments(word_weights(reads_of(reads), WORD))
    v = v_segments()
    use = np.where(v.species == SPECIES.index("human"), 1.0, 0.5)
    (kappa,) = [x for x in best_of_loci(scores, "auto", use) if x.locus == "K"]
    assert v.species[kappa.v] == SPECIES.index("mouse")


def test_no_chain_is_of_an_orphon() -> None:
    orphon = next(i for i, name in enumerate(v_segments().names) if "/OR" in name)
    row = v_segments().tokens[orphon]
    reads = tiles(decode(row[row != ABSENT]) * 2)
    scores = score_segments(word_weights(reads_of(reads), WORD))
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
    assert carried.possible[steps + REACH_BINS].all()
    assert not carried.possible[[0, 1000 + REACH_BINS, -1]].any()


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
    shown = votes_with(len(draft))
    shown.nats[inside, segment[draft.columns[inside]]] = nats
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
    common, rare = tuple(encode("HWHW").tolist()), tuple(encode("WWHH").tolist())
    found = {draft.find(30): {rare: 3.0}, draft.find(60): {common: 9.0}}
    more = {at: found[at] for at in sorted(found, key=lambda at: at != draft.find(first))}
    revised = with_lengths(draft, votes_with(len(draft), inserted=more))
    assert "HWHW" in decode(revised.tokens) and "WWHH" not in decode(revised.tokens)
