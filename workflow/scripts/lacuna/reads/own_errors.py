"""How often residues of a sample's own reads are right, where the protein is known.

The model for tools without one of their own knows nothing of the scale of their confidences. Most
samples hold constant regions of known sequence. The reads of these show how often residues of each
probability are right, and two numbers correct all probabilities by it. They also show which kinds
of residues are right more or less often than others: most H(+15.99) are wrong, for example, and
most M if the search did not list their oxidation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain, compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.reads.error_model import Correction, ErrorModels, ResidueKind, kinds_of_residues
from lacuna.reads.judging import UNJUDGED, index_chains, judge
from lacuna.reads.logistic import logistic
from lacuna.reads.read import Read, content_of, weights_of_residues, with_acids

MIN_READS = 50  # different ones of the known protein, below which nothing is corrected
TEMPER = 0.1  # of the weight of residues: those of a read are right or wrong together
PRECISION = (4.0, 16.0)  # of the normal distributions that offset and slope are drawn from
OF_KIND = 1.0  # the same of what is added for a kind of residue
CAUTION = 0.25  # log odds subtracted if residues are right more often than promised
SLOPES = (0.05, 2.0)
_ODDS = 7.0  # log odds beyond which a model says nothing more
_PINNED = 1e9  # the precision of a coefficient that stays as it is


class Check(NamedTuple):
    """Residues of a tool's reads on known chains: how often they were promised to be right, how
    often they are, and what corrects it."""

    tool: str
    promised: float
    right: float
    correction: Correction


def with_own_errors(
    models: ErrorModels, reads: Sequence[Read], known: Iterable[str]
) -> tuple[ErrorModels, list[Check]]:
    """The models with a correction for each tool without a model of its own, and what it is from.

    known: sequences of proteins in the sample. A tool with too few reads of them stays as it is.
    Residues that are right more often than promised gain a little less than they might.
    """
    chains = index_chains(known)
    found = []
    without = [read for read in reads if not models.has_own(read)]
    for tool in sorted({read.tool for read in without}):
        every = ((read, judge(with_acids(read), chains)) for read in without if read.tool == tool)
        judged = [(read, labels) for read, labels in every if labels is not None]
        if len({content_of(read) for read, _ in judged}) >= MIN_READS:
            own, labels = zip(*judged, strict=True)
            found.append(_check(models, tool, own, np.concatenate(labels)))
    corrections = {check.tool: check.correction for check in found}
    return replace(models, corrections=corrections), found


def _check(
    models: ErrorModels, tool: str, reads: Sequence[Read], labels: NDArray[np.int8]
) -> Check:
    """What reads of a tool show; labels: of all their residues, as of `judge`."""
    judged = labels != UNJUDGED
    right = labels[judged].astype(np.float64)
    odds, stated = (np.concatenate(of(reads)) for of in (models.log_odds, models.probabilities))
    odds, weights = odds[judged], weights_of_residues(reads, [*map(content_of, reads)])[judged]
    kinds = list(compress(chain.from_iterable(map(kinds_of_residues, reads)), judged.tolist()))
    promised, seen = (float(np.average(x, weights=weights)) for x in (stated[judged], right))
    offset, slope = fit(odds, right, TEMPER * weights)
    more = _fit_kinds(kinds, offset + slope * odds, right, TEMPER * weights)
    if promised < seen:
        offset -= CAUTION
    return Check(tool, promised, seen, Correction(offset, slope, more))


def fit(
    odds: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Offset and slope of log odds (n,) that make residues as often right (n,) as they promise.

    The most probable ones, by residues of some weights (n,), near those that change nothing.
    """
    values = np.stack([np.ones(len(odds)), np.clip(odds, -_ODDS, _ODDS)], axis=1)
    nothing = np.array([0.0, 1.0])
    offset, slope = logistic(values, right, weights, nothing, np.array(PRECISION)).tolist()
    return offset, float(np.clip(slope, *SLOPES))


def _fit_kinds(
    kinds: Sequence[ResidueKind],
    odds: NDArray[np.float64],
    right: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> dict[ResidueKind, float]:
    """What, added to the log odds (n,) of residues of each kind (n,), makes them as often right
    (n,) as they promise: the most probable values, near 0; weights (n,): of residues."""
    names = sorted(set(kinds))
    number = {kind: i for i, kind in enumerate(names)}
    of = np.array([number[kind] for kind in kinds])
    values = np.stack([np.ones(len(odds)), np.clip(odds, -_ODDS, _ODDS)], axis=1)
    usual, precision = np.array([0.0, 1.0]), np.array([OF_KIND, _PINNED])
    more = {}
    for i, name in enumerate(names):
        own = of == i
        more[name] = float(logistic(values[own], right[own], weights[own], usual, precision)[0])
    return more
