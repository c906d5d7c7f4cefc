"""How the chains of a repertoire differ: counts that the page draws as bars."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lacuna.antibody.imgt import N_IMGT, REGIONS
from lacuna.results.report.gaps import Residues
from lacuna.results.streams import chunks

PROBABILITY_BARS = 20
LENGTH_BARS = 30
TOP_SEGMENTS = 15
CDR_MIDDLES = {"CDR1": 32, "CDR2": 60, "CDR3": 111}  # IMGT positions


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts by label. upright: columns along an axis, of which `ticks` (bar, text) are named.

    others: how many more labels there are that are not shown, and their count.
    """

    title: str
    note: str
    bars: tuple[tuple[str, int], ...]
    upright: bool = True
    ticks: tuple[tuple[int, str], ...] = ()
    others: tuple[int, int] = (0, 0)

    @property
    def most(self) -> int:
        """The largest count, 1 at least."""
        return max((n for _, n in self.bars), default=0) or 1


def distributions_of(chains: Path, residues: Residues) -> tuple[Bars, ...]:
    """Probability, length, region, V use, and where residues are missing; empty ones left out."""
    lengths: Counter[int] = Counter()
    segments: Counter[str] = Counter()
    for chunk in chunks(chains, ("length", "v_segment")):
        for length, n in chunk["length"].value_counts().items():
            lengths[int(str(length))] += int(n)
        for segment, n in chunk["v_segment"].value_counts().items():
            segments[str(segment).partition("*")[0]] += int(n)
    found = (
        _probabilities(residues.all),
        _missing(residues.columns),
        _lengths(lengths),
        _regions(residues.regions),
        _segments(segments),
    )
    return tuple(bars for bars in found if any(n for _, n in bars.bars))


def _probabilities(counts: np.ndarray) -> Bars:
    steps = np.arange(len(counts)) * PROBABILITY_BARS // (len(counts) - 1)
    sums = np.bincount(np.minimum(steps, PROBABILITY_BARS - 1), counts, PROBABILITY_BARS)
    width = 1 / PROBABILITY_BARS
    bars = [(f"{i * width:.2f} to {(i + 1) * width:.2f}", int(n)) for i, n in enumerate(sums)]
    ticks = ((0, "0"), (PROBABILITY_BARS // 2, "0.5"), (PROBABILITY_BARS, "1"))
    return Bars("Probability", "residues of gaps by probability", tuple(bars), True, ticks)


def _missing(columns: Counter[int]) -> Bars:
    bars = tuple((f"IMGT {i}", columns[i]) for i in range(1, N_IMGT + 1))
    ticks = tuple((middle, name) for name, middle in CDR_MIDDLES.items())
    return Bars("Where residues are missing", "by IMGT position", bars, True, ticks)


def _regions(regions: Counter[str]) -> Bars:
    names = [name for name in REGIONS if regions[name]]
    bars = [(name, regions[name]) for name in names]
    if regions[""]:
        bars.append(("outside", regions[""]))
    return Bars("Region", "missing residues of gaps", tuple(bars), False)


def _segments(segments: Counter[str]) -> Bars:
    named = sorted(((n, s) for s, n in segments.items() if s), key=lambda x: (-x[0], x[1]))
    bars = [(segment, n) for n, segment in named[:TOP_SEGMENTS]]
    rest = named[TOP_SEGMENTS:]
    others = len(rest), sum(n for n, _ in rest)
    return Bars("V genes", "chains", tuple(bars), False, (), others)


def _lengths(lengths: Counter[int]) -> Bars:
    if not lengths:
        return Bars("Length", "", ())
    low, high = min(lengths), max(lengths)
    width = max(-(-(high - low + 1) // LENGTH_BARS), 1)
    n = (high - low) // width + 1
    sums = [0] * n
    for length, count in lengths.items():
        sums[(length - low) // width] += count
    starts = [low + i * width for i in range(n)]
    bars = [
        (str(s) if width == 1 else f"{s} to {s + width - 1}", c)
        for s, c in zip(starts, sums, strict=True)
    ]
    ticks = ((0, str(low)), (n, str(high)))
    return Bars("Length", "chains by residues", tuple(bars), True, ticks)
