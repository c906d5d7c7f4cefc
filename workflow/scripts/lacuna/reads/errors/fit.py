"""Fit the error models of tools on reads of known proteins, and measure how well they generalise.

Each protein has the same weight, and equal reads of one protein that of `weight_of_equal`: mistakes
repeat with the spectrum. In addition to the models of all proteins there is a set of models without
each protein, for reporting accuracy on it.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.core.statistics import error_of_residues
from lacuna.core.tsv import Table
from lacuna.reads.errors.judging import UNJUDGED, Chains, judge
from lacuna.reads.errors.logistic import logistic
from lacuna.reads.errors.model import (
    DEFAULT,
    FEATURES,
    ErrorModels,
    Model,
    Record,
    features,
    model_kinds_of,
    predict,
)
from lacuna.reads.read import Read, weights_of_residues

MIN_READS = 500  # of a tool and protein; if there are fewer, they are not used in fits
CAUTION = 0.5  # log odds subtracted in the default: an unknown tool may be more overconfident
CEILING = 0.95  # of a model fitted on a single protein: generalisation cannot be measured
CONFIDENT = 0.95

_RIDGE = 1e-2
_HIGHEST = 0.99  # of a ceiling


class Judged(NamedTuple):
    """Reads of one set that match its protein, and which of their residues are right."""

    name: str
    protein: str
    reads: list[Read]
    labels: list[NDArray[np.int8]]


class CalibrationRow(NamedTuple):
    """Calibration of models on a set of reads of a protein that they were not fitted on."""

    set: Annotated[str, "of reads"]
    protein: Annotated[str, "which none of the models saw"]
    tool: Annotated[str, "of the reads"]
    model: Annotated[str, "the tool's own, or default"]
    n_reads: Annotated[int, "reads of the protein"]
    n_residues: Annotated[int, "residues of them that can be judged"]
    right: Annotated[float, "their share that is right", "%.4f"]
    stated: Annotated[float | None, "mean confidence that the tool states", "%.4f"]
    probability: Annotated[float, "mean probability of the model", "%.4f"]
    ece: Annotated[float, "expected calibration error of the model, ten bins", "%.4f"]
    ece_stated: Annotated[float | None, "that of the stated confidences", "%.4f"]
    sure: Annotated[int, "residues with a probability of at least 0.95"]
    sure_right: Annotated[float | None, "their share that is right", "%.4f"]


CALIBRATION_TABLE = Table("calibration.tsv", CalibrationRow)


def judge_all(name: str, protein: str, reads: Iterable[Read], chains: Chains) -> Judged:
    """The reads that share a run with the chains, judged; the others are left out."""
    found = Judged(name, protein, [], [])
    for read in reads:
        labels = judge(read, chains)
        if labels is not None:
            found.reads.append(read)
            found.labels.append(labels)
    return found


def fit_all(sets: Sequence[Judged]) -> list[Record]:
    """The models of all tools and the defaults, fitted on all proteins and without each of them."""
    proteins = sorted({one.protein for one in sets})
    records = []
    for left_out in ("", *proteins):
        kept = [one for one in sets if one.protein != left_out]
        if kept:
            records += _fit_tools(kept, left_out)
    return records


def calibrate(sets: Sequence[Judged], records: Sequence[Record]) -> list[CalibrationRow]:
    """Calibration of the models not fitted on a set's protein, set by set and tool by tool.

    A set is left out if there is no model for it: no other protein has reads with the same columns.
    """
    rows = []
    for one in sets:
        models = ErrorModels(
            {(r.tool, r.kind): r.model for r in records if r.left_out == one.protein}
        )
        judged = [i for i, read in enumerate(one.reads) if models.model_of(read) is not None]
        for tool in sorted({one.reads[i].tool for i in judged}):
            chosen = [i for i in judged if one.reads[i].tool == tool]
            labels = np.concatenate([one.labels[i] for i in chosen])
            rows.append(_calibration_row(one, tool, [one.reads[i] for i in chosen], labels, models))
    return rows


def _calibration_row(
    one: Judged, tool: str, reads: list[Read], labels: NDArray[np.int8], models: ErrorModels
) -> CalibrationRow:
    known = labels != UNJUDGED
    right = labels[known].astype(np.float64)
    probability = np.concatenate(models.probabilities(reads))[known]
    stated = None
    if all(read.confidences is not None for read in reads):
        stated = np.array([c for read in reads for c in read.confidences or ()])[known]
    sure = probability >= CONFIDENT
    own = (tool, model_kinds_of(reads[0])[0]) in models.models
    return CalibrationRow(
        set=one.name,
        protein=one.protein,
        tool=tool,
        model=tool if own else DEFAULT,
        n_reads=len(reads),
        n_residues=int(known.sum()),
        right=float(right.mean()),
        stated=None if stated is None else float(stated.mean()),
        probability=float(probability.mean()),
        ece=error_of_residues(right, probability),
        ece_stated=None if stated is None else error_of_residues(right, stated),
        sure=int(sure.sum()),
        sure_right=float(right[sure].mean()) if sure.any() else None,
    )


class _Sample(NamedTuple):
    """Residues of one tool and protein: features (n, f), whether right (n,), weights (n,).

    best: the kind of model that makes most of such reads.
    """

    tool: str
    protein: str
    best: str
    values: NDArray[np.float64]
    right: NDArray[np.float64]
    weights: NDArray[np.float64]
    reads: int


def _fit_tools(sets: Sequence[Judged], left_out: str) -> list[Record]:
    """The models of one choice of sets: each tool's own, and the defaults from all tools."""
    records = []
    for kind in FEATURES:
        samples = _samples(sets, kind)
        for tool in sorted({sample.tool for sample in samples}):
            own = [sample for sample in samples if sample.tool == tool and kind == sample.best]
            if own:
                records.append(_record(own, tool, kind, left_out, 0.0))
        if samples:
            records.append(_record(samples, DEFAULT, kind, left_out, CAUTION))
    return records


