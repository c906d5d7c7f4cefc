"""The report: one HTML page that says, per sample, what was filled and how far to trust it.

Tables are streamed, so a sample of a million chains takes no more memory than one of a
hundred; no list on the page is longer than MAX_ROWS. The page is whole in itself: no script,
no font and no picture from elsewhere, and the same tables give the same bytes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.paths import REPORT_TEMPLATES
from lacuna.results.accuracy import AMBIGUITY
from lacuna.results.counts import MIN_CHAIN, Counts, count_sample
from lacuna.results.join import MODEL
from lacuna.results.statistics import calibration_error, wilson_interval
from lacuna.scaffolds.alkylation import read_alkylation

__all__ = ["MAX_ROWS", "TABLES", "write_report"]

TABLES = ("accuracy", "residues", "gaps", "chains", "rejected")
MAX_ROWS = 50  # of any list on the page
UNCERTAIN_GAPS = 20
MAX_LETTERS = 40  # of a gap or its truth that are shown
MAX_TEXT = 400  # characters of a reason or a chain id that are shown
N_BINS = 10  # of the calibration plot, fewer where one would hold less than BIN_MIN residues
BIN_MIN = 10
CHUNK_ROWS = 500_000

SCAFFOLD = "scaffold"
METHODS = {
    MODEL: "Lacuna",
    "germline_copy": "Germline copy",
    "nearest_homolog": "Nearest homolog",
    "column_majority": "Column majority",
    "seed_lstm": "Tutorial LSTM",
}
PROTOCOLS = {SCAFFOLD: "scaffold", "true_context": "true context"}
BREAKDOWNS = {
    "region": "Region",
    "gap_length": "Gap length",
    "locus": "Locus",
    AMBIGUITY: "Ambiguity code",
}
# How a status begins, and what it is in words; what is plainly filled needs none.
STATUS = {
    "filled (no template": "filled without a template: no antibody domain and no homolog there",
    "filled (not proven best": "filled with what is not proven to be the best of its mass",
    "nothing_observed": "left open: no residue of the chain is known",
    "no_length_fits_mass": "left open: no number of residues has its mass",
    "no_sequence_fits_mass": "left open: no sequence of its length has its mass",
}
FILLED = "filled"

# From which share on something is said in words.
SURE = 0.95  # probability of a residue to rely on
CALIBRATED = 0.05  # error of probabilities that may be taken at face value
FEW = 100  # residues below which intervals are too wide to compare
WEAK_MIN = 10  # residues of a region worth naming
PROBABILITY_STEPS = 10_000  # probabilities are written with four digits

_NUMBERS = ("n_residues", "n_correct", "n_gaps", "n_exact")
_SHARES = ("accuracy", "ci_low", "ci_high", "mean_probability", "ece")


@dataclass(frozen=True, slots=True)
class Score:
    """A row of accuracy.tsv; shares from 0 to 1, None where the table has no value."""

    value: str
    method: str
    protocol: str
    n_residues: int
    n_correct: int
    n_gaps: int
    n_exact: int
    accuracy: float
    low: float
    high: float
    mean_probability: float | None
    ece: float | None

    @property
    def label(self) -> str:
        """The method in words, with its protocol where it is not the ordinary one."""
        name = METHODS.get(self.method, self.method)
        if self.protocol == SCAFFOLD:
            return name
        return f"{name}, {PROTOCOLS.get(self.protocol, self.protocol)}"

    @property
    def is_model(self) -> bool:
        return self.method == MODEL


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Scores of the scaffold protocol by region, gap length or locus."""

    title: str
    methods: tuple[str, ...]  # labels, the model first
    rows: tuple[tuple[str, int, tuple[Score | None, ...]], ...]  # value, residues, a score each
    more: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Residues of like probability: how sure the model was, and how often it was right."""

    n: int
    probability: float  # mean
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Letter:
    """A filled residue; `wrong` is what really stands there, '' where right or not known."""

    residue: str
    probability: float
    wrong: str

    @property
    def step(self) -> int:
        """Probability from 0 to 9, as a class of the style sheet."""
        return min(int(self.probability * 10), 9)


@dataclass(slots=True)
class UncertainGap:
    """A gap of those that the model is least sure of."""

    chain: str
    gap: str
    place: str
    imgt: str
    length: str
    probability: float
    runner_up: str
    letters: list[Letter]
    known: bool  # whether its truth is


@dataclass(frozen=True, slots=True)
class Sample:
    """All that the page says about one sample."""

    name: str
    counts: Counts
    statuses: tuple[tuple[str, int], ...]  # gaps that are not plainly filled, in words
    rejected_rows: tuple[tuple[str, ...], ...]
    overall: tuple[Score, ...]
    breakdowns: tuple[Breakdown, ...]
    bins: tuple[Bin, ...]
    ece: float | None
    expected: float | None  # mean probability of all residues
    sure: tuple[int, int, int]  # residues at SURE or more; of those with a truth, how many right
    uncertain: tuple[UncertainGap, ...]
    trust: str
    cysteine: str  # what C weighs and how that is known, '' without masses

    @property
    def with_gaps(self) -> int:
        """Chains that have gaps or ambiguity codes."""
        return self.counts.chains - self.counts.without_gap

    @property
    def notes(self) -> Iterator[str]:
        """What is to be known of its chains, in sentences."""
        if self.counts.without_gap:
            yield f"{_plural(self.counts.without_gap, 'chain')} without a gap."
        if self.counts.short:
            yield f"{_plural(self.counts.short, 'chain')} of less than {MIN_CHAIN} residues."
        for status, n in self.statuses:
            yield f"{_plural(n, 'gap')} {_shown(status)}."

    @property
    def model(self) -> Score | None:
        return next((s for s in self.overall if s.is_model and s.protocol == SCAFFOLD), None)

    @property
    def best_baseline(self) -> Score | None:
        others = [s for s in self.overall if not s.is_model and s.protocol == SCAFFOLD]
        return max(others, key=lambda s: s.accuracy, default=None)


def write_report(
    samples: Sequence[str],
    tables: Mapping[str, Sequence[Path]],
    out: Path,
    alkylation: Sequence[Path] = (),
) -> None:
    """Write the page on all `samples` to `out`, whole or not at all.

    tables: for each of TABLES the files of the samples, in their order; alkylation: what C weighs
    in each, where that is to be shown. Raises LacunaError
    where a file cannot be read or lacks a column, and ValueError where files and samples do
    not go together.
    """
    for name in TABLES:
        if len(tables[name]) != len(samples):
            raise ValueError(f"{len(tables[name])} {name} tables for {len(samples)} samples")
    shown = [
        _read_sample(sample, {name: tables[name][i] for name in TABLES}, *alkylation[i : i + 1])
        for i, sample in enumerate(samples[:MAX_ROWS])
    ]
    filters = {
        "percent": _percent,
        "count": _count,
        "plural": _plural,
        "shown": _shown,
        "axis": _axis,
    }
    page = page_template("report.html.j2", filters).render(
        samples=shown,
        more_samples=len(samples) - len(shown),
        max_letters=MAX_LETTERS,
        scored=any(s.overall for s in shown),
    )
    with atomic_write(out) as handle:
        handle.write(page)


def page_template(name: str, filters: Mapping[str, Any] | None = None) -> jinja2.Template:
    """A template of workflow/report; a name in it that is not given is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(REPORT_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= filters or {}
    return environment.get_template(name)


# --- reading -------------------------------------------------------------------------------------


def _chunks(path: Path, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Yield the rows of a table in pieces, the columns as text; LacunaError where one lacks."""
    try:
        with pd.read_csv(
            path,
            sep="\t",
            usecols=list(columns),
            dtype=str,
            na_filter=False,
            chunksize=CHUNK_ROWS,
        ) as reader:
            yield from reader
    except (OSError, ValueError, pd.errors.ParserError) as error:
        wanted = ", ".join(columns)
        raise LacunaError(
            f"{path}: is no table with the columns {wanted} ({error}); run the workflow again"
        ) from None


def _read_sample(name: str, paths: Mapping[str, Path], alkylation: Path | None = None) -> Sample:
    scores = _read_scores(paths["accuracy"])
    gaps = _read_gaps(paths["gaps"])
    residues = _read_residues(paths["residues"], gaps.uncertain)
    counts = count_sample(paths["chains"], paths["rejected"])
    overall = tuple(scores["overall"])
    bins = _bins(residues.known, residues.right)
    model = next((s for s in overall if s.is_model and s.protocol == SCAFFOLD), None)
    breakdowns = tuple(
        _breakdown(title, scores[scope]) for scope, title in BREAKDOWNS.items() if scores[scope]
    )
    steps = np.arange(PROBABILITY_STEPS + 1) / PROBABILITY_STEPS
    total = int(residues.all.sum())
    first_sure = round(SURE * PROBABILITY_STEPS)
    sample = Sample(
        name=name,
        counts=counts,
        statuses=tuple(
            (status, n)
            for status, n in sorted(gaps.statuses.items(), key=lambda x: (-x[1], x[0]))[:MAX_ROWS]
            if status != FILLED
        ),
        rejected_rows=_read_rejected(paths["rejected"]),
        overall=overall,
        breakdowns=breakdowns,
        bins=bins,
        ece=model.ece if model is not None and model.ece is not None else _calibration_error(bins),
        expected=float((residues.all * steps).sum() / total) if total else None,
        sure=(
            int(residues.all[first_sure:].sum()),
            int(residues.known[first_sure:].sum()),
            int(residues.right[first_sure:].sum()),
        ),
        uncertain=tuple(gaps.uncertain),
        trust="",
        cysteine=_cysteine(alkylation),
    )
    return _with_trust(sample)


def _cysteine(path: Path | None) -> str:
    """What C weighs in a sample with masses, as a sentence."""
    state = read_alkylation(path) if path is not None else None
    if state is None or not state.masses:
        return ""
    sentence = state.sentence()
    return f"{sentence[0].upper()}{sentence[1:]}."


def _read_scores(path: Path) -> dict[str, list[Score]]:
    """Rows of accuracy.tsv by scope, the model first; rows of single chains are passed over."""
    wanted = ("overall", *BREAKDOWNS)
    rows: dict[str, list[Score]] = {scope: [] for scope in wanted}
    columns = ("scope", "value", "method", "protocol", *_NUMBERS, *_SHARES)
    for chunk in _chunks(path, columns):
        for row in chunk[chunk["scope"].isin(wanted)].to_dict("records"):
            try:
                numbers = {k: int(row[k]) for k in _NUMBERS}
                shares = {k: float(row[k]) if row[k] else None for k in _SHARES}
                accuracy, low, high = (float(row[k]) for k in _SHARES[:3])
            except ValueError as error:
                raise LacunaError(
                    f"{path}: has a row with a wrong number ({error}); run the workflow again"
                ) from None
            rows[row["scope"]].append(
                Score(
                    row["value"],
                    row["method"],
                    row["protocol"],
                    **numbers,
                    accuracy=accuracy,
                    low=low,
                    high=high,
                    mean_probability=shares["mean_probability"],
                    ece=shares["ece"],
                )
            )
    order = {method: i for i, method in enumerate(METHODS)}
    for scope in wanted:
        rows[scope].sort(key=lambda s: (order.get(s.method, len(order)), s.protocol != SCAFFOLD))
    return rows


def _breakdown(title: str, scores: list[Score]) -> Breakdown:
    scores = [s for s in scores if s.protocol == SCAFFOLD]
    methods = list(dict.fromkeys(s.method for s in scores))
    by_value: dict[str, dict[str, Score]] = {}
    for score in scores:
        by_value.setdefault(score.value, {})[score.method] = score
    rows = []
    for value in sorted(by_value, key=_natural):
        found = by_value[value]
        n = max(score.n_residues for score in found.values())
        rows.append((value, n, tuple(found.get(method) for method in methods)))
    labels = tuple(METHODS.get(method, method) for method in methods)
    return Breakdown(title, labels, tuple(rows[:MAX_ROWS]), max(len(rows) - MAX_ROWS, 0))


def _natural(value: str) -> tuple[int, int, str]:
    """Sorts gap lengths as numbers, regions along the chain, and the rest as text."""
    if value.isdecimal():
        return 0, int(value), ""
    regions = ("FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4", "C")
    return 1, regions.index(value) if value in regions else len(regions), value


@dataclass(slots=True)
class _Gaps:
    statuses: Counter[str]
    uncertain: list[UncertainGap]


def _read_gaps(path: Path) -> _Gaps:
    """Statuses, and the gaps whose best candidate has the least probability.

    Ambiguity codes that stand alone are no gaps; they count in the statuses.
    """
    columns = ("chain", "gap", "rank", "candidate", "probability", "length", "status")
    places = ("first", "last", "imgt_first", "imgt_last", "ambiguity")
    statuses: Counter[str] = Counter()
    least = pd.DataFrame()
    runners: dict[tuple[str, str], str] = {}
    for chunk in _chunks(path, (*columns, *places)):
        first = chunk[chunk["rank"] == "1"]
        for status, count in first["status"].value_counts().items():
            statuses[_in_words(str(status))] += int(count)
        first = first[first["ambiguity"] == ""]
        first = first.assign(p=pd.to_numeric(first["probability"], errors="coerce"))
        least = pd.concat([least, first[first["p"].notna()]])
        least = least.sort_values("p", kind="stable").head(UNCERTAIN_GAPS)
        keys = set(zip(least["chain"], least["gap"], strict=True))
        second = chunk[(chunk["rank"] == "2") & chunk["chain"].isin(least["chain"])]
        for row in second.to_dict("records"):
            if (row["chain"], row["gap"]) in keys:
                share = _number(row["probability"])
                runners[row["chain"], row["gap"]] = f"{_clip(row['candidate'])} {share:.3g}"
    uncertain = [
        UncertainGap(
            row["chain"],
            row["gap"],
            _span(row["first"], row["last"]),
            _span(row["imgt_first"], row["imgt_last"]),
            row["length"],
            row["p"],
            runners.get((row["chain"], row["gap"]), ""),
            [],
            False,
        )
        for row in least.to_dict("records")
    ]
    return _Gaps(statuses, uncertain)


def _in_words(status: str) -> str:
    words = (text for begin, text in STATUS.items() if status.startswith(begin))
    return next(words, status)


@dataclass(slots=True)
class _Residues:
    """Counts of the residues of gaps by probability, (PROBABILITY_STEPS + 1,) each.

    Those of ambiguity codes that stand alone are left out, and of `all` those that stay X.
    """

    all: np.ndarray
    known: np.ndarray  # whose truth is known
    right: np.ndarray


def _read_residues(path: Path, uncertain: Sequence[UncertainGap]) -> _Residues:
    """Counts by probability; the residues of `uncertain` gaps are added to them on the way."""
    listed = {(gap.chain, gap.gap): gap for gap in uncertain}
    chains = {chain for chain, _ in listed}
    counts = np.zeros((3, PROBABILITY_STEPS + 1), dtype=np.int64)
    columns = ("chain", "gap", "residue", "probability", "truth", "ambiguity")
    for chunk in _chunks(path, columns):
        chunk = chunk[chunk["ambiguity"] == ""]
        p = pd.to_numeric(chunk["probability"], errors="coerce").to_numpy()
        usable = (p >= 0) & (p <= 1)
        step = np.rint(np.where(usable, p, 0) * PROBABILITY_STEPS).astype(np.int64)
        known = usable & (chunk["truth"] != "").to_numpy()
        right = known & (chunk["truth"] == chunk["residue"]).to_numpy()
        filled = usable & (chunk["residue"] != MISSING_LETTER).to_numpy()
        for i, mask in enumerate((filled, known, right)):
            counts[i] += np.bincount(step[mask], minlength=PROBABILITY_STEPS + 1)
        for row in chunk[chunk["chain"].isin(chains)].to_dict("records"):
            gap = listed.get((row["chain"], row["gap"]))
            if gap is not None:
                gap.known |= row["truth"] != ""
                wrong = row["truth"] if row["truth"] != row["residue"] else ""
                gap.letters.append(Letter(row["residue"], _number(row["probability"]), wrong))
    return _Residues(*counts)


def _read_rejected(path: Path) -> tuple[tuple[str, ...], ...]:
    """The first MAX_ROWS rows."""
    columns = ("chain", "line", "column", "reason")
    first = next(iter(_chunks(path, columns)), pd.DataFrame()).head(MAX_ROWS)
    return tuple(tuple(row[c] for c in columns) for row in first.to_dict("records"))


# --- calibration ---------------------------------------------------------------------------------


def _bins(known: np.ndarray, right: np.ndarray) -> tuple[Bin, ...]:
    """Up to N_BINS bins with about as many residues each, from counts by probability.

    Residues of one probability stay together, so that a bin may hold more than its share.
    """
    total = int(known.sum())
    if not total:
        return ()
    middle = (np.cumsum(known) - known / 2) / total
    bins = min(max(total // BIN_MIN, 1), N_BINS)
    which = np.minimum((middle * bins).astype(int), bins - 1)
    n = np.bincount(which, known, bins)
    hits = np.bincount(which, right, bins)
    sums = np.bincount(which, known * np.arange(len(known)) / PROBABILITY_STEPS, bins)
    return tuple(
        Bin(
            int(n[i]), float(sums[i] / n[i]), float(hits[i] / n[i]), *wilson_interval(hits[i], n[i])
        )
        for i in np.flatnonzero(n)
    )


def _calibration_error(bins: Sequence[Bin]) -> float | None:
    if not bins:
        return None
    n, right, expected = np.array([(b.n, b.accuracy, b.probability) for b in bins]).T
    return calibration_error(n * right, n * expected, int(n.sum()))


# --- words ---------------------------------------------------------------------------------------


def _with_trust(sample: Sample) -> Sample:
    values = {name: getattr(sample, name) for name in Sample.__dataclass_fields__}
    return Sample(**(values | {"trust": " ".join(_trust(sample))}))


def _trust(sample: Sample) -> Iterator[str]:
    """Yield what a reader has to know before relying on the sample, in sentences."""
    counts = sample.counts
    if not counts.filled and not counts.resolved:
        if counts.rejected and not counts.chains:
            yield "Nothing was filled: every record was rejected, for the reasons below."
        elif counts.chains and not sample.with_gaps:
            yield "Nothing was filled: no chain has a gap. Mark missing residues with X or -."
        else:
            yield "Nothing was filled, so there is nothing to trust."
        return
    if sample.model is not None:
        yield from _trust_measured(sample, sample.model)
    elif counts.filled:
        yield from _trust_unmeasured(sample)
    yield from _trust_codes(sample)


def _trust_codes(sample: Sample) -> Iterator[str]:
    """What is known of ambiguity codes that stand alone, which no other figure is of."""
    if not sample.counts.ambiguous:
        return
    right = ", ".join(
        f"{code} {_count(score.n_correct)} of {_count(score.n_residues)}"
        for breakdown in sample.breakdowns
        if breakdown.title == BREAKDOWNS[AMBIGUITY]
        for code, _, scores in breakdown.rows
        for score in scores
        if score is not None and score.is_model
    )
    codes = _plural(sample.counts.ambiguous, "ambiguity code")
    resolved = f"Apart from that, {_count(sample.counts.resolved)} of {codes} are resolved"
    yield f"{resolved}; right where that is known: {right}." if right else f"{resolved}."


def _trust_unmeasured(sample: Sample) -> Iterator[str]:
    yield "No truth is known here, so how much is right cannot be measured."
    if sample.expected is not None:
        right = round(sample.expected * sample.counts.filled)
        yield (
            f"By its own probabilities the model expects {_count(right)} of"
            f" {_plural(sample.counts.filled, 'residue')} to be right"
            f" ({_percent(sample.expected)} %);"
            f" {_count(sample.sure[0])} have a probability of {SURE} or more."
        )
    yield "Look at the least certain gaps before relying on them."


def _trust_measured(sample: Sample, model: Score) -> Iterator[str]:
    yield (
        f"Of {_plural(model.n_residues, 'residue')} whose truth is known,"
        f" {_count(model.n_correct)} are right: {_percent(model.accuracy)} %"
        f" (95 % interval {_percent(model.low)} to {_percent(model.high)} %)."
    )
    best = sample.best_baseline
    if best is not None:
        gain = model.accuracy - best.accuracy
        points = f"{abs(100 * gain):.1f} points"
        apart = model.low > best.high or model.high < best.low
        doubt = "" if apart else ", which may be chance: the intervals overlap"
        if abs(gain) < 0.0005:
            yield f"The best baseline, {best.label.lower()}, does just as well."
        elif gain > 0:
            yield f"That is {points} above the best baseline, {best.label.lower()}{doubt}."
        else:
            yield f"That is {points} below the best baseline, {best.label.lower()}{doubt}."
    expected = model.mean_probability
    if sample.ece is not None and expected is not None and model.n_residues >= FEW:
        gap = expected - model.accuracy
        error = f"{100 * sample.ece:.1f} points"
        if sample.ece <= CALIBRATED:
            yield f"Its probabilities can be taken at face value (off by {error} on average)."
        elif abs(gap) < sample.ece / 2:
            yield f"Its probabilities are off by {error}, to both sides: use them as a ranking."
        else:
            way = "surer than it should be" if gap > 0 else "more careful than it need be"
            yield (
                f"It is {way}: it expects {_percent(expected)} %;"
                " use its probabilities as a ranking."
            )
    _, known, right = sample.sure
    if known:
        share = "all" if right == known else f"{_percent(right / known)} %"
        yield f"Of the {_count(known)} with a probability of {SURE} or more, {share} are right."
    weakest = _weakest(sample, model)
    if weakest is not None:
        yield (
            f"It is weakest in {weakest.value}: {_percent(weakest.accuracy)} %"
            f" of {_plural(weakest.n_residues, 'residue')}."
        )
    if model.n_residues < FEW:
        yield f"With {_plural(model.n_residues, 'residue')}, none of this is more than a hint."


def _weakest(sample: Sample, model: Score) -> Score | None:
    """The region with enough residues where the model is worst, if well below the whole."""
    for breakdown in sample.breakdowns:
        if breakdown.title == BREAKDOWNS["region"]:
            scores = [s for _, _, row in breakdown.rows for s in row if s is not None]
            scores = [s for s in scores if s.is_model and s.n_residues >= WEAK_MIN]
            worst = min(scores, key=lambda s: s.accuracy, default=None)
            if worst is not None and worst.accuracy < model.accuracy - CALIBRATED:
                return worst
    return None


def _percent(share: float) -> str:
    """A share from 0 to 1 in percent, with one digit; 100 and 0 only where it is all or none."""
    text = f"{100 * share:.1f}"
    if text == "100.0" and share < 1:
        return "99.9"
    if text == "0.0" and share > 0:
        return "0.1"
    return {"100.0": "100", "0.0": "0"}.get(text, text)


def _count(n: int) -> str:
    return f"{n:,}"


def _plural(n: int, word: str) -> str:
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def _shown(text: str, limit: int = MAX_TEXT) -> str:
    """Text of the input, cut, with what cannot be seen (control and bidirectional marks) spelt."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _clip(letters: str) -> str:
    return _shown(letters, MAX_LETTERS)


def _axis(share: float) -> str:
    """A share as a coordinate of a drawing 100 wide."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _span(first: str, last: str) -> str:
    """Two positions, both included; one where they are the same."""
    return first if first == last else f"{first or '?'}–{last or '?'}"
