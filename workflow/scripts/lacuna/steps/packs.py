"""Packs of small samples that share a job, so that Python and torch start once for many samples."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LARGEST_SAMPLE = 100  # chains of a small sample
FEWEST_SAMPLES = 9  # small ones of a sheet; if there are fewer, each has its own jobs and progress
MOST_SAMPLES = 32  # of a pack: half a minute of work if there are as many tables to write


@dataclass(frozen=True, slots=True)
class Pack:
    """Samples that are filled by one job, in the order of the sheet."""

    name: str
    samples: tuple[str, ...]


def plan_packs(chains: Mapping[str, int], apart: Iterable[str], most_chains: int) -> list[Pack]:
    """Plan the packs of a sheet; a sample in none of them has jobs of its own.

    chains: number per sample, in the order of the sheet; apart: samples that are never packed;
    most_chains: per pack, 0 for no packs. Packs are filled up one after the other, so that a sample
    added at the end of the sheet changes only the last one. They do not depend on a run's cores.
    """
    largest, alone = min(LARGEST_SAMPLE, most_chains), set(apart)
    small = [name for name, n in chains.items() if n <= largest and name not in alone]
    if not most_chains or len(small) < FEWEST_SAMPLES:
        return []
    groups: list[list[str]] = [[]]
    taken = 0
    for name in small:
        if len(groups[-1]) == MOST_SAMPLES or taken + chains[name] > most_chains:
            groups.append([])
            taken = 0
        groups[-1].append(name)
        taken += chains[name]
    return [Pack(f"{i:05d}", tuple(names)) for i, names in enumerate(groups)]
