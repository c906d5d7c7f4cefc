"""Columns of chains: whole, with gaps, cut off, with other residues around, and of other proteins.

Chains are made from germline segments, so the right columns are known without any numbering.
"""

import random
from dataclasses import dataclass

import immunum
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import rank
from lacuna.antibody.constant_region import diagonal_identity
from lacuna.antibody.germline_fit import is_fr3_open
from lacuna.antibody.germlines import LOCI, SPECIES, constants, j_segments, v_segments
from lacuna.antibody.imgt import (
    CONSTANT,
    CYS104,
    FR4_LAST,
    FR4_START,
    OCCUPIED,
    OTHER_INSERTION,
    OUTSIDE,
    cdr3_codes,
)
from lacuna.antibody.numbering import _likely_locus, _number, number_chain
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode

LINKER = "GGGGSGGGGSGGGGS"
LEADER = "MGWSCIILFLVATATGVHS"
CARBONIC_ANHYDRASE_2 = (
    "MSHHWGYGKHNGPEHWHKDFPIAKGERQSPVDIDTHTAKYDPSLKPLSVSYDQATSLRILNNGHAFNVEFDDSQDKAVLKGGPLDGTYRL"
    "IQFHFHWGSLDGQGSEHTVDKKKYAAELHLVHWNTKYGDFGKAVQQPDGLAVLGIFLKVGSAKPGLQKVVDVLDSIKTKGKSADFTNFDP"
    "RGLLPESLDYWTYPGSLTTPPLLECVTWIVLKEPISVSSEQVLKFRKLNFNGEGEPEELMVDNWRPAQPLKNRQIKASFK"
)
T_CELL_RECEPTOR_BETA = (
    "NAGVTQTPKFQVLKTGQSMTLQCAQDMNHEYMSWYRQDPGMGLRLIHYSVGAGITDQGEVPNGYNVSRSTTEDFPLRLLSAAPSQTSVYFC"
    "ASSYVGNTGELFFGEGSRLTVL"
)


@dataclass(frozen=True)
class Domain:
    """A V domain whose columns are known."""

    sequence: str
    columns: list[int]
    locus: str


def domain(v: int, j: int, cdr3: str = "ARDYGSSYFD") -> Domain:
    """V up to Cys104, a CDR3, and FR4 of a J segment; v, j: indices of bundled segments."""
    locus = LOCI[v_segments().locus[v]]
    columns = [c for c in range(1, CYS104 + 1) if v_segments().tokens[v, c] != ABSENT]
    fr4 = list(range(FR4_START, FR4_LAST[locus] + 1))
    fr4 = [c for c in fr4 if j_segments().tokens[j, c] != ABSENT]
    sequence = decode(v_segments().tokens[v, columns]) + cdr3 + decode(j_segments().tokens[j, fr4])
    return Domain(sequence, columns + cdr3_codes(len(cdr3)) + fr4, locus)


def named(v: str, j: str, cdr3: str = "ARDYGSSYFD") -> Domain:
    return domain(v_segments().names.index(v), j_segments().names.index(j), cdr3)


HEAVY = named("IGHV3-23*01", "IGHJ4*02")
KAPPA = named("IGKV1-33*01", "IGKJ1*01", "QQYDNLPLT")
LAMBDA = named("IGLV2-14*01", "IGLJ2*01", "SSYTSSSTLV")
HUMAN = {"H": HEAVY, "K": KAPPA, "L": LAMBDA}


def constant(name: str) -> int:
    return next(i for i, c in enumerate(constants()) if c.species == "human" and c.name == name)


def hide(sequence: str, start: int, length: int) -> str:
    return sequence[:start] + "X" * length + sequence[start + length :]


@st.composite
def domains(draw: st.DrawFn) -> Domain:
    """A domain of any species and locus, of a segment with all framework residues of its locus."""
    v = v_segments()
    cdrs = [*range(27, 39), *range(56, 66)]
    usual = np.zeros(len(v.names), dtype=bool)
    for i, kind in enumerate(LOCI):
        framework = [c for c in OCCUPIED[kind] if c not in cdrs]
        usual |= (v.locus == i) & (v.tokens[:, framework] != ABSENT).all(1)
    assert usual.mean() > 0.8
    usual = np.flatnonzero(usual)
    i = int(draw(st.sampled_from(usual.tolist())))
    j = j_segments()
    last = FR4_LAST[LOCI[v.locus[i]]]
    fits = np.flatnonzero((j.locus == v.locus[i]) & (j.tokens[:, last] != ABSENT))
    cdr3 = draw(st.text("ADEFGHKLNPRSTVY", min_size=5, max_size=20))
    return domain(i, int(draw(st.sampled_from(fits.tolist()))), cdr3)


