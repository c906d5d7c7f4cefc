"""Rows of accuracy.tsv as the page shows them: methods side by side, and where they are right."""

from dataclasses import dataclass
from pathlib import Path

from lacuna.antibody.imgt import REGIONS
from lacuna.core.files import LacunaError
from lacuna.results.accuracy import AMBIGUITY, METHODS, SCAFFOLD, SEED
from lacuna.results.join import BASELINES, MODEL
from lacuna.results.report.words import MAX_ROWS
from lacuna.results.streams import chunks

_TITLES = {name: name.replace("_", " ").capitalize() for name in BASELINES}
_TITLES |= {MODEL: "Lacuna", SEED: "Tutorial LSTM"}
BREAKDOWNS = {
    "region": "Region",
    "gap_length": "Gap length",
    "locus": "Locus",
    AMBIGUITY: "Ambiguity code",
}
_NUMBERS = ("n_residues", "n_correct", "n_gaps", "n_exact")
_SHARES = ("accuracy", "ci_low", "ci_high", "mean_probability", "ece")


@dataclass(frozen=True, slots=True)
class Score:
    """A row of accuracy.tsv; shares from 0 to 1, None if the table has no value."""

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
        """The method in words, with its protocol unless that is the usual one."""
        name = _TITLES.get(self.method, self.method)
        if self.protocol == SCAFFOLD:
            return name
        return f"{name}, {self.protocol.replace('_', ' ')}"

    @property
    def is_model(self) -> bool:
        """Whether the method is the model, not a baseline."""
        return self.method == MODEL


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Scores of the scaffold protocol by region, gap length or locus."""

    title: str
    methods: tuple[str, ...]  # labels, the model first
    rows: tuple[tuple[str, int, tuple[Score | None, ...]], ...]  # value, residues, a score each
    more: int


def read_scores(path: Path) -> dict[str, list[Score]]:
    """Rows of accuracy.tsv by scope, the model first; rows of single chains are skipped."""
    wanted = ("overall", *BREAKDOWNS)
    rows: dict[str, list[Score]] = {scope: [] for scope in wanted}
    columns = ("scope", "value", "method", "protocol", *_NUMBERS, *_SHARES)
    for chunk in chunks(path, columns):
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


def breakdown_of(title: str, scores: list[Score]) -> Breakdown:
    """The scores of one scope, a row for each value, methods in the order in which they come."""
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
    labels = tuple(_TITLES.get(method, method) for method in methods)
    return Breakdown(title, labels, tuple(rows[:MAX_ROWS]), max(len(rows) - MAX_ROWS, 0))


def _natural(value: str) -> tuple[int, int, str]:
    """Sort key: gap lengths as numbers, regions along the chain, the rest as text."""
    if value.isdecimal():
        return 0, int(value), ""
    return 1, REGIONS.index(value) if value in REGIONS else len(REGIONS), value
