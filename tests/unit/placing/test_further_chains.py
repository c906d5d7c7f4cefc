"""Chains besides the first ones of a locus: found, and told apart from one alone."""

from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.core.alphabet import MISSING, RESIDUES, decode
from lacuna.placing.aligning.seeds import word_weights
from lacuna.placing.chains.contradicting import contradicting
from lacuna.placing.chains.further import count_places, further_drafts, of_two_species
from lacuna.placing.chains.parting import divided
from lacuna.placing.sources.segments import WORD, best_of_loci, is_vhh, score_segments
from lacuna.placing.votes.chance import least_score
from lacuna.placing.votes.draft import Draft
from lacuna.placing.votes.placement import Assembly
from lacuna.reads.read import Read
from reads import built, merged, peptide, read_set, reads_of, tiles
from two_chains import ONE, germline, mutated, variant

NO_USE = np.zeros(len(v_segments().names))
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
    monkeypatch.setattr("lacuna.placing.chains.further.ONE_READ", 0.0)
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
    monkeypatch.setattr("lacuna.placing.chains.further.CONTRADICTING", 1.0)
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


@pytest.mark.parametrize(("within", "apart"), [(1, False), (2, True), (3, True)])
def test_reads_show_within_them_two_of_the_places_by_which_a_chain_is_divided(
    main: Draft, within: int, apart: bool
) -> None:
    """They have six residues on either side of these; at the others three, on one of them."""
    places = 15, 48, 80
    first = MAIN[:DOMAIN]
    other = variant(first, **{f"p{at}": "W" for at in places})

    def showing(at: int, beside: int) -> list[Read]:
        """Reads of a place that begin or end so many residues beside it."""
        starts = [
            (at - n + beside + 1 if behind else at - beside, n)
            for n in (13, 14)
            for behind in (0, 1)
        ]
        return [peptide(other[start : start + n]) for start, n in starts]

    shown = [r for at in places[:within] for r in showing(at, 6)]
    shown += [r for at in places[within:] for r in showing(at, 3)]
    reads = reads_of([*tiles(first, step=2), *shown * 3])
    assert bool(divided(Assembly.of(reads, [main]))) == apart


@pytest.fixture
def by_contradiction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither words of germline nor what it would explain show a chain, nor single residues."""
    monkeypatch.setattr("lacuna.placing.chains.further.COMMON_WORDS", np.inf)
    monkeypatch.setattr("lacuna.placing.chains.further.ANOTHER_WORDS", np.inf)
    monkeypatch.setattr("lacuna.placing.chains.further.HIDDEN_WORDS", np.inf)
    monkeypatch.setattr("lacuna.placing.chains.parting.DIVIDED", len(MAIN))


TWO_PLACES = {"p15": "W", "p16": "H", "p70": "W", "p71": "H"}


@pytest.mark.usefixtures("by_contradiction")
def test_a_chain_that_others_hide_has_the_residues_of_the_reads_that_contradict_them(
    main: Draft,
) -> None:
    other = variant(MAIN, **TWO_PLACES)
    reads = reads_of([*many(MAIN), *many(other[:DOMAIN])])
    reads = replace(reads, least=least_score(Assembly.of(reads, [main])))
    (found,) = further_drafts(Assembly.of(reads, [main]), "auto", NO_USE)
    cys = found.cdr3()[0]
    assert decode(found.tokens)[:cys] == merged(other)[:cys]
    assert (found.tokens[slice(*found.cdr3())] == MISSING).all()  # nothing is known of its CDR3


@pytest.mark.usefixtures("by_contradiction")
def test_a_chain_that_others_hide_begins_as_the_germline_that_explains_most() -> None:
    """Where no read shows it, it has the germline's residue and not the other chain's."""
    chain = variant(germline() + MAIN[len(germline()) : DOMAIN], **TWO_PLACES, p50="A")
    (own,) = built(tiles(chain)).drafts
    reads = reads_of([*many(chain), *many(germline()[4:44]), *many(germline()[58:90])])
    reads = replace(reads, least=least_score(Assembly.of(reads, [own])))
    (found,) = further_drafts(Assembly.of(reads, [own]), "auto", NO_USE)
    assert decode(found.tokens)[: len(germline())] == merged(germline())


@pytest.mark.usefixtures("by_contradiction")
@pytest.mark.parametrize(
    ("changes", "n"),
    [
        ({"p15": "W", "p16": "H"}, 300),  # a modified peptide that a tool misreads
        (TWO_PLACES, 12),  # too few of all reads
    ],
)
def test_reads_that_contradict_a_chain_may_be_misread(
    main: Draft, changes: dict[str, str], n: int
) -> None:
    other = many(variant(MAIN, **changes)[:DOMAIN])
    near = [r for r in other if "WH" in r.residues][:: 300 // n]
    assert further(main, *many(MAIN), *near) == []


@pytest.mark.usefixtures("by_contradiction")
@pytest.mark.parametrize(("probability", "n"), [(0.65, 0), (0.95, 1)])
def test_no_chain_is_there_twice(main: Draft, probability: float, n: int) -> None:
    """Reads that two chains share may say too little to give either of them other residues."""
    like, other = variant(MAIN, p45="H"), variant(MAIN, **TWO_PLACES)
    shown = [MAIN[at : at + 16] for at in range(DOMAIN - 16)]
    shown += [like[at : at + 16] for at in range(30, 45)]
    shown += [other[at : at + 14] for at in (8, 9, 10, 11, 63, 64, 65, 66)]
    reads = replace(read_set(*map(merged, shown), probability=probability), least=1.0)
    assembly = Assembly.of(reads, [main, main.with_residues(45, RESIDUES.index("H"))])
    assert contradicting(assembly, "H").places == 2
    assert len(further_drafts(assembly, "auto", NO_USE)) == n


@pytest.mark.usefixtures("by_contradiction")
def test_a_locus_that_has_enough_chains_gets_no_other_one(
    main: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = [*many(MAIN), *many(variant(MAIN, **TWO_PLACES)[:DOMAIN])]
    assert further(main, *reads) == ["IGHV3-23"]
    monkeypatch.setattr("lacuna.placing.chains.further.MAX_OF_LOCUS", 1)
    assert further(main, *reads) == []
