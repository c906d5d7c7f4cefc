"""Training chains of one run: the samples' homologs, and chains simulated from germlines."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from lacuna.antibody.germlines import LOCI, SEEN, v_segments
from lacuna.antibody.imgt import N_CODES, on_v_columns
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, N_RESIDUES, encode
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from lacuna.templates.homologs import homolog_chains
from lacuna.templates.library import load_library
from lacuna.training.chains import Chains, joined, like_held_out, number_all
from lacuna.training.encode import write_encoded
from lacuna.training.simulate import simulate_chains

VALIDATION_SHARE = 0.05
TARGETS_TOGETHER = 4096  # chains to be filled that are compared at a time
GRAFT_SHARE = 0.25  # of the simulated chains
HOMOLOG_SHARE = 0.5  # of the batches, if there are homologs


def encode_training(
    homologs: Sequence[Path],
    targets: Sequence[tuple[Path, Path | None]],
    library: Path,
    out: Path,
    *,
    chains: int,
    max_identity: float,
    seed: int,
    processes: int,
) -> None:
    """Write the training chains of a run; the format is that of `encode.write_encoded`.

    targets: FASTA files to be filled, each with its gap table or None. Homologs that share
    `max_identity` or more of the observed residues of one of their chains are left out. chains:
    number of chains to simulate.
    """
    given = dict.fromkeys(chain for path in homologs for chain in homolog_chains(path))
    natural = number_all(list(given), processes)[0]
    natural = natural.take(~like_targets(natural, targets, max_identity))
    simulated, _ = simulate_chains(natural, simulation_counts(chains), seed)
    everything = joined([natural, simulated])
    share = HOMOLOG_SHARE * len(simulated) / max(len(natural), 1) / (1 - HOMOLOG_SHARE)
    weights = np.concatenate((np.full(len(natural), share), np.ones(len(simulated))))
    rng = np.random.default_rng(seed)
    held_out = rng.permutation(len(everything))[: max(int(VALIDATION_SHARE * len(everything)), 1)]
    record: dict[str, object] = {"homologs": len(natural), "simulated": len(simulated)}
    validation = {"held_out": np.sort(held_out)}
    write_encoded(out, everything, weights, validation, load_library(library), record)


def like_targets(
    natural: Chains, targets: Iterable[tuple[Path, Path | None]], max_identity: float
) -> np.ndarray:
    """(n,) bool: chains that share `max_identity` of the observed residues of a chain to fill."""
    result = np.zeros(len(natural), dtype=bool)
    if not len(natural):
        return result
    grids = (_observed(s.sequence) for path, gaps in targets for s in _usable(path, gaps))
    while some := list(islice(grids, TARGETS_TOGETHER)):
        observed = Chains(np.stack(some), np.zeros(len(some), np.int64))
        result |= like_held_out(natural, observed, max_identity, of_held_out=True)
    return result


def _usable(fasta: Path, gaps: Path | None = None) -> Iterator[Scaffold]:
    return (s for s in read_scaffolds(fasta, gaps) if not isinstance(s, Rejected))


def _observed(sequence: str) -> np.ndarray:
    """Observed residues of a V domain on columns: (N_CODES,) uint8, ABSENT elsewhere."""
    columns = number_chain(sequence).columns
    tokens = encode(sequence)
    seen = on_v_columns(columns) & (tokens < N_RESIDUES)
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[columns[seen]] = tokens[seen]
    return grid


def simulation_counts(chains: int) -> dict[str, int]:
    """Numbers of chains per species and locus, and of grafts, that add up to `chains`."""
    segments = v_segments()
    kinds = [
        f"{species}:{locus}"
        for s, species in enumerate(SEEN)
        for i, locus in enumerate(LOCI)
        if ((segments.species == s) & (segments.locus == i)).any()
    ]
    grafts = int(GRAFT_SHARE * chains)
    each, rest = divmod(chains - grafts, len(kinds))
    return {"graft": grafts} | {kind: each + (i < rest) for i, kind in enumerate(kinds)}
