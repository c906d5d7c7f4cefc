"""Training chains of one run: the samples' homologs, and chains simulated from germlines."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lacuna.corpus import Chains, near, number_all, simulate_chains, write_encoded
from lacuna.germlines import LOCI, SPECIES, v_segments
from lacuna.kmers import load_library
from lacuna.scaffolds import Rejected, read_scaffolds

VALIDATION_SHARE = 0.05
GRAFT_SHARE = 0.25  # of the simulated chains
HOMOLOG_SHARE = 0.5  # of the batches, where there are homologs


def encode_training(
    homologs: Sequence[Path],
    targets: Sequence[Path],
    library: Path,
    out: Path,
    *,
    chains: int,
    max_identity: float,
    seed: int,
    processes: int,
) -> None:
    """Write the chains that a run trains on, see `corpus.write_encoded`.

    targets: FASTA files to be filled; homologs that share `max_identity` or more of the
    residues of one of them are left out. chains: number to simulate.
    """
    natural = _numbered(homologs, processes)
    kept = ~near(natural, _numbered(targets, processes), max_identity)
    natural = natural.take(np.flatnonzero(kept))
    simulated, _ = simulate_chains(natural, simulation_counts(chains), seed)
    everything = Chains(
        np.concatenate((natural.grids, simulated.grids)),
        np.concatenate((natural.locus, simulated.locus)),
    )
    share = HOMOLOG_SHARE * len(simulated) / max(len(natural), 1) / (1 - HOMOLOG_SHARE)
    weights = np.concatenate((np.full(len(natural), share), np.ones(len(simulated))))
    rng = np.random.default_rng(seed)
    held_out = rng.permutation(len(everything))[: max(int(VALIDATION_SHARE * len(everything)), 1)]
    record: dict[str, object] = {"homologs": len(natural), "simulated": len(simulated)}
    validation = {"held_out": np.sort(held_out)}
    write_encoded(out, everything, weights, validation, load_library(library), record)


def _numbered(paths: Sequence[Path], processes: int) -> Chains:
    sequences: dict[str, None] = {}
    for path in paths:
        for record in read_scaffolds(path):
            if not isinstance(record, Rejected):
                sequences[record.sequence] = None
    return number_all(list(sequences), processes)[0]


def simulation_counts(chains: int) -> dict[str, int]:
    """How many chains of each species and locus, and grafts, make up `chains`."""
    segments = v_segments()
    kinds = [
        f"{species}:{locus}"
        for s, species in enumerate(SPECIES)
        for i, locus in enumerate(LOCI)
        if ((segments.species == s) & (segments.locus == i)).any()
    ]
    grafts = int(GRAFT_SHARE * chains)
    each, rest = divmod(chains - grafts, len(kinds))
    return {"graft": grafts} | {kind: each + (i < rest) for i, kind in enumerate(kinds)}
