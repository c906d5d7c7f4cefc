"""Confidences of an unknown scale, corrected by reads on constant regions of the sample."""

import logging
from dataclasses import replace

import numpy as np
import pytest

from chains import constant_region, germline_chain, random_protein
from lacuna.antibody.germlines import constants
from lacuna.benchmark.simulated_reads import Reading, simulate_reads
from lacuna.core.alphabet import RESIDUES
from lacuna.placing.place import place
from lacuna.placing.sources.checked import checked_probabilities
from lacuna.reads.errors.model import load_error_models
from lacuna.reads.errors.own import MIN_READS, fit, with_own_errors
from lacuna.reads.read import Read
from reads import peptide

MODELS = load_error_models()
CONSTANT = constant_region("H")
OFTEN_WRONG = Reading(wrong_end=1.0, swapped=0.8, other_length=0.6)
HEAVY = germline_chain("H", 1, constant=True)


def sigmoid(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def simulated(stated: str, n: int = 1500, tool: str = "table") -> list[Read]:
    """Reads of a heavy chain with confidences as PEAKS has them, or on another scale."""
    reads = []
    for i, read in enumerate(simulate_reads([("H", HEAVY, 1.0)], n, 1, reading=OFTEN_WRONG)):
        letters = "".join(c for c in read.peptide if c.isalpha())
        shares = np.array(read.confidences) / 100
        if stated == "too high":
            shares = 1 - (1 - shares) ** 3
        if stated == "constant":
            shares[:] = 0.99
        reads.append(
            replace(peptide(letters, f"r{i}"), tool=tool, confidences=tuple(shares.tolist()))
        )
    return reads


def test_offset_and_slope_are_found_if_there_is_enough_to_see() -> None:
    rng = np.random.default_rng(1)
    odds = rng.normal(1.0, 2.0, 20_000)
    for offset, slope in ((-1.0, 0.5), (0.7, 1.2), (0.0, 1.0)):
        right = (rng.random(len(odds)) < sigmoid(offset + slope * odds)).astype(float)
        found = fit(odds, right, np.ones(len(odds)))
        assert np.allclose(found, (offset, slope), atol=0.1)
    assert np.allclose(fit(odds[:3], np.zeros(3), np.ones(3)), (0.0, 1.0), atol=0.6)
    # All residues of one probability, all right, or far off: nothing runs away.
    for right in (np.ones(500), np.zeros(500)):
        offset, slope = fit(np.full(500, 5.0), right, np.ones(500))
        assert abs(offset) < 6 and 0.05 <= slope <= 2.0


@pytest.mark.parametrize("stated", ["as peaks", "too high", "constant"])
def test_what_is_promised_holds_whatever_the_scale(stated: str) -> None:
    reads = simulated(stated)
    corrected, (check,) = with_own_errors(MODELS, reads, [CONSTANT])
    assert check.tool == "table"
    on_v, (again,) = with_own_errors(corrected, reads, [HEAVY[: -len(CONSTANT)]])
    assert abs(again.promised - again.right) < 0.06
    if stated == "as peaks":  # residues that are better than promised do not gain all of it
        assert again.promised < again.right
    if stated == "constant":
        assert check.promised > check.right + 0.1
        assert on_v.corrections["table"] != corrected.corrections["table"]


def of_constant(n: int, confidence: float, wrong: int) -> list[Read]:
    """Different reads of a constant region, each with so many wrong residues of 12 in front, of
    any kind."""
    reads = []
    for i in range(n):
        letters = CONSTANT[i : i + 12]
        others = (RESIDUES[RESIDUES.index(letter) - 1 - i % 19] for letter in letters[:wrong])
        front = "".join(others)
        read = replace(peptide(front + letters[wrong:], f"r{i}"), confidences=(confidence,) * 12)
        reads.append(replace(read, tool="table"))
    return reads


def after_correction(reads: list[Read]) -> tuple[float, float]:
    """Shares of residues that, after the correction, are promised to be right, and that are."""
    corrected, _ = with_own_errors(MODELS, reads, [CONSTANT])
    _, (again,) = with_own_errors(corrected, reads, [CONSTANT])
    return again.promised, again.right


def test_residues_gain_a_little_less_than_they_might_and_lose_all_that_they_should() -> None:
    promised, right = after_correction(of_constant(300, 0.6, 3))  # better than promised
    assert 0.03 < right - promised < 0.1
    promised, right = after_correction(of_constant(300, 0.99, 3))  # worse
    assert abs(right - promised) < 0.01


def test_few_reads_change_probabilities_less_than_many() -> None:
    """The residues of a read are right or wrong together: they are few observations."""
    (few, _), (many, _) = (after_correction(of_constant(n, 0.6, 0)) for n in (60, 300))
    assert 0.8 < few < 0.91 and many > 0.94


def test_a_kind_of_residue_that_is_mostly_wrong_is_believed_less() -> None:
    """That of a modification is another kind than the same letter without; N(+.98) is D."""
    reads = of_constant(300, 0.9, 0)
    oxidised = [
        replace(read, residues="W" + read.residues[1:], modifications=((0, 15.9949),))
        for read in reads
    ]
    corrected, _ = with_own_errors(MODELS, [*reads, *oxidised], [CONSTANT])
    of_kinds = corrected.corrections["table"].of_kinds
    assert of_kinds["W", 16.0] < -2 < 0 < of_kinds["W", 0.0]
    wrong, right = (
        np.array([p[0] for p in corrected.probabilities(some)]) for some in (oxidised, reads)
    )
    assert wrong.max() < 0.3 and right.min() > 0.6
    amides = [
        replace(
            read,
            residues=read.residues.replace("D", "N"),
            modifications=tuple((i, 0.98) for i, x in enumerate(read.residues) if x == "D"),
        )
        for read in reads
    ]
    again, _ = with_own_errors(MODELS, [*amides, *oxidised], [CONSTANT])
    assert again.corrections == corrected.corrections


def test_tools_with_a_model_and_tools_with_few_reads_stay_as_they_are() -> None:
    few = [r for r in simulated("constant", 60) if r.residues in HEAVY][: MIN_READS - 1]
    for reads in (few, simulated("constant", tool="peaks")):
        corrected, checks = with_own_errors(MODELS, reads, [CONSTANT])
        assert checks == [] and not corrected.corrections
        before, after = MODELS.probabilities(reads), corrected.probabilities(reads)
        assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    mixed = [*simulated("constant"), *simulated("as peaks", 200, "peaks")]
    corrected, (check,) = with_own_errors(MODELS, mixed, [CONSTANT])
    assert set(corrected.corrections) == {"table"}
    before, after = MODELS.probabilities(mixed), corrected.probabilities(mixed)
    assert np.array_equal(before[-1], after[-1]) and not np.array_equal(before[0], after[0])


def test_reads_with_a_model_of_their_own_stay_beside_others_of_the_tool() -> None:
    """PEAKS has one for confidences of residues, and none for a score of the peptide alone."""
    own = simulated("as peaks", 200, "peaks")
    scores = [replace(r, confidences=None, score=0.9) for r in simulated("constant", tool="peaks")]
    assert all(map(MODELS.has_own, own)) and not any(map(MODELS.has_own, scores))
    mixed = [*own, *scores]
    corrected, (check,) = with_own_errors(MODELS, mixed, [CONSTANT])
    assert check.tool == "peaks"
    before, after = MODELS.probabilities(mixed), corrected.probabilities(mixed)
    pairs = list(zip(before, after, strict=True))
    assert all(np.array_equal(a, b) for a, b in pairs[: len(own)])
    assert not any(np.array_equal(a, b) for a, b in pairs[len(own) :])


def test_a_sample_says_how_far_its_confidences_are_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    reads = simulated("constant")
    placed = place(reads, MODELS)
    (told,) = [r for r in caplog.records if "that cover known sequence" in r.message]
    assert told.levelno == logging.WARNING and "(table)" in told.message
    lower = placed.reads.right[placed.reads.right > 0]
    before = np.concatenate(MODELS.probabilities(reads))
    assert lower.mean() < before.mean() - 0.1


@pytest.mark.parametrize(("stated", "kept"), [("as peaks", True), ("constant", False)])
def test_the_model_of_a_tool_is_not_used_if_far_fewer_residues_are_right(
    stated: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    reads = simulated(stated, tool="peaks")
    before = np.concatenate(MODELS.probabilities(reads))
    after = np.concatenate(checked_probabilities(reads, MODELS))
    assert np.array_equal(before, after) == kept
    assert ("that cover known sequence" in caplog.text) != kept
    if not kept:
        assert after.mean() < before.mean() - 0.1
        # As if no model were known for the tool.
        others = [replace(read, tool="table") for read in reads]
        assert np.array_equal(after, np.concatenate(checked_probabilities(others, MODELS)))


def test_a_scale_so_low_that_no_run_of_residues_counts_is_corrected() -> None:
    reads = [
        replace(read, confidences=tuple(0.3 * c for c in read.confidences or ()))
        for read in simulated("as peaks", 300)
    ]
    before = np.concatenate(MODELS.probabilities(reads))
    assert np.concatenate(checked_probabilities(reads, MODELS)).mean() > before.mean() + 0.2


def test_reads_on_given_chains_are_checked_on_what_these_show(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    reads = simulated("constant")
    before = np.concatenate(MODELS.probabilities(reads))
    chain = HEAVY[:40] + "XJ" + HEAVY[42:]
    after = np.concatenate(checked_probabilities(reads, MODELS, [chain]))
    assert after.mean() < before.mean() - 0.1
    same = np.concatenate(checked_probabilities(reads, MODELS, ["X" * 100]))
    assert np.array_equal(same, before) and "too few reads (table)" in caplog.text


@pytest.mark.parametrize(
    ("stated", "said", "level"),
    [
        (0.6, "their confidences imply 0", logging.WARNING),
        (None, "without confidences it was taken to be 0", logging.INFO),
    ],
)
def test_reads_without_confidences_are_not_said_to_have_wrong_ones(
    caplog: pytest.LogCaptureFixture, stated: float | None, said: str, level: int
) -> None:
    caplog.set_level(logging.INFO)
    reads = of_constant(100, 0.6, 0)
    if stated is None:
        reads = [replace(read, confidences=None) for read in reads]
    checked_probabilities(reads, MODELS)
    (record,) = caplog.records
    assert said in record.getMessage() and record.levelno == level


@pytest.mark.parametrize("common", [8, 40])
def test_reads_are_checked_on_constant_regions_that_they_show(common: int) -> None:
    """Another protein may have a few residues in common with one."""
    kappa, other = constant_region("K"), random_protein(100, 3)
    protein = other[:50] + kappa[20 : 20 + common] + other[50:]
    spans = [(start, start + n) for start in range(38, 52) for n in range(20, 26)]
    reads = [
        replace(peptide(protein[a:b], f"{a}-{b}"), tool="table", confidences=(0.99,) * (b - a))
        for a, b in spans
    ]
    before = np.concatenate(MODELS.probabilities(reads))
    after = np.concatenate(checked_probabilities(reads, MODELS))
    assert np.array_equal(before, after) == (common == 8)


def test_a_constant_gene_may_lack_a_residue() -> None:
    """Reads across it are checked on either side; a misread residue beside it is compared."""
    gene = next(one.sequence for one in constants() if "X" in one.sequence)
    at = gene.index("X")
    known = gene.replace("X", "A")
    other = "W" if known[at + 1] != "W" else "F"
    protein = known[: at + 1] + other + known[at + 2 :]
    starts = [*range(max(at - 12, 0), at + 1), *range(at + 5, len(protein) - 14, 2)]
    spans = [(start, start + n) for start in starts for n in (12, 14)]
    reads = [
        replace(peptide(protein[a:b], f"{a}-{b}"), tool="table", confidences=(0.7,) * (b - a))
        for a, b in spans
    ]
    after = checked_probabilities(reads, MODELS)
    assert [len(one) for one in after] == [b - a for a, b in spans]
    before = np.concatenate(MODELS.probabilities(reads))
    assert np.concatenate(after).mean() > before.mean()


def test_the_model_of_a_tool_is_used_if_far_more_residues_are_right() -> None:
    """It promises too little, which loses residues and states no wrong one as sure."""
    reads = [replace(read, tool="peaks") for read in of_constant(300, 0.5, 0)]
    before = np.concatenate(MODELS.probabilities(reads))
    assert all(map(MODELS.has_own, reads)) and before.mean() < 0.8
    after = np.concatenate(checked_probabilities(reads, MODELS, [CONSTANT]))
    assert np.array_equal(before, after)
