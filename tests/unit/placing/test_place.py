"""Reads become chains: the whole of it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from lacuna.antibody.germlines import v_segments
from lacuna.core.alphabet import MISSING, decode
from lacuna.placing.aligning.readset import IN_REPEAT
from lacuna.placing.build import build
from lacuna.placing.chains.further import MAX_OF_LOCUS, _germline
from lacuna.placing.chains.populations import Population, Runs, is_serum, populations
from lacuna.placing.place import place
from lacuna.placing.sources.segments import BestSegments
from lacuna.placing.votes.draft import draft_of
from lacuna.placing.votes.placement import Assembly
from reads import (
    DOMAIN,
    Sure,
    built,
    chain_with_cdr3,
    draft_from,
    germline_draft,
    other_heavy,
    peptide,
    read_set,
    tiles,
)


def test_mutated_chain_of_another_cdr3_is_rebuilt() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    chain = chain[:30] + "WHK" + chain[33:70] + "H" + chain[71:]
    placed = built(tiles(chain))
    assert placed.names == ("heavy",)
    found = decode(placed.drafts[0].tokens)
    assert placed.drafts[0].bridged
    assert found[:120] == chain.replace("I", "L")[:120]


def test_two_residues_inserted_into_a_loop_are_found() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    chain = chain[:29] + "HW" + chain[29:]
    placed = built(tiles(chain))
    assert decode(placed.drafts[0].tokens)[:110] == chain.replace("I", "L")[:110]


def test_what_no_read_joins_stays_open() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("ARWGG")
    reads = tiles(chain[: at + 1]) + tiles(chain[at + 14 :])
    placed = built(reads)
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
    placed = built(reads)
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
    placed = built([*tiles(chain[: at + 3]), *over, *behind])
    start, stop = placed.drafts[0].cdr3()
    assert decode(placed.drafts[0].tokens[start:stop]) == "ARWGGDGFYHMDY"
    assert placed.drafts[0].bridged


def test_reads_of_other_proteins_that_begin_with_c_lead_into_no_cdr3() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("ARWGG")
    others = [peptide("CKRTMTALSHGGH"[:n], f"other{n}") for n in (11, 12, 13)]
    placed = built([*tiles(chain[: at + 1]), *tiles(chain[at + 14 :]), *others])
    assert "TMTA" not in decode(placed.drafts[0].tokens)


def test_two_loci_are_two_chains() -> None:
    reads = tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")) + tiles(chain_with_cdr3("K", "QQHYTTPPT"))
    assert built(reads).names == ("heavy", "kappa")


def test_a_heavy_chain_has_a_light_one_that_is_hardly_read() -> None:
    heavy, light = chain_with_cdr3("H", "ARWGGDGFYHMDY"), chain_with_cdr3("K", "QQYNSYPLT")
    few = [peptide(light[-n:], f"{n}") for n in (18, 19, 20)]
    assert [d.locus for d in built([*tiles(heavy), *few]).drafts] == ["H", "K"]
    assert [d.locus for d in built(tiles(heavy)).drafts] == ["H"]


def test_a_light_chain_that_few_of_many_reads_resemble_is_none() -> None:
    heavy, light = chain_with_cdr3("H", "ARWGGDGFYHMDY"), chain_with_cdr3("K", "QQYNSYPLT")
    few = [peptide(light[-n:], f"{n}") for n in (18, 19, 20)]
    many = tiles(heavy) * 400
    assert [d.locus for d in built([*many, *few]).drafts] == ["H"]


def test_a_chain_beside_many_reads_of_another_protein_is_one() -> None:
    heavy, other = chain_with_cdr3("H", "ARWGGDGFYHMDY"), "MKWHTPQNDERFLVHSGAYCPKELNQWDMTHR"
    reads = [*tiles(heavy), *tiles(other) * 2000]
    placed = place(reads, Sure(), [("other", other)])
    assert [d.locus for d in placed.drafts] == ["H"]
    assert placed.populations[0].share < 0.005


def test_a_further_chain_has_its_share_of_the_reads() -> None:
    main, other = (
        tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY")),
        tiles(other_heavy("ARDYGSSYFDY")[:96]),
    )
    many = main * 10
    assert len(built([*many, *other]).drafts) == 2
    many = main * 400
    assert len(built([*many, *other]).drafts) == 1


def test_one_chain_of_each_locus_is_a_serum_by_many_places_only() -> None:
    heavy, kappa = (germline_draft(locus) for locus in "HK")
    few = [Population(name, 0.5, Runs(60, 30, 3), Runs()) for name in ("heavy", "kappa")]
    assert not is_serum(few, [heavy, kappa])
    assert is_serum([replace(p, confident=Runs(60, 30, 8)) for p in few], [heavy, kappa])
    assert is_serum(few, [heavy, heavy])
    # Misread peptides of one chain, whose confidences are all high, make no serum.
    mixed = [replace(few[0], confident=Runs(200, 50, 24)), replace(few[1], confident=Runs(9, 8, 9))]
    assert not is_serum(mixed, [heavy, kappa])


@pytest.mark.parametrize(
    ("confident", "likely", "serum"),
    [
        (Runs(), Runs(60, 40, 8), True),
        (Runs(), Runs(60, 29, 8), False),  # of one antibody: so many are misread
        (Runs(60, 10, 8), Runs(90, 80, 8), False),  # confident ones are enough to tell
        (Runs(), Runs(8, 8, 2), False),
    ],
)
def test_a_serum_is_told_by_likely_runs_if_hardly_any_is_confident(
    confident: Runs, likely: Runs, serum: bool
) -> None:
    chains = [germline_draft("H"), germline_draft("H")]
    assert is_serum([Population("heavy", 0.5, confident, likely)] * 2, chains) == serum


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
    assembly = Assembly.of(reads, [draft])
    assert len(np.unique(assembly.placements.alignment.read)) == len(loops)
    (found,) = populations(assembly, ["heavy"])
    assert (found.confident.others > 0.5 * max(found.confident.n, 1)) == differ
    assert (found.confident.n > 0) == (len(loops) > 3)


def test_runs_of_reads_are_confident_or_likely_by_their_least_probable_residue() -> None:
    draft = draft_from(DOMAIN)
    for probability, confident, likely in (
        (0.95, True, True),
        (0.5, False, True),
        (0.3, False, False),
    ):
        reads = read_set(*(DOMAIN[i:50] for i in range(6, 12)), probability=probability)
        assembly = Assembly.of(replace(reads, least=0.0), [draft])
        (found,) = populations(assembly, ["heavy"])
        assert (found.confident.n > 0, found.likely.n > 0) == (confident, likely)


def test_two_heavy_chains_keep_their_cdr3s() -> None:
    one, other = chain_with_cdr3("H", "ARWGGDGFYHMDY"), other_heavy("AKHWPSSKYESSLDV")
    placed = built(tiles(one) + tiles(other) + tiles(other[2:]))
    assert placed.names == ("heavy", "heavy_2")
    found = {decode(d.tokens)[:110] for d in placed.drafts}
    assert found == {chain.replace("I", "L")[:110] for chain in (one, other)}


def test_shared_reads_go_with_the_abundance_of_chains() -> None:
    one, other = chain_with_cdr3("H", "ARWGGDGFYHMDY"), other_heavy("AKHWPSSKYESSLDV")
    rare = tiles(other, step=3)
    placed = built([*tiles(one), *(rare * 5)])
    shares = {p.name: p.share for p in placed.populations}
    assert sum(shares.values()) == pytest.approx(1.0)
    found = dict(zip(placed.names, placed.drafts, strict=True))
    frequent = next(n for n, d in found.items() if decode(d.tokens)[:9] == other[:9])
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


@pytest.mark.parametrize(
    ("between", "said"),
    [
        ("GGGGSGGGGSGGGGS", True),
        ("GSTSGSGKPGSGEGSTKG", True),
        ("GGGG", False),
        ("GGGGSWHMWHGGGGS", False),
    ],
)
def test_a_linker_between_two_v_domains_is_told(
    between: str, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The domains of an scFv come as two chains; one read may show what joins them."""
    heavy, kappa = (
        chain_with_cdr3("H", "ARWGGDGFYHMDY", False),
        chain_with_cdr3("K", "QQWHSFPWT", False),
    )
    placed = built([*tiles(heavy), *tiles(kappa), peptide(heavy[-6:] + between + kappa[:6])])
    assert set(placed.names) == {"heavy", "kappa"}
    told = f"1 read shows {between} between the V domains of 'heavy' and 'kappa', as in an scFv"
    assert (told in caplog.text) is said
    assert said or "as in an scFv" not in caplog.text


