"""From corpora of natural chains to the single file that training reads.

Chains are numbered and cleaned, duplicates and everything near a held-out chain are removed, and
the rest is split by CDR3, so that relatives stay on one side. Chains of species and kinds that
natural repertoires lack are simulated. The file holds every chain as one row of column tokens;
k-mers, gaps and templates are made from it batch by batch.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lacuna.antibody.imgt import CHAIN_ORDER, N_CODES
from lacuna.core.files import LacunaError, atomic_write, file_digest
from lacuna.core.tensor_files import tensors_of, write_tensors
from lacuna.templates.nearest import Library
from lacuna.training.chains import (
    Chains,
    held_out_share,
    joined,
    like_held_out,
    near_duplicates,
    number_all,
)
from lacuna.training.constant_regions import constant_tensors
from lacuna.training.corpora import Corpus, read_sequences
from lacuna.training.germline_use import germline_library
from lacuna.training.simulate import simulate_chains
from lacuna.training.temperatures import set_of

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncodeConfig:
    """How corpora become training chains.

    simulate: number of simulated chains by `species:locus` and of grafted ones (`graft`);
    calibrate: of simulated ones that are held out, by `species:locus`.
    """

    seed: int = 0
    near_identity: float = 0.95  # to a held-out chain; at this or more a chain is left out
    duplicate_identity: float = 0.99  # within one CDR3; at this or more a chain is left out
    validation_share: float = 0.01  # of natural chains, by CDR3
    simulate: Mapping[str, int] = field(default_factory=dict)
    simulated_weight: float = 0.7
    graft_weight: float = 1.2
    calibrate: Mapping[str, int] = field(default_factory=dict)


def encode_corpora(
    corpora: Sequence[Corpus],
    held_out: Sequence[Path],
    validation: Mapping[str, Path | str],
    chains: Path,
    record: Path,
    config: EncodeConfig,
    processes: int = 1,
) -> None:
    """Encode corpora into the file that training reads, and write its record as JSON.

    held_out: files of whole chains that nothing in `chains` may be near to; validation: files of
    chains, by name, that are not trained on either but measured during training. A share of the
    natural chains is held out as the set `natural`, and the chains of `config.calibrate` as sets of
    their own. Raises LacunaError if a file cannot be read or nothing is left to train on.
    """
    torch.set_num_threads(processes)
    sealed, sealed_record = _read_held_out(held_out, processes)
    sets, sets_record = _validation_sets(validation, sealed, config.near_identity, processes)
    apart = joined([sealed, *sets.values()])
    natural, source, counts = _natural_chains(corpora, apart, config, processes)
    seen = held_out_share(natural, config.validation_share)
    training = natural.take(~seen)
    if not len(training):
        raise LacunaError(
            "pretrain: no natural chain is left to train on; see the counts in the log, and name "
            "more corpora"
        )
    library = germline_library(training)
    LOG.info("gene profiles from %d chains", len(training))
    simulated, grafted = _simulated(training, apart, config)
    sets |= _calibration_sets(training, config)
    everything = joined([natural, simulated, *sets.values()])
    weights = np.concatenate(  # validation chains are never drawn
        [
            np.array([c.weight for c in corpora])[source],
            np.where(grafted, config.graft_weight, config.simulated_weight),
            np.zeros(sum(map(len, sets.values()))),
        ]
    )
    order = np.random.default_rng(config.seed).permutation(np.flatnonzero(seen))
    rows_of = {"natural": order} | _rows_of(sets, len(natural) + len(simulated))
    made_of = {
        "corpora": counts,
        "held_out": sealed_record,
        "validation": {**sets_record, "natural": {"kept": len(order)}},
        "simulated": {"chains": int((~grafted).sum()), "grafts": int(grafted.sum())},
        "chains": len(everything),
        "settings": asdict(config),
    }
    write_encoded(chains, everything, weights, rows_of, library, made_of)
    with atomic_write(record) as handle:
        print(json.dumps(made_of, indent=1, sort_keys=True), file=handle)


def _simulated(training: Chains, apart: Chains, config: EncodeConfig) -> tuple[Chains, np.ndarray]:
    """The simulated chains that are not near one of `apart`, and which of them are grafted."""
    simulated, grafted = simulate_chains(training, dict(config.simulate), config.seed + 1)
    kept = ~like_held_out(simulated, apart, config.near_identity)
    LOG.info("%d simulated chains", kept.sum())
    return simulated.take(kept), grafted[kept]


def _rows_of(sets: Mapping[str, Chains], start: int) -> dict[str, np.ndarray]:
    """The rows (m,) of each set, of which the first begins at row `start`."""
    found = {}
    for name, members in sets.items():
        found[name] = np.arange(start, start + len(members))
        start += len(members)
    return found


def _calibration_sets(training: Chains, config: EncodeConfig) -> dict[str, Chains]:
    """Simulated chains of each species to calibrate, apart from those trained on."""
    seed = config.seed + 2  # that of the chains trained on is one less
    found: dict[str, list[Chains]] = {}
    for kind, n in config.calibrate.items():
        chains, _ = simulate_chains(training, {kind: n}, seed)
        found.setdefault(set_of(kind.partition(":")[0]), []).append(chains)
    return {name: joined(parts) for name, parts in found.items()}


def _validation_sets(
    validation: Mapping[str, Path | str], sealed: Chains, identity: float, processes: int
) -> tuple[dict[str, Chains], dict[str, object]]:
    """The chains of each validation set that are not like a sealed one, and a record of each."""
    sets: dict[str, Chains] = {}
    record: dict[str, object] = {}
    for name, path in validation.items():
        members, about = _read_held_out([Path(path)], processes)
        sets[name] = members.take(~like_held_out(members, sealed, identity))
        record[name] = {**about[0], "kept": len(sets[name])}
    return sets, record


def _natural_chains(
    corpora: Sequence[Corpus], apart: Chains, config: EncodeConfig, processes: int
) -> tuple[Chains, np.ndarray, list[dict[str, Any]]]:
    """Chains of the corpora without near duplicates and without any like those in `apart`.

    Returns the chains, (n,) index of each one's corpus, and counts by corpus.
    """
    natural, source, counts = _read_corpora(corpora, processes)
    twice = near_duplicates(natural, config.duplicate_identity)
    for i, count in enumerate(counts):
        count["different"] = int((source == i).sum())
        count["near_duplicates"] = int(twice[source == i].sum())
    natural, source = natural.take(~twice), source[~twice]
    LOG.info("%d different chains, %d near duplicates left out", len(twice), twice.sum())
    limits = [c.near_identity or config.near_identity for c in corpora]
    too_near = _too_near(natural, source, apart, limits)
    for i, count in enumerate(counts):
        count["near_held_out"] = int(too_near[source == i].sum())
        count["kept"] = int((~too_near[source == i]).sum())
    natural, source = natural.take(~too_near), source[~too_near]
    LOG.info("%d natural chains, %d left out near held-out ones", len(natural), too_near.sum())
    return natural, source, counts


def _too_near(
    natural: Chains, source: np.ndarray, apart: Chains, limits: Sequence[float]
) -> np.ndarray:
    """(n,) bool: natural chains near a held-out one, by the limit of their corpus.

    source: (n,) index of each chain's corpus; limits: of the corpora.
    """
    too_near = np.zeros(len(natural), dtype=bool)
    for limit in sorted(set(limits)):
        rows = np.flatnonzero(np.isin(source, [i for i, x in enumerate(limits) if x == limit]))
        too_near[rows] = like_held_out(natural.take(rows), apart, limit)
    return too_near


def _read_corpora(
    corpora: Sequence[Corpus], processes: int
) -> tuple[Chains, np.ndarray, list[dict[str, Any]]]:
    """The distinct chains of all corpora, (n,) index of each one's corpus, and counts by corpus."""
    parts, counts = [], []
    for corpus in corpora:
        digest = file_digest(corpus.path)
        if corpus.sha256 is not None and digest != corpus.sha256:
            raise LacunaError(
                f"{corpus.path}: sha256 is {digest}, the config of corpus '{corpus.name}' says "
                f"{corpus.sha256}; get that file, or remove its 'sha256' to use this one"
            )
        sequences = list(read_sequences(corpus.path, corpus.columns, corpus.files, corpus.rows))
        chains, _ = number_all(list(dict.fromkeys(sequences)), processes)
        parts.append(chains)
        counts.append(
            {
                "name": corpus.name,
                "source": corpus.source,
                "licence": corpus.licence,
                "sha256": digest,
                "rows": dict(corpus.rows),
                "weight": corpus.weight,
                "read": len(sequences),
                "numbered": len(chains),
            }
        )
        LOG.info("%s: %d sequences, %d V domains", corpus.name, len(sequences), len(chains))
    chains = joined(parts)
    if not len(chains):
        raise LacunaError(
            "pretrain.corpora: no sequence of them holds a V domain of the 20 residues; "
            "are these amino-acid sequences of antibodies?"
        )
    source = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    _, first = np.unique(chains.grids, axis=0, return_index=True)
    first.sort()
    return chains.take(first), source[first], counts


