"""Where a read fits on a text, and where it does not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lacuna.core.alphabet import RESIDUES, encode, merge_il
from lacuna.placing.aligning.align import MIN_SCORE, align
from lacuna.placing.aligning.alignment import BLOCK, INSERTED, MATCH, OTHER_BLOCK
from lacuna.placing.aligning.memory import Memory
from lacuna.placing.aligning.readset import collapse
from lacuna.placing.aligning.seeds import diagonals
from lacuna.placing.place import place
from lacuna.placing.votes.chance import least_score
from lacuna.placing.votes.draft import protein_of
from lacuna.placing.votes.placement import Assembly, of_one_locus, place_on, place_on_text, text_of
from lacuna.reads.read import Read
from reads import TEXT, Mixed, Sure, built, chain_with_cdr3, peptide, read_set, tiles


def laid_on(text: str, *residues: str, modifications: Any = ()) -> Any:
    reads = read_set(*residues, modifications=modifications)
    tokens = merge_il(encode(text))
    return align(reads, *diagonals(reads, tokens, np.zeros(len(tokens), int)), tokens)


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


def test_a_read_that_fits_two_places_of_a_chain_lies_where_it_is_like_germline() -> None:
    """The first place was made like the second by misread peptides."""
    run, own = "SASFLYSGV", "RASQSLSSY"
    chain = protein_of(f"TLTC{run}LAWYQQKPGKAPKLLLY{run}PSRF")
    germline = merge_il(encode(f"TLTC{own}LAWYQQKPGKAPKLLLY{run}PSRF"))
    draft = replace(chain, germline=germline)
    assert place_on(read_set(run), [draft]).alignment.span.tolist() == [[30, 39]]
    # One that fits better where it is unlike germline lies there all the same.
    assert place_on(read_set(f"TC{run}"), [draft]).alignment.span.tolist() == [[2, 13]]


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
    placed = built(reads)
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
    assert built(reads).names == names


def test_reads_of_other_proteins_are_no_chain() -> None:
    trypsin = "IVGGYTCGANTVPYQVSLNSGYHFCGGSLINSQWVVSAAHCYKSGIQVRLGEDNINVVEGNEQFISASKSIVHPSYN"
    reads = [replace(r, name=f"{i}-{r.name}") for i in range(3) for r in tiles(trypsin[i:])]
    assert built(reads).names == ()


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


def test_cores_must_be_better_where_many_reads_agree_by_chance() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    rng = np.random.default_rng(1)
    foreign = [peptide("".join(rng.choice(list(RESIDUES), 14)), f"f{i}") for i in range(6000)]

    def least(*reads: Read, probability: float = 0.95) -> float:
        found = collapse(reads, Sure(probability).probabilities(reads))
        return least_score(Assembly.of(found, [protein_of(chain)]))

    assert least(*tiles(chain)) == MIN_SCORE
    # Five unsure residues are no better than many by chance, but agree with no chain backwards.
    assert least(*tiles(chain, length=5, step=1), probability=0.8) == MIN_SCORE
    assert least(*tiles(chain), *foreign) > MIN_SCORE


def test_a_short_core_beside_long_sure_ends_is_of_another_protein() -> None:
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    core = chain[60:66]
    other = peptide(f"WHMKWCF{core}FCWHKMW", "other")
    end = peptide(f"WHM{chain[63:75]}", "end")
    rows = {row.read: row for row in built([*tiles(chain), other, end]).rows}
    assert rows["other"].placed_as == "fits no chain"
    assert (rows["end"].chain, rows["end"].placed_as) == ("heavy", "core")
    # If the ends may be wrong, the core is all that can be judged by.
    doubtful = Mixed({"other": [0.3] * 7 + [0.95] * 6 + [0.3] * 7})
    rows = {row.read: row for row in place([*tiles(chain), other], doubtful).rows}
    assert rows["other"].chain == "heavy"
