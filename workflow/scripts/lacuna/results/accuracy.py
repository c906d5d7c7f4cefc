"""Accuracy where the truth is known: the model and its baselines, with intervals.

Tables of scored residues are summed block by block; the sums of blocks add up, so the result does
not depend on how a batch was cut.

A single ambiguity code (J, B, Z) outside gaps is a choice between two residues. These codes are
counted separately, in the scope `ambiguity`; every other scope is of gaps.
"""

import math
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.statistics import N_BINS, calibration_error, wilson_interval
from lacuna.core.tables import ACCURACY_TABLE, SCORED_TABLE, AccuracyRow
from lacuna.results.join import BASELINES, MODEL

SEED = "seed_lstm"  # the tutorial's model
METHODS = (MODEL, *BASELINES, SEED)
SCAFFOLD = "scaffold"  # the usual protocol
AMBIGUITY = "ambiguity"  # scope of codes outside gaps, by code
SCOPES = ("overall", "locus", "region", "gap_length", AMBIGUITY, "chain")

_UNIT = 10_000  # probabilities have 4 digits and are summed as integers: their order is irrelevant
_KEYS = ["scope", "value", "method", "protocol"]
_BIN_COLUMNS = [f"{what}_{i}" for i in range(N_BINS) for what in ("n", "hit", "p")]


def read_scored(path: Path | str) -> pd.DataFrame:
    """Read a block's table of scored residues, which has no header; all columns as text."""
    return pd.read_csv(path, sep="\t", names=SCORED_TABLE.names, dtype=str, keep_default_na=False)


def sum_scored(scored: pd.DataFrame) -> pd.DataFrame:
    """Counts per scope, value and method of one table of scored residues.

    A gap is exact if all of its residues are right, with I and L taken as equal; a run of
    ambiguity codes is exact if all are right as they are.
    """
    parts = [
        _sum_method(scored, scored[method], method, SCAFFOLD, method == MODEL)
        for method in (MODEL, *BASELINES)
    ]
    return pd.concat(parts)


