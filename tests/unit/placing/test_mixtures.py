"""Chains of a locus that a sample has several of: found, told apart, and in phase."""

from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.antibody.imgt import CONSTANT, CYS104
from lacuna.core.alphabet import ABSENT, MISSING, RESIDUES, decode, encode, merge_il
from lacuna.evidence.phase import (
    CROSSED,
    JOINED,
    _crossed,
    apart,
    copied_into_cdr3,
    differences,
    holds_several,
    unjoined,
)
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.aligning.seeds import word_weights
from lacuna.placing.chains.crossing import _reads_over, exchanged, seam_nats, seams
from lacuna.placing.chains.further import count_places, further_drafts, of_two_species
from lacuna.placing.chains.parting import divided, parted
from lacuna.placing.place import Placed
from lacuna.placing.sources.segments import WORD, best_of_loci, is_vhh, score_segments
from lacuna.placing.votes.chance import least_score
from lacuna.placing.votes.draft import Draft, in_both
from lacuna.placing.votes.placement import Assembly, place_on, reads_over
from lacuna.reads.read import Read, weight_of_equal
from reads import (
    built,
    chain_with_cdr3,
    draft_from,
    merged,
    opened,
    other_heavy,
    peptide,
    reads_of,
    tiles,
    weighed,
)

ONE = chain_with_cdr3("H", "ARWGGDGFYHMDY")
OTHER = other_heavy("AKHWPSSKYESSLDV")
NO_USE = np.zeros(len(v_segments().names))


@pytest.fixture(scope="module")
def two() -> Placed:
    placed = built([*tiles(ONE), *tiles(OTHER), *tiles(OTHER[2:])])
    assert len(placed.drafts) == 2
    return placed


def letters(drafts: list[Draft] | tuple[Draft, ...]) -> list[str]:
    return [decode(d.tokens)[:120] for d in drafts]


def crossed(drafts: tuple[Draft, ...], column: int, last: int) -> list[Draft]:
    """Two drafts, each with the columns `column` to `last` of the other."""
    tokens = [d.tokens.copy() for d in drafts]
    for i, j in in_both(*drafts):
        if column <= drafts[0].columns[i] <= last:
            tokens[0][i], tokens[1][j] = drafts[1].tokens[j], drafts[0].tokens[i]
    return [d.with_tokens(t) for d, t in zip(drafts, tokens, strict=True)]


@pytest.mark.parametrize(("column", "last"), [(105, 128), (66, 100), (39, 55), (5, 20), (1, 50)])
def test_chains_are_put_right_by_the_reads_over_their_seams(
    two: Placed, column: int, last: int
) -> None:
    a, b = two.drafts
    b = replace(b, j=b.j + 1)
    wrong = crossed((a, b), column, last)
    if column == 105:  # CDR3s are of different lengths
        n, m = a.cdr3()[0], b.cdr3()[0]
        wrong = [
            replace(x.spliced(i, len(x), y.tokens[j:], y.columns[j:], y.germline[j:]), j=y.j)
            for x, i, y, j in ((a, n, b, m), (b, m, a, n))
        ]
    assert sorted(letters(wrong)) != sorted(letters(two.drafts))
    right = exchanged(Assembly.of(two.reads, wrong)).drafts
    assert sorted(letters(right)) == sorted(letters(two.drafts))
    segments = {text: (d.v, d.j) for text, d in zip(letters(right), right, strict=True)}
    assert segments == {text: (d.v, d.j) for text, d in zip(letters([a, b]), (a, b), strict=True)}


def test_chains_of_other_loci_do_not_cross(two: Placed) -> None:
    one, other = crossed(two.drafts, 66, 100)
    kept = [one, replace(other, locus="K")]
    assert letters(exchanged(Assembly.of(two.reads, kept)).drafts) == letters(kept)


