"""Which small samples share a job, so that Python and torch start once for many of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LARGEST = 100  # chains of a small sample
FEWEST = 9  # small samples of a sheet; fewer have jobs of their own, which show how far they are
MOST_SAMPLES = 32  # of a pack: half a minute of work with as many tables to write


@dataclass(frozen=True, slots=True)
class Pack:
    """Samples that one job fills, in the order of the sheet."""

    name: str
    samples: tuple[str, ...]


def plan_packs(chains: Mapping[str, int], apart: Iterable[str], most_chains: int) -> list[Pack]:
    """The packs of a sheet; a sample that is in none has jobs of its own.

    chains: of every sample, in the order of the sheet; apart: samples that are never packed;
    most_chains: of a pack, 0 for no packs. Packs are filled one after the other, so that a sample
    at the end of the sheet changes the last one alone. They do not depend on the cores of a run.
    """
    largest, alone = min(LARGEST, most_chains), set(apart)
    small = [name for name, n in chains.items() if n <= largest and name not in alone]
    if not most_chains or len(small) < FEWEST:
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
