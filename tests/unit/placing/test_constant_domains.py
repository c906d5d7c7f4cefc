"""Constant domains that a molecule lacks are not filled from germline."""

from dataclasses import replace

import numpy as np
import pytest

from chains import constant_region
from lacuna.antibody.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.antibody.imgt import CONSTANT
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES, decode, encode
from lacuna.placing.chains.constant_domains import (
    LACKING_DOMAIN,
    _lacking_ch1,
    _with_light,
    without_unread,
)
from lacuna.placing.place import Placed, _without_unread
from lacuna.placing.votes.cleavage import cleavage_of
from lacuna.placing.votes.draft import Draft, Loose, draft_of
from lacuna.placing.votes.placement import Assembly
from reads import (
    best_of,
    built,
    chain_with_cdr3,
    digest,
    merged,
    other_heavy,
    peptide,
    read_set,
    reads_of,
    tiles,
    weighed,
    without,
)

GAMMA1 = next(c.sequence for c in constants() if c.name == "IGHG1*01")
GAMMA2 = next(c.sequence for c in constants() if c.name == "IGHG2*01")
KAPPA = next(c.sequence for c in constants() if c.name == "IGKC*01")
V = chain_with_cdr3("H", "ARDRGYSSGWFDV", constant=False)
LIGHT = chain_with_cdr3("K", "QQSYSTPLT", constant=False) + KAPPA
ON_FC = V + "EPKSSDKTHTCPPCP" + GAMMA1[113:]
ANY = "KRFWYL"  # trypsin and chymotrypsin
TRYPSIN = "KR"


def placed(chain: str, behind: str) -> Placed:
    return built([read for read in digest(chain, behind=behind) for _ in range(4)])


def only(found: Placed) -> Draft:
    (draft,) = found.drafts
    return draft


@pytest.mark.parametrize("behind", [ANY, TRYPSIN])
def test_a_whole_chain_keeps_all_of_its_domains(behind: str) -> None:
    draft = only(placed(V + GAMMA1, behind))
    assert decode(draft.tokens) == merged(V + GAMMA1)
    assert not [one for one in draft.loose if one.stop > draft.find(CONSTANT)]


@pytest.mark.parametrize(("behind", "least"), [(ANY, 98), (TRYPSIN, 98)])
def test_a_fab_ends_behind_its_first_domain(
    behind: str, least: int, caplog: pytest.LogCaptureFixture
) -> None:
    fab = V + GAMMA1[:108]
    found = decode(only(placed(fab, behind)).tokens)
    assert found.startswith(merged(V + GAMMA1[:least]))
    assert len(found) <= len(fab) + 5
    assert "of the constant region of a heavy chain are left out" in caplog.text


def test_what_no_read_shows_at_the_end_of_a_fab_is_in_doubt() -> None:
    """Proteases leave a peptide that ends behind the last residues of the Fab."""
    fab = V + GAMMA2[:107]
    found = placed(fab, ANY)
    draft = only(found)
    assert len(fab) < len(draft) < len(V + GAMMA2[:130])
    assert draft.loose[-1] == Loose(len(fab), len(draft), 0.5)
    (chain,) = weighed(found, network=False)
    assert not any("length" in row.flags for row in chain.rows[len(fab) - 90 : len(fab)])
    for row in chain.rows[len(fab) :]:
        assert "length" in row.flags
        assert (row.probability or 0.0) <= 0.55


def test_a_domain_on_an_fc_goes_on_in_the_hinge() -> None:
    """The hinge is as it is read, with S for the C that bound the light chain."""
    draft = only(placed(ON_FC, ANY))
    assert decode(draft.tokens) == merged(ON_FC)
    assert not [one for one in draft.loose if one.stop > draft.find(CONSTANT)]


@pytest.mark.parametrize("linker", ["", "AAA", "GS", "GGGGS"])
def test_a_domain_may_go_on_anywhere_in_the_hinge(linker: str) -> None:
    """EPKSC, with which the hinge begins, is not there."""
    chain = V + linker + GAMMA1[103:]
    draft = only(placed(chain, ANY))
    assert GAMMA1[103:].startswith("DKTHT") and decode(draft.tokens) == merged(chain)
    behind = slice(len(V), len(V) + len(linker))
    assert (draft.germline[behind] == ABSENT).all() and draft.germline[behind.stop] != ABSENT
    assert (draft.columns[len(V) :] == CONSTANT).all()


