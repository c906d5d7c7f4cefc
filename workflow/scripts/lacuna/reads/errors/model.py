"""The probability that a residue of a read is right, for each tool.

Tools are overconfident, and residues near the ends of a read are wrong more often. A model is a
logistic regression over a few features of a residue and its read, with a ceiling: the share of
right residues among those that it calls nearly certain, on proteins that it was not fitted on.
resources/read_errors/README.md says what the bundled models were fitted on and how well calibrated
they are. The probability is conditional on the read being of the protein, which placing decides.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.core.paths import READ_ERRORS
from lacuna.core.runs import places_within, starts_of
from lacuna.reads.read import Read, with_acids

DEFAULT = "default"  # the tool of the models for tools without one of their own

RESIDUE, PEPTIDE, PLACE = "residue", "peptide", "place"  # what a model needs of a read
# Features of each kind of model, in the order of its coefficients:
#   intercept; confidence: log odds of the residue's own; share: that confidence itself;
#   read: mean log odds of the read; neighbour: log odds of the less certain neighbour;
#   score: log odds of the peptide's score; n_end, c_end: exp(-distance / REACH) from either end.
FEATURES: Mapping[str, tuple[str, ...]] = {
    RESIDUE: ("intercept", "confidence", "share", "read", "neighbour", "n_end", "c_end"),
    PEPTIDE: ("intercept", "score", "n_end", "c_end"),
    PLACE: ("intercept", "n_end", "c_end"),
}
REACH = 1.5  # residues
FLOOR = 0.05  # of a probability: that of one residue in 20 at random

_LEAST, _MOST = 0.02, 0.995  # confidences are clipped to these: tools round to 0 and 1
_COLUMNS = ("tool", "kind", "left_out", "ceiling", "fitted_on", "reads", "residues", "coefficients")


ResidueKind = tuple[str, float]  # letter of a residue, L for I, and what it carries in Da, to 0.1


@dataclass(frozen=True)
class Correction:
    """What corrects the log odds of a tool's residues: an offset, a slope, and what is added for
    residues of a kind."""

    offset: float = 0.0
    slope: float = 1.0
    of_kinds: Mapping[ResidueKind, float] = field(default_factory=dict)

    def correct(self, odds: NDArray[np.float64], reads: Sequence[Read]) -> NDArray[np.float64]:
        """(n,) log odds of all residues of reads, corrected."""
        found = self.offset + self.slope * odds
        if self.of_kinds:
            kinds = (kind for read in reads for kind in kinds_of_residues(read))
            found = found + np.fromiter((self.of_kinds.get(kind, 0.0) for kind in kinds), float)
        return found


AS_THEY_ARE = Correction()


def kinds_of_residues(read: Read) -> list[ResidueKind]:
    """The kind of each residue of a read; deamidated N and Q are D and E."""
    read = with_acids(read)
    held = [0.0] * len(read.residues)
    for at, mass in read.modifications:
        if 0 <= at < len(held):
            held[at] += mass
    letters = read.residues.replace("I", "L")
    return [(letter, round(mass, 1)) for letter, mass in zip(letters, held, strict=True)]


class Model(NamedTuple):
    """A logistic regression: coefficients of the features of its kind, and its ceiling."""

    coefficients: tuple[float, ...]
    ceiling: float


class Record(NamedTuple):
    """A model and what it was fitted on: `left_out` is the protein left out of the fit, or ""."""

    tool: str
    kind: str
    left_out: str
    model: Model
    fitted_on: tuple[str, ...]  # proteins
    reads: int
    residues: int


@dataclass(frozen=True)
class ErrorModels:
    """The models of all tools; tools without one use those of `DEFAULT`.

    corrections: of the log odds of residues, by the name of the tool, in reads of which the model
    is not the tool's own.
    """

    models: Mapping[tuple[str, str], Model]
    corrections: Mapping[str, Correction] = field(default_factory=dict)

    def has_own(self, read: Read) -> bool:
        """Whether the model of a read is that of its tool."""
        return (read.tool, model_kinds_of(read)[0]) in self.models

    def model_of(self, read: Read) -> tuple[str, Model] | None:
        """The kind of the read's model, and the model; None if there is none for it.

        It is the one that uses most of the tool's output: the tool's own, or the default.
        """
        for kind in model_kinds_of(read):
            model = self.models.get((read.tool, kind)) or self.models.get((DEFAULT, kind))
            if model is not None:
                return kind, model
        return None

    def probabilities(self, reads: Sequence[Read]) -> list[NDArray[np.float64]]:
        """For each read, (length,): the probability that each of its residues is right.

        Raises ValueError if there is no model for a read, which cannot happen with loaded models.
        """
        return self._of_each(reads, _within)

    def log_odds(self, reads: Sequence[Read]) -> list[NDArray[np.float64]]:
        """The same as log odds, with neither floor nor ceiling."""
        return self._of_each(reads, lambda _, odds: odds)

    def _of_each(
        self,
        reads: Sequence[Read],
        finish: Callable[[Model, NDArray[np.float64]], NDArray[np.float64]],
    ) -> list[NDArray[np.float64]]:
        groups: dict[tuple[str, Model, str], list[int]] = {}
        for number, read in enumerate(reads):
            model_of = self.model_of(read)
            if model_of is None:
                raise ValueError(f"no model for {read.name}")
            groups.setdefault((*model_of, read.tool), []).append(number)
        found: list[NDArray[np.float64]] = [np.empty(0)] * len(reads)
        for (kind, model, tool), numbers in groups.items():
            group = [reads[number] for number in numbers]
            odds = features(group, kind) @ np.asarray(model.coefficients)
            own = (tool, kind) in self.models
            correction = AS_THEY_ARE if own else self.corrections.get(tool, AS_THEY_ARE)
            pooled = finish(model, correction.correct(odds, group))
            ends = np.cumsum([len(read.residues) for read in group])[:-1]
            for number, one in zip(numbers, np.split(pooled, ends), strict=True):
                found[number] = one
        return found


def model_kinds_of(read: Read) -> list[str]:
    """The kinds of models that can be used for a read; the one that uses most comes first."""
    has = {RESIDUE: read.confidences is not None, PEPTIDE: read.score is not None, PLACE: True}
    return [kind for kind in FEATURES if has[kind]]


def predict(model: Model, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) probabilities of rows of features (n, features), between FLOOR and the ceiling."""
    return _within(model, values @ np.asarray(model.coefficients))


