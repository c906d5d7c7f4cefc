"""Input of training: a file of encoded chains, and the batches drawn from it.

Needs only torch, numpy and safetensors, like `run`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor

from lacuna.core.device import product_dtype
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import on_device, read_tensors
from lacuna.network.weights import Record
from lacuna.templates.nearest import Library, one_hot_templates
from lacuna.training.masking import Batch, ChainSet, MaskingConfig, References, make_batch

POOL_EVERY = 50  # steps that use the same pool of homologs
VALIDATION_STEP = 1 << 40  # seeds validation batches; no training step is as high


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. The batch of a step depends only on the seed and the step."""

    steps: int = 1000
    batch_size: int = 512
    k: int = 128
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.01
    average: float = 0.999  # decay of the averaged weights, which are the result
    teacher_share: float = 0.0  # of the loss; the rest comes from the true residues
    seed: int = 0
    pool: int = 16384  # chains from which homologs are drawn
    checkpoint_every: int = 500
    validate_every: int = 500
    validation_chains: int = 2048


@dataclass(frozen=True, slots=True)
class Ranks:
    """Rank of this process among those that train together."""

    rank: int = 0
    world: int = 1


ALONE = Ranks()


@dataclass(frozen=True, slots=True)
class Encoded:
    """Contents of a file of encoded chains, see `encode.write_encoded`.

    validation: (n,) long rows of each named held-out set; record: what the file was made from.
    """

    chains: ChainSet
    validation: dict[str, Tensor]
    library: Library
    record: Record


def read_encoded(path: Path | str) -> Encoded:
    """Read encoded chains; the rows of validation sets are never drawn in training.

    Raises LacunaError if the file is damaged or is another kind of file.
    """
    tensors, metadata = read_tensors(path, "encode the corpora again")
    try:
        chains = ChainSet(**{f.name: tensors[f"chains.{f.name}"] for f in fields(ChainSet)})
        library = Library.from_tensors(part_of(tensors, "library."))
    except KeyError as error:
        raise LacunaError(
            f"{path}: not a file of encoded chains ({error} is missing); encode the corpora again"
        ) from None
    validation = part_of(tensors, "validation.")
    return Encoded(chains, validation, library, json.loads(metadata.get("record", "{}")))


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Tensors whose names begin with `prefix`, by their names without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """Random numbers of one step, independent of earlier steps."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + step * 7_919 + 17) % (1 << 63))


class Batches:
    """Draws the batches of one run on one device; each process draws its share of every batch."""

    def __init__(
        self,
        encoded: Encoded,
        config: TrainConfig,
        masking: MaskingConfig,
        device: torch.device,
        ranks: Ranks = ALONE,
    ) -> None:
        self.config, self.masking, self.device, self.ranks = config, masking, device, ranks
        self.chains = on_device(encoded.chains, device)
        self.library = on_device(encoded.library, device)
        self.dtype = product_dtype(device)
        # Counts of residues are exact in bfloat16; the weights of germline scores are not. The
        # speed is worth that on a GPU, but not on a CPU.
        germline_dtype = self.dtype if device.type == "cuda" else torch.float32
        self.one_hots = (
            one_hot_templates(self.library.v, germline_dtype),
            one_hot_templates(self.library.j, germline_dtype),
        )
        self._pool_block = -1
        self._pool: References | None = None

    def references(self, step: int) -> References:
        """The pool of training chains from which the homologs of a step are taken."""
        block = step // POOL_EVERY
        if self._pool is None or block != self._pool_block:
            generator = step_generator(self.config.seed + 1, block, self.device)
            draws = torch.rand(self.config.pool, generator=generator, device=self.device)
            draws = draws.double() * self.chains.cumulative[-1]
            rows = torch.searchsorted(self.chains.cumulative, draws)
            self._pool = References(
                self.chains.grids[rows.clamp(max=len(self.chains.grids) - 1)], self.dtype
            )
            self._pool_block = block
        return self._pool

    def draw(self, step: int, rows: Tensor | None = None) -> Batch:
        """This process's share of a step's batch, or the batch of given rows (b,)."""
        drawn = step if rows is not None else step * self.ranks.world + self.ranks.rank
        generator = step_generator(self.config.seed, drawn, self.device)
        pool_step = 0 if step >= VALIDATION_STEP else step
        return make_batch(
            self.chains,
            self.library,
            self.one_hots,
            self.references(pool_step),
            size=self.config.batch_size // self.ranks.world,
            k=self.config.k,
            config=self.masking,
            generator=generator,
            rows=rows,
        )
