"""Placing a sample's reads, from files to files: on chains that they show, or on given ones."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from lacuna.antibody.imgt import in_v_domain
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import MISSING_LETTER, N_RESIDUES, encode, merge_il
from lacuna.core.files import MAX_SHOWN, LacunaError, printable, shortened
from lacuna.core.records import write_record
from lacuna.core.tables import PlacedRow
from lacuna.core.words import plural
from lacuna.placing.aligning.readset import MAX_READ, collapse
from lacuna.placing.given import Shown, show
from lacuna.placing.place import Placed, place
from lacuna.placing.rows import rows_of
from lacuna.placing.sources.checked import checked_probabilities
from lacuna.placing.sources.contaminants import like_chains, read_contaminants
from lacuna.reads.cysteine import carried_by_c
from lacuna.reads.errors.model import load_error_models
from lacuna.reads.read import Read
from lacuna.scaffolds.alkylation import READINGS, by_reads, prior_shares
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.steps.reads import load_reads
from lacuna.templates.library import load_library

MAX_CHAINS = 200  # that reads are placed on: an antibody has two, a mixture some dozen
# Share of the residues of given V domains that reads contradict, above which they may be of another
# antibody: of trastuzumab 0.01 (nine proteases) to 0.09 (trypsin, its light chain alone), on chains
# of another human antibody 0.25.
OTHER_ANTIBODY = 0.15
FEWEST_RESIDUES = 20  # covered residues of V domains; of fewer the share says little

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GivenChain:
    """A chain of the sample's FASTA, and what reads show about it.

    sequence: missing residues as X; a gap of unknown length has as many as reads show it to have.
    """

    name: str
    sequence: str
    shown: Shown


@dataclass(frozen=True, slots=True)
class PlacedReads:
    """Reads on chains that were found by them, or on given ones."""

    found: Placed | None
    given: tuple[GivenChain, ...]
    rows: tuple[PlacedRow, ...]


def place_reads(
    reads: Path,
    fasta: Path | None,
    gaps: Path | None,
    contaminants: Path | None,
    library: Path,
    out: Path,
    *,
    species: str,
    tolerance_ppm: float,
    modifications: Mapping[str, bool],
) -> None:
    """Place reads and write where they lie, as a `PlacedReads`.

    With a FASTA, its chains are kept and reads are evidence for what they miss; without one the
    chains are found among germline segments of the species ('auto' for any) and assembled.
    tolerance_ppm: of masses of gaps that have none of their own; modifications: what these masses
    may hold; contaminants: a FASTA of proteins whose reads are set apart, in addition to the
    bundled ones. Raises LacunaError if a file cannot be used.
    """
    given = load_reads(reads)
    cut = sum(len(read.residues) > MAX_READ for read in given)
    if cut:
        LOG.warning("%s: longer than %d residues, and cut there", plural(cut, "read"), MAX_READ)
    others = read_contaminants(*([contaminants] if contaminants else []))
    if fasta is None:
        use = load_library(library).v_prior.numpy()
        found = place(given, load_error_models(), contaminants=others, species=species, use=use)
        placed = PlacedReads(found, (), found.rows)
        tokens = [(n, d.tokens) for n, d in zip(found.names, found.drafts, strict=True)]
    else:
        chains = _chains(fasta, gaps, tolerance_ppm)
        placed = _on_given(given, chains, others, modifications)
        tokens = [(chain.chain, merge_il(encode(chain.sequence))) for chain in chains]
        _warn_of_other(placed.given)
    _warn_of_own(contaminants, others, tokens)
    write_record(out, placed)


def _chains(fasta: Path, gaps: Path | None, tolerance_ppm: float) -> list[Scaffold]:
    """The usable chains of a FASTA; the rule read_scaffolds lists the others.

    Raises LacunaError if there are more than MAX_CHAINS.
    """
    records = read_scaffolds(fasta, gaps, tolerance_ppm=tolerance_ppm)
    usable = (record for record in records if isinstance(record, Scaffold))
    chains = list(islice(usable, MAX_CHAINS + 1))
    if len(chains) > MAX_CHAINS:
        raise LacunaError(
            f"{fasta}: more than {MAX_CHAINS} chains in a sample with reads; give a sample for "
            "each antibody, with its own chains and reads"
        )
    return chains


def _on_given(
    reads: Sequence[Read],
    chains: Sequence[Scaffold],
    others: Sequence[tuple[str, str]],
    modifications: Mapping[str, bool],
) -> PlacedReads:
    """Place reads on chains of the user and on contaminants (`others`: name, sequence)."""
    letters = [chain.sequence for chain in chains]
    different = collapse(reads, checked_probabilities(reads, load_error_models(), letters))
    readings = prior_shares(by_reads(carried_by_c(reads)))
    carried = tuple((READINGS[name].mass, share) for name, share in readings.items())
    shown, placements = show(
        different,
        letters,
        [sequence for _, sequence in others],
        [chain.gaps for chain in chains],
        Modifications(carried, **modifications),
    )
    names = [chain.chain for chain in chains] + [name for name, _ in others]
    rows = rows_of(reads, different, placements, names, len(chains))
    given = tuple(
        GivenChain(chain.chain, _as_shown(chain.sequence, seen), seen)
        for chain, seen in zip(chains, shown, strict=True)
    )
    return PlacedReads(None, given, tuple(rows))


def _warn_of_other(chains: Sequence[GivenChain]) -> None:
    """Log that reads contradict so many residues of V domains that they may be of another
    antibody."""
    seen = against = 0
    for chain in chains:
        given = merge_il(encode(chain.sequence))
        best = merge_il(chain.shown.weights.argmax(1).astype(np.uint8))
        columns = np.concatenate([p.numbering.columns for p in number_parts(chain.sequence)])
        variable = in_v_domain(columns)
        known = chain.shown.seen & (given < N_RESIDUES) & variable
        seen += int(known.sum())
        against += int((best[known] != given[known]).sum())
    if seen >= FEWEST_RESIDUES and against > OTHER_ANTIBODY * seen:
        LOG.warning(
            "reads show other residues at %d of the %d places of the given V domains that they "
            "cover: check that they are of this antibody",
            against,
            seen,
        )


def _warn_of_own(
    path: Path | None,
    contaminants: Sequence[tuple[str, str]],
    chains: Sequence[tuple[str, np.ndarray]],
) -> None:
    """Tell of contaminants of the user that are like chains of the sample (name, tokens)."""
    for number, chain, residues in like_chains(contaminants, chains) if path else ():
        name, sequence = contaminants[number]
        LOG.warning(
            "%s",
            printable(
                f"{path}: '{shortened(name, MAX_SHOWN)}' has {residues} of its {len(sequence)} "
                f"residues in common with the chain '{chain}' of this sample, and takes or shares "
                "its reads; remove it, or what it has in common with antibodies, from the "
                "contaminants"
            ),
        )


def _as_shown(sequence: str, shown: Shown) -> str:
    """The letters of a chain, with an X for each residue of a gap whose length reads show."""
    places = zip(shown.place.tolist(), shown.within.tolist(), strict=True)
    return "".join(MISSING_LETTER if within else sequence[at] for at, within in places)
