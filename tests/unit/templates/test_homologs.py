"""Homologs as templates: antibodies by IMGT columns, constant regions by offset, others aligned."""

import numpy as np
import pytest
import torch

import bundled
from chains import constant_region, germline_chain, hidden, mutated, random_protein
from conftest import Write
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, RESIDUES, encode
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import KmerSet
from lacuna.scaffolds.read import unusable_homologs
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.templates.alignment import lay_template
from lacuna.templates.homologs import Homologs, homolog_chains, index_homologs, read_homologs
from lacuna.templates.nearest import N_GERMLINE, Library, unpack_frequencies


def encode_one(
    sequence: str,
    start: int,
    end: int,
    homologs: Homologs | None,
    library: Library,
    *,
    truth: bool = False,
    max_identity: float = 0.95,
) -> KmerSet:
    gap = Gap(start, end, end - start, end - start, truth=sequence[start:end] if truth else None)
    chain = Scaffold("m", "", hidden(sequence, [(start, end)]), (gap,), 1)
    return encode_scaffolds([chain], library, homologs, max_identity=max_identity)


def under_gap(kmers: KmerSet) -> list[str]:
    """Residues of each homolog slot under the missing residues, '.' for none; a text per slot."""
    at = kmers.targets
    slots = kmers.templates[at[:, 0], N_GERMLINE:, at[:, 1]].numpy().T
    return ["".join(RESIDUES[t] if t < N_RESIDUES else "." for t in slot) for slot in slots]


def majority(kmers: KmerSet) -> str:
    at = kmers.targets
    profile = kmers.homolog_profile[at[:, 0], at[:, 1]]
    return "".join(RESIDUES[int(r)] for r in profile.argmax(1))


# --- proteins that are not antibodies ------------------------------------------------------------


def family(ancestor: str, n: int, share: float) -> list[str]:
    """Relatives with a `share` of residues changed, each with a deletion and an insertion."""
    relatives = []
    for i in range(n):
        one = mutated(ancestor, round(share * len(ancestor)), 100 + i)
        cut = 15 + 2 * i
        add = len(one) - 25 - i
        relatives.append(
            one[:cut] + one[cut + 3 :][: add - cut] + "GSGS" + one[cut + 3 :][add - cut :]
        )
    return relatives


def test_relatives_of_a_protein_are_aligned_around_their_indels(library: Library) -> None:
    ancestor = random_protein(160, 1)
    homologs = index_homologs(family(ancestor, 8, 0.2))
    kmers = encode_one(ancestor, 80, 100, homologs, library)
    found = under_gap(kmers)
    right = [sum(a == b for a, b in zip(slot, ancestor[80:100], strict=True)) for slot in found]
    assert min(right) >= 12  # 16 of 20 on average; 1 by chance
    assert majority(kmers) == ancestor[80:100]


def test_the_network_follows_relatives_of_a_protein_it_has_never_seen(library: Library) -> None:
    ancestor = random_protein(160, 2)
    right = []
    for homologs in (None, index_homologs(family(ancestor, 8, 0.15))):
        kmers = encode_one(ancestor, 70, 90, homologs, library)
        best = bundled.predictor().predict(kmers).argmax(1)
        right.append(int((best == encode(ancestor[70:90])).sum()))
    assert right[0] <= 5 and right[1] >= 14


def test_unrelated_proteins_are_no_homologs(library: Library) -> None:
    homologs = index_homologs([random_protein(160, i) for i in range(10, 30)])
    kmers = encode_one(random_protein(160, 3), 70, 90, homologs, library)
    assert under_gap(kmers) == ["." * 20] * 3
    assert (kmers.homolog_profile == 0).all()


def test_a_relative_too_alike_is_left_out_where_accuracy_is_reported(library: Library) -> None:
    target = random_protein(160, 4)
    near, far = mutated(target, 4, 1), mutated(target, 40, 2)
    homologs = index_homologs([target, near, far])
    kmers = encode_one(target, 70, 90, homologs, library, truth=True)
    assert under_gap(kmers) == [far[70:90], "." * 20, "." * 20]
    kmers = encode_one(target, 70, 90, homologs, library)
    assert under_gap(kmers) == [target[70:90], near[70:90], far[70:90]]
    kmers = encode_one(target, 70, 90, homologs, library, truth=True, max_identity=1.0)
    assert under_gap(kmers)[0] == near[70:90]


