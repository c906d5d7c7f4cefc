"""How often residues of a sample's own reads are right, where the protein is known.

The model for tools without one of their own knows nothing of the scale of their confidences. Most
samples hold constant regions of known sequence. The reads of these show how often residues of each
probability are right, and two numbers correct all probabilities by it. They also show which kinds
of residues are right more or less often than others: most H(+15.99) are wrong, for example, and
most M if the search did not list their oxidation.

A tool's own model was fitted on what the tool writes by default. If another version or setting
states higher confidences, the same reads show it, and the tool is taken for one without a model.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.reads.errors.judging import UNJUDGED, index_chains, judge
from lacuna.reads.errors.logistic import logistic
from lacuna.reads.errors.model import Correction, ErrorModels, ResidueKind, kinds_of_residues
from lacuna.reads.read import Read, content_of, weights_of_residues, with_acids

MIN_READS = 50  # different ones of the known protein, below which nothing is corrected
ALIKE_ERRORS = 0.1  # of the weight of residues: those of a read are right or wrong together
PRECISION = (4.0, 16.0)  # of the normal distributions that offset and slope are drawn from
OF_KIND = 1.0  # the same of what is added for a kind of residue
# Difference between promised and right residues that is a warning, and from which a tool's own
# model is not used if it promises more. That of PEAKS promises at most 0.02 too many in real
# samples of other proteins, and 0.14 to 0.24 if all their confidences are 99, or those of 90 and
# more are 100.
FAR_OFF = 0.1
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
    without = [read for read in reads if not models.has_own(read)]
    found = [_check(models, one) for one in _on_known(without, known)]
    corrections = {check.tool: check.correction for check in found}
    return replace(models, corrections=corrections), found


def without_far_off(
    models: ErrorModels, reads: Sequence[Read], known: Iterable[str]
) -> ErrorModels:
    """The models without those of tools of whose residues far fewer are right than promised.

    known: sequences of proteins in the sample.
    """
    tools = {tool for tool, _ in models.models}
    own = [read for read in reads if read.tool in tools and models.has_own(read)]
    far_off = {one.tool for one in _on_known(own, known) if _shortfall(models, one) >= FAR_OFF}
    if not far_off:
        return models
    return replace(models, models={k: m for k, m in models.models.items() if k[0] not in far_off})


class _OnKnown(NamedTuple):
    """Reads of a tool that lie on known chains, and labels of all their residues, as of `judge`."""

    tool: str
    reads: tuple[Read, ...]
    labels: NDArray[np.int8]


def _on_known(reads: Sequence[Read], known: Iterable[str]) -> Iterator[_OnKnown]:
    """Yield those of each tool that has enough of them."""
    chains = index_chains(known)
    for tool in sorted({read.tool for read in reads}):
        every = ((read, judge(with_acids(read), chains)) for read in reads if read.tool == tool)
        judged = [(read, labels) for read, labels in every if labels is not None]
        if len({content_of(read) for read, _ in judged}) >= MIN_READS:
            own, labels = zip(*judged, strict=True)
            yield _OnKnown(tool, own, np.concatenate(labels))


def _promised_and_right(models: ErrorModels, found: _OnKnown) -> tuple[float, float]:
    """The share of the judged residues that are promised to be right, and that are."""
    judged = found.labels != UNJUDGED
    weights = _weights(found)[judged]
    stated = np.concatenate(models.probabilities(found.reads))[judged]
    promised, right = (np.average(x, weights=weights) for x in (stated, found.labels[judged]))
    return float(promised), float(right)


def _shortfall(models: ErrorModels, found: _OnKnown) -> float:
    """By how much fewer residues are right than promised."""
    promised, right = _promised_and_right(models, found)
    return promised - right


def _weights(found: _OnKnown) -> NDArray[np.float64]:
    return weights_of_residues(found.reads, [*map(content_of, found.reads)])


def _check(models: ErrorModels, found: _OnKnown) -> Check:
    """What reads of a tool show."""
    tool, reads, labels = found
    judged = labels != UNJUDGED
    right = labels[judged].astype(np.float64)
    odds, weights = np.concatenate(models.log_odds(reads))[judged], _weights(found)[judged]
    kinds = list(compress(chain.from_iterable(map(kinds_of_residues, reads)), judged.tolist()))
    promised, seen = _promised_and_right(models, found)
    offset, slope = fit(odds, right, ALIKE_ERRORS * weights)
    more = _fit_kinds(kinds, offset + slope * odds, right, ALIKE_ERRORS * weights)
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