# --- whole domains -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("v", "j", "locus"),
    [
        ("IGHV3-23*01", "IGHJ4*02", "H"),
        ("IGHV1-18*01", "IGHJ6*02", "H"),
        ("IGHV4-34*01", "IGHJ1*01", "H"),
        ("IGKV3-20*01", "IGKJ2*01", "K"),
        ("IGLV3-21*01", "IGLJ1*01", "L"),
        ("IGHV1S45*01", "IGHJ3*01", "H"),  # rabbit
        ("IGHV3-3*01", "IGHJ4*01", "H"),  # alpaca: a VHH
        ("IGKV10-96*01", "IGKJ1*01", "K"),  # mouse
    ],
)
def test_whole_domains_stand_on_the_columns_of_their_segments(v: str, j: str, locus: str) -> None:
    chain = named(v, j)
    numbering = number_chain(chain.sequence)
    assert numbering.locus == locus
    assert numbering.columns.tolist() == chain.columns
    assert numbering.constant is None and numbering.constant_start is None
    assert numbering.columns.dtype == np.uint8


@given(domains(), st.integers(1, 10), st.integers(0, 2**16))
def test_a_short_gap_anywhere_keeps_the_columns(chain: Domain, length: int, at: int) -> None:
    gapped = hide(chain.sequence, at % (len(chain.sequence) - length + 1), length)
    numbering = number_chain(gapped)
    assert (numbering.locus, numbering.columns.tolist()) == (chain.locus, chain.columns)


# --- FR3 of rabbit heavy chains -------------------------------------------------------------------


def short_cdr2(chain: Domain) -> Domain:
    """The same chain, but with a CDR2 that is a residue shorter than that of its segment."""
    at = chain.columns.index(60)
    columns = chain.columns[:at] + chain.columns[at + 1 :]
    return Domain(chain.sequence[:at] + chain.sequence[at + 1 :], columns, chain.locus)


def rabbit(v: str) -> Domain:
    """A rabbit heavy chain; some names are those of other species' segments too."""
    segments = v_segments()
    of_rabbit = segments.species == SPECIES.index("rabbit")
    at = next(i for i in np.flatnonzero(of_rabbit) if segments.names[i] == v)
    return domain(int(at), j_segments().names.index("IGHJ4*01"), "ARDLAGVGIWNFN")


RABBITS = [rabbit(f"IGHV1S{n}*01") for n in (40, 44, 45)]
RABBITS += [short_cdr2(RABBITS[0]), short_cdr2(RABBITS[2])]


@pytest.mark.parametrize("chain", RABBITS)
def test_a_gap_in_a_short_fr3_keeps_the_columns(chain: Domain) -> None:
    assert 80 not in chain.columns and 79 in chain.columns
    first, last = chain.columns.index(62 + (62 not in chain.columns)), chain.columns.index(81)
    assert number_chain(chain.sequence).columns.tolist() == chain.columns
    for length in (6, 10, 14):
        for at in range(first, last - length + 1):
            assert number_chain(hide(chain.sequence, at, length)).columns.tolist() == chain.columns


def test_the_place_of_a_short_fr3_is_that_of_the_segments() -> None:
    # SRTSSTTVT: 79 and 80 both may be left out of T-S-S-T-T.
    chain = rabbit("IGHV1S45*01")
    at = chain.sequence.index("SKTSSTTVT")
    changed = chain.sequence[:at] + "SRTSSTTVT" + chain.sequence[at + 9 :]
    assert number_chain(changed).columns.tolist() == chain.columns


def test_only_segments_like_the_chain_say_that_fr3_may_be_short() -> None:
    for chain, expected in ((HEAVY, False), (RABBITS[0], True)):
        gapped = hide(chain.sequence, chain.columns.index(66), 6)
        tokens, columns = encode(gapped), np.array(chain.columns, dtype=np.uint8)
        assert is_fr3_open(tokens, columns, "H") is False
        moved = columns.copy()
        span = slice(chain.columns.index(66), chain.columns.index(81))
        moved[span] = [*range(66, 73), *range(74, 81)][-len(moved[span]) :]
        if expected:
            assert is_fr3_open(tokens, moved, "H") is True
            assert is_fr3_open(encode(chain.sequence), moved, "H") is False  # nothing is hidden


