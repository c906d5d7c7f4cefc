"""True chains of a sample of reads alone, whose chains have names of their own.

Each true chain goes to the scaffold that it is most like, and is written in the scaffold's shape:
what reads show stays as they show it, so that a residue they have wrong is counted and does not
make the truth unfit for the gaps.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from Bio.Align import PairwiseAligner, substitution_matrices

from lacuna.core.alphabet import MISSING_LETTER, RESIDUES, l_for_i_or_l
from lacuna.core.files import MAX_SHOWN, atomic_write, printable, shortened
from lacuna.core.words import plural
from lacuna.scaffolds.fasta import fasta_record
from lacuna.scaffolds.scaffold import Rejected, Scaffold

LOG = logging.getLogger(__name__)
LEAST_ALIKE_SHARE = 0.5  # share of the shorter chain that must be the same


@dataclass(frozen=True, slots=True)
class Matched:
    """A scaffold and the true chain that it is most like.

    places: for each position of the scaffold that of the true chain, -1 for none; shown, wrong:
    residues that reads show, and how many of them the true chain has otherwise (I as L).
    """

    scaffold: Scaffold
    truth: Scaffold
    places: tuple[int, ...]
    shown: int
    wrong: int


def write_truth(
    scaffolds: Sequence[Scaffold], truths: Sequence[Scaffold], out: Path
) -> list[Matched]:
    """Write the true chains of scaffolds under the scaffolds' ids, and log what differs.

    Returns the pairs; without any, no file is written.
    """
    matched = match(scaffolds, truths)
    if not matched:
        return []
    with atomic_write(out) as handle:
        for one in matched:
            handle.write(fasta_record(one.scaffold.chain, "", in_shape(one)))
            LOG.info(
                "%s is compared with %s: of %d residues that reads show, %d differ",
                one.scaffold.chain,
                one.truth.chain,
                one.shown,
                one.wrong,
            )
    return matched


def unlike(
    scaffolds: Sequence[Scaffold], truths: Sequence[Scaffold], matched: Sequence[Matched], file: str
) -> Iterator[Rejected]:
    """Yield remarks on true chains of a file that no scaffold resembles, and on scaffolds with gaps
    that resemble none of them, unless none does.
    """
    true = {one.truth.chain for one in matched}
    known = {one.scaffold.chain for one in matched}
    if left := [truth for truth in truths if truth.chain not in true]:
        said = (
            f"no chain assembled from the reads resembles {_first_of(left)} of the truth; what "
            "resembles none does not count for accuracy: give the true chains of this sample"
        )
        yield _remark(left[0].chain, file, left[0].line, said)
    alone = [scaffold for scaffold in scaffolds if scaffold.gaps and scaffold.chain not in known]
    if matched and alone:
        said = (
            f"no chain of the truth resembles {_first_of(alone)} of the chains with gaps that were "
            "assembled from the reads; what resembles none does not count for accuracy: add its "
            "true chain, if it is known"
        )
        yield _remark(alone[0].chain, file, 1, said)


def _first_of(chains: Sequence[Scaffold]) -> str:
    """`'heavy'`, or `'heavy', nor 2 others`."""
    more = f", nor {plural(len(chains) - 1, 'other')}," if len(chains) > 1 else ""
    return f"'{shortened(chains[0].chain, MAX_SHOWN)}'{more}"


def _remark(chain: str, file: str, line: int, said: str) -> Rejected:
    name = printable(shortened(chain, MAX_SHOWN))
    return Rejected(name, line, None, printable(f"{file}:{line}: {said}"), remark=True)


def match(scaffolds: Sequence[Scaffold], truths: Sequence[Scaffold]) -> list[Matched]:
    """Pairs of scaffolds and true chains, each in one at most, in the order of the scaffolds."""
    tried = [_aligned(scaffold, truth) for scaffold in scaffolds for truth in truths]
    found: list[Matched] = []
    for one in sorted(tried, key=lambda m: m.wrong - m.shown):
        least = LEAST_ALIKE_SHARE * min(_shown(one.scaffold), len(one.truth.sequence))
        used = {id(x) for m in found for x in (m.scaffold, m.truth)}
        if one.shown - one.wrong > least and not {id(one.scaffold), id(one.truth)} & used:
            found.append(one)
    order = {id(scaffold): i for i, scaffold in enumerate(scaffolds)}
    return sorted(found, key=lambda m: order[id(m.scaffold)])


def _shown(scaffold: Scaffold) -> int:
    return sum(letter != MISSING_LETTER for letter in scaffold.sequence)


def _aligner() -> PairwiseAligner:
    """Alignments whose ends are free: reads and truth may have other parts of a chain."""
    letters = RESIDUES + MISSING_LETTER
    scores = substitution_matrices.Array(letters, dims=2)
    for one in letters:
        for other in letters:
            same = 2.0 if one == other else -1.0
            scores[one, other] = 0.0 if MISSING_LETTER in (one, other) else same
    return PairwiseAligner(
        mode="global",
        substitution_matrix=scores,
        open_gap_score=-4,
        extend_gap_score=-0.5,
        end_gap_score=0,
    )


def _merged(sequence: str) -> str:
    """The letters of a sequence as they are compared: L for I, X for what is no residue."""
    letters = l_for_i_or_l(sequence)
    return "".join(letter if letter in RESIDUES else MISSING_LETTER for letter in letters)


def _aligned(scaffold: Scaffold, truth: Scaffold) -> Matched:
    mine, true = _merged(scaffold.sequence), _merged(truth.sequence)
    places = np.full(len(mine), -1)
    if mine and true:
        for (a, b), (c, d) in zip(*_aligner().align(mine, true)[0].aligned, strict=True):
            places[a:b] = np.arange(c, d)
    under = [
        (mine[i], true[at]) for i, at in enumerate(places.tolist()) if at >= 0 and mine[i] != "X"
    ]
    wrong = sum(one != other for one, other in under)
    return Matched(scaffold, truth, tuple(places.tolist()), len(under), wrong)


def in_shape(one: Matched) -> str:
    """The true chain with the residues that reads show, X where nothing of it lies.

    A gap of unknown length has what lies between the residues on its two sides.
    """
    scaffold, true, places = one.scaffold, one.truth.sequence, one.places
    open_gaps = {gap.start: gap for gap in scaffold.gaps if not gap.fixed}
    pieces, i = [], 0
    while i < len(scaffold.sequence):
        gap = open_gaps.pop(i, None)
        if gap is not None:
            before = places[gap.start - 1] if gap.start else -1
            behind = places[gap.end] if gap.end < len(places) else -1
            known = 0 <= before < behind
            pieces.append(true[before + 1 : behind] if known else MISSING_LETTER)
            i = gap.end
            continue
        letter = scaffold.sequence[i]
        real = true[places[i]] if places[i] >= 0 else MISSING_LETTER
        if letter == "J":
            letter = real if real in "IL" else "L"
        pieces.append(real if letter == MISSING_LETTER else letter)
        i += 1
    return "".join(pieces)
