"""Which residues of a read are right, for reads of proteins that are known.

A read is anchored by the longest run that it shares with a chain and followed from there to both
ends: if it differs, over the smallest block of residues with the mass of a block of the chain, else
residue by residue. I and L are equal.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lacuna.core.masses import DEAMIDATION, MONOISOTOPIC, OXIDATION
from lacuna.reads.read import Read

ANCHOR = 6  # residues that a read must share with a chain
RIGHT, WRONG, UNJUDGED = 1, 0, -1

_BLOCK = 4  # residues of a block, on either side
_SAME = 0.04  # Da: more than the difference of Q and K, or of M(ox) and F
_DEAMIDATED = {("D", "N"), ("E", "Q")}


class Chains(NamedTuple):
    """Known chains with I written as L, and the places of each run of `ANCHOR` residues."""

    sequences: tuple[str, ...]
    places: dict[str, list[tuple[int, int]]]


def index_chains(sequences: Iterable[str]) -> Chains:
    """Index chains for `judge`."""
    chains = tuple(sequence.upper().replace("I", "L") for sequence in sequences)
    places: dict[str, list[tuple[int, int]]] = {}
    for number, chain in enumerate(chains):
        for at in range(len(chain) - ANCHOR + 1):
            places.setdefault(chain[at : at + ANCHOR], []).append((number, at))
    return Chains(chains, places)


def judge(read: Read, chains: Chains) -> NDArray[np.int8] | None:
    """(length,) RIGHT, WRONG or UNJUDGED for each residue; None if no chain has a run of the read.

    Residues beyond the ends of the chain are not judged, nor D and E if the chain has N and Q:
    the protein may be deamidated.
    """
    letters = read.residues.replace("I", "L")
    anchor = _anchor(letters, chains)
    if anchor is None:
        return None
    number, start, end, shift = anchor
    chain = chains.sequences[number]
    weights = _weights(read)
    labels = np.full(len(letters), UNJUDGED, dtype=np.int8)
    labels[start:end] = RIGHT
    _follow(letters[end:], weights[end:], chain[end + shift :], labels[end:])
    _follow(
        letters[:start][::-1],
        weights[:start][::-1],
        chain[: start + shift][::-1],
        labels[:start][::-1],
    )
    return labels


def _anchor(letters: str, chains: Chains) -> tuple[int, int, int, int] | None:
    """(chain, start, end, shift) of the longest shared run: read[i] is chain[i + shift]."""
    runs: dict[tuple[int, int], tuple[int, int]] = {}  # of each diagonal: start and end of the run
    best: tuple[int, int, int, int] | None = None
    for at in range(len(letters) - ANCHOR + 1):
        for number, place in chains.places.get(letters[at : at + ANCHOR], ()):
            key = number, place - at
            start, end = runs.get(key, (at, at))
            start = start if end == at + ANCHOR - 1 else at
            runs[key] = start, at + ANCHOR
            if best is None or at + ANCHOR - start > best[2] - best[1]:
                best = number, start, at + ANCHOR, place - at
    return best


def _weights(read: Read) -> list[float]:
    """The masses of the residues in Da, with modifications but those of C, which all C have."""
    masses = [MONOISOTOPIC[residue] for residue in read.residues]
    for place, mass in read.modifications:
        if 0 <= place < len(masses) and read.residues[place] != "C":
            masses[place] += mass
    return masses


def _follow(letters: str, weights: Sequence[float], chain: str, labels: NDArray[np.int8]) -> None:
    """Judge residues from an anchor outwards; all are written in that direction."""
    i = j = 0
    while i < len(letters) and j < len(chain):
        if letters[i] == chain[j]:
            labels[i] = RIGHT
        elif (letters[i], chain[j]) not in _DEAMIDATED:
            labels[i] = WRONG
            block = _block(weights[i : i + _BLOCK], chain[j : j + _BLOCK])
            if block is not None:
                labels[i : i + block[0]] = WRONG
                i, j = i + block[0], j + block[1]
                continue
        i, j = i + 1, j + 1


def _block(weights: Sequence[float], chain: str) -> tuple[int, int] | None:
    """Residues of the smallest blocks of the read and of the chain with the same mass."""
    of_read = np.cumsum(weights)
    of_chain = np.cumsum([MONOISOTOPIC[residue] for residue in chain])
    sizes = [(a, b) for a in range(1, len(weights) + 1) for b in range(1, len(chain) + 1)]
    for a, b in sorted(sizes, key=sum):
        if a == b == 1:
            continue
        gains = {0.0}
        if "M" in chain[:b]:
            gains.add(OXIDATION)
        if "N" in chain[:b] or "Q" in chain[:b]:
            gains.add(DEAMIDATION)
        if any(abs(of_read[a - 1] - of_chain[b - 1] - gain) <= _SAME for gain in gains):
            return a, b
    return None
