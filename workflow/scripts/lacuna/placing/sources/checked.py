"""The probabilities of residues of reads, checked on what is known of the sample's proteins."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lacuna.antibody.germlines import constants, v_segments
from lacuna.core.alphabet import RESIDUES
from lacuna.placing.aligning.readset import collapse
from lacuna.placing.aligning.seeds import word_weights
from lacuna.placing.sources.segments import WORD, best_of_loci, score_segments
from lacuna.reads.errors.model import ErrorModels
from lacuna.reads.errors.own import FAR_OFF, with_own_errors, without_far_off
from lacuna.reads.read import Read

C_WORDS = 12.0  # words of a constant region in reads, from which it is there
_RUNS = re.compile(f"[{''.join(RESIDUES)}]+")

LOG = logging.getLogger(__name__)


def checked_probabilities(
    reads: Sequence[Read], models: ErrorModels, chains: Sequence[str] | None = None
) -> list[np.ndarray]:
    """For each read, (length,): the probability that each of its residues is right.

    That of tools without a model of their own, or with one that is far off in this sample, is
    corrected by the reads that lie on known residues: those of given chains (letters), or of
    constant regions that reads show. The log says so.
    """
    known = list(_observed(_constants_in(reads, models) if chains is None else chains))
    models = without_far_off(models, reads, known)
    if all(map(models.has_own, reads)):
        return models.probabilities(reads)
    corrected, checks = with_own_errors(models, reads, known)
    for check in checks:
        stated = any(_has_confidences(read) for read in reads if read.tool == check.tool)
        off = stated and abs(check.promised - check.right) >= FAR_OFF
        LOG.log(
            logging.WARNING if off else logging.INFO,
            "%.2f of the residues of reads (%s) that cover known sequence are right; %s "
            "%.2f. All probabilities are corrected by this",
            check.right,
            check.tool,
            "their confidences imply" if stated else "without confidences it was taken to be",
            check.promised,
        )
    for tool in sorted({read.tool for read in reads if not models.has_own(read)}):
        if tool not in corrected.corrections:
            LOG.info("too few reads (%s) cover known sequence to check their confidences", tool)
    return corrected.probabilities(reads)


def _has_confidences(read: Read) -> bool:
    return read.confidences is not None or read.score is not None


def _constants_in(reads: Sequence[Read], models: ErrorModels) -> list[str]:
    """The constant regions that reads show.

    If they show none, and the scale of confidences is not known, these may be so low that no run of
    residues counts: then all reads of such tools are equal.
    """
    found = _constants_shown(reads, models.probabilities(reads))
    if found or all(map(models.has_own, reads)):
        return found
    alike = [
        read if models.has_own(read) else replace(read, confidences=None, score=None)
        for read in reads
    ]
    return _constants_shown(alike, models.probabilities(alike))


def _constants_shown(reads: Sequence[Read], right: Sequence[np.ndarray]) -> list[str]:
    """The constant regions that reads show; right: probabilities of their residues."""
    weights = word_weights(collapse(reads, right), WORD)
    loci = best_of_loci(score_segments(weights), "auto", np.zeros(len(v_segments().names)))
    return [constants()[one.c].sequence for one in loci if one.c_seen >= C_WORDS]


def _observed(chains: Iterable[str]) -> list[str]:
    """The stretches of chains in which no residue is missing; that of a gene may be unknown."""
    return [run for chain in chains for run in _RUNS.findall(chain)]
