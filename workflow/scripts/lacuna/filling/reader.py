"""What the chains of a sample are read with, and chains with trial lengths as they are read."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

from lacuna.filling.template_fit import template_fits
from lacuna.network.encode import Encoder
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predictor
from lacuna.scaffolds.scaffold import Scaffold

VARIANTS_TOGETHER = 256  # chains with a trial length that are read together


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything needed to read the chains of a sample."""

    encoder: Encoder
    predictor: Predictor

    def read_gaps(
        self, variants: Sequence[tuple[Scaffold, int]], kmers: KmerSet, asked: np.ndarray
    ) -> list[np.ndarray]:
        """Distributions (length, 20) of the gap in each chain whose length is tried.

        variants: each chain with the number of that gap; kmers: those of the chains; asked:
        (variants,) bool, whether the network is asked about a chain. Of others (0, 20) is returned.
        """
        gap_at = np.array([(v.gaps[n].start, v.gaps[n].end) for v, n in variants])
        _, _, variant, position = kmers.at()
        inside = (gap_at[variant, 0] <= position) & (position < gap_at[variant, 1])
        mine = inside & asked[variant]
        read = self.predictor.predict(kmers.of_targets(mine))
        return np.split(read, np.searchsorted(variant[mine], np.arange(1, len(variants))))


class Trial(Protocol):
    """A gap that is tried at several lengths."""

    @property
    def variants(self) -> Sequence[Scaffold]:
        """Its chain with each of the lengths."""


T = TypeVar("T", bound=Trial)


def together(trials: Iterable[T]) -> Iterator[list[T]]:
    """Yield the trials in batches that are read together, of VARIANTS_TOGETHER chains or a few
    more."""
    batch: list[T] = []
    for trial in trials:
        batch.append(trial)
        if sum(len(one.variants) for one in batch) >= VARIANTS_TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def places_of(trials: Sequence[Trial]) -> list[slice]:
    """Where the variants of each trial are among those of all."""
    edges = np.cumsum([0, *(len(trial.variants) for trial in trials)]).tolist()
    return [slice(start, stop) for start, stop in pairwise(edges)]


def mean_surest(distribution: np.ndarray) -> float:
    """Mean log probability of the most probable residues of (length, 20); 0 if there are none."""
    return float(np.log(distribution.max(1)).mean()) if len(distribution) else 0.0


def read_variants(
    variants: Sequence[tuple[Scaffold, int]], reader: Reader
) -> Iterator[tuple[float, list[np.ndarray]]]:
    """Read chains whose gaps have lengths with the network; each comes with the number of a gap.

    Yields, for each chain, how well it agrees with its templates, in nats and without the mass of
    that gap, and the distributions (length, 20) of all its gaps.
    """
    for start in range(0, len(variants), VARIANTS_TOGETHER):
        batch = variants[start : start + VARIANTS_TOGETHER]
        chains = [scaffold for scaffold, _ in batch]
        kmers = reader.encoder.encode(chains)
        read = reader.predictor.predict(kmers)
        fits = template_fits(batch, kmers)
        positions, bounds = kmers.at().position, kmers.bounds()
        for i, (scaffold, number) in enumerate(batch):
            at = slice(bounds[i], bounds[i + 1])
            position = positions[at]
            edges = [np.searchsorted(position, (g.start, g.end)) for g in scaffold.gaps]
            of_gaps = [read[at][low:high] for low, high in edges]
            yield float(fits.total[i]) + mean_surest(of_gaps[number]), of_gaps