def _within(model: Model, odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities from log odds, between FLOOR and the model's ceiling."""
    return np.clip(1 / (1 + np.exp(-odds)), FLOOR, model.ceiling)


def features(reads: Sequence[Read], kind: str) -> NDArray[np.float64]:
    """(residues of all reads, features of the kind), read after read."""
    lengths = np.array([len(read.residues) for read in reads])
    at = places_within(lengths)
    left = np.repeat(lengths, lengths) - 1 - at
    columns = {
        "intercept": np.ones(len(at)),
        "n_end": np.exp(-at / REACH),
        "c_end": np.exp(-left / REACH),
    }
    if kind == PEPTIDE:
        scores = log_odds(np.array([read.score for read in reads], dtype=np.float64))
        columns["score"] = np.repeat(scores, lengths)
    if kind == RESIDUE:
        stated = np.fromiter((c for read in reads for c in read.confidences or ()), np.float64)
        odds = log_odds(stated)
        columns["confidence"] = odds
        columns["share"] = np.clip(stated, _LEAST, _MOST)
        columns["read"] = np.repeat(np.add.reduceat(odds, starts_of(lengths)) / lengths, lengths)
        before = np.where(at > 0, np.roll(odds, 1), np.inf)
        after = np.where(left > 0, np.roll(odds, -1), np.inf)
        nearest = np.minimum(before, after)
        columns["neighbour"] = np.where(np.isfinite(nearest), nearest, odds)
    return np.stack([columns[name] for name in FEATURES[kind]], axis=1)


def log_odds(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln(p / (1 - p)) of confidences, which are clipped to a plausible range."""
    cut = np.clip(shares, _LEAST, _MOST)
    return np.log(cut / (1 - cut))


# --- files ---------------------------------------------------------------------------------------


def load_error_models(path: Path = READ_ERRORS, left_out: str = "") -> ErrorModels:
    """The models in a table.

    left_out: a protein that no model may have seen, for reporting accuracy on it; models that were
    fitted without it are taken, or all if none was fitted on it. Raises LacunaError if the table
    is not one.
    """
    records = read_records(path)
    proteins = {protein for record in records for protein in record.fitted_on}
    wanted = left_out if left_out in proteins else ""
    models = {(r.tool, r.kind): r.model for r in records if r.left_out == wanted}
    if (DEFAULT, PLACE) not in models:
        raise LacunaError(f"{path}: it has no default model of kind '{PLACE}'; fit it again")
    return ErrorModels(models)


def read_records(path: Path) -> list[Record]:
    """The rows of a table of models; LacunaError names the first bad line."""
    records = []
    with open_text(path) as handle:
        rows = csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        if tuple(rows.fieldnames or ()) != _COLUMNS:
            raise LacunaError(f"{path}:1: not a table of error models; run fit_read_errors again")
        for number, row in enumerate(rows, 2):
            try:
                records.append(_record(row))
            except (ValueError, KeyError, TypeError):
                raise LacunaError(
                    f"{path}:{number}: not an error model; run fit_read_errors again"
                ) from None
    return records


def _record(row: Mapping[str, str]) -> Record:
    pairs = dict(pair.split("=") for pair in row["coefficients"].split(" "))
    coefficients = tuple(float(pairs[name]) for name in FEATURES[row["kind"]])
    model = Model(coefficients, float(row["ceiling"]))
    if not (FLOOR < model.ceiling <= 1 and np.isfinite(coefficients).all()):
        raise ValueError
    proteins = tuple(row["fitted_on"].split(";"))
    return Record(
        tool=row["tool"],
        kind=row["kind"],
        left_out=row["left_out"],
        model=model,
        fitted_on=proteins,
        reads=int(row["reads"]),
        residues=int(row["residues"]),
    )


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write a table of models, which `read_records` reads."""
    with atomic_write(path) as handle:
        handle.write("\t".join(_COLUMNS) + "\n")
        for r in records:
            named = zip(FEATURES[r.kind], r.model.coefficients, strict=True)
            cells = (
                r.tool,
                r.kind,
                r.left_out,
                f"{r.model.ceiling:.4f}",
                ";".join(r.fitted_on),
                str(r.reads),
                str(r.residues),
                " ".join(f"{name}={value:.4f}" for name, value in named),
            )
            handle.write("\t".join(cells) + "\n")