# --- gaps anywhere --------------------------------------------------------------------------------


@given(domains(), st.sets(st.integers(0, 99), min_size=1, max_size=10))
def test_scattered_missing_residues_keep_the_columns(chain: Domain, missing: set[int]) -> None:
    gapped = "".join("X" if i in missing else c for i, c in enumerate(chain.sequence))
    numbering = number_chain(gapped)
    assert (numbering.locus, numbering.columns.tolist()) == (chain.locus, chain.columns)


@pytest.mark.parametrize("j", range(len(j_segments().names)))
def test_a_domain_goes_on_to_its_constant_region(j: int) -> None:
    """Also if J ends like none that immunum knows, as LTVT of rabbits does."""
    locus = j_segments().locus[j]
    whole = domain(int(np.flatnonzero(v_segments().locus == locus)[0]), j)
    if whole.columns[-1] < FR4_LAST[whole.locus]:
        return  # the segment is cut off, and a residue of the constant region may end it
    kinds = {"H": "IGHG1*01", "K": "IGKC*01", "L": "IGLC2*01"}
    tail = constants()[constant(kinds[whole.locus])].sequence.replace("X", "G")
    columns = number_chain(whole.sequence + tail).columns.tolist()
    assert columns == whole.columns + [CONSTANT] * len(tail)


@given(domains(), st.integers(0, 60), st.integers(0, 2**16), st.booleans(), st.booleans())
def test_columns_rise_along_every_domain(
    chain: Domain, length: int, at: int, leader: bool, with_c: bool
) -> None:
    kinds = {"H": "IGHG1*01", "K": "IGKC*01", "L": "IGLC2*01"}
    tail = constants()[constant(kinds[chain.locus])].sequence.replace("X", "G") if with_c else ""
    sequence = LEADER * leader + chain.sequence + tail
    columns = number_chain(hide(sequence, at % len(sequence), length)[: len(sequence)]).columns
    v = [rank(int(c)) for c in columns if 0 < c < CONSTANT and c != OTHER_INSERTION]
    assert v == sorted(set(v))
    kinds_in_order = ["v" if c < CONSTANT else "C" if c == CONSTANT else "o" for c in columns]
    assert "".join(dict.fromkeys(kinds_in_order)) in {"v", "ov", "vC", "ovC", "vo", "C", "oC", "o"}
    assert (columns > 0).all()


@pytest.mark.parametrize("letter", "XBJZ")
def test_an_ambiguous_letter_is_a_missing_residue(letter: str) -> None:
    whole = {"X": RESIDUES, "B": "DN", "J": "IL", "Z": "EQ"}[letter]
    ambiguous = "".join(letter if c in whole[:2] else c for c in HEAVY.sequence)
    assert number_chain(ambiguous).columns.tolist() == HEAVY.columns


# --- long gaps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("locus", LOCI)
@pytest.mark.parametrize("length", [15, 20, 25, 30, 35, 40])
def test_a_long_gap_anywhere_in_v_keeps_locus_and_columns(locus: str, length: int) -> None:
    """A gap over both CDR1 and CDR2 leaves their lengths open, so it may go wrong there."""
    chain = HUMAN[locus]
    wrong = []
    for start in range(0, 90 - length):
        numbering = number_chain(hide(chain.sequence, start, length))
        assert numbering.locus == locus, start
        both = start < 38 and start + length > 50
        if not both and numbering.columns.tolist() != chain.columns:
            wrong.append(start)
    assert wrong == []


