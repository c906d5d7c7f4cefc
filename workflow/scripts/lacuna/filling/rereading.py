"""Gaps with masses are read twice: the network sees what masses settle and reads the rest again.

A mass or a spectrum can settle some residues of a gap and leave others open, as two that may be
either way round. The network's first reading of these, and the choice of templates, do not know of
the settled ones.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lacuna.core.alphabet import RESIDUES, il_as_one
from lacuna.core.runs import runs_of
from lacuna.filling.rank_gaps import RankedGap
from lacuna.network.encode import Encoder
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predict
from lacuna.scaffolds.scaffold import Gap, Scaffold

SHOWN_PROBABILITY = 0.9  # from which a residue is shown, I and L as one, and a gap not read again
SECOND_WEIGHT = 0.5  # of the second reading


def is_read_twice(gap: Gap) -> bool:
    """Whether masses or spectra say anything of a gap."""
    return gap.weighed or gap.spectra is not None


def read_again(
    scaffolds: Sequence[Scaffold],
    ranked: Sequence[RankedGap],
    kmers: KmerSet,
    read: np.ndarray,
    encoder: Encoder,
    predict: Predict,
) -> tuple[np.ndarray, set[str]]:
    """Distributions (t, 20) after the second reading, and the chains of which it changes some.

    ranked: the gaps as `read` (t, 20), the first reading of `kmers`, has them with all that is
    known of them. Of a residue that is read again it is the geometric mean of both readings.
    """
    shown, asked = _settled(ranked)
    if not asked:
        return read, set()
    numbers = [i for i, scaffold in enumerate(scaffolds) if scaffold.chain in asked]
    again = encoder.encode([_showing(scaffolds[i], shown[scaffolds[i].chain]) for i in numbers])
    at = again.at()
    rows = _rows(kmers, np.array(numbers)[at.chain], at.position)
    mine = np.isin(rows, np.concatenate(list(asked.values())))
    second, rows = predict(again.of_targets(mine)), rows[mine]
    both = read.copy()
    both[rows] = read[rows] ** (1 - SECOND_WEIGHT) * second**SECOND_WEIGHT
    both[rows] /= both[rows].sum(1, keepdims=True)
    return both, set(asked)


def _settled(
    ranked: Sequence[RankedGap],
) -> tuple[dict[str, dict[int, str]], dict[str, list[int]]]:
    """Residues that masses settle, as letters by position, and rows to be read again; by chain."""
    shown: dict[str, dict[int, str]] = {}
    asked: dict[str, list[int]] = {}
    for one in ranked:
        gap, ranking = one.gap, one.ranking
        if not is_read_twice(gap.given) or not ranking.candidates:
            continue
        start = gap.given.start
        sure = il_as_one(ranking.distributions).max(1) >= SHOWN_PROBABILITY
        best = ranking.distributions.argmax(1)
        letters = {start + i: RESIDUES[best[i]] for i in np.flatnonzero(sure).tolist()}
        shown.setdefault(one.chain, {}).update(letters)
        if letters and not sure.all() and ranking.candidates[0].probability < SHOWN_PROBABILITY:
            open_rows = [gap.rows[i] for i in np.flatnonzero(~sure).tolist()]
            asked.setdefault(one.chain, []).extend(open_rows)
    return shown, asked


def _rows(kmers: KmerSet, chain: np.ndarray, position: np.ndarray) -> np.ndarray:
    """(n,) rows of missing residues among those of a set, by chain and position (n,)."""
    at, far = kmers.at(), 1 << 32  # longer than any chain
    return np.searchsorted(at.chain.astype(np.int64) * far + at.position, chain * far + position)


def _showing(scaffold: Scaffold, shown: dict[int, str]) -> Scaffold:
    """A chain with missing residues shown as letters, by position; the others stay gaps."""
    letters = list(scaffold.sequence)
    for position, letter in shown.items():
        letters[position] = letter
    gaps: list[Gap] = []
    for gap in scaffold.gaps:
        missing = np.array([i not in shown for i in range(gap.start, gap.end)])
        if missing.all():
            gaps.append(gap)
            continue
        for first, last in runs_of(missing):
            start, end = gap.start + first, gap.start + last
            # Whether the truth is known decides which homologs are left out.
            gaps.append(Gap(start, end, end - start, end - start, truth=gap.truth))
    return replace(scaffold, sequence="".join(letters), gaps=tuple(gaps))
