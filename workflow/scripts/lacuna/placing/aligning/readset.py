"""Reads as arrays: equal reads once, I as L, masses and probabilities per residue.

I and L weigh the same, so a read cannot tell them apart; both have the token of L here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lacuna.core.alphabet import (
    ABSENT,
    CYSTEINE,
    N_RESIDUES,
    RESIDUES,
    TOKEN,
    encode,
    merge_il,
)
from lacuna.core.masses import MONOISOTOPIC
from lacuna.placing.aligning.same_spectra import shares_of_spectra
from lacuna.reads.read import Modification, Read, content_of, weight_of_equal, with_acids

MAX_READ = 120  # residues; a longer read is cut
# Residues by which blocks of equal mass may differ in length, as N and GG. What they bring is in
# tests/benchmarks/read_ablation.py.
MAX_SHIFT = 2
MIN_READ = 4  # residues; a shorter one has no seed
# Equal residues in a row, and serines among so many residues: failed de novo reads have them.
# Chains of IGHV3-21 and 3-48 have five serines in a row; hardly any has six, and one V domain in a
# hundred has seven of twelve.
REPEATED = 6
SERINES, AMONG = 7, 12
# Residues of which one is read for the other: deamidated N and Q, oxidised M, K and Q, which weigh
# nearly the same.
MISTAKEN = (("D", "N"), ("E", "Q"), ("F", "M"), ("K", "Q"))
# Limits of the probability that a residue is right when reads are compared: one of score 0 may be
# right, and none is beyond doubt.
LEAST_RIGHT, MOST_RIGHT = 0.05, 0.995
IN_REPEAT = 0.06  # probability that a residue of such a run is right: it says next to nothing
MASSES = np.zeros(256)
MASSES[:N_RESIDUES] = [MONOISOTOPIC[r] for r in RESIDUES]


@dataclass(frozen=True, slots=True)
class ReadSet:
    """n different reads of up to w residues.

    tokens (n, w) uint8, L for I, ABSENT past the end, and D and E for deamidated N and Q, which
    weigh as much: tools write them where the other is; written (n, w): the same with N and Q;
    length (n,); right (n, w): probability that a residue is right, 0 past the end; delta (n, w):
    Da that the tool put on a residue, but for deamidation; judged (n,) bool: whether the tool
    stated how sure it is of single residues; weight (n,): `weight_of_equal` of the equal reads of
    the tool that has most, less if another may have read the same spectra; count (n,): equal reads;
    group: index of the different read that each given one is, -1 for one that is too short.
    cysteine: what C may carry in this sample, in Da, apart from nothing; shift: residues by which a
    block of a read may be longer or shorter than one of the chain of equal mass; least: nats that a
    core must have in this sample.
    """

    tokens: np.ndarray
    written: np.ndarray
    length: np.ndarray
    right: np.ndarray
    delta: np.ndarray
    judged: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    group: np.ndarray
    cysteine: tuple[float, ...] = ()
    shift: int = MAX_SHIFT
    least: float = 0.0

    def __len__(self) -> int:
        return len(self.length)

    def cumulative(self) -> np.ndarray:
        """(n, w + 1): Da of the first i residues with their modifications."""
        return running(MASSES[self.tokens] + self.delta)

    def take(self, rows: np.ndarray) -> "ReadSet":
        """The reads of some rows, in their order; `group` still numbers those of the whole set."""
        kept = ("group", "cysteine", "shift", "least")
        return replace(
            self,
            **{f: getattr(self, f)[rows] for f in self.__dataclass_fields__ if f not in kept},
        )


def running(values: np.ndarray) -> np.ndarray:
    """(..., w) -> (..., w + 1) sums of the first 0 to w values of each row."""
    total = np.zeros((*values.shape[:-1], values.shape[-1] + 1))
    np.cumsum(values, axis=-1, out=total[..., 1:])
    return total


def collapse(reads: Sequence[Read], right: Sequence[np.ndarray]) -> ReadSet:
    """Reads of different content, each once, in order of their first appearance.

    right: the probability of each residue of each read; of equal reads they are averaged.
    """
    index: dict[tuple[str, tuple[Modification, ...]], int] = {}
    group = np.full(len(reads), -1)
    rows: list[int] = []
    for i, read in enumerate(reads):
        if len(read.residues) < MIN_READ:
            continue
        group[i] = index.setdefault(content_of(read), len(index))
        if group[i] == len(rows):
            rows.append(i)
    n = len(rows)
    width = min(MAX_READ, max((len(reads[i].residues) for i in rows), default=1))
    tokens, written = (np.full((n, width), ABSENT, dtype=np.uint8) for _ in range(2))
    delta, probability = np.zeros((n, width)), np.zeros((n, width))
    length = np.zeros(n, dtype=np.int64)
    for row, i in enumerate(rows):
        read = with_acids(reads[i])
        whole = len(read.residues)
        for array, letters in ((written, reads[i].residues), (tokens, read.residues)):
            own = merge_il(encode(letters[:width]))
            array[row, : len(own)] = own
        length[row] = len(own)
        for at, mass in read.modifications:
            # Those of the ends are on the first and the last residue.
            at = min(max(at, 0), whole - 1)
            if at < len(own):
                delta[row, at] += mass
    used = np.flatnonzero(group >= 0)
    count = np.bincount(group[used], minlength=n)
    tools = _counts_of_tools(reads, group)
    judged = np.zeros(n, dtype=bool)
    for i in used.tolist():
        row = group[i]
        probability[row, : length[row]] += np.asarray(right[i])[: length[row]]
        judged[row] |= reads[i].confidences is not None
    probability /= np.maximum(count, 1)[:, None]
    repeated = _repeated(tokens)
    probability[repeated] = np.minimum(probability[repeated], IN_REPEAT)
    # A residue that is none of the 20 is no evidence.
    probability[tokens >= N_RESIDUES] = 0.0
    # What C carries, tools may write or not.
    carried = np.where(tokens == CYSTEINE, 0.0, delta)
    shares = shares_of_spectra(running(MASSES[tokens] + carried), length, tools > 0)
    weight = weight_of_equal(tools.max(1)) * shares
    return ReadSet(tokens, written, length, probability, delta, judged, weight, count, group)


def _counts_of_tools(reads: Sequence[Read], group: np.ndarray) -> np.ndarray:
    """(n, tools) how many of the given reads that each of n is are of each tool, one at least."""
    names = sorted({read.tool for read in reads})
    counts = np.zeros((group.max(initial=-1) + 1, max(len(names), 1)), dtype=np.int64)
    for row, read in zip(group.tolist(), reads, strict=True):
        if row >= 0:
            counts[row, names.index(read.tool)] += 1
    return counts


def _repeated(tokens: np.ndarray) -> np.ndarray:
    """(n, w) bool: residues in runs of REPEATED equal ones or more (of H there are some in tags),
    and those among SERINES."""
    found = np.zeros(tokens.shape, dtype=bool)
    if tokens.shape[1] < REPEATED:
        return found
    windows = sliding_window_view(tokens, REPEATED, axis=1)
    first = windows[..., 0]
    equal = (windows == first[..., None]).all(-1)
    equal &= (first < N_RESIDUES) & (first != TOKEN["H"])
    for i in range(REPEATED):
        found[:, i : i + equal.shape[1]] |= equal
    if tokens.shape[1] >= AMONG:
        serines = sliding_window_view(tokens == TOKEN["S"], AMONG, axis=1).sum(-1)
        for i in range(AMONG):
            found[:, i : i + serines.shape[1]] |= serines >= SERINES
    return found