def test_a_gap_at_either_end_lies_over_the_relative(library: Library) -> None:
    target = random_protein(120, 5)
    homologs = index_homologs([mutated(target, 20, 1)])
    for start, end in ((0, 10), (110, 120)):
        found = under_gap(encode_one(target, start, end, homologs, library))[0]
        assert found == mutated(target, 20, 1)[start:end]


def test_a_relative_that_lacks_the_gap_says_nothing_of_it(library: Library) -> None:
    target = random_protein(150, 6)
    homologs = index_homologs([target[:60] + target[90:]])
    assert under_gap(encode_one(target, 66, 84, homologs, library))[0] == "." * 18


def test_a_template_is_laid_residue_by_residue() -> None:
    target = "MKTAYIAKQRQISFVKSHFSRQ"
    np.testing.assert_array_equal(lay_template(target, target), encode(target))
    masked = target[:5] + "XXXX" + target[9:]
    np.testing.assert_array_equal(lay_template(masked, target), encode(target))
    shorter = lay_template(target, target[:8] + target[11:])
    assert (shorter == ABSENT).sum() == 3
    kept = shorter != ABSENT
    np.testing.assert_array_equal(shorter[kept], encode(target)[kept])


def test_what_a_template_lacks_itself_is_absent() -> None:
    row = lay_template("MKTAYIAKQRQISF", "MKTAYXAKBRQISF")
    assert (row[[5, 8]] == ABSENT).all() and (row != MISSING).all()


# --- antibodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("locus", ["H", "K", "L"])
def test_antibodies_meet_on_columns_whatever_their_cdr3(library: Library, locus: str) -> None:
    target = germline_chain(locus, 1, cdr3=10)
    relative = mutated(germline_chain(locus, 1, cdr3=17), 9, 1)
    others = [germline_chain(locus, seed) for seed in range(2, 8)]
    kmers = encode_one(target, 66, 80, index_homologs([*others, relative]), library)
    assert under_gap(kmers)[0] == relative[66:80]


def test_homologs_of_another_locus_do_not_count(library: Library) -> None:
    """A heavy chain shares a third of its residues with a light one, on the same columns."""
    loci = ("H", "K", "L")
    targets = {locus: germline_chain(locus, 1) for locus in loci}
    relatives = {locus: mutated(germline_chain(locus, 1), 9, 1) for locus in loci}
    for locus, target in targets.items():
        others = [relatives[other] for other in loci if other != locus]
        kmers = encode_one(target, 40, 50, index_homologs(others), library)
        assert under_gap(kmers) == ["." * 10] * 3
        assert (kmers.homolog_profile == 0).all()
        own = relatives[locus]
        alone = encode_one(target, 40, 50, index_homologs([own]), library)
        among = encode_one(target, 40, 50, index_homologs([*others, own]), library)
        assert under_gap(alone)[0] == own[40:50]
        assert torch.equal(alone.templates, among.templates)
        assert torch.equal(alone.homolog_profile, among.homolog_profile)


def test_constant_regions_meet_by_their_offset(library: Library) -> None:
    target = germline_chain("H", 1, cdr3=10, constant=True)
    homolog = mutated(germline_chain("H", 1, cdr3=16), 9, 1) + mutated(constant_region("H"), 60, 2)
    start = len(target) - 100
    kmers = encode_one(target, start, start + 20, index_homologs([homolog]), library)
    assert under_gap(kmers)[0] == homolog[-100:-80]


def test_a_chain_that_is_a_constant_region_alone_is_aligned(library: Library) -> None:
    fc = constant_region("H")[100:]
    own = fc[:60] + "HWWMDGA" + fc[67:]
    kmers = encode_one(own, 60, 67, index_homologs([own, germline_chain("K", 1)]), library)
    assert under_gap(kmers)[0] == majority(kmers) == "HWWMDGA"


def test_a_homolog_without_constant_region_says_nothing_of_it(library: Library) -> None:
    target = germline_chain("K", 1, constant=True)
    homolog = mutated(germline_chain("K", 1), 9, 1)
    start = len(target) - 50
    kmers = encode_one(target, start, start + 10, index_homologs([homolog]), library)
    assert under_gap(kmers)[0] == "." * 10


def test_a_constant_region_cut_off_at_its_start_keeps_its_offset() -> None:
    region = constant_region("L")
    homologs = index_homologs([region[10:], region])
    assert homologs is not None
    assert (homologs.constants[0, :10] == ABSENT).all()
    np.testing.assert_array_equal(homologs.constants[0, 10:], homologs.constants[1, 10:])
    np.testing.assert_array_equal(homologs.constants[1], encode(region))