@pytest.mark.parametrize(
    "gapped",
    [
        "SYELTQPXXXXXXXXXXXXXXXSGDKLGDKYACWYQQKPGQSPVLVIYQDTKRPSGIPERFSGSNSGNTATLTISGTQAMDEADYYCQAWDSSTY"
        "VFGTGTKVTVL",
        "QIVLSQSPAIMXXXXXXXXXXXXXXXSSVSYMHWYQQKSGTSPKRWIYDTSKLASGVPARFSGSGSGTSYSLTISSMEAEDAATYYCQQWSSNPP"
        "TFGGGTKLEIK",
        "QVQLVESGGXXXXXXXXXXXXXXXSGSTYAMGWYRQSPGKQRELVATIFRTGGTTIYADSVKGRFTISRDNAKNTVYLQMNSLKPEDTAVYYCNS"
        "RSRGADSWGQGTQVTVSS",
        "DIQMTQSPSSLSASVXXXXXXXXXXXXXXXWYQQRRGKAPKLLIYDGSKLERGVPSRFSGRRWGQEYNLTINNLQPEDIATYFCQVYEFVVPGTR"
        "LDLKRTVAAPSVFIFPPSDEQLKSGTASVVCLLNN",
    ],
    ids=["lambda", "kappa", "vhh_short_cdr1", "kappa_two_residue_cdr1"],
)
def test_a_gap_near_the_n_terminus_does_not_move_the_start(gapped: str) -> None:
    """immunum starts each of these at column 18, 20 or 27 and calls residues insertions."""
    columns = number_chain(gapped).columns
    start = gapped.index("X")
    skips_10 = [c for c in range(1, 40) if c != 10]
    expected = skips_10 if gapped.startswith(("SYEL", "QVQL")) else list(range(1, 40))
    assert columns[:start].tolist() == expected[:start]
    assert OTHER_INSERTION not in columns
    assert columns[gapped.index("WY")] == 41


def test_fr4_lies_before_the_constant_region_even_where_a_gap_hides_both_ends() -> None:
    kappa = constants()[constant("IGKC*01")].sequence
    whole = KAPPA.sequence + kappa
    start = len(KAPPA.sequence)
    numbering = number_chain(hide(whole, start - 14, 14 + 6))
    assert numbering.columns[:start].tolist() == KAPPA.columns
    assert (numbering.columns[start:] == CONSTANT).all()
    assert numbering.constant_start == start


# --- constant regions, and what surrounds a domain -----------------------------------------------


@pytest.mark.parametrize("locus", LOCI)
def test_a_constant_region_follows_its_domain(locus: str) -> None:
    chain = HUMAN[locus]
    c = constant({"H": "IGHG1*01", "K": "IGKC*01", "L": "IGLC2*01"}[locus])
    numbering = number_chain(chain.sequence + constants()[c].sequence)
    start = len(chain.sequence)
    assert numbering.columns[:start].tolist() == chain.columns
    assert (numbering.columns[start:] == CONSTANT).all()
    assert numbering.constant_start == start
    assert numbering.constant is not None
    assert constants()[numbering.constant].name.startswith(constants()[c].name[:4])


@pytest.mark.parametrize("cut", [0, 25])
def test_a_constant_region_alone_tells_the_locus(cut: int) -> None:
    for i, c in enumerate(constants()):
        numbering = number_chain(c.sequence[cut:])
        assert numbering.locus == c.locus, c.name
        assert (numbering.columns == CONSTANT).all(), c.name
        assert numbering.constant_start == -cut
        found = constants()[numbering.constant if numbering.constant is not None else i]
        assert found.sequence[cut:].startswith(c.sequence[cut : cut + 20].strip("X")) or cut == 0


def test_missing_residues_after_the_constant_region_are_outside() -> None:
    sequence = KAPPA.sequence + constants()[constant("IGKC*01")].sequence
    columns = number_chain(sequence + "XXXX").columns
    assert columns[len(sequence) :].tolist() == [OUTSIDE] * 4


@pytest.mark.parametrize("gap", [0, 12, 30])
def test_a_leader_is_outside_and_a_gap_after_it_reaches_back_to_column_one(gap: int) -> None:
    numbering = number_chain(LEADER + hide(HEAVY.sequence, 0, gap))
    assert numbering.columns[: len(LEADER)].tolist() == [OUTSIDE] * len(LEADER)
    assert numbering.columns[len(LEADER) :].tolist() == HEAVY.columns


@given(domains(), st.integers(0, 15), st.integers(0, 90))
def test_the_profile_of_the_likely_locus_numbers_as_the_best_of_all_does(
    chain: Domain, length: int, at: int
) -> None:
    sequence = hide(chain.sequence, at, length)
    best = immunum.Annotator(["ig"], "imgt", min_confidence=0.0).number(sequence)
    assert _likely_locus(sequence) in (chain.locus, "")
    assert _number(sequence) == best


def test_words_of_two_loci_and_of_none_tell_no_locus() -> None:
    assert {d.locus: _likely_locus(d.sequence) for d in HUMAN.values()} == {x: x for x in LOCI}
    assert not _likely_locus(HEAVY.sequence + LINKER + KAPPA.sequence)
    assert not _likely_locus("ACDEFGHIKLMNPQRSTVWY" * 5)
    assert not _likely_locus("")