def test_of_many_reads_over_a_seam_the_surest_are_asked(
    two: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    sure = np.random.default_rng(1).uniform(0.8, 0.99, (len(two.reads), 1))
    reads = replace(two.reads, right=two.reads.right * sure)
    assembly = Assembly(Memory.of(reads), two.drafts, (), two.placements)
    place = seams(*two.drafts)[9]
    rows = _reads_over(assembly, (0, 1), place)
    monkeypatch.setattr("lacuna.placing.chains.crossing.MOST_OVER", 3)
    asked = _reads_over(assembly, (0, 1), place)
    worth = {row: reads.right[row].sum() for row in rows.tolist()}
    assert len(rows) > 6
    assert asked.tolist() == sorted(sorted(worth, key=lambda row: -worth[row])[:3])


def test_seams_are_where_chains_begin_to_differ() -> None:
    (draft,) = built(tiles(ONE)).drafts
    ends = [(at, at) for at in draft.cdr3()]
    assert seams(draft, draft) == ends
    start = draft.find(30)
    stop = start + 3
    shorter = draft.spliced(start, start + 1, *[np.empty(0, np.uint8)] * 2)
    tokens = draft.tokens.copy()
    tokens[[0, stop]] = RESIDUES.index("W")
    found = seams(draft.with_tokens(tokens), shorter)
    # The first residue that differs has none in front of it to be joined to.
    assert found == [(start, start), (stop, stop - 1), *((at, at - 1) for at, _ in ends)]
    fr4 = ends[1][0]
    tokens[[fr4 + 2, fr4 + 6]] = RESIDUES.index("W")
    in_fr4 = seams(draft.with_tokens(tokens), shorter)[len(found) :]
    assert in_fr4 == [(fr4 + 2, fr4 + 1), (fr4 + 6, fr4 + 5)]


def test_reads_are_over_a_place_beyond_their_cores_too() -> None:
    (draft,) = built(tiles(ONE)).drafts
    # Cores of the first and the last read end at 42; the third read does not reach it.
    texts = [ONE[28:42] + "HHHH", ONE[34:50], ONE[26:40], "HHHH" + ONE[42:56]]
    found = built([*tiles(ONE), *(peptide(text) for text in texts)])
    reads = [
        decode(tokens[: len(text)])
        for tokens, text in zip(found.reads.tokens[-4:], texts, strict=True)
    ]
    assert reads == [merged(text) for text in texts]
    over = reads_over(found.reads, place_on(found.reads, [draft]), [(0, 41, 43)])
    last = len(found.reads) - 4
    assert [row - last for row in over.tolist() if row >= last] == [0, 1, 3]


def variant(chain: str, **changes: str) -> str:
    """A chain with other residues at some positions, as p30="W"."""
    out = list(chain)
    for where, residue in changes.items():
        out[int(where[1:])] = residue
    return "".join(out)


def test_a_residue_that_a_part_of_the_reads_shows_is_of_one_of_two_chains(two: Placed) -> None:
    fr4 = OTHER.index("WGQG") + 2
    changed = variant(OTHER, **{f"p{fr4}": "R"})
    placed = built([*tiles(ONE), *tiles(changed), *tiles(changed[2:])])
    drafts = list(placed.drafts)
    number = next(i for i, d in enumerate(drafts) if decode(d.tokens)[:9] == changed[:9])
    at = drafts[number].find(120)
    drafts[number] = drafts[number].with_residues(at, RESIDUES.index("Q"))
    found = parted(Assembly.of(placed.reads, drafts)).drafts
    assert decode(found[number].tokens[at : at + 1]) == "R"
    assert decode(found[1 - number].tokens)[:110] == decode(drafts[1 - number].tokens)[:110]
    # If no read shows anything else, nothing changes.
    assert letters(parted(Assembly.of(two.reads, two.drafts)).drafts) == letters(two.drafts)


@pytest.mark.parametrize(
    ("at", "n_reads", "parts"),
    [
        (59, 8, True),
        (59, 4, False),  # they gain as little by it as misread ones might
        (35, 8, False),  # every antibody has Trp41
    ],
)
def test_a_second_residue_is_one_that_reads_show_clearly_and_that_may_change(
    two: Placed, at: int, n_reads: int, parts: bool
) -> None:
    changed = variant(OTHER, **{f"p{at}": "H"})
    others = [peptide(changed[at - 7 - i : at + 7 - i]) for i in range(n_reads)]
    reads = reads_of([*tiles(ONE), *tiles(OTHER), *others])
    assert [RESIDUES[d.tokens[at]] for d in two.drafts] == [OTHER[at]] * 2
    found = parted(Assembly.of(reads, two.drafts)).drafts
    assert sorted(RESIDUES[d.tokens[at]] for d in found) == sorted(
        ["H" if parts else OTHER[at], OTHER[at]]
    )


def test_fr4s_are_exchanged_if_reads_go_on_into_the_other_one(two: Placed) -> None:
    fr4 = OTHER.index("WGQG") + 2
    changed = variant(OTHER, **{f"p{fr4}": "R"})
    placed = built([*tiles(ONE), *tiles(changed), *tiles(changed[2:])])
    wrong = crossed(placed.drafts, 118, 128)
    assert letters(wrong) != letters(placed.drafts)
    right = exchanged(Assembly.of(placed.reads, wrong)).drafts
    assert letters(right) == letters(placed.drafts)
    assert all(d.bridged for d in right)


@pytest.mark.parametrize(("was", "seen"), [("N", "D"), ("Q", "E"), ("K", "Q"), ("M", "F")])
def test_what_reads_mistake_is_no_second_residue(was: str, seen: str) -> None:
    at = 12
    one, other = (variant(chain, p12=was) for chain in (ONE, OTHER))
    read = variant(other, p12=seen)
    reads = [*tiles(one), *tiles(other), *tiles(read), *tiles(read[2:])]
    placed = built(reads)
    drafts = [draft.with_residues(at, RESIDUES.index(was)) for draft in placed.drafts]
    found = parted(Assembly.of(placed.reads, drafts)).drafts
    assert {int(d.tokens[at]) for d in found} == {RESIDUES.index(was)}


# --- further chains of a gene --------------------------------------------------------------------


def germline() -> str:
    """The residues of IGHV3-23*01 up to Cys104."""
    row = v_segments().tokens[v_segments().names.index("IGHV3-23*01"), : CYS104 + 1]
    return decode(row[row != ABSENT])


def mutated(every: int, first: int) -> str:
    """The same, mutated throughout."""
    letters = ["A" if i % every == first and r not in "CW" else r for i, r in enumerate(germline())]
    return "".join(letters)


MAIN = mutated(6, 3) + "AKHWPSSKYESSLDV" + ONE[-71:]


DOMAIN = MAIN.index("ASPTS")  # residues of the V domain


@pytest.fixture(scope="module")
def main() -> Draft:
    """A chain of which only the V domain is built, whatever reads show of its constant region."""
    (draft,) = built(tiles(MAIN[:DOMAIN])).drafts
    assert gene(draft) == "IGHV3-23" and draft.c < 0
    return draft


def gene(draft: Draft) -> str:
    return v_segments().names[draft.v].split("*")[0]


def many(sequence: str) -> list[Read]:
    """Reads of each stretch of 10 to 24 residues, an even number of them."""
    return [r for n in range(10, 25, 2) for r in tiles(sequence, length=n, step=1)]


def further(main: Draft, *reads: Read) -> list[str]:
    """Genes of the chains that reads show besides one that is there."""
    found = reads_of(reads)
    found = replace(found, least=least_score(Assembly.of(found, [main])))
    return [gene(d) for d in further_drafts(Assembly.of(found, [main]), "auto", NO_USE)]


def test_a_common_chain_of_a_gene_that_is_there_is_found_and_a_rare_one_is_not(
    main: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One chain is mutated; the other has the germline residues of the same gene."""
    # Germline is not asked what it would explain, which finds the chain too.
    monkeypatch.setattr("lacuna.placing.chains.further.HIDDEN_WORDS", np.inf)
    few = tiles(germline()[:60])
    assert further(main, *many(MAIN), *many(germline()[:60])) == ["IGHV3-23"]
    assert further(main, *many(MAIN), *few) == []
    assert further(main, *tiles(MAIN), *few) == ["IGHV3-23"]  # all chains have few reads


def test_residues_that_are_taken_for_others_show_no_further_chain() -> None:
    """Q is read as K, and deamidated N as D, where IGHV3-15 has K and D."""
    chain = germline() + MAIN[len(germline()) :]
    (own,) = built(tiles(chain[:DOMAIN])).drafts
    misread = chain.replace("LVQPGG", "LVKPGG").replace("RDNSK", "RDDSK")
    assert further(own, *many(chain), *many(misread[:DOMAIN])) == []


def test_a_locus_has_no_more_than_some_chains(main: Draft, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many words of others misread and modified peptides hold."""
    reads = [*many(MAIN), *many(germline()[:60])]
    monkeypatch.setattr("lacuna.placing.chains.parting.DIVIDED", len(MAIN))
    monkeypatch.setattr("lacuna.placing.chains.further.MAX_OF_LOCUS", 2)
    assert further(main, *reads) == ["IGHV3-23"]
    monkeypatch.setattr("lacuna.placing.chains.further.MAX_OF_LOCUS", 1)
    assert further(main, *reads) == []


def test_a_chain_that_reads_hardly_show_tells_of_no_other_one(
    main: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = tiles(germline()[:60])
    assert further(main, *few) == []
    monkeypatch.setattr("lacuna.placing.chains.further.FEW", 0.0)
    assert further(main, *few) == ["IGHV3-23"]


@pytest.mark.parametrize("reads_of_chain", ["few", "many"])
def test_a_further_chain_shows_at_several_places(
    main: Draft, monkeypatch: pytest.MonkeyPatch, reads_of_chain: str
) -> None:
    """A grafted loop is like the gene that it is from, but at one place only."""
    monkeypatch.setattr("lacuna.placing.chains.further.HIDDEN_WORDS", np.inf)
    reads, least = {"few": (tiles, "PLACES_IF_FEW"), "many": (many, "PLACES")}[reads_of_chain]
    graft = [*tiles(germline()[20:45], step=1), *many(germline()[20:45])]
    assert further(main, *reads(MAIN), *graft) == []
    monkeypatch.setattr(f"lacuna.placing.chains.further.{least}", 1)
    assert further(main, *reads(MAIN), *graft) == ["IGHV3-23"]


@pytest.mark.parametrize(
    ("gene", "with_light", "other", "found"),
    [
        ("IGHV3S53*01", True, 30, ["alpaca", "human"]),
        ("IGHV3S53*01", True, 0, ["alpaca"]),  # on an IgG, as netakimab
        ("IGHV3S53*01", False, 30, ["alpaca"]),  # a VHH on an Fc
        ("IGHV3-2*01", True, 30, ["alpaca"]),  # of a camelid antibody with light chains, chimeric
    ],
)
def test_a_vhh_has_no_light_chain(
    gene: str, with_light: bool, other: int, found: list[str]
) -> None:
    """A human constant region beside one is of another chain if reads show some of its V domain
    (other: residues)."""
    v, (c,) = v_segments(), [c for c in constants() if (c.species, c.name) == ("human", "IGHG1*01")]
    row = v.tokens[v.names.index(gene)]
    human = tiles(ONE[:other]) if other else []
    vhh = tiles(decode(row[row < len(RESIDUES)]))
    reads = reads_of([*vhh, *human, *tiles(c.sequence)])
    weights = word_weights(reads, WORD)
    (one,) = best_of_loci(score_segments(weights), "auto", NO_USE, ["H"])
    one = replace(one, v=v.names.index(gene))
    both = of_two_species(one, weights, NO_USE, with_light=with_light)
    assert [SPECIES[v.species[x.v]] for x in both] == found
    assert len(both) == 1 or both[0].c_seen == 0.0  # a few words of an alpaca's are in others too


def test_only_heavy_segments_of_camelids_are_those_of_vhhs() -> None:
    v = v_segments()
    found = [(v.names[i], SPECIES[v.species[i]]) for i in range(len(v.names)) if is_vhh(i)]
    assert found == [("IGHV3-3*01", "alpaca"), ("IGHV3S53*01", "alpaca")]


def test_places_of_a_segment_have_no_residue_in_common() -> None:
    v = v_segments().names.index("IGHV3-23*01")

    def places(*stretches: slice) -> int:
        reads = reads_of(peptide(merged(germline()[where])) for where in stretches)
        return count_places(3 * word_weights(reads, WORD), v)

    assert places(slice(0, 20)) == 1
    assert places(slice(0, 12), slice(7, 20), slice(20, 30)) == 2
    assert places(slice(0, 8), slice(40, 50), slice(60, 70)) == 3


def test_a_chain_that_was_built_as_one_with_another_of_its_gene_is_found(
    main: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has few words of germline, but germline explains its reads better than the other chain."""
    hidden = mutated(5, 2)[:42] + germline()[42] + mutated(5, 2)[43:]  # six words of germline
    assert further(main, *many(MAIN), *many(hidden)) == ["IGHV3-23"]
    # Of a grafted loop germline explains as much, over few residues.
    assert further(main, *many(MAIN), *many(hidden[30:60]), *many(hidden[28:58])) == []
    carry_over = tiles(hidden[50:85], length=20, step=5)
    assert further(main, *many(MAIN), *carry_over) == []
    assert further(main, *many(MAIN)) == []
    monkeypatch.setattr("lacuna.placing.chains.further.HIDDEN_SHARE", 1.0)
    monkeypatch.setattr("lacuna.placing.chains.parting.DIVIDED", len(MAIN))
    assert further(main, *many(MAIN), *many(hidden)) == []  # its words alone do not show it


@pytest.mark.parametrize(
    ("changes", "apart"),
    [
        ({"p15": "W", "p48": "W", "p80": "W"}, True),
        ({"p15": "W", "p48": "W", "p53": "W"}, False),  # two of them in one peptide
        ({"p15": "W", "p80": "W"}, False),  # a tool may misread two peptides again and again
        ({"p15": "W", "p80": "W", "p12": "E"}, False),  # Q is read as E
        ({"p15": "W", "p80": "W", "p21": "W"}, False),  # every antibody has Cys23
        ({"p15": "W", "p80": "W", "p100": "W"}, False),  # reads of a CDR3 go on as they like
    ],
)
def test_a_chain_is_divided_if_reads_disagree_at_several_places(
    main: Draft, changes: dict[str, str], apart: bool
) -> None:
    first = variant(MAIN[:DOMAIN], p12="Q")
    other = variant(first, **changes)
    one = main.with_residues(12, RESIDUES.index("Q"))
    reads = reads_of([*many(first), *many(other)])
    found = divided(Assembly.of(reads, [one]))
    start = one.cdr3()[0]
    assert [decode(d.tokens[:start]) for d in found] == [merged(other[:start])] * apart
    assert not any((d.tokens[slice(*d.cdr3())] < len(RESIDUES)).any() for d in found)
    # Beside another chain of its locus, these may be reads of that.
    assert divided(Assembly.of(reads, [one, one])) == []
    alone = reads_of([*many(first), *tiles(other)])  # a few reads
    assert divided(Assembly.of(alone, [one])) == []


def test_misread_ends_of_reads_divide_no_chain(main: Draft) -> None:
    """Where reads are few, what they show beyond their cores counts for the next template."""
    domain = MAIN[:DOMAIN]
    ends = [peptide(domain[at - n : at] + "WHW") for at in (15, 48, 80) for n in range(11, 15)]
    reads = reads_of([*tiles(domain), *ends])
    assert divided(Assembly.of(reads, [main])) == []


def test_a_chain_that_was_built_as_one_is_looked_for_where_no_germline_shows_it(
    main: Draft,
) -> None:
    changed = variant(MAIN[:DOMAIN], p15="W", p48="W", p80="W")
    assert further(main, *many(MAIN[:DOMAIN]), *many(changed)) == ["IGHV3-23"]


# --- phase ---------------------------------------------------------------------------------------


def mixture(placed: Placed, changed: list[int], share: float = 0.5) -> Placed:
    """A chain, and one with W or F at some positions, both read."""
    (draft,) = placed.drafts
    tokens = draft.tokens.copy()
    for at in changed:
        tokens[at] = RESIDUES.index("F" if RESIDUES[tokens[at]] == "W" else "W")
    drafts = (draft, draft.with_tokens(tokens))
    reads = reads_of([*tiles(ONE), *tiles(decode(tokens)[: len(ONE)])])
    (one,) = placed.populations
    return replace(
        placed,
        names=("heavy", "heavy_2"),
        drafts=drafts,
        reads=reads,
        placements=place_on(reads, drafts),
        populations=(replace(one, share=1 - share), replace(one, share=share)),
        rivalled=(False, False),
    )


@pytest.fixture(scope="module")
def whole() -> Placed:
    return built(tiles(ONE))


CDR3 = ONE.index("ARWGG")


def test_a_residue_that_no_read_joins_to_the_others_may_be_of_the_other_chain(
    whole: Placed,
) -> None:
    far = [30, 34]  # reads are of 14 residues
    found = mixture(whole, [*far, CDR3 + 3])
    assert np.flatnonzero(unjoined(found)[0]).tolist() == far
    chain = weighed(found)[0]
    assert [row.position - 1 for row in chain.rows if "phase" in row.flags] == far
    assert max(chain.rows[at].probability for at in far) < 0.95
    on_the_way = [*range(far[-1], CDR3 - 2, 7), CDR3 - 2]
    assert not unjoined(mixture(whole, [*far, *on_the_way, CDR3 + 3]))[0].any()


@pytest.mark.parametrize("unread", [1, 0])
def test_what_is_read_of_one_of_two_chains_joins_nothing(whole: Placed, unread: int) -> None:
    """It may be the same in the other one, which is germline, or a mutation of this one."""
    far, on_the_way = [30, 34], [*range(41, CDR3 - 2, 7), CDR3 - 2]
    found = mixture(whole, [*far, *on_the_way, CDR3 + 3])
    assert not unjoined(found)[0].any()
    part, text = (decode(found.drafts[i].tokens)[: len(ONE)] for i in (unread, 1 - unread))
    shown = [*tiles(part[: on_the_way[0]]), *tiles(part[on_the_way[-1] + 1 :])]
    reads = reads_of([*tiles(text), *shown])
    found = replace(found, reads=reads, placements=place_on(reads, found.drafts))
    assert [np.flatnonzero(flagged[:CDR3]).tolist() for flagged in unjoined(found)] == [far, far]


def test_a_residue_of_fr4_that_no_read_joins_to_cdr3_may_be_of_the_other_chain(
    whole: Placed,
) -> None:
    """Though reads join the start of FR4 to it."""
    fr4 = ONE.index("WGQG")
    far, differ = [fr4 + 5, fr4 + 6], list(range(CDR3 + 3, 5, -7))
    assert np.flatnonzero(unjoined(mixture(whole, [*differ, *far]))[0]).tolist() == far
    joined = mixture(whole, [*differ, *range(CDR3 + 7, fr4), fr4 + 2, *far])
    assert not unjoined(joined)[0].any()


def test_a_loop_that_no_read_of_its_chain_alone_shows_may_be_of_the_other_one(two: Placed) -> None:
    """It is like that of the other one, of another gene, whose reads are all that there is."""
    drafts = list(two.drafts)
    number = next(i for i, d in enumerate(drafts) if decode(d.tokens)[:9] == merged(ONE[:9]))
    at = [i for i, c in enumerate(drafts[number].columns.tolist()) if 27 <= c <= 38]
    lent = variant(ONE, **{f"p{i}": OTHER[i] for i in at})
    drafts[number] = drafts[number].with_tokens(
        np.concatenate((merge_il(encode(lent[: at[-1] + 1])), drafts[number].tokens[at[-1] + 1 :]))
    )

    def flagged(*of_one: str) -> list[int]:
        reads = reads_of([r for text in (*of_one, OTHER, OTHER[2:]) for r in tiles(text)])
        placed = replace(two, reads=reads, drafts=tuple(drafts), placements=place_on(reads, drafts))
        return np.flatnonzero(unjoined(placed)[number]).tolist()

    assert set(at) <= set(flagged(ONE[: at[0]], ONE[at[-1] + 1 :]))
    assert not set(at) & set(flagged(lent, lent[2:], lent[4:]))


@pytest.mark.parametrize(("mutations", "may"), [(2, True), (1, False)])
def test_chains_of_one_gene_seldom_have_several_mutations_of_a_loop_in_common(
    whole: Placed, mutations: int, may: bool
) -> None:
    """Reads show those of the second chain alone."""
    columns = whole.drafts[0].columns.tolist()
    at = [columns.index(column) for column in (29, 36)][:mutations]
    one = variant(ONE, **{f"p{i}": "W" for i in at})
    two = variant(one, p10="W", p12="W", p45="W", p47="W", p49="W", p51="W")
    reads = [*tiles(ONE[: at[0]]), *tiles(ONE[at[-1] + 1 :]), *tiles(two), *tiles(two[2:])]
    drafts = tuple(
        draft.with_tokens(np.concatenate((merge_il(encode(own)), draft.tokens[len(own) :])))
        for draft, own in zip(mixture(whole, []).drafts, (one, two), strict=True)
    )
    found = replace(mixture(whole, []), reads=reads_of(reads), drafts=drafts)
    found = replace(found, placements=place_on(found.reads, drafts))
    assert (set(at) <= set(np.flatnonzero(unjoined(found)[0]).tolist())) == may


def test_weights_of_reads_over_a_place_leave_no_rest_behind_them() -> None:
    spans = np.array([(10, 23), (6, 18), (24, 36), (7, 18), (5, 19), (26, 35), (29, 41)])
    weight = weight_of_equal(np.array([6, 3, 4, 5, 7, 5, 7]))
    over = _crossed(spans, weight, 4, 60)
    assert over[28] == weight[2] == CROSSED  # of one read alone


def test_a_chain_beside_one_that_was_not_found_may_hold_residues_of_it(whole: Placed) -> None:
    """Though no other chain is there to differ from it: what no read joins to most of it."""
    assert not unjoined(replace(whole, rivalled=(True,)))[0].any()
    far = ONE.index("WVRQ")
    apart = [*tiles(ONE[:far]), *tiles(ONE[far:])]
    parted = built(apart)
    assert not unjoined(parted)[0].any()
    beside = replace(parted, rivalled=(True,))
    assert np.flatnonzero(unjoined(beside)[0]).tolist() == list(range(far))
    (chain,) = weighed(beside)
    assert [row.position - 1 for row in chain.rows if "phase" in row.flags] == list(range(far))
    assert max(row.probability or 0.0 for row in chain.rows[:far]) < 0.95
    pieces = [read for i in range(0, len(ONE), 30) for read in tiles(ONE[i : i + 30])]
    small = replace(built(pieces), rivalled=(True,))
    (draft,) = small.drafts
    of_v = (draft.columns > 0) & (draft.columns < CONSTANT)
    assert np.array_equal(unjoined(small)[0], of_v)  # no stretch is most of the chain


def test_pieces_of_two_genes_that_no_read_joins_may_be_of_two_chains(whole: Placed) -> None:
    """As where a chain was not found whose reads lie on another one; a mutated piece is no sign."""
    far = ONE.index("WVRQ")
    parted = built([*tiles(ONE[:far]), *tiles(ONE[far:])])

    def found(placed: Placed, front: str) -> list[int]:
        (draft,) = placed.drafts
        other = draft.with_residues(slice(len(front)), merge_il(encode(front)))
        (flagged,) = unjoined(replace(placed, drafts=(other,)))
        return np.flatnonzero(flagged).tolist()

    other = OTHER[: OTHER.index("WVRQ")]
    mutated = "".join("Y" if i % 6 == 3 else x for i, x in enumerate(ONE[:far]))
    assert found(parted, ONE[:far]) == found(parted, mutated) == []
    assert found(parted, other) == list(range(far))
    assert found(whole, other) == []


@pytest.mark.parametrize(("share", "may"), [(0.08, False), (0.12, True)])
def test_what_few_reads_are_of_has_lent_nothing_to_what_most_are_of(
    whole: Placed, share: float, may: bool
) -> None:
    assert unjoined(mixture(whole, [30, 34, CDR3 + 3], share=share))[0].any() == may


@pytest.mark.parametrize(("share", "may"), [(0.04, False), (0.06, True)])
def test_what_few_reads_each_are_of_may_have_lent_it_together(
    whole: Placed, share: float, may: bool
) -> None:
    """As the B cells of a serum beside an antibody."""
    two = mixture(whole, [30, 34, CDR3 + 3])
    (one, other), (draft, another) = two.populations, two.drafts
    drafts = (draft, another, another)
    populations = (
        replace(one, share=1 - 2 * share),
        replace(other, share=share),
        replace(other, share=share, name="heavy_3"),
    )
    three = replace(
        two,
        names=("heavy", "heavy_2", "heavy_3"),
        drafts=drafts,
        placements=place_on(two.reads, drafts),
        populations=populations,
        rivalled=(False,) * 3,
    )
    assert unjoined(three)[0].any() == may


@pytest.mark.parametrize(
    ("loci", "several"),
    [("HK", False), ("HL", False), ("KL", True), ("HHK", True), ("HKK", True), ("H", False)],
)
def test_two_heavy_or_two_light_chains_are_of_several_antibodies(
    whole: Placed, loci: str, several: bool
) -> None:
    drafts = [replace(whole.drafts[0], locus=locus) for locus in loci]
    assert holds_several(drafts) == several


@pytest.mark.parametrize("several", [False, True])
def test_a_residue_that_some_reads_contradict_is_not_sure_in_a_mixture(several: bool) -> None:
    """The others may be of a chain that was not found."""
    at = 60
    changed = ONE[:at] + "W" + ONE[at + 1 :]
    reads = [r for i in range(6) for r in (*tiles(ONE[i:]), *(tiles(changed[i:]) * (i < 2)))]
    second = [*tiles(OTHER), *tiles(OTHER[2:])] if several else []
    placed = built([*reads, *second])
    assert len(placed.drafts) == 1 + several
    chain = weighed(placed)[0]
    row = chain.rows[at]
    assert (row.residue, row.flags) == (ONE[at], "minority")
    assert (row.probability < 0.95) == several


def test_most_of_the_residues_that_differ_are_those_of_the_chain(whole: Placed) -> None:
    (draft,) = whole.drafts
    (other,) = mixture(whole, [*range(3, 60)]).drafts[1:]
    start, stop = draft.cdr3()
    # The CDR3 is the smaller part here: it is the one that may be the other chain's.
    assert np.flatnonzero(apart(draft, other, [start], differences(draft, other))).tolist() == list(
        range(start, stop)
    )
    assert not apart(draft, other, [], differences(draft, other)).any()
    unread = draft.with_tokens(np.where(np.arange(len(draft)) < start, draft.tokens, MISSING))
    assert not apart(
        unread, unread, [30], differences(unread, unread)
    ).any()  # in which nothing differs


def test_a_stretch_with_the_mutations_of_the_other_chain_may_be_its_own(whole: Placed) -> None:
    (draft,) = whole.drafts
    start, cuts = draft.cdr3()[0], [20, 30]
    germline = draft.germline.copy()
    germline[[24, 26]] = RESIDUES.index("W")
    mutated = replace(draft, germline=germline)
    alone = [start - 20, start - 10]

    def found(chain: Draft, *changed: int) -> list[int]:
        (other,) = mixture(whole, [*changed, *alone]).drafts[1:]
        return np.flatnonzero(apart(chain, other, cuts, differences(chain, other))).tolist()

    assert found(mutated) == list(range(20, 30))
    assert found(mutated, 22) == list(range(20, 30))  # a residue of it may be read wrongly
    assert found(mutated, 22, 23, 25) == [22, 23, 25]  # it differs in more: it is this chain's
    assert found(draft) == []  # germline residues of both
    cuts.clear()
    assert found(mutated) == []


def test_both_sides_of_an_open_cdr3_are_not_joined(whole: Placed) -> None:
    (draft,) = whole.drafts
    start, stop = draft.cdr3()
    (other,) = mixture(whole, [*range(3, 60)]).drafts[1:]
    gap = opened(draft, start + 4, start + 8)
    found = np.flatnonzero(apart(gap, other, [], differences(gap, other)))
    assert found.tolist() == list(range(start + 8, stop))


def test_reads_over_a_seam_speak_for_it(two: Placed) -> None:
    found = seam_nats(Assembly.of(two.reads, two.drafts), (0, 1))
    assert [places for places, _ in found] == seams(*two.drafts)
    assert min(nats for _, nats in found[1:]) > JOINED


def test_a_chain_alone_is_in_phase(whole: Placed) -> None:
    assert not unjoined(whole)[0].any()


@pytest.mark.parametrize("copied", ["WVRQAPG", "GGVVQPGR", "WVRQAP", "XXXXXXXX"])
def test_what_a_cdr3_has_of_another_place_may_not_be_its_own(copied: str) -> None:
    """Of its own FR2, or of the FR1 of another chain; six residues may be alike by chance."""
    draft = draft_from(chain_with_cdr3("H", f"ARD{copied}MDY", constant=False))
    other = draft_from(
        chain_with_cdr3("K", "QQHYTTPPT", constant=False).replace("TQSPSS", "GGVVQPGR")
    )
    start = draft.cdr3()[0] + 3
    found = np.flatnonzero(copied_into_cdr3([other, draft], 1)).tolist()
    known = len(copied) > 6 and "X" not in copied
    assert found == (list(range(start, start + len(copied))) if known else [])
    assert not copied_into_cdr3([other, draft], 0).any()