@pytest.mark.parametrize("between", ["GGGGSGGGGSGGGGS", "RGGGGSGGGGSGGGGS"])
def test_a_linker_behind_a_kappa_domain_may_begin_with_the_r_of_its_constant_region(
    between: str, caplog: pytest.LogCaptureFixture
) -> None:
    heavy = chain_with_cdr3("H", "ARWGGDGFYHMDY", False)
    kappa = chain_with_cdr3("K", "QQWHSFPWT", False)
    built([*tiles(heavy), *tiles(kappa), peptide(kappa[-6:] + between + heavy[:6])])
    assert f"{between} between the V domains of 'kappa' and 'heavy'" in caplog.text


def test_the_order_of_reads_does_not_matter() -> None:
    reads = tiles(chain_with_cdr3("H", "ARWGGDGFYHMDY"))
    one, other = built(reads), built(reads[::-1])
    assert np.array_equal(one.drafts[0].tokens, other.drafts[0].tokens)


def test_nothing_is_made_of_no_reads() -> None:
    placed = built([peptide("WWHKPWWHKP")])
    assert placed.names == () and placed.rows[0].placed_as == "fits no chain"
    nothing = build(Assembly.of(placed.reads, []), np.zeros(len(v_segments().names)))
    assert nothing.drafts == []


@pytest.mark.parametrize("residues", [(), ("EVQ",), ("EVQL", "GGL")])
def test_nothing_is_made_of_reads_shorter_than_a_word(residues: tuple[str, ...]) -> None:
    placed = built([peptide(r) for r in residues])
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
