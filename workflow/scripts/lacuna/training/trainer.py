"""Training of the network on encoded chains: one run, step by step, from a checkpoint on.

Needs only torch, numpy and safetensors, like `run`.
"""

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import cross_entropy, log_softmax

from lacuna.core.device import product_dtype
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import (
    Kinds,
    kinds_of,
    misfit,
    not_finite,
    read_tensors,
    write_tensors,
)
from lacuna.network.model import TemplateReader
from lacuna.network.transformer import LargeNetwork
from lacuna.network.weights import Record, save_weights
from lacuna.training.batches import (
    ALONE,
    VALIDATION_STEP,
    Batches,
    Encoded,
    Ranks,
    TrainConfig,
    part_of,
)
from lacuna.training.checkpoint import RESTART, STATE_FORMAT, checkpoint_of, read_checkpoint
from lacuna.training.masking import Batch, MaskingConfig
from lacuna.training.temperatures import fit_temperature, species_of

VALIDATION_BATCH = 512


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine decay to a hundredth."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def loss_and_hits(
    model: TemplateReader, batch: Batch, taught: Tensor | None = None, share: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean cross-entropy over scored residues, number of correct ones, number of all; scalars.

    taught: (scored, 20) probabilities of a teacher, whose cross-entropy makes up `share` of the
    loss.
    """
    logits = model(batch.kmers)[batch.scored]  # (scored, 20)
    truth = batch.truth[batch.scored]
    hits = (logits.argmax(-1) == truth).sum()
    loss = cross_entropy(logits, truth)
    if taught is not None:
        from_teacher = -(taught * log_softmax(logits, -1)).sum(-1).mean()
        loss = torch.lerp(loss, from_teacher, share)
    return loss, hits, truth.new_tensor(len(truth))


class CpuDropout(nn.Module):
    """Dropout with 16 random bits per unit: on a CPU, torch draws its masks one unit at a time."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """In training, zero a share p of the units (any shape) and scale the others; else x."""
        if not self.training or self.p == 0:
            return x
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        drawn = bits.view(torch.int16)[: x.numel()].view(x.shape)
        keep = drawn >= round(self.p * 65536) - 32768
        return x * keep.to(x.dtype).mul_(1 / (1 - self.p))


class Trainer:
    """Model, averaged weights and optimiser of one run on one device.

    If there are several processes, each draws its share of a batch, and all make the same steps.
    """

    def __init__(
        self,
        encoded: Encoded,
        model: TemplateReader,
        config: TrainConfig,
        masking: MaskingConfig,
        device: torch.device,
        teacher: LargeNetwork | None = None,
        ranks: Ranks = ALONE,
    ) -> None:
        if config.batch_size % ranks.world:
            raise LacunaError(
                f"config: a batch of {config.batch_size} cannot be shared by {ranks.world} GPUs; "
                "set train.batch_size to a multiple of their number"
            )
        self.config, self.masking, self.device = config, masking, device
        self.ranks = ranks
        self.teacher = teacher.to(device).eval() if teacher is not None else None
        self.encoded = encoded
        self.batches = Batches(encoded, config, masking, device, ranks)
        self.dtype = product_dtype(device)
        self.model = model.to(device)
        self.averaged = copy.deepcopy(self.model).eval()
        if device.type == "cpu":
            for name, part in list(self.model.named_modules()):
                if isinstance(part, nn.Dropout):
                    self.model.set_submodule(name, CpuDropout(part.p))
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            betas=(0.9, 0.98),
            fused=True,
        )
        self.step = 0
        self.curve: list[dict[str, float]] = []
        self._loss_sum = torch.zeros((), device=device)  # since the last validation
        self._loss_steps = 0

    def autocast(self) -> torch.autocast:
        """Mixed precision if the processor supports it."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16
        )

    @torch.no_grad()
    def taught(self, batch: Batch) -> Tensor | None:
        """The teacher's probabilities for a batch's scored residues (scored, 20), or None."""
        if self.teacher is None:
            return None
        with self.autocast():
            return self.teacher(batch.kmers)[batch.scored].softmax(-1)

    def train_step(self) -> Tensor:
        """Make one step of the optimiser; returns the loss, a scalar on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.step, self.config)
        self.model.train()
        dropped = self.step * self.ranks.world + self.ranks.rank
        torch.manual_seed(self.config.seed * 1_000_003 + dropped)  # for dropout
        batch = self.batches.draw(self.step)
        taught = self.taught(batch)
        with self.autocast():
            loss, _, _ = loss_and_hits(self.model, batch, taught, self.config.teacher_share)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if self.ranks.world > 1:
            for p in self.model.parameters():
                if p.grad is not None:
                    distributed.all_reduce(p.grad)
                    p.grad /= self.ranks.world
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        decay = min(self.config.average, self.step / (self.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.averaged.parameters()), list(self.model.parameters()), 1 - decay
            )
        return loss.detach()

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss and residue accuracy of the averaged weights on each held-out set."""
        result: dict[str, float] = {}
        for name in self.encoded.validation:
            totals = [0.0, 0.0, 0.0]
            for batch in self._held_out(name):
                with self.autocast():
                    loss, hits, n = loss_and_hits(self.averaged, batch)
                totals[0] += float(loss) * int(n)
                totals[1] += int(hits)
                totals[2] += int(n)
            result[f"{name}_loss"] = totals[0] / max(totals[2], 1)
            result[f"{name}_accuracy"] = totals[1] / max(totals[2], 1)
        return result

    def _held_out(self, name: str) -> Iterator[Batch]:
        """The batches of a held-out set, the same at every call."""
        rows = self.encoded.validation[name][: self.config.validation_chains].to(self.device)
        for i in range(0, len(rows), VALIDATION_BATCH):
            yield self.batches.draw(VALIDATION_STEP + i, rows[i : i + VALIDATION_BATCH])

    @torch.no_grad()
    def fit_temperatures(self) -> None:
        """Give the averaged weights the temperature of each species with a held-out set of
        simulated chains."""
        for name in self.encoded.validation:
            if species := species_of(name):
                logits, truth = [], []
                for batch in self._held_out(name):
                    with self.autocast():
                        logits.append(self.averaged(batch.kmers)[batch.scored])
                    truth.append(batch.truth[batch.scored])
                fitted = fit_temperature(torch.cat(logits), torch.cat(truth))
                self.averaged.temperatures[species] = fitted

    def record(self) -> Record:
        """What the weights were made from, and how; the same on every machine."""
        before = {"start": self.model.record} if self.model.record else {}
        taught = {"teacher": self.teacher.record} if self.teacher is not None else {}
        fitted = self.averaged.temperatures
        return (
            before
            | taught
            | ({"temperatures": fitted} if fitted else {})
            | {
                "data": self.encoded.record,
                "train": asdict(self.config),
                "masking": asdict(self.masking),
                "step": self.step,
                "chains_seen": self.step * self.config.batch_size,
                "curve": self.curve,
            }
        )

    def save(self, path: Path) -> None:
        """Write the checkpoint to resume from (`checkpoint_of` the path) and the weights."""
        state = {"loss_sum": self._loss_sum} | self._weights()
        names = {id(p): n for n, p in self.model.named_parameters()}
        for p, values in self.optimizer.state.items():
            state |= {f"optimizer.{names[id(p)]}.{k}": v for k, v in values.items()}
        metadata = {
            "format": STATE_FORMAT,
            "model": json.dumps(self.model.settings(), sort_keys=True),
            "record": json.dumps(self.record(), sort_keys=True),
            "loss_steps": str(self._loss_steps),
        }
        write_tensors(checkpoint_of(path), state, metadata)
        save_weights(path, self.averaged, self.record())

    def resume(self, path: Path) -> bool:
        """Resume from the checkpoint of `path`; returns whether there was one.

        Raises LacunaError if the checkpoint is damaged or of another run (`check_same_run`).
        """
        state_path = checkpoint_of(path)
        if not state_path.exists():
            return False
        checkpoint = read_checkpoint(state_path)
        checkpoint.check_same_run(state_path, self.model.settings(), self.record())
        fault = misfit(checkpoint.kinds, self._state_kinds(checkpoint.kinds))
        if not fault and checkpoint.step > self.config.steps:
            fault = f"step {checkpoint.step} of {self.config.steps}"
        state = {} if fault else read_tensors(state_path, RESTART, str(self.device))[0]
        fault = fault or not_finite(state)
        if fault:
            raise LacunaError(f"{state_path}: the checkpoint is damaged ({fault}); {RESTART}")
        for prefix, model in self._networks():
            model.load_state_dict(part_of(state, prefix), strict=True)
        for name, p in self.model.named_parameters():
            values = part_of(state, f"optimizer.{name}.")
            if values:
                self.optimizer.state[p] = values
        self.step, self.curve = checkpoint.step, checkpoint.record["curve"]
        self._loss_sum, self._loss_steps = state["loss_sum"], checkpoint.loss_steps
        return True

    def _networks(self) -> tuple[tuple[str, TemplateReader], ...]:
        """The networks in a checkpoint, each with what its tensors' names begin with there."""
        return ("model.", self.model), ("averaged.", self.averaged)

    def _weights(self) -> dict[str, Tensor]:
        """The tensors of both networks, by their names in a checkpoint."""
        return {
            prefix + name: tensor
            for prefix, network in self._networks()
            for name, tensor in network.state_dict().items()
        }

    def _state_kinds(self, found: Kinds) -> Kinds:
        """Types and shapes in a checkpoint of this run with these optimiser states.

        A parameter that has never had a gradient has no optimiser state.
        """
        scalar = torch.zeros(())
        state = {"loss_sum": scalar} | self._weights()
        for name, p in self.model.named_parameters():
            if f"optimizer.{name}.step" in found:
                of_step = {"step": scalar, "exp_avg": p, "exp_avg_sq": p}
                state |= {f"optimizer.{name}.{k}": v for k, v in of_step.items()}
        return kinds_of(state)

    def run(self, path: Path, report: Callable[[str], None]) -> None:
        """Train up to the last step, with one line of progress per validation.

        path: of the weights; the checkpoint is written next to them. Only the first process writes.
        """
        first = self.ranks.rank == 0
        spent, counted = 0.0, 0  # training time (s) and steps since the last line
        while self.step < self.config.steps:
            at = time.monotonic()
            self._loss_sum += self.train_step()
            self._loss_steps += 1
            last = self.step == self.config.steps
            validating = first and (last or self.step % self.config.validate_every == 0)
            if validating:
                loss = float(self._loss_sum) / self._loss_steps  # waits for a GPU
                self._loss_sum, self._loss_steps = torch.zeros_like(self._loss_sum), 0
            spent, counted = spent + time.monotonic() - at, counted + 1
            if validating:
                self.curve.append({"step": self.step, "loss": loss, **self.validate()})
                report(self._progress(counted / spent, time.monotonic() - at))
                spent, counted = 0.0, 0
            if first and (last or self.step % self.config.checkpoint_every == 0):
                self.save(path)
        if first:  # the process may have been killed between writing the two files
            self.fit_temperatures()
            save_weights(path, self.averaged, self.record())

    def _progress(self, speed: float, pause: float) -> str:
        """Step, chains/s, loss, held-out accuracy, time left; speed in steps/s, pause in s."""
        point, config = self.curve[-1], self.config
        left = config.steps - self.step
        seconds = left / speed + left // config.validate_every * pause
        held_out = " ".join(
            f"{name.removesuffix('_accuracy')} {value:.4f}"
            for name, value in point.items()
            if name.endswith("_accuracy")
        )
        return (
            f"step {self.step:,}/{config.steps:,}  {speed * config.batch_size:,.0f} chains/s  "
            f"loss {point['loss']:.4f}  held-out accuracy {held_out or 'not measured'}  "
            f"{seconds / 60:,.1f} min left"
        )