def test_what_no_read_joins_to_an_fc_is_in_doubt() -> None:
    chain = V + GAMMA1[98:]
    reads = without(digest(chain, behind=ANY), chain, across=V[-4:] + "|" + GAMMA1[98:102])
    draft = only(built([read for read in reads for _ in range(4)]))
    start = draft.find(CONSTANT)
    assert len(draft) <= len(chain) + 2
    assert any(one.start <= start < one.stop and one.probability <= 0.5 for one in draft.loose)


def test_a_domain_of_which_few_peptides_could_be_read_is_in_doubt() -> None:
    """Of CH1 trypsin leaves some peptides that a tool can read: beside a light chain it stays, and
    its residues are as sure as it is."""
    reads = [*digest(ON_FC, behind=TRYPSIN), *digest(LIGHT, behind=TRYPSIN)]
    found = built([read for read in reads for _ in range(4)])
    draft = next(draft for draft in found.drafts if draft.locus == "H")
    start = draft.find(CONSTANT)
    (first,) = [one for one in draft.loose if one.start == start]
    assert (first.stop - start, len(draft)) == (98, len(V + GAMMA1))
    assert 0.05 < first.probability < 0.95
    chain = next(c for c in weighed(found, network=False) if c.name == "heavy")
    inside = slice(first.start, first.stop)
    assert all("length" in row.flags for row in chain.rows[inside])
    assert not any("length" in row.flags for row in chain.rows[-90:])


def test_a_domain_on_an_fc_without_a_light_chain_lacks_ch1() -> None:
    """As few peptides tell, since a heavy chain with CH1 seldom comes alone."""
    draft = only(placed(ON_FC, TRYPSIN))
    assert decode(draft.tokens) == merged(ON_FC)


@pytest.mark.parametrize(("species", "lacking"), [("human", 0.5), ("alpaca", 0.95)])
def test_how_many_heavy_chains_lack_ch1(species: str, lacking: float) -> None:
    segments = v_segments()
    v = int(
        np.flatnonzero(
            (segments.species == SPECIES.index(species)) & (segments.locus == LOCI.index("H"))
        )[0]
    )
    heavy = draft_of("H", v, j_segments().names.index("IGHJ4*01"), -1)
    assert _lacking_ch1(heavy, with_light=False) == lacking
    assert _lacking_ch1(heavy, with_light=True) == LACKING_DOMAIN
    assert _lacking_ch1(kappa_draft(), with_light=False) == LACKING_DOMAIN


def test_an_scfv_has_no_whole_light_chain() -> None:
    """Nor is its VL one, though no read tells that the constant region is not there."""
    light = kappa_draft()
    start, stop = light.find(CONSTANT), len(light)
    for first, whole in ((0, True), (start, True), (stop, False)):
        depth = np.zeros(stop)
        depth[first:] = 4.0
        assert _with_light([light], [depth]) == whole
    assert not _with_light([draft_of("H", 0, 0, -1)], [np.full(400, 4.0)])


def sure_of_germline(_: str, germline: str, *__: object, **___: object) -> np.ndarray:
    """Shares of a network that has never seen another chain."""
    return np.eye(N_RESIDUES)[encode(germline)]


@pytest.mark.parametrize("lost", [False, True])
def test_an_fc_beside_a_chain_that_was_not_found_may_be_that_one_s(lost: bool) -> None:
    """If reads join it to a heavy V domain, it is not."""
    chain = V + GAMMA1[98:]
    whole = [read for read in digest(chain, behind=ANY) for _ in range(4)]
    across = V[-4:] + "|" + GAMMA1[98:102]
    for reads, flagged in ((whole, False), (without(whole, chain, across=across), lost)):
        found = replace(built(reads), lost=lost)
        (answer,) = weighed(found, network=False)
        rows = [row for row in answer.rows if row.region == "C"]
        assert {"phase" in row.flags.split(";") for row in rows} == {flagged}