@pytest.mark.parametrize("first", ["H", "K"])
def test_of_a_single_chain_fv_one_domain_is_numbered(first: str) -> None:
    one, two = (HEAVY, KAPPA) if first == "H" else (KAPPA, HEAVY)
    numbering = number_chain(one.sequence + LINKER + two.sequence)
    outside = [OUTSIDE] * len(LINKER)
    if numbering.locus == one.locus:
        expected = one.columns + outside + [OUTSIDE] * len(two.columns)
    else:
        expected = [OUTSIDE] * len(one.columns) + outside + two.columns
    assert numbering.columns.tolist() == expected
    assert numbering.constant is None


# --- several V domains ---------------------------------------------------------------------------

HINGE_AND_FC = constants()[constant("IGHG1*01")].sequence[98:]


def parts_of(sequence: str) -> list[tuple[str, str, list[int]]]:
    """Residues, locus and columns of each part of a chain."""
    parts = number_parts(sequence)
    ends = [*(part.start for part in parts[1:]), len(sequence)]
    return [
        (sequence[part.start : end], part.numbering.locus, part.numbering.columns.tolist())
        for part, end in zip(parts, ends, strict=True)
    ]


@pytest.mark.parametrize("linker", ["", "GGGGS", LINKER, "GSTSGSGKPGSGEGSTKG"])
@pytest.mark.parametrize("loci", ["HK", "LH", "HH", "KK", "HLHK"])
def test_every_domain_of_a_chain_is_numbered(loci: str, linker: str) -> None:
    domains = [HUMAN[locus] for locus in loci]
    found = parts_of(linker.join(d.sequence for d in domains))
    outside = [OUTSIDE] * len(linker)
    expected = [(domains[0].sequence, loci[0], domains[0].columns)]
    expected += [(linker + d.sequence, d.locus, outside + d.columns) for d in domains[1:]]
    assert found == expected


@given(domains(), domains(), st.integers(0, 20), st.integers(1, 15), st.integers(0, 2**16))
def test_a_gap_anywhere_leaves_a_chain_of_two_domains_in_two_parts(
    one: Domain, two: Domain, linker: int, length: int, at: int
) -> None:
    whole = one.sequence + ("GGGGS" * 4)[:linker] + two.sequence
    sequence = hide(whole, at % (len(whole) - length), length)
    parts = number_parts(sequence)
    assert [part.numbering.locus for part in parts] == [one.locus, two.locus]
    assert len(one.sequence) - 3 <= parts[1].start <= len(one.sequence) + linker + 3
    assert sum(len(part.numbering.columns) for part in parts) == len(sequence)


def test_constant_regions_stay_with_their_domains_and_an_fc_is_a_part() -> None:
    region = constants()[constant("IGHG1*01")].sequence
    bispecific = parts_of(HEAVY.sequence + region + LINKER + KAPPA.sequence)
    assert [part[0] for part in bispecific] == [HEAVY.sequence + region, LINKER + KAPPA.sequence]
    fused = number_parts(HEAVY.sequence + LINKER + KAPPA.sequence + HINGE_AND_FC)
    assert [part.numbering.locus for part in fused] == ["H", "K", "H"]
    assert (fused[2].numbering.columns == CONSTANT).all()
    assert fused[2].numbering.constant_start == -98


@pytest.mark.parametrize("locus", LOCI)
def test_a_chain_of_one_domain_or_none_is_one_part(locus: str) -> None:
    regions = [c.sequence for c in constants() if c.locus == locus]
    chains = [HUMAN[locus].sequence + region for region in regions]
    for sequence in (*chains, *regions, CARBONIC_ANHYDRASE_2, "X" * 300, "G" * 300, ""):
        (part,) = number_parts(sequence)
        one = number_chain(sequence)
        assert part.start == 0 and part.numbering.locus == one.locus
        assert part.numbering.columns.tolist() == one.columns.tolist()


# --- chains that are cut off ---------------------------------------------------------------------


@pytest.mark.parametrize("locus", LOCI)
@pytest.mark.parametrize("cut", [1, 8, 21, 28, 42, 70])
def test_a_chain_without_its_start_keeps_the_columns_of_the_rest(locus: str, cut: int) -> None:
    chain = HUMAN[locus]
    numbering = number_chain(chain.sequence[cut:])
    assert numbering.locus == locus
    assert numbering.columns.tolist() == chain.columns[cut:]


