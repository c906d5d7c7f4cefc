"""Chains for which the choice of a species was a close call."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import encode
from lacuna.core.tables import CHAIN_TABLE, RESIDUE_TABLE
from lacuna.core.words import plural
from lacuna.results.counts import MAX_NAMED, Counts
from lacuna.scaffolds.fasta import split_header

CLOSE = 1  # observed residues by which a V segment of another species may agree with fewer
MAX_COMPARED = 300  # chains of a sample; those of a larger one are only counted


@dataclass(frozen=True, slots=True)
class CloseCall:
    """A chain, the species chosen for it, and the other one whose V segments fit nearly as well."""

    chain: str
    chosen: str
    other: str


def species_in_words(counts: Counts, filled: Path, chains: Path, residues: Path) -> str:
    """`2 human, 1 rhesus; 1 close call: m (rhesus or human)`; '' if no chain has a species."""
    words = ", ".join(f"{n} {species}" for species, n in counts.species)
    if not words or counts.chains > MAX_COMPARED:
        return words
    calls = list(close_calls(filled, chains, residues))
    if not calls:
        return words
    named = [f"{call.chain} ({call.chosen} or {call.other})" for call in calls[:MAX_NAMED]]
    more = f" and {len(calls) - MAX_NAMED} more" if len(calls) > MAX_NAMED else ""
    return f"{words}; {plural(len(calls), 'close call')}: {', '.join(named)}{more}"


def close_calls(filled: Path, chains: Path, residues: Path) -> Iterator[CloseCall]:
    """Yield the chains of one V domain whose observed residues fit two species about equally.

    filled, chains, residues: results of a sample.
    """
    chosen = {row.chain: row for row in CHAIN_TABLE.read(chains) if row.locus in LOCI}
    missing: defaultdict[str, list[int]] = defaultdict(list)
    for row in RESIDUE_TABLE.read(residues):
        missing[row.chain].append(row.position - 1)
    with open(filled, "rb") as lines:
        for header, sequence in zip(lines, lines, strict=True):
            chain = split_header(header[1:])[0].decode()
            if chain in chosen:
                found, letters = chosen[chain], sequence.decode().rstrip("\n")
                other = _other(letters, missing[chain], found.locus, found.species)
                if other:
                    yield CloseCall(chain, found.species, other)


def _other(sequence: str, missing: list[int], locus: str, chosen: str) -> str:
    """The species whose V segments agree with a chain nearly as well as the chosen one's, or ''."""
    columns = number_chain(sequence).columns.copy()
    columns[missing] = 0
    shown = np.flatnonzero((columns >= 1) & (columns <= CYS104))
    segments = v_segments()
    own = segments.locus == LOCI.index(locus)
    alike = segments.tokens[own][:, columns[shown]] == encode(sequence)[shown]  # (segments, shown)
    best = np.full(len(SPECIES), -1)  # residues that agree, of the best segment of each species
    np.maximum.at(best, segments.species[own], alike.sum(1))
    at = SPECIES.index(chosen) if chosen in SPECIES else -1
    least = best[at] - CLOSE
    best[at] = -1
    return SPECIES[int(best.argmax())] if at >= 0 and best.max() >= least else ""