def test_reads_on_a_few_residues_of_a_domain_do_not_show_it() -> None:
    """Those of a linker may be like some of it, as Whitlow's with GSTSG."""
    like = [peptide(x) for x in ("SSKSTSG", "PSSKSTSG", "APSSKSTSG") for _ in range(6)]
    reads = [read for read in digest(ON_FC, behind=ANY) for _ in range(4)]
    with np.errstate(divide="raise"):  # of all peptides that are missed, none is one of these
        found = built([*reads, *like])
    assert decode(only(found).tokens) == merged(ON_FC)


def test_an_fc_that_no_read_joins_to_a_heavy_domain_may_be_on_the_light_one() -> None:
    """An scFv whose light domain is on the Fc."""
    linker = "GGGGSGGGGSGGGGS"
    chain = V + linker + LIGHT[: -len(KAPPA)] + "ASEPKSSDKTHTCPPCP" + GAMMA1[113:]
    found = built([read for read in digest(chain, behind=ANY) for _ in range(4)])
    assert [draft.locus for draft in found.drafts] == ["H", "K"]
    heavy, _ = weighed(found, network=False)
    rows = [row for row in heavy.rows if row.region == "C"]
    assert len(rows) > 200 and all("phase" in row.flags.split(";") for row in rows)
    assert max(row.probability or 0.0 for row in rows) < 0.95


@pytest.mark.parametrize("mixture", [False, True])
def test_a_constant_region_that_no_read_joins_to_a_further_domain_may_not_be_its_own(
    mixture: bool,
) -> None:
    """An IgG with another V domain on its end, or two antibodies: reads of 14 residues do not reach
    from CDR3 into the constant region, but those of 30 do."""
    first = V + GAMMA1
    other = other_heavy("AKHWPSSKYESSLDV")
    other = other[: other.index("VTVSS") + 5]
    long = tiles(other[-18:] + GAMMA1[:20], length=30) if mixture else []
    both = [first, other + GAMMA1] if mixture else [f"{first[:-1]}GGGGSGGGGS{other}"]
    short = [read for chain in both for read in tiles(chain)]
    own = [tiles(first[len(V) - 18 : len(V) + 20], length=30) for _ in range(2)]
    found = built([*short, *sum(own, []), *long, *long])
    assert len(found.drafts) == 2
    chains = weighed(found, network=False)
    flagged = {}
    for chain, draft in zip(chains, found.drafts, strict=True):
        rows = [row for row in chain.rows if row.region == "C"]
        of_first = decode(draft.tokens).startswith(merged(V[:30]))
        flagged[of_first] = np.mean(["phase" in row.flags.split(";") for row in rows])
        assert flagged[of_first] == 0.0 or max(row.probability for row in rows) < 0.95
    assert flagged == {True: 0.0, False: float(not mixture)}


@pytest.mark.parametrize("with_light", [False, True])
def test_either_domain_may_have_a_constant_region_that_no_read_joins_to_any(
    with_light: bool,
) -> None:
    """With one light chain there is one Fab, whose V domain may be either heavy one."""
    other = other_heavy("AKHWPSSKYESSLDV")
    chain = f"{V}{GAMMA1[:-1]}GGGGSGGGGS{other[: other.index('VTVSS') + 5]}"
    found = built([*tiles(chain), *(tiles(LIGHT) if with_light else [])])
    chains = weighed(found, network=False)
    flagged = [
        {"phase" in row.flags.split(";") for row in one.rows if row.region == "C"}
        for one, draft in zip(chains, found.drafts, strict=True)
        if draft.locus == "H"
    ]
    assert sorted(flagged, key=list) == [{with_light}, {True}]


def test_a_network_makes_no_residue_surer_than_its_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacuna.evidence.weigh.network_shares", sure_of_germline)
    found = placed(V + GAMMA1, TRYPSIN)
    draft = only(found)
    start = draft.find(CONSTANT)
    inside = slice(start, start + 98)

    def surest(*loose: Loose) -> float:
        one = replace(found, drafts=(replace(draft, loose=loose),))
        (chain,) = weighed(one)
        assert best_of(chain)[inside] == GAMMA1[:98]
        return max(row.probability or 0.0 for row in chain.rows[inside])

    assert surest() > 0.95
    assert surest(Loose(start, start + 98, 0.8)) == pytest.approx(0.8, abs=0.02)
    assert surest(Loose(start, start + 98, 0.3)) == pytest.approx(0.3, abs=0.05)


