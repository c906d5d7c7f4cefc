"""What a reader has to know before relying on a sample, in sentences."""

from collections.abc import Iterator

from lacuna.results.accuracy import AMBIGUITY
from lacuna.results.report.chain import LEVELS, MILLE
from lacuna.results.report.methods import BREAKDOWNS, Score
from lacuna.results.report.sample import Sample
from lacuna.results.report.words import count, percent, plural

# Thresholds from which something is mentioned.
RELIABLE = LEVELS[0] / MILLE  # probability of a residue to rely on
CALIBRATED = 0.05  # error of probabilities that may be taken at face value
FEW_RESIDUES = 100  # residues; with fewer, intervals are too wide to compare
WEAK_MIN = 10  # residues of a region worth naming


def trust_in(sample: Sample) -> str:
    """What a reader has to know before relying on the sample."""
    return " ".join(_trust(sample)).replace(" %", "\N{NO-BREAK SPACE}%")


def _trust(sample: Sample) -> Iterator[str]:
    """Yield what to know before relying on the sample, in sentences."""
    counts = sample.counts
    if not counts.filled and not counts.resolved:
        if counts.rejected and not counts.chains:
            yield "Nothing was filled: every record was rejected, for the reasons below."
        elif counts.chains and not sample.with_gaps:
            yield "Nothing was filled: no chain has a gap. Mark missing residues with X or -."
        elif sample.placements is not None and not sample.placements.placed:
            yield "No read could be placed on a chain."
        else:
            yield "Nothing was filled, so there is nothing to trust."
        return
    if sample.model is not None:
        yield from _trust_measured(sample, sample.model)
    elif counts.filled:
        yield from _trust_unmeasured(sample)
    yield from _trust_codes(sample)


def calibration_in(sample: Sample) -> str:
    """How to read the plot of probabilities, as a sentence."""
    known = sum(bin.n for bin in sample.bins)
    if known < FEW_RESIDUES or sample.ece is None:
        return f"With {plural(known, 'residue')}, the plot says little of what a probability means."
    return (
        "On the dotted line, a probability means what it says."
        f" On average it is off by {100 * sample.ece:.1f} points."
    )


def _trust_codes(sample: Sample) -> Iterator[str]:
    """Yield what is known of ambiguity codes outside gaps, which no other figure includes."""
    if not sample.counts.ambiguous:
        return
    right = ", ".join(
        f"{code} {count(score.n_correct)} of {count(score.n_residues)}"
        for breakdown in sample.breakdowns
        if breakdown.title == BREAKDOWNS[AMBIGUITY]
        for code, _, scores in breakdown.rows
        for score in scores
        if score is not None and score.is_model
    )
    codes = plural(sample.counts.ambiguous, "ambiguity code")
    are = "is" if sample.counts.ambiguous == 1 else "are"
    resolved = f"Apart from that, {count(sample.counts.resolved)} of {codes} {are} resolved"
    yield f"{resolved}; right where that is known: {right}." if right else f"{resolved}."


def _trust_unmeasured(sample: Sample) -> Iterator[str]:
    yield "No truth is known here, so how much is right cannot be measured."
    if sample.expected is not None:
        have = "has" if sample.sure.residues == 1 else "have"
        right = round(sample.expected * sample.counts.filled)
        yield (
            f"By its own probabilities the model expects {count(right)} of"
            f" {plural(sample.counts.filled, 'residue')} to be right"
            f" ({percent(sample.expected)} %);"
            f" {count(sample.sure.residues)} {have} a probability of {RELIABLE} or more."
        )
    if sample.to_check:
        yield f"Check residues below {LEVELS[1] / MILLE:.2f} before you rely on them."


def _trust_measured(sample: Sample, model: Score) -> Iterator[str]:
    yield (
        f"Of {plural(model.n_residues, 'residue')} whose truth is known,"
        f" {count(model.n_correct)} are right: {percent(model.accuracy)} %"
        f" (95 % interval {percent(model.ci_low)} to {percent(model.ci_high)} %)."
    )
    if sample.best_baseline is not None:
        yield _beside_baseline(model, sample.best_baseline)
    expected = model.mean_probability
    if sample.ece is not None and expected is not None and model.n_residues >= FEW_RESIDUES:
        yield _calibrated(sample.ece, expected, model.accuracy)
    if known := sample.sure.known:
        right = sample.sure.right
        share = "all" if right == known else f"{percent(right / known)} %"
        yield f"Of the {count(known)} with a probability of {RELIABLE} or more, {share} are right."
    weakest = _weakest(sample, model)
    if weakest is not None:
        yield (
            f"It is weakest in {weakest.value}: {percent(weakest.accuracy)} %"
            f" of {plural(weakest.n_residues, 'residue')}."
        )
    if model.n_residues < FEW_RESIDUES:
        yield f"With {plural(model.n_residues, 'residue')}, none of this is more than a hint."


def _beside_baseline(model: Score, best: Score) -> str:
    """How the model compares with the best baseline."""
    gain = model.accuracy - best.accuracy
    points = f"{abs(100 * gain):.1f} points"
    apart = model.ci_low > best.ci_high or model.ci_high < best.ci_low
    doubt = "" if apart else ", which may be chance: the intervals overlap"
    if abs(gain) < 0.0005:
        return f"The best baseline, {best.label.lower()}, does just as well."
    way = "above" if gain > 0 else "below"
    return f"That is {points} {way} the best baseline, {best.label.lower()}{doubt}."


def _calibrated(ece: float, expected: float, accuracy: float) -> str:
    """Whether the probabilities of the model, `expected` on average, can be believed."""
    gap = expected - accuracy
    error = f"{100 * ece:.1f} points"
    if ece <= CALIBRATED:
        return f"Its probabilities can be taken at face value (off by {error} on average)."
    if abs(gap) < ece / 2:
        return f"Its probabilities are off by {error} in both directions: use them as a ranking."
    way = "overconfident" if gap > 0 else "underconfident"
    return f"It is {way}: it expects {percent(expected)} %; use its probabilities as a ranking."


def _weakest(sample: Sample, model: Score) -> Score | None:
    """The region with enough residues where the model is worst, if well below the average."""
    for breakdown in sample.breakdowns:
        if breakdown.title == BREAKDOWNS["region"]:
            scores = [s for _, _, row in breakdown.rows for s in row if s is not None]
            scores = [s for s in scores if s.is_model and s.n_residues >= WEAK_MIN]
            worst = min(scores, key=lambda s: s.accuracy, default=None)
            if worst is not None and worst.accuracy < model.accuracy - CALIBRATED:
                return worst
    return None