def test_nearer_homologs_weigh_more(library: Library) -> None:
    target = germline_chain("H", 3)
    near = mutated(target[:70], 6, 1) + "W" * 6 + target[76:]
    far = [mutated(target[:70], 30, i) + "H" * 6 + target[76:] for i in (2, 3)]
    kmers = encode_one(target, 70, 76, index_homologs([*far, near]), library)
    at = kmers.targets
    profile = unpack_frequencies(kmers.homolog_profile[at[:, 0], at[:, 1]])
    assert (profile[:, RESIDUES.index("W")] > profile[:, RESIDUES.index("H")]).all()
    assert (profile[:, RESIDUES.index("H")] > 0).all()
    np.testing.assert_allclose(profile.sum(1), 1.0, atol=0.02)


@pytest.mark.parametrize("identity", [0.85, 0.95])
def test_an_antibody_too_alike_is_left_out_where_accuracy_is_reported(
    library: Library, identity: float
) -> None:
    target = germline_chain("H", 4)
    copies = {n: target[:86] + mutated(target[86:], n, n) for n in (2, 8, 25)}
    limit = 1 - identity
    chosen = [c for n, c in copies.items() if n / (len(target) - 20) > limit]
    homologs = index_homologs([target, *copies.values()])
    found = under_gap(
        encode_one(target, 60, 80, homologs, library, truth=True, max_identity=identity)
    )
    assert sum(slot != "." * 20 for slot in found) == len(chosen)


# --- reading -------------------------------------------------------------------------------------


def test_homologs_are_read_without_repeats_and_without_bad_records(write: Write) -> None:
    one, two = germline_chain("H", 1), germline_chain("K", 1)
    path = write("h.fasta.gz", f">a\n{one}\n>b\n{one.lower()}\n>c\nQVQO\n>d\n\n>e\n{two}*\n")
    homologs = read_homologs(path)
    assert homologs is not None and homologs.sequences == (one, two)


def test_the_gaps_of_an_alignment_are_no_residues(write: Write) -> None:
    one, two = germline_chain("H", 1), germline_chain("H", 2)
    rows = [f"{one[:30]}---{one[30:]}", f"--{two[:60].lower()}-\n{two[60:]}"]
    width = max(len(row.replace("\n", "")) for row in rows)
    rows = [row + "-" * (width - len(row.replace("\n", ""))) for row in rows]
    homologs = read_homologs(write("h.fasta", f">a\n{rows[0]}\n>b\n{rows[1]}\n"))
    assert homologs is not None and homologs.sequences == (one, two)


def test_points_are_gaps_whatever_the_length_of_a_homolog(write: Write) -> None:
    """As in the germline segments of IMGT; those of a mass are none."""
    one, two = germline_chain("H", 1), germline_chain("H", 2)
    rows = [f"{one[:30]}....{one[30:]}", f"{two[:32]}..{two[32:50]}\n....{two[50:]}..."]
    tagged = f"{two[:-1]}[+15.9949]{two[-1]}."
    path = write("h.fasta", f">a\n{rows[0]}\n>b\n{rows[1]}\n>c\n{tagged}\n")
    assert homolog_chains(path) == [one, two]
    assert [bad.chain for bad in unusable_homologs(path)] == ["c"]


def test_the_gaps_of_one_chain_of_a_pair_are_not_those_of_the_other(write: Write) -> None:
    heavy, light = germline_chain("H", 1), germline_chain("K", 1)
    width = len(heavy) - len(light)
    header = "sequence_aa_heavy,sequence_aa_light,locus_light"
    path = write("h.csv", f"{header}\n{heavy},{light[:30]}{'.' * width}{light[30:]},K\n")
    assert homolog_chains(path) == [heavy, light]


@pytest.mark.parametrize("others", ["", f">b\n{germline_chain('K', 1)}\n"])
def test_a_gap_of_what_is_no_alignment_is_a_missing_residue(write: Write, others: str) -> None:
    one = germline_chain("H", 1)
    homologs = read_homologs(write("h.fasta", f">a\n{one[:30]}-{one[31:]}\n{others}"))
    assert homologs is not None and homologs.sequences[0] == f"{one[:30]}X{one[31:]}"


def test_without_homologs_there_are_none(write: Write) -> None:
    assert read_homologs(None) is None
    assert index_homologs([]) is None
    assert read_homologs(write("h.fasta", ">a\nQVQO\n")) is None
