"""The missing residues of a block: letters, probabilities, alternatives, and baselines."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES, RESIDUES, encode
from lacuna.core.tables import ALTERNATIVES, MIN_ALTERNATIVE
from lacuna.core.tsv import Shares
from lacuna.filling.baselines import baselines_of
from lacuna.network.kmers import KmerSet

NO_SHARES = Shares()


@dataclass(frozen=True, slots=True)
class Residues:
    """The t missing residues of a block, with t values each; shares: of the letters.

    baselines: t residues each from the germline, the nearest homolog and the majority of the
    column; others: alternatives with their shares, those of residue i from ends[i] to ends[i + 1].
    """

    letters: str
    shares: list[float]
    germline: list[str]
    baselines: list[list[str]]
    others: list[tuple[str, float]]
    ends: list[int]

    def alternatives(self, rows: range) -> list[Shares]:
        """The most probable residues other than the chosen ones."""
        others, ends = self.others, self.ends[rows.start : rows.stop + 1]
        return [Shares(others[a:b]) if a < b else NO_SHARES for a, b in pairwise(ends)]


def residues_of(filled: str, distributions: np.ndarray, kmers: KmerSet) -> Residues:
    """Make `Residues`; filled: (t,) letters; distributions: (t, 21), with 0 for X."""
    chosen = np.arange(len(filled)), encode(filled)
    shares = distributions[chosen].tolist()
    others = distributions.copy()
    others[chosen] = 0
    baselines = baselines_of(kmers)
    germline = ["" if letter == MISSING_LETTER else letter for letter in baselines[0]]
    return Residues(filled, shares, germline, baselines, *_alternatives(others))


def _alternatives(probabilities: np.ndarray) -> tuple[list[tuple[str, float]], list[int]]:
    """The most probable residues of each row of (t, 21), as in `Residues`."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :ALTERNATIVES]
    shares = np.take_along_axis(probabilities, order, 1)
    listed = shares >= MIN_ALTERNATIVE
    names = [RESIDUES[token] for token in order[listed].tolist()]
    pairs = list(zip(names, shares[listed].tolist(), strict=True))
    return pairs, [0, *np.cumsum(listed.sum(1)).tolist()]


def up_to(most: float, shares: np.ndarray) -> np.ndarray:
    """Distributions (t, 20), those that exceed `most` mixed with the even one."""
    if most >= 1:
        return shares
    top, even = shares.max(-1, keepdims=True), 1 / N_RESIDUES
    keep = np.where(top > most, (most - even) / np.maximum(top - even, even), 1.0)
    return keep * shares + (1 - keep) * even