def _samples(sets: Sequence[Judged], kind: str) -> list[_Sample]:
    """Tools and proteins with enough reads of which a model of the kind can be made."""
    pooled: dict[tuple[str, str, str], list[tuple[Read, NDArray[np.int8]]]] = {}
    for one in sets:
        for read, labels in zip(one.reads, one.labels, strict=True):
            if kind in model_kinds_of(read):
                key = read.tool, one.protein, model_kinds_of(read)[0]
                pooled.setdefault(key, []).append((read, labels))
    return [_sample(*key, pairs, kind) for key, pairs in pooled.items() if len(pairs) >= MIN_READS]


def _sample(
    tool: str,
    protein: str,
    best: str,
    pairs: Sequence[tuple[Read, NDArray[np.int8]]],
    kind: str,
) -> _Sample:
    reads = [read for read, _ in pairs]
    labels = np.concatenate([one for _, one in pairs])
    # Not by `content_of`: the bundled models were fitted with I and L apart, and without
    # modifications.
    weights = weights_of_residues(reads, [read.residues for read in reads])
    known = labels != UNJUDGED
    return _Sample(
        tool=tool,
        protein=protein,
        best=best,
        values=features(reads, kind)[known],
        right=labels[known].astype(np.float64),
        weights=weights[known],
        reads=len(reads),
    )


def _record(
    samples: Sequence[_Sample], tool: str, kind: str, left_out: str, caution: float
) -> Record:
    coefficients = _fit(samples)
    coefficients[FEATURES[kind].index("intercept")] -= caution
    return Record(
        tool=tool,
        kind=kind,
        left_out=left_out,
        model=Model(tuple(float(value) for value in coefficients), _ceiling(samples)),
        fitted_on=tuple(sorted({sample.protein for sample in samples})),
        reads=sum(sample.reads for sample in samples),
        residues=sum(len(sample.right) for sample in samples),
    )


def _ceiling(samples: Sequence[_Sample]) -> float:
    """Share of right residues among those that a model not fitted on their protein is sure of.

    The mean over proteins, and never above `_HIGHEST`.
    """
    shares = []
    for protein in sorted({sample.protein for sample in samples}):
        seen = [sample for sample in samples if sample.protein != protein]
        if not seen:
            return CEILING
        model = Model(tuple(_fit(seen)), 1.0)
        held = [sample for sample in samples if sample.protein == protein]
        right = np.concatenate([sample.right for sample in held])
        weights = np.concatenate([sample.weights for sample in held])
        sure = np.concatenate([predict(model, sample.values) for sample in held]) >= CONFIDENT
        if sure.any():
            shares.append(float(np.average(right[sure], weights=weights[sure])))
    return min(float(np.mean(shares)), _HIGHEST) if shares else CEILING


def _fit(samples: Sequence[_Sample]) -> NDArray[np.float64]:
    """Coefficients by penalised maximum likelihood, each protein weighing 1."""
    values = np.concatenate([sample.values for sample in samples])
    right = np.concatenate([sample.right for sample in samples])
    totals: dict[str, float] = {}
    for sample in samples:
        totals[sample.protein] = totals.get(sample.protein, 0.0) + float(sample.weights.sum())
    weights = np.concatenate([s.weights / totals[s.protein] for s in samples]) * len(right)
    none = np.zeros(values.shape[1])
    return logistic(values, right, weights, none, np.full_like(none, _RIDGE))
