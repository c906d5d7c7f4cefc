"""What the chains of a sample are read with, and chains with trial lengths as they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lacuna.filling.template_fit import template_fits
from lacuna.network.kmers import Encoder, KmerSet
from lacuna.network.predict import Predictor
from lacuna.scaffolds.scaffold import Scaffold

VARIANTS = 256  # chains with a trial length that are read together


@dataclass(frozen=True, slots=True)
class Reader:
    """Everything needed to read the chains of a sample."""

    encoder: Encoder
    predictor: Predictor

    def predict(self, kmers: KmerSet, asked: np.ndarray) -> np.ndarray:
        """Distributions (asked, 20) of only those targets with `asked` (t,) bool."""
        return self.predictor.predict(kmers.of_targets(asked))


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
    for start in range(0, len(variants), VARIANTS):
        batch = variants[start : start + VARIANTS]
        chains = [scaffold for scaffold, _ in batch]
        kmers = reader.encoder.encode(chains)
        read = reader.predictor.predict(kmers)
        fits = template_fits(batch, kmers)
        targets = kmers.at()
        bounds = np.searchsorted(targets.chain, np.arange(len(chains) + 1))
        for i, (scaffold, number) in enumerate(batch):
            at = slice(bounds[i], bounds[i + 1])
            position = targets.position[at]
            edges = [np.searchsorted(position, (g.start, g.end)) for g in scaffold.gaps]
            of_gaps = [read[at][low:high] for low, high in edges]
            yield float(fits.total[i]) + mean_surest(of_gaps[number]), of_gaps