def _read_held_out(paths: Sequence[Path], processes: int) -> tuple[Chains, list[dict[str, object]]]:
    """The chains of held-out files, and the record of each file."""
    parts = [Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64))]
    record: list[dict[str, object]] = []
    for path in paths:
        sequences = list(dict.fromkeys(read_sequences(path)))
        chains, _ = number_all(sequences, processes)
        parts.append(chains)
        record.append(
            {
                "name": path.name,
                "sha256": file_digest(path),
                "read": len(sequences),
                "numbered": len(chains),
            }
        )
        LOG.info("held out: %s: %d chains, %d V domains", path, len(sequences), len(chains))
    return joined(parts), record


def write_encoded(
    path: Path,
    chains: Chains,
    weights: np.ndarray,
    validation: dict[str, np.ndarray],
    library: Library,
    record: dict[str, object],
) -> None:
    """Write the file that `batches.read_encoded` reads.

    weights: (n,) how often a chain is drawn; validation: rows (m,) by name, which get weight 0
    (empty sets are left out); record: JSON that describes the chains.
    """
    weights = weights.astype(np.float64).copy()
    for rows in validation.values():
        weights[rows] = 0.0
    tensors = {
        "chains.grids": torch.from_numpy(chains.grids),
        "chains.locus": torch.from_numpy(chains.locus),
        "chains.cumulative": torch.from_numpy(weights.cumsum()),
        "chains.order": torch.from_numpy(CHAIN_ORDER),
        **constant_tensors(),
        **{f"validation.{k}": torch.from_numpy(v) for k, v in validation.items() if len(v)},
        **{f"library.{name}": tensor for name, tensor in tensors_of(library).items()},
    }
    write_tensors(path, tensors, {"record": json.dumps(record, sort_keys=True)})
