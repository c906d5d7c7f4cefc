"""Chains of several V domains: an scFv, a tandem, a bispecific chain.

Runs of germline words suggest where one domain ends and the next begins; there the chain is cut,
and each part is numbered as a chain of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np

from lacuna.antibody.constant_region import find_constant
from lacuna.antibody.domain_ends import MIN_FR4, place_j
from lacuna.antibody.germline_fit import v_index
from lacuna.antibody.germlines import constants
from lacuna.antibody.imgt import CYS104, FR4_START, N_IMGT, OTHER_INSERTION
from lacuna.antibody.numbering import Numbering, n_observed, number_chain
from lacuna.core.alphabet import N_RESIDUES, decode, encode

# Runs of germline residues that propose a V domain. With a gap of up to 30 residues, all of 2,000
# natural domains of several species contain enough of them; no bundled constant region does.
V_WORD = 7  # residues
MIN_V_WORDS = 4  # that agree on where the domain begins
V_DRIFT = 16  # residues by which CDR lengths may shift the start that words imply
MIN_APART = 60  # residues from the beginning of one V domain to that of the next
WORD_SPREAD = 8  # columns; a word whose columns in segments differ by more implies no place
MIN_PART = 70  # observed residues of a part of a chain; shorter parts belong to their neighbour
MIN_PART_V = 40  # of them on columns of a V domain


@dataclass(frozen=True, slots=True)
class Part:
    """The numbering of the residues of a chain from index `start` on, up to the next part."""

    start: int
    numbering: Numbering


@cache
def _v_words() -> dict[str, int]:
    """Column of the first residue of each run of V_WORD residues in V segments (the lowest)."""
    columns: dict[str, set[int]] = {}
    index = v_index()
    for tokens, places in zip(index.tokens, index.columns.tolist(), strict=True):
        sequence = decode(tokens[tokens < N_RESIDUES])
        for i in range(len(sequence) - V_WORD + 1):
            columns.setdefault(sequence[i : i + V_WORD], set()).add(places[i])
    return {w: min(c) for w, c in columns.items() if max(c) - min(c) <= WORD_SPREAD}


def _v_cores(sequence: str) -> list[tuple[int, int]]:
    """Half-open index range of the germline words of each proposed V domain, in order.

    Words of one domain imply the same start, apart from the lengths of its CDRs and of a gap.
    """
    column_of = _v_words().get
    hits = []
    for i in range(len(sequence) - V_WORD + 1):
        column = column_of(sequence[i : i + V_WORD])
        if column is not None:
            hits.append((i - column, i))
    hits.sort()
    breaks = [k for k in range(1, len(hits)) if hits[k][0] - hits[k - 1][0] > V_DRIFT]
    cores: list[tuple[int, int]] = []
    begin = -len(sequence)  # of the last domain, as its words imply
    for first, last in pairwise([0, *breaks, len(hits)]):
        if last - first < MIN_V_WORDS:
            continue
        places = [i for _, i in hits[first:last]]
        core = (min(places), max(places) + V_WORD)
        if cores and hits[first][0] - begin < MIN_APART:
            cores[-1] = (min(cores[-1][0], core[0]), max(cores[-1][1], core[1]))
        else:
            cores.append(core)
        begin = hits[last - 1][0]
    return cores


@dataclass(frozen=True, slots=True)
class _Domain:
    """A V domain among others.

    start, stop: half-open index range of its residues; low: index of the first residue of the
    stretch in which it was numbered.
    """

    start: int
    stop: int
    low: int
    numbering: Numbering


def _v_domains(sequence: str) -> list[_Domain]:
    """The V domains of a chain that holds several, in order."""
    cores = _v_cores(sequence)
    if len(cores) < 2:
        return []
    edges = [0, *(edge for core in cores for edge in core), len(sequence)]
    domains = []
    for k in range(len(cores)):
        # The stretch in which a domain is numbered ends at the words of its neighbours.
        low, high = edges[2 * k], max(edges[2 * k + 3], edges[2 * k + 2])
        numbering = number_chain(sequence[low:high])
        inside = np.flatnonzero(numbering.columns <= OTHER_INSERTION)
        tokens = encode(sequence[low:high])[inside]
        if n_observed(tokens, numbering.columns[inside]) >= MIN_PART_V:
            start, last = low + int(inside[0]), low + int(inside[-1])
            domains.append(_Domain(start, last + 1, low, numbering))
    return domains


def _border(sequence: str, one: _Domain, two: _Domain) -> int:
    """Index where the part of a domain ends.

    It ends with its constant region, else with its V domain if FR4 shows where that ends, else
    halfway to the next domain.
    """
    columns, constant = one.numbering.columns, one.numbering.constant
    if constant is not None and one.numbering.constant_start is not None:
        stop = one.numbering.constant_start + len(constants()[constant].sequence)
        return min(one.low + stop, two.start)
    tokens = encode(sequence[one.low : two.start])
    cys = np.flatnonzero(columns[: len(tokens)] == CYS104)
    placed = place_j(tokens, one.numbering.locus, int(cys[-1]), None) if len(cys) else None
    if placed is not None:
        stop, codes = placed
        fr4 = [c for c in codes if FR4_START <= c <= N_IMGT]
        if np.count_nonzero(tokens[stop - len(fr4) : stop] < N_RESIDUES) >= MIN_FR4:
            return one.low + stop
    return min((one.stop + two.start) // 2, two.start)


def _fc_start(sequence: str, numbering: Numbering) -> int | None:
    """Start of a constant region without its first domain after a V domain, as in an scFv-Fc."""
    domain = np.flatnonzero(numbering.columns <= OTHER_INSERTION)
    if numbering.constant is not None or not len(domain):
        return None
    stop = int(domain[-1]) + 1
    tail = encode(sequence[stop:])
    if np.count_nonzero(tail < N_RESIDUES) < MIN_PART:
        return None
    return stop if find_constant(tail, sequence[stop:], 0) is not None else None


def number_parts(sequence: str) -> tuple[Part, ...]:
    """Number a chain in parts, each with at most one V domain and what follows it.

    sequence: as for `number_chain`, with its errors. A linker belongs to the domain after it. A
    constant region without its first domain (an Fc) is a part of its own. Any other chain with
    one V domain, or with none, is a single part.
    """
    if len(sequence) < 2 * MIN_PART:
        return (Part(0, number_chain(sequence)),)
    cuts = [_border(sequence, one, two) for one, two in pairwise(_v_domains(sequence))]
    parts = []
    for start, stop in pairwise([0, *cuts, len(sequence)]):
        part = sequence[start:stop]
        numbering = number_chain(part)
        fc = _fc_start(part, numbering)
        if fc is None:
            parts.append(Part(start, numbering))
        else:
            parts.append(Part(start, number_chain(part[:fc])))
            parts.append(Part(start + fc, number_chain(part[fc:])))
    return tuple(parts)


def number_by_either(shown: str, likely: Iterable[tuple[int, str]]) -> tuple[Part, ...]:
    """The numbering of what is shown of a chain or, if that tells nothing in front of CDR3, of the
    same with its likely residues, each after its index. Errors: see `number_parts`."""
    parts = number_parts(shown)
    letters = list(shown)
    for i, residue in likely:
        letters[i] = residue
    both = "".join(letters)
    if shown == both or any((part.numbering.columns <= CYS104).any() for part in parts):
        return parts
    return number_parts(both)