@pytest.mark.parametrize("locus", LOCI)
@pytest.mark.parametrize("end", [30, 45, 62, 80, 90, 92, -3, -9])
def test_a_chain_without_its_end_keeps_the_columns_of_the_rest(locus: str, end: int) -> None:
    """If it ends within CDR3, the columns continue from 105, since its length is unknown."""
    chain = HUMAN[locus]
    numbering = number_chain(chain.sequence[:end])
    last_v = chain.columns.index(CYS104)
    expected = chain.columns[: len(chain.sequence[:end])]
    for i in range(last_v + 1, len(expected)):
        if end > 0:
            expected[i] = CYS104 + i - last_v
    assert numbering.locus == locus
    assert numbering.columns.tolist() == expected


@pytest.mark.parametrize("kept", [5, 11, 14])
def test_what_is_left_of_a_domain_before_a_constant_region_is_counted_from_its_end(
    kept: int,
) -> None:
    sequence = HEAVY.sequence[-kept:] + constants()[constant("IGHG1*01")].sequence
    columns = number_chain(sequence).columns
    assert columns[:kept].tolist() == list(range(129 - kept, 129))
    assert (columns[kept:] == CONSTANT).all()


def test_a_cdr3_that_is_too_long_to_be_numbered_has_no_fr4_within() -> None:
    """The heavy chain of BLV1H12, an antibody of cattle."""
    v = (
        "QVQLRESGPSLVKPSQTLSLTCTASGFSLSDKAVGWVRQAPGKALEWLGSIDTGGNTGYNPGLKSRLSITKDNSKSQVSLSVSSVTTEDSA"
        "TYYC"
    )
    loop = "TSVHQETKKYQSCPDGYRERSDCSNRPACGTSDCCRVSVFGNCLTTLPVSYSYTYNYEWHVDV"
    chain = v + loop + "WGQGLLVTVSS"
    for sequence in (chain, hide(chain, 120, 5), chain[:-4]):
        numbering = number_chain(sequence)
        assert numbering.locus == "H"
        columns = numbering.columns[len(v) - 1 :].tolist()
        assert columns == [*range(CYS104, 112), *[OUTSIDE] * (len(sequence) - len(v) - 7)]


# --- proteins that are not antibodies ------------------------------------------------------------


@pytest.mark.parametrize(
    "sequence",
    [
        "",
        "A",
        "X",
        "X" * 130,
        "A" * 130,
        LINKER * 8,
        CARBONIC_ANHYDRASE_2,
        hide(CARBONIC_ANHYDRASE_2, 80, 40),
        T_CELL_RECEPTOR_BETA,
        HEAVY.sequence[:12],
    ],
    ids=["empty", "one", "one X", "X", "A", "linker", "CA2", "CA2 gap", "TCR", "12 residues"],
)
def test_what_is_no_antibody_is_outside(sequence: str) -> None:
    numbering = number_chain(sequence)
    assert numbering.locus == ""
    assert numbering.columns.tolist() == [OUTSIDE] * len(sequence)
    assert numbering.constant is None and numbering.constant_start is None


def test_shuffled_and_reversed_antibodies_are_no_antibodies() -> None:
    rng = random.Random(0)
    found = []
    for chain in HUMAN.values():
        for gap in (0, 20):
            backwards = hide(chain.sequence[::-1], 40, gap)
            shuffled = ["".join(rng.sample(chain.sequence, len(chain.sequence))) for _ in range(20)]
            found += [number_chain(s).locus for s in [backwards, *shuffled]]
    assert set(found) == {""}


def test_a_letter_of_no_alphabet_is_an_error() -> None:
    with pytest.raises(ValueError, match="'O' at position 3"):
        number_chain("EVO")


def test_identity_on_a_diagonal_counts_known_residues_alone() -> None:
    chain, template = np.array([0, 1, 20, 3, 4]), np.array([1, 2, 3, 9])
    assert diagonal_identity(chain, template, 1) == (2, 3)  # 1 = 1, 20 is missing, 3 = 3, 4 != 9
    assert diagonal_identity(chain, template, -1) == (0, 2)
    assert diagonal_identity(chain, template, 5) == (0, 0)
    assert diagonal_identity(chain, template, -4) == (0, 0)
