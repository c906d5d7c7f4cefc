"""Scaffolds whose gaps get another length."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Scaffold


def with_lengths(scaffold: Scaffold, lengths: Sequence[int | None]) -> Scaffold:
    """The scaffold with one X per residue of every gap; with None a gap stays as it is.

    Gaps keep their position in the user's coordinates as `origin`.
    """
    parts: list[str] = []
    gaps: list[Gap] = []
    inside: list[PositionEvidence] = []  # what reads show of gaps that came without a length
    done = shift = 0
    for gap, length in zip(scaffold.gaps, lengths, strict=True):
        parts.append(scaffold.sequence[done : gap.start])
        start, n = gap.start + shift, gap.size
        moved = replace(gap, start=start, end=start + n, origin=(gap.start, gap.end))
        if length is None or gap.fixed:
            parts.append(scaffold.sequence[gap.start : gap.end])
        else:
            parts.append(MISSING_LETTER * length)
            shift += length - n
            moved = replace(
                moved, end=start + length, min_length=length, max_length=length, shown=()
            )
            if len(gap.shown) == length:
                inside += [replace(e, position=start + e.position) for e in gap.shown]
        gaps.append(moved)
        done = gap.end
    parts.append(scaffold.sequence[done:])
    ends = [gap.end for gap in scaffold.gaps]
    grown = [new.end - old.end for old, new in zip(scaffold.gaps, gaps, strict=True)]

    def now_at(position: int) -> int:
        """Where a position ends up that is in no gap of unknown length."""
        before = bisect_right(ends, position)
        return position + (grown[before - 1] if before else 0)

    moved_evidence = [replace(e, position=now_at(e.position)) for e in scaffold.evidence]
    return replace(
        scaffold,
        sequence="".join(parts),
        gaps=tuple(gaps),
        modifications=tuple(
            replace(m, position=now_at(m.position)) for m in scaffold.modifications
        ),
        evidence=tuple(sorted([*inside, *moved_evidence], key=lambda e: e.position)),
    )


def variants_of(
    scaffold: Scaffold, chosen: Sequence[int | None], number: int, lengths: Iterable[int]
) -> list[Scaffold]:
    """The scaffold with each of some lengths of its gap `number`, the others as chosen."""
    before, after = chosen[:number], chosen[number + 1 :]
    return [with_lengths(scaffold, [*before, length, *after]) for length in lengths]