def test_a_chain_without_reads_of_its_constant_region_is_not_asked() -> None:
    """Fewer runs of residues than a gene needs: there is no constant region to be in doubt."""
    draft = only(placed(V, ANY))
    assert draft.c < 0
    assert not (draft.columns == CONSTANT).any()
    assert np.array_equal(merged(V), decode(draft.tokens))


def test_words_of_a_constant_region_in_other_reads_are_not_one() -> None:
    """Reads of other proteins have runs of five residues of some gene, and of none a peptide; few
    reads of the chain leave it open whether they should have."""
    runs = [GAMMA1[i : i + 5] for i in range(0, 150, 5)]
    others = [peptide("WH" * 8 + run + "WH" * 8, f"other{k}") for run in runs for k in range(4)]
    own = [read for read in list(digest(V, behind=TRYPSIN))[::4] for _ in range(4)]
    draft = only(built([*others, *own]))
    assert (draft.c, draft.find(CONSTANT)) == (-1, -1)


def kappa_draft() -> Draft:
    row = v_segments().names.index("IGKV1-39*01")
    constant = next(i for i, c in enumerate(constants()) if c.name == "IGKC*01")
    return draft_of("K", row, j_segments().names.index("IGKJ1*01"), constant)


def test_a_constant_region_of_which_nothing_is_read_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However few reads there are: words of other proteins led to it."""
    draft = kappa_draft()
    own = decode(draft.tokens[:60])
    reads = read_set(*(own[i : i + 15] for i in (0, 15, 30)), *[own[5:20]] * 3)
    (left,) = _without_unread(Assembly.of(reads, [draft]))
    assert (left.c, left.find(CONSTANT)) == (-1, -1)
    assert np.array_equal(left.tokens, draft.tokens[: draft.find(CONSTANT)])
    assert "The whole constant region of a kappa chain is left out" in caplog.text


def test_a_constant_region_that_reads_cover_stays_wherever_they_end() -> None:
    """Reads that begin and end anywhere, and more of them at R and W: were these the only ends,
    IGKC would leave no peptide that tools read."""
    more = [read for read in digest(LIGHT, behind="RW") for _ in range(4)]
    found = built([*tiles(LIGHT, length=25, step=1), *more])
    cleavage = cleavage_of(found.reads, found.placements)
    cuts = np.flatnonzero(cleavage.behind), np.flatnonzero(cleavage.before)
    assert ["".join(RESIDUES[i] for i in own) for own in cuts] == ["RW", ""]
    draft = only(found)
    assert decode(draft.tokens) == merged(LIGHT)
    assert not draft.loose


def test_a_constant_region_stays_where_single_reads_cover_it() -> None:
    """Each residue is read once or not at all, which is too little for any peptide to be seen."""
    draft = kappa_draft()
    whole, first = decode(draft.tokens), draft.find(CONSTANT)
    reads = reads_of(peptide(whole[i : i + 15]) for i in range(0, first + 70, 20))
    (left,) = without_unread(Assembly.of(reads, [draft]))
    assert np.array_equal(left.tokens, draft.tokens)


def test_beside_two_light_chains_the_commonest_heavy_one_has_the_constant_region() -> None:
    """Though no read joins it to any: these are two antibodies, or a bispecific one."""
    other = other_heavy("AKHWPSSKYESSLDV")
    chain = f"{V}{GAMMA1[:-1]}GGGGSGGGGS{other[: other.index('VTVSS') + 5]}"
    lambda_chain = chain_with_cdr3("L", "QSYDSSLSGWV", constant=False) + constant_region("L")
    found = built([*tiles(chain), *tiles(LIGHT), *tiles(lambda_chain)])
    flagged: dict[bool, list[set[bool]]] = {True: [], False: []}
    for one, draft in zip(weighed(found, network=False), found.drafts, strict=True):
        of_c = {"phase" in row.flags.split(";") for row in one.rows if row.region == "C"}
        flagged[draft.locus == "H"].append(of_c)
    assert sorted(flagged[True], key=list) == [{False}, {True}]
    assert flagged[False] == [{False}, {False}]
