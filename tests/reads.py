"""Reads cut in code from made chains, and chains built from them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

import bundled
from lacuna.antibody.germlines import LOCI, Segments, constants, j_segments, v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, N_IMGT
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, MISSING, decode, encode, merge_il
from lacuna.evidence.chain import WeighedChain
from lacuna.evidence.weigh import weigh
from lacuna.placing.aligning.readset import ReadSet, collapse
from lacuna.placing.place import Placed, place
from lacuna.placing.votes.consensus import Votes
from lacuna.placing.votes.draft import Draft, draft_of, protein_of
from lacuna.reads.errors.model import Model
from lacuna.reads.read import Read

SEEN = range(6, 31)  # residues of peptides that tools read
TEXT = "EVQLVESGGGLVQPGGSLRLSCAASGFTFSSYAMSWVRQAPGKGLEWVSAISGSGGSTYYADSVKGRF"  # of a V domain
DOMAIN = TEXT + "TISRDNSKNTLYLQMNSLRAEDTAVYYCARDYGGNFDYWGQGTLVTVSS"


class Sure:
    """Every residue is right with one probability."""

    models: Mapping[tuple[str, str], Model] = {}  # none that a sample could show to be far off

    def __init__(self, probability: float = 0.95) -> None:
        self.probability = probability

    def has_own(self, read: Read) -> bool:
        return True

    def probabilities(self, reads: Sequence[Read]) -> list[np.ndarray]:
        return [np.full(len(read.residues), self.probability) for read in reads]


class Mixed(Sure):
    """The same, but some reads have probabilities of their own, by name."""

    def __init__(self, of_read: Mapping[str, Sequence[float]]) -> None:
        super().__init__()
        self.of_read = of_read

    def probabilities(self, reads: Sequence[Read]) -> list[np.ndarray]:
        usual = super().probabilities(reads)
        named = (self.of_read.get(read.name) for read in reads)
        return [p if own is None else np.array(own) for p, own in zip(usual, named, strict=True)]


def peptide(residues: str, name: str = "r", modifications: Any = ()) -> Read:
    return Read(name, "peaks", residues, None, None, tuple(modifications), "made")


def read_set(*residues: str, probability: float = 0.95, modifications: Any = ()) -> ReadSet:
    reads = [peptide(r, modifications=modifications) for r in residues]
    return collapse(reads, Sure(probability).probabilities(reads))


def draft_from(sequence: str) -> Draft:
    """A chain whose residues, all known, are its germline."""
    numbering = number_chain(sequence)
    if not numbering.locus:
        return protein_of(sequence)
    tokens, columns = encode(sequence), numbering.columns
    v, j = (
        _nearest(segments, numbering.locus, tokens[inside], columns[inside])
        for segments, inside in (
            (v_segments(), (columns >= 1) & (columns < FR4_START)),
            (j_segments(), (columns >= FR4_START) & (columns <= N_IMGT)),
        )
    )
    return Draft(numbering.locus, merge_il(tokens), columns, tokens, v, j, -1, True)


def _nearest(segments: Segments, locus: str, tokens: np.ndarray, columns: np.ndarray) -> int:
    """The segment of a locus that has most of some residues (n,) in their columns (n,)."""
    own = np.flatnonzero(segments.locus == LOCI.index(locus))
    return int(own[np.argmax((segments.tokens[own][:, columns] == tokens).sum(1))])


def reads_of(reads: Iterable[Read]) -> ReadSet:
    every = list(reads)
    return collapse(every, Sure().probabilities(every))


def merged(sequence: str) -> str:
    """A sequence with L for I, which no mass tells apart."""
    return sequence.replace("I", "L")


def tiles(chain: str, *, length: int = 14, step: int = 3) -> list[Read]:
    """Peptides of a chain, each some residues behind the last one, and its end."""
    starts = [*range(0, len(chain) - length + 1, step), len(chain) - length]
    return [peptide(chain[i : i + length], f"r{i}") for i in starts]


def digest(chain: str, *, behind: str = "", before: str = "", missed: int = 2) -> Iterator[Read]:
    """Yield the peptides of a chain that is cut behind and in front of some residues."""
    cuts = [
        i
        for i in range(1, len(chain))
        if (chain[i - 1] in behind or chain[i] in before) and chain[i] != "P"
    ]
    edges = [0, *cuts, len(chain)]
    for i, start in enumerate(edges):
        for stop in edges[i + 1 : i + 2 + missed]:
            if stop - start in SEEN:
                yield peptide(chain[start:stop], f"{start}-{stop}")


def without(reads: Iterator[Read], chain: str, *, across: str) -> list[Read]:
    """Reads of which none goes on over the place of a chain that is marked by |."""
    at = chain.index(across.replace("|", "")) + across.index("|")
    spans = ((read, *map(int, read.name.split("-"))) for read in reads)
    return [read for read, start, stop in spans if not start < at < stop]


def chain_with_cdr3(locus: str, cdr3: str, constant: bool = True) -> str:
    """A human chain of the first V and J segment of a locus with a CDR3 of its own."""
    at = LOCI.index(locus)
    v = v_segments().tokens[np.flatnonzero(v_segments().locus == at)[0], : CYS104 + 1]
    j = j_segments().tokens[np.flatnonzero(j_segments().locus == at)[0], FR4_START:]
    c = next(x.sequence for x in constants() if x.locus == locus and x.species == "human")
    return decode(v[v != ABSENT]) + cdr3 + decode(j[j != ABSENT]) + (c[:60] if constant else "")


def other_heavy(cdr3: str) -> str:
    """A human heavy chain of another V family than that of `chain_with_cdr3`."""
    segments = v_segments()
    row = segments.tokens[segments.names.index("IGHV3-23*01"), : CYS104 + 1]
    return decode(row[row != ABSENT]) + cdr3 + chain_with_cdr3("H", "")[-71:]


def germline_draft(locus: str) -> Draft:
    """The first V and J segment of a locus, with a CDR3 that is not known."""
    at = LOCI.index(locus)
    first = (int(np.flatnonzero(s.locus == at)[0]) for s in (v_segments(), j_segments()))
    return draft_of(locus, *first, -1)


def opened(draft: Draft, start: int, stop: int) -> Draft:
    """The draft with an open stretch of as many residues."""
    return replace(draft.with_residues(slice(start, stop), MISSING), bridged=False)


def votes_with(n: int, **shown: Any) -> Votes:
    """Votes for n positions, of which reads show nothing but what is named."""
    nothing = {name: np.zeros(n) for name in ("depth", "deleted", "passed", "blocks")}
    empty = Votes(np.zeros((n, 20)), amide=np.zeros((n, 4)), inserted={}, **nothing)
    return replace(empty, **shown)


def built(reads: Sequence[Read]) -> Placed:
    return place(reads, Sure())


def weighed(placed: Placed, *, network: bool = True) -> tuple[WeighedChain, ...]:
    loaded = bundled.predictor()
    return weigh(placed, loaded.model if network else None, loaded.library)


def best_of(chain: WeighedChain) -> str:
    """The most probable residue of each position of a chain."""
    return "".join(row.residue for row in chain.rows)
