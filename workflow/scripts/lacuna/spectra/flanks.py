"""The known residues around a gap: what they weigh, and what they may carry that is not written.

J, which is I or L, is known here: both weigh the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, takewhile
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import CARBAMYL
from lacuna.core.runs import runs_of
from lacuna.scaffolds.residue_masses import (
    PYROGLUTAMATE,
    PYROGLUTAMATE_SHARES,
    RESIDUE_MASSES,
    USUAL,
    Usual,
)
from lacuna.scaffolds.scaffold import Gap, Scaffold

MAX_FLANK = 60  # known residues of a digested peptide on either side of the gap
OTHER_END_WEIGHT = 0.05  # weight of an end that is neither the chain's nor tryptic, to one that is
TRYPTIC = "KR"
WEIGHTS = {r: float(m) for r, m in zip(RESIDUES, RESIDUE_MASSES, strict=True)}
WEIGHTS["J"] = WEIGHTS["L"]  # chains from reads have J for every I and L that these show

FIRST_OF_PEPTIDE = {"Q": 0.3, "E": 0.02}  # odds of pyroglutamate
ON_AMINE = 0.01  # odds of what reagents leave on the first residue of any peptide


@dataclass(frozen=True, slots=True, eq=False)
class Flank:
    """The known residues on one side of a gap, as peptides that begin or end there may have them.

    edges (a,): where the peptides begin or end in the scaffold; the first has no known residue;
    masses (a,): from there to the gap, in Da; parts (a, c): from each cleavage to the gap, in Da;
    shares (a,): prior probability of each; carried (a,): what one of the residues carries that is
    not written, in words, '' for nothing; cut: whether another gap ends the flank; ends_at_gap:
    whether the gap has an end of the chain or a tryptic one on this side.
    """

    edges: np.ndarray
    masses: np.ndarray
    parts: np.ndarray
    shares: np.ndarray
    carried: np.ndarray
    cut: bool = False
    ends_at_gap: bool = False

    def inner(self, row: int) -> np.ndarray:
        """Masses in Da from each cleavage of a peptide to the gap, also from that at the gap."""
        parts = self.parts[row]
        return parts[parts < self.masses[row]]

    def within(self, heaviest: float) -> "Flank":
        """The peptides whose residues weigh at most so much, in Da."""
        some = self.masses <= heaviest
        parts = self.parts[some][:, self.parts[0] <= heaviest]
        each = (self.edges, self.masses, self.shares, self.carried)
        edges, masses, shares, carried = (values[some] for values in each)
        return Flank(edges, masses, parts, shares, carried, self.cut, self.ends_at_gap)


@dataclass(frozen=True, slots=True)
class Flanks:
    """The flanks of a gap."""

    left: Flank
    right: Flank

    def within(self, heaviest: float) -> "Flanks":
        """The peptides whose residues weigh at most so much on either side, in Da."""
        return Flanks(self.left.within(heaviest), self.right.within(heaviest))


class _Residue(NamedTuple):
    """A known residue; weight: in Da; bare: whether nothing is written on it."""

    position: int
    letter: str
    weight: float
    bare: bool


class _Form(NamedTuple):
    """What one residue of a flank carries.

    between: residues between it and the gap; peptides (a,): whether those with 0, 1, 2 ... known
    residues may have it.
    """

    between: int
    peptides: np.ndarray
    what: Usual
    words: str


def flanks(scaffold: Scaffold, gap: Gap, cysteine: float, longest: int | None) -> Flanks:
    """The flanks of a gap. One residue on either side may carry what is usual, if nothing is
    written on it.

    cysteine: Da that every C carries unless the scaffold has a modification on it; longest: largest
    number of residues of a flank; None for no limit, and pyroglutamate alone of what is usual.
    """
    letters = scaffold.sequence
    written = _written(scaffold)

    def residue(position: int) -> _Residue:
        letter = letters[position]
        carried = written.get(position, cysteine if letter == "C" else 0.0)
        return _Residue(position, letter, WEIGHTS[letter] + carried, position not in written)

    def known(positions: Iterable[int]) -> list[_Residue]:
        near = takewhile(lambda position: letters[position] in WEIGHTS, positions)
        return [residue(position) for position in islice(near, longest)]

    # A gap that is inserted between two residues has no letter at which a flank would end.
    inserted = [one.start for one in scaffold.gaps if one.start == one.end and one != gap]
    first = max((at for at in inserted if at <= gap.start), default=0)
    last = min((at for at in inserted if at >= gap.end), default=len(letters))
    before, after = known(reversed(range(first, gap.start))), known(range(gap.end, last))
    starts, ends = gap.start - np.arange(len(before) + 1), gap.end + np.arange(len(after) + 1)
    begins, stops = ([is_end(letters, at) for at in of.tolist()] for of in (starts, ends))
    of_left, of_right = list(_first(before)), list[_Form]()
    if longest is not None:
        of_left += [*_anywhere(before), *_on_amines(before, begins, cysteine)]
        of_right += _anywhere(after)
    left, right = _flank(before, starts, begins, of_left), _flank(after, ends, stops, of_right)
    whole = len(letters) if longest is None else longest
    return Flanks(
        replace(left, cut=starts[-1] > 0 and len(before) < whole, ends_at_gap=begins[0]),
        replace(right, cut=ends[-1] < len(letters) and len(after) < whole, ends_at_gap=stops[0]),
    )


def left_by_reagents(cysteine: float) -> Iterator[Usual]:
    """Yield what the first residue of a peptide may carry: urea leaves a carbamyl group on amines,
    and what alkylates C binds to them too; cysteine: as in `flanks`."""
    yield Usual(CARBAMYL, ON_AMINE, "carbamylated")
    if cysteine:
        yield Usual(cysteine, ON_AMINE, "alkylated")


def is_end(letters: str, at: int) -> bool:
    """Whether a tryptic peptide of a chain begins or ends there, or the chain itself does."""
    return at in (0, len(letters)) or letters[at - 1] in TRYPTIC


def masses_of(scaffold: Scaffold, cysteine: float) -> list[float]:
    """What each residue of a chain weighs, in Da, 0 if it is missing; cysteine: as in `flanks`."""
    written = _written(scaffold)
    return [
        WEIGHTS[letter] + written.get(i, cysteine if letter == "C" else 0.0)
        if letter in WEIGHTS
        else 0.0
        for i, letter in enumerate(scaffold.sequence)
    ]


def known_stretches(scaffold: Scaffold) -> list[tuple[int, int]]:
    """Where residues of a chain are known one behind the other, half-open."""
    cut = {gap.start for gap in scaffold.gaps if gap.start == gap.end}
    known = np.array([letter in WEIGHTS for letter in scaffold.sequence], dtype=bool)
    found = []
    for first, last in runs_of(known):
        edges = [first, *sorted(at for at in cut if first < at < last), last]
        found += list(pairwise(edges))
    return found


def _written(scaffold: Scaffold) -> dict[int, float]:
    """Da that residues carry by what is written on them, by position."""
    written: dict[int, float] = {}
    for modification in scaffold.modifications:
        at = modification.position
        written[at] = written.get(at, 0.0) + modification.mass
    return written


def _anywhere(near: Sequence[_Residue]) -> Iterator[_Form]:
    """Yield what each residue of a flank may carry wherever it is in a peptide."""
    n = np.arange(len(near) + 1)
    for between, one in enumerate(near):
        if one.bare and one.letter in USUAL:
            usual = USUAL[one.letter]
            yield _Form(between, n > between, usual, f"{one.letter}{one.position} {usual.word}")


def _first(near: Sequence[_Residue]) -> Iterator[_Form]:
    """Yield the pyroglutamates of peptides that begin in a flank."""
    n = np.arange(len(near) + 1)
    for between, one in enumerate(near):
        if not one.bare or one.letter not in PYROGLUTAMATE:
            continue
        share = PYROGLUTAMATE_SHARES[one.letter]
        odds = FIRST_OF_PEPTIDE[one.letter] if one.position else share / (1 - share)
        usual = Usual(PYROGLUTAMATE[one.letter], odds, "pyroglutamate")
        yield _Form(between, n == between + 1, usual, f"{one.letter}{one.position} {usual.word}")


def _on_amines(
    near: Sequence[_Residue], begins: Sequence[bool], cysteine: float
) -> Iterator[_Form]:
    """Yield what the first residue of a peptide may carry that begins where peptides should.

    begins: whether they should with 0, 1, 2 ... residues of the flank. A peptide that begins
    anywhere, with anything on it, would explain any mass of the gap.
    """
    n = np.arange(len(near) + 1)
    for between, one in enumerate(near):
        if one.bare and begins[between + 1]:
            for usual in left_by_reagents(cysteine):
                words = f"{one.letter}{one.position} {usual.word}"
                yield _Form(between, n == between + 1, usual, words)


def _flank(
    near: Sequence[_Residue], edges: np.ndarray, at_ends: Sequence[bool], forms: Sequence[_Form]
) -> Flank:
    """A flank; near: its residues, that beside the gap first; edges, at_ends: where peptides with
    0, 1, 2 ... of them begin or end, and whether this is an end of the chain or tryptic."""
    plain = np.cumsum([0.0, *(one.weight for one in near)])
    n = np.arange(len(plain))
    weights = np.where(at_ends, 1.0, OTHER_END_WEIGHT)
    nothing = _Form(len(near), n >= 0, Usual(0.0, 1.0, ""), "")
    each = []
    for form in (nothing, *forms):
        lies = plain + form.what.mass * (n > form.between)  # from a cleavage to the gap
        rows = np.flatnonzero(form.peptides)
        parts = np.broadcast_to(lies, (len(rows), len(lies)))
        words = np.full(len(rows), form.words, dtype=object)
        each.append((edges[rows], lies[rows], parts, weights[rows] * form.what.odds, words))
    edges, masses, parts, shares, carried = map(np.concatenate, zip(*each, strict=True))
    return Flank(edges, masses, parts, shares / shares.sum(), carried)