def sum_predictions(scored: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """As `sum_scored`, for the tutorial's model.

    Its answers and probabilities are in the columns `answer` and `probability`, in addition to
    those of a scored table.
    """
    return _sum_method(scored, scored["answer"], SEED, protocol, True)


def _no_sums() -> pd.DataFrame:
    counts = ("n_residues", "n_correct", "n_answered", "n_gaps", "n_exact")
    return pd.DataFrame(columns=[*_KEYS, *counts, *_BIN_COLUMNS])


def _sum_method(
    scored: pd.DataFrame, answers: pd.Series, method: str, protocol: str, calibrated: bool
) -> pd.DataFrame:
    if scored.empty:
        return _no_sums()
    hit = (answers == scored["truth"]).to_numpy()
    merged = (
        answers.str.replace("I", "L", regex=False)
        == scored["truth"].str.replace("I", "L", regex=False)
    ).to_numpy()
    answered = (answers != MISSING_LETTER).to_numpy().astype(int)
    rows = pd.DataFrame({"n_residues": 1, "n_correct": hit.astype(int), "n_answered": answered})
    if calibrated:
        p = (scored["probability"].astype(float).to_numpy() * _UNIT).round()
        which = np.minimum((p * N_BINS / _UNIT).astype(int), N_BINS - 1)
        bins = np.zeros((len(scored), N_BINS, 3))
        bins[np.arange(len(scored)), which] = np.stack((np.ones(len(p)), hit, p), 1)
        rows[_BIN_COLUMNS] = bins.reshape(len(scored), -1)
    of_gaps = scored["ambiguity"] == ""
    labels = {"overall": pd.Series("all", index=scored.index)}
    labels |= {scope: scored[scope] for scope in ("chain", "region", "gap_length", "locus")}
    labels = {scope: values.where(of_gaps, "") for scope, values in labels.items()}
    labels[AMBIGUITY] = scored["ambiguity"]
    right = np.where(of_gaps, merged, hit)
    gaps = pd.DataFrame({"chain": scored["chain"], "gap": scored["gap"], "exact": right})
    exact = gaps.groupby(["chain", "gap"], sort=False)["exact"].transform("all")
    first = ~gaps.duplicated(["chain", "gap"])
    rows["n_gaps"] = first.to_numpy().astype(int)
    rows["n_exact"] = (first & exact).to_numpy().astype(int)
    parts = []
    for scope in SCOPES:
        summed = rows.groupby(labels[scope].to_numpy(), sort=True).sum().reset_index(names="value")
        summed = summed[summed["value"] != ""]
        parts.append(summed.assign(scope=scope, method=method, protocol=protocol))
    return pd.concat(parts)


def natural_order(values: pd.Series) -> pd.Series:
    """First sort key of values: the number if it is a gap length, else 0."""
    return pd.to_numeric(values, errors="coerce").fillna(0)


def add_up(sums: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Add up the sums of several tables of scored residues."""
    tables = [t for t in sums if not t.empty]
    if not tables:
        return _no_sums()
    return pd.concat(tables).groupby(_KEYS, sort=False).sum(min_count=1).reset_index()


def accuracy_table(
    sums: Iterable[pd.DataFrame], answered: Iterable[tuple[str, str]] | None = None
) -> pd.DataFrame:
    """Add up sums of blocks and compute shares, intervals and calibration.

    A gap counts in the scope of its first residue. A baseline without an answer in any chain, such
    as homologs, is left out; the model never is. If the sums are not of all chains, `answered`
    decides: its pairs of method and protocol are kept. Rows are sorted by scope, value and the
    order of METHODS.
    """
    total = add_up(sums)
    if answered is None:
        n_answered = total.groupby(["method", "protocol"])["n_answered"].transform("sum")
        total = total[(n_answered > 0) | (total["method"] == MODEL)]
    else:
        kept = set(answered)
        pairs = zip(total["method"], total["protocol"], strict=True)
        total = total[[pair in kept for pair in pairs]]
    if total.empty:
        return pd.DataFrame(columns=ACCURACY_TABLE.names)
    rows = [_as_written(_accuracy_row(sums)) for sums in total.to_dict("records")]
    table = pd.DataFrame(rows, columns=ACCURACY_TABLE.names)
    ranks = {m: i for i, m in enumerate(METHODS)}
    order = pd.DataFrame(
        {
            "scope": table["scope"].map({s: i for i, s in enumerate(SCOPES)}),
            "length": natural_order(table["value"]),
            "value": table["value"],
            "method": table["method"].map(ranks),
            "protocol": table["protocol"],
        }
    ).sort_values(["scope", "length", "value", "method", "protocol"], kind="stable")
    return table.loc[order.index].reset_index(drop=True)


def _as_written(row: AccuracyRow) -> list[object]:
    """The cells of a row: counts as numbers, which can be added up, the rest as text."""
    pairs = zip(row, ACCURACY_TABLE.cells(row), strict=True)
    return [value if isinstance(value, int) else cell for value, cell in pairs]


def _accuracy_row(sums: Mapping[Hashable, Any]) -> AccuracyRow:
    n, correct = int(sums["n_residues"]), int(sums["n_correct"])
    mean_probability = ece = None
    if not math.isnan(sums.get("n_0", math.nan)):
        bins = np.array([sums[c] for c in _BIN_COLUMNS]).reshape(N_BINS, 3)
        bins[:, 2] /= _UNIT
        mean_probability = float(bins[:, 2].sum() / n)
        ece = calibration_error(bins[:, 1], bins[:, 2], n)
    scope, value, method, protocol = (sums[key] for key in _KEYS)
    return AccuracyRow(
        scope,
        value,
        method,
        protocol,
        n,
        correct,
        correct / n,
        *wilson_interval(correct, n),
        int(sums["n_gaps"]),
        int(sums["n_exact"]),
        mean_probability,
        ece,
    )
