"""Rows of accuracy.tsv as the page shows them: methods side by side, and where they are right."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lacuna.antibody.imgt import REGIONS
from lacuna.core.files import LacunaError
from lacuna.core.tables import ACCURACY_TABLE, AccuracyRow
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


class Score(AccuracyRow):
    """A row of accuracy.tsv."""

    __slots__ = ()

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
    for chunk in chunks(path, ACCURACY_TABLE.names):
        some = chunk.loc[chunk["scope"].isin(wanted), list(ACCURACY_TABLE.names)]
        for cells in some.itertuples(index=False, name=None):
            try:
                score = Score(*ACCURACY_TABLE.parse(cells))
            except ValueError as error:
                raise LacunaError(
                    f"{path}: has a row with a wrong number ({error}); run the workflow again"
                ) from None
            # Rounded twice, 0.92647 would be 92.7 %: by 0.9265 in the table.
            exact = score.n_correct / score.n_residues if score.n_residues else score.accuracy
            rows[score.scope].append(score._replace(accuracy=exact))
    order = {method: i for i, method in enumerate(METHODS)}
    for scope in wanted:
        rows[scope].sort(key=lambda s: (order.get(s.method, len(order)), s.protocol != SCAFFOLD))
    return rows


def model_of(scores: Iterable[Score]) -> Score | None:
    """The score of the model by the scaffold protocol, None without one; scores: of one scope."""
    return next((s for s in scores if s.is_model and s.protocol == SCAFFOLD), None)


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
