"""Training of the network on encoded chains.

Needs torch, numpy and safetensors only, so that it also runs on a bare GPU node, given the
arguments of `pretrain` as a JSON file; and on several GPUs of a node by torchrun:

    python -m lacuna.training.trainer settings.json
    torchrun --standalone --nproc-per-node 4 -m lacuna.training.trainer settings.json

Stopped at any moment it goes on from the last checkpoint, with the batches and (on the
CPU) to the weights of an unbroken run.
"""

import copy
import json
import logging
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import cross_entropy, log_softmax

from lacuna.core.device import keep_memory, pick_device, product_dtype, use_threads
from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.paths import SCRIPTS
from lacuna.core.tensor_files import (
    Kinds,
    json_of,
    kinds_of,
    misfit,
    not_finite,
    read_header,
    read_tensors,
    write_tensors,
)
from lacuna.network.model import GapNetwork, ModelConfig, TemplateReader
from lacuna.network.weights import Record, load_weights, save_weights
from lacuna.templates.nearest import Library, one_hot_templates
from lacuna.training.masking import Batch, ChainSet, MaskingConfig, References, make_batch
from lacuna.training.teacher import Teacher, load_teacher, teacher_from

LOG = logging.getLogger(__name__)
STATE_FORMAT = "lacuna-1-state"
POOL_EVERY = 50  # steps that one pool of homologs serves
VALIDATION_STEP = 1 << 40  # seeds validation batches, out of reach of training steps
VALIDATION_BATCH = 512
TIMED_STEPS = 10  # that tell how many steps fit into a time budget

_RESTART = "delete the checkpoint to start again"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """One training run. A batch of a step depends on the seed and the step alone."""

    steps: int = 1000
    batch_size: int = 512
    k: int = 128
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.01
    average: float = 0.999  # decay of the averaged weights, the ones that are kept
    teacher_share: float = 0.0  # of the loss; the rest is the truth's
    seed: int = 0
    pool: int = 16384  # chains that homologs are drawn from
    checkpoint_every: int = 500
    validate_every: int = 500
    validation_chains: int = 2048


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a file of encoded chains holds, see `corpus.write_encoded`.

    validation: (n,) long rows of each named held-out set; record: what the file was made of.
    """

    chains: ChainSet
    validation: dict[str, Tensor]
    library: Library
    record: Record


def read_encoded(path: Path | str) -> Encoded:
    """Read encoded chains; the rows of validation sets are never drawn in training.

    LacunaError where the file is damaged or holds something else.
    """
    tensors, metadata = read_tensors(path, "encode the corpora again")
    try:
        chains = ChainSet(**{f.name: tensors[f"chains.{f.name}"] for f in fields(ChainSet)})
        library = Library.from_tensors(_part(tensors, "library."))
    except KeyError as error:
        raise LacunaError(
            f"{path}: not a file of encoded chains ({error} is missing); encode the corpora again"
        ) from None
    validation = _part(tensors, "validation.")
    return Encoded(chains, validation, library, json.loads(metadata.get("record", "{}")))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, named without it."""
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The random numbers of one step, whatever steps went before."""
    return torch.Generator(device).manual_seed((seed * 1_000_003 + step * 7_919 + 17) % (1 << 63))


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Linear warm-up, then a cosine down to a hundredth."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(done, 1.0))))


def loss_and_hits(
    model: TemplateReader, batch: Batch, taught: Tensor | None = None, share: float = 0.0
) -> tuple[Tensor, Tensor, Tensor]:
    """Mean cross-entropy over scored residues, the number of right ones and of all; scalars.

    taught: (scored, 20) probabilities of a teacher, which make up `share` of the loss.
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
    """Dropout by 16 random bits a unit: a CPU draws torch's own masks one unit at a time."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share p of the units (any shape) in training and lift the others; else x."""
        if not self.training or self.p == 0:
            return x
        bits = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(1 << 63), None)
        drawn = bits.view(torch.int16)[: x.numel()].view(x.shape)
        keep = drawn >= round(self.p * 65536) - 32768
        return x * keep.to(x.dtype).mul_(1 / (1 - self.p))


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which of the processes that train together this one is."""

    rank: int = 0
    world: int = 1


ALONE = Ranks()


class Trainer:
    """Model, averaged weights and optimiser of one run on one device.

    Of several processes each draws its share of a batch, and all make the same steps.
    """

    def __init__(
        self,
        encoded: Encoded,
        model: TemplateReader,
        config: TrainConfig,
        masking: MaskingConfig,
        device: torch.device,
        teacher: Teacher | None = None,
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
        self.chains = encoded.chains.to(device)
        self.library = encoded.library.to(device)
        self.dtype = product_dtype(device)
        # Counts of residues are exact in bfloat16; the weights of germline scores are not, which
        # a GPU's speed is worth and a CPU's is not.
        germline_dtype = self.dtype if device.type == "cuda" else torch.float32
        self.one_hots = (
            one_hot_templates(self.library.v, germline_dtype),
            one_hot_templates(self.library.j, germline_dtype),
        )
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
        self._pool_block = -1
        self._pool: References | None = None

    def references(self, step: int) -> References:
        """The pool of training chains that homologs of a step are taken from."""
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

    def batch(self, step: int, rows: Tensor | None = None) -> Batch:
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

    def autocast(self) -> torch.autocast:
        """Mixed precision where the processor has it."""
        return torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.dtype == torch.bfloat16
        )

    @torch.no_grad()
    def taught(self, batch: Batch) -> Tensor | None:
        """What the teacher holds probable at a batch's scored residues (scored, 20)."""
        if self.teacher is None:
            return None
        with self.autocast():
            return self.teacher(batch.kmers)[batch.scored].softmax(-1)

    def train_step(self) -> Tensor:
        """One step of the optimiser on the step's batch; the loss, a scalar on the device."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.step, self.config)
        self.model.train()
        dropped = self.step * self.ranks.world + self.ranks.rank
        torch.manual_seed(self.config.seed * 1_000_003 + dropped)  # of dropout
        batch = self.batch(self.step)
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
        for name, rows in self.encoded.validation.items():
            rows = rows[: self.config.validation_chains].to(self.device)
            totals = [0.0, 0.0, 0.0]
            for i in range(0, len(rows), VALIDATION_BATCH):
                batch = self.batch(VALIDATION_STEP + i, rows[i : i + VALIDATION_BATCH])
                with self.autocast():
                    loss, hits, n = loss_and_hits(self.averaged, batch)
                totals[0] += float(loss) * int(n)
                totals[1] += int(hits)
                totals[2] += int(n)
            result[f"{name}_loss"] = totals[0] / max(totals[2], 1)
            result[f"{name}_accuracy"] = totals[1] / max(totals[2], 1)
        return result

    def record(self) -> Record:
        """What the weights were made of and how; the same on every machine."""
        before = {"start": self.model.record} if self.model.record else {}
        taught = {"teacher": self.teacher.record} if self.teacher is not None else {}
        return (
            before
            | taught
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
        """Write the checkpoint to go on from (`path` with suffix .state) and the weights."""
        state: dict[str, Tensor] = {"loss_sum": self._loss_sum}
        for prefix, model in (("model.", self.model), ("averaged.", self.averaged)):
            state |= {prefix + k: v for k, v in model.state_dict().items()}
        names = {id(p): n for n, p in self.model.named_parameters()}
        for p, values in self.optimizer.state.items():
            state |= {f"optimizer.{names[id(p)]}.{k}": v for k, v in values.items()}
        metadata = {
            "format": STATE_FORMAT,
            "model": json.dumps(self.model.settings(), sort_keys=True),
            "record": json.dumps(self.record(), sort_keys=True),
            "loss_steps": str(self._loss_steps),
        }
        write_tensors(path.with_suffix(".state"), state, metadata)
        save_weights(path, self.averaged, self.record())

    def resume(self, path: Path) -> bool:
        """Go on from the checkpoint of `path` if there is one; whether there was.

        LacunaError where the checkpoint is damaged, or was made with another model, other
        training or masking settings, or from other chains, first weights or another teacher,
        naming the first that differs.
        """
        state_path = path.with_suffix(".state")
        if not state_path.exists():
            return False
        checkpoint = _read_checkpoint(state_path)
        record, now = checkpoint.record, self.record()
        before = [{key: r.get(key) for key in ("start", "teacher")} for r in (record, now)]
        pairs: tuple[tuple[str, Record, Record], ...] = (
            ("model", checkpoint.model, self.model.settings()),
            *((name, record[name], now[name]) for name in ("train", "masking", "data")),
            ("weights", before[0], before[1]),
        )
        for section, stored, wanted in pairs:
            for key in wanted | stored:
                if stored.get(key) != wanted.get(key):
                    says = f"was {stored.get(key)} and is now {wanted.get(key)}"
                    if section in ("data", "weights"):  # too long to be shown
                        says = "has changed since the checkpoint was written"
                    raise LacunaError(
                        f"{state_path}: {section}.{key} {says}; "
                        "restore it, or delete the checkpoint to start again"
                    )
        fault = misfit(checkpoint.kinds, self._state_kinds(checkpoint.kinds))
        if not fault and checkpoint.step > self.config.steps:
            fault = f"step {checkpoint.step} of {self.config.steps}"
        state = {} if fault else read_tensors(state_path, _RESTART, str(self.device))[0]
        fault = fault or not_finite(state)
        if fault:
            raise LacunaError(f"{state_path}: the checkpoint is damaged ({fault}); {_RESTART}")
        for prefix, model in (("model.", self.model), ("averaged.", self.averaged)):
            model.load_state_dict(_part(state, prefix), strict=True)
        for name, p in self.model.named_parameters():
            values = _part(state, f"optimizer.{name}.")
            if values:
                self.optimizer.state[p] = values
        self.step, self.curve = checkpoint.step, record["curve"]
        self._loss_sum, self._loss_steps = state["loss_sum"], checkpoint.loss_steps
        return True

    def _state_kinds(self, found: Kinds) -> Kinds:
        """What a checkpoint of this run holds; of parameters that never had a gradient no more."""
        parts = (("model.", self.model), ("averaged.", self.averaged))
        state = {prefix + k: v for prefix, m in parts for k, v in m.state_dict().items()}
        scalar = torch.zeros(())
        state["loss_sum"] = scalar
        for name, p in self.model.named_parameters():
            if f"optimizer.{name}.step" in found:
                of_step = {"step": scalar, "exp_avg": p, "exp_avg_sq": p}
                state |= {f"optimizer.{name}.{k}": v for k, v in of_step.items()}
        return kinds_of(state)

    def run(self, path: Path, report: Callable[[str], None]) -> None:
        """Train up to the last step; one line of progress per validation.

        path: of the weights; the checkpoint stands beside them. The first process writes both.
        """
        first = self.ranks.rank == 0
        spent, counted = 0.0, 0  # on training since the last line
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
        if first:  # a kill may have come between the two
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


@dataclass(frozen=True, slots=True)
class _Checkpoint:
    """What a checkpoint says of itself: kinds of its tensors, model settings, record, and the steps
    that its sum of losses is of."""

    kinds: Kinds
    model: Record
    record: Record
    loss_steps: int

    @property
    def step(self) -> int:
        return int(self.record["step"])


def _read_checkpoint(path: Path) -> _Checkpoint:
    """The header of a checkpoint; LacunaError if it is damaged or none."""
    kinds, metadata = read_header(path, _RESTART)
    if metadata.get("format") != STATE_FORMAT or not {"model", "record"} <= set(metadata):
        raise LacunaError(f"{path}: not a checkpoint of {STATE_FORMAT}; {_RESTART}")
    model, record = (json_of(metadata, key, path, _RESTART) for key in ("model", "record"))
    steps = metadata.get("loss_steps", "0")
    if not (_is_record(record) and re.fullmatch("[0-9]{1,15}", steps)):
        raise LacunaError(f"{path}: the checkpoint is damaged (its record); {_RESTART}")
    return _Checkpoint(kinds, model, record, int(steps))


def _is_record(record: Record) -> bool:
    """Whether the record of a checkpoint has what is read of it, of the right types."""
    sections = all(isinstance(record.get(name), dict) for name in ("train", "masking", "data"))
    step, curve = record.get("step"), record.get("curve")
    if not (sections and type(step) is int and step >= 0 and isinstance(curve, list)):
        return False
    points = all(isinstance(point, dict) and {"step", "loss"} <= set(point) for point in curve)
    numbers = [value for point in curve if isinstance(point, dict) for value in point.values()]
    steps = record["train"].get("steps")
    return points and all(type(n) in (int, float) for n in numbers) and type(steps) is int


def _steps_in(minutes: float, make: Callable[[], Trainer]) -> int:
    """Steps that fit into a time budget, timed on a model that is thrown away."""
    trainer = make()
    for _ in range(3):
        trainer.train_step()
    began = time.monotonic()
    for _ in range(TIMED_STEPS):
        loss = trainer.train_step()
    float(loss)  # waits for a GPU
    steps = max(int(60 * minutes * TIMED_STEPS / (time.monotonic() - began)), 1)
    if trainer.ranks.world > 1:  # all make the steps that the first one counts
        counted = torch.tensor(steps, device=trainer.device)
        distributed.broadcast(counted, 0)
        steps = int(counted)
    return steps


def pretrain(
    chains: Path | str,
    weights: Path | str,
    curve: Path | str,
    library: Path | str | None = None,
    *,
    model: Mapping[str, Any],
    train: Mapping[str, Any],
    masking: Mapping[str, Any],
    minutes: float | None = None,
    start: Path | str | None = None,
    antiberty: Path | str | None = None,
    teacher: Path | str | None = None,
    gpus: int = 0,
    threads: int = 2,
) -> None:
    """Train a network on encoded chains and write its weights, its curve and the germline library.

    model, train, masking: fields of ModelConfig, TrainConfig and MaskingConfig that differ from
    their defaults. start: weights to begin with, which bring their own model settings.
    antiberty: AntiBERTy's wheel; a teacher that begins with its weights is trained instead.
    teacher: weights of such a teacher, to learn from.
    minutes: budget that sets the number of steps, by their speed at the start.
    gpus: that the job was given; a process trains on each of several.
    The checkpoint `weights` with suffix .state is gone on from where there is one and removed
    at the end. LacunaError where it or `chains` cannot be used.
    """
    asked = dict(locals())
    together = min(gpus, torch.cuda.device_count())
    if together > 1 and not distributed.is_torchelastic_launched():
        _run_together(together, asked)
        return
    weights = Path(weights)
    use_threads(threads)
    device = pick_device(gpus)
    if device.type == "cpu":
        keep_memory()
    encoded = read_encoded(chains)
    config = TrainConfig(**train)
    learns_from = load_teacher(teacher) if teacher is not None else None
    with _ranks(device) as ranks:

        def make() -> Trainer:
            network = begin(ModelConfig(**model), config.seed, start, antiberty)
            masks = MaskingConfig(**masking)
            return Trainer(encoded, network, config, masks, device, learns_from, ranks)

        state = weights.with_suffix(".state")
        if minutes is not None:
            if state.exists():
                steps = int(_read_checkpoint(state).record["train"]["steps"])
                config = replace(config, steps=steps)
            else:
                config = replace(config, steps=_steps_in(minutes, make))
        trainer = make()
        resumed = trainer.resume(weights)
        report = LOG.info if ranks.rank == 0 else LOG.debug
        if resumed:
            report("going on from step %d of %s", trainer.step, state)
        names = {torch.bfloat16: "bfloat16", torch.float32: "float32"}
        report(
            "%d chains, %d steps of %d on %s (%s, %d threads)",
            *(len(encoded.chains.grids), config.steps, config.batch_size),
            *(f"{ranks.world} x cuda" if ranks.world > 1 else device.type, names[trainer.dtype]),
            threads,
        )
        trainer.run(weights, report)
    if ranks.rank > 0:
        return
    if library is not None:
        tensors = {f.name: getattr(encoded.library, f.name) for f in fields(Library)}
        write_tensors(Path(library), tensors, {})
    write_curve(curve, trainer.curve, config.batch_size)
    state.unlink(missing_ok=True)


@contextmanager
def _ranks(device: torch.device) -> Iterator[Ranks]:
    """This process among those that torchrun started; alone without it."""
    if not distributed.is_torchelastic_launched():
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
        distributed.barrier()  # the first one still writes
    finally:
        distributed.destroy_process_group()


def _run_together(processes: int, settings: Record) -> None:
    """`pretrain` in as many processes of torchrun; LacunaError with the line that it ended with."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(settings, file, default=str)
        file.flush()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={processes}", "-m", "lacuna.training.trainer", file.name]
        path = os.pathsep.join(filter(None, (str(SCRIPTS), os.environ.get("PYTHONPATH"))))
        fault = "training on several GPUs failed; see the log"
        with subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as job:
            for line in job.stdout or ():
                LOG.info("%s", line.rstrip())
                if line.startswith("Error: "):
                    fault = line.removeprefix("Error: ").strip()
    if job.returncode:
        raise LacunaError(fault)


def begin(
    sizes: ModelConfig,
    seed: int,
    start: Path | str | None = None,
    antiberty: Path | str | None = None,
) -> TemplateReader:
    """The network that training begins with: new, of given weights, or a teacher."""
    torch.manual_seed(seed)
    if antiberty is not None:
        return teacher_from(antiberty, sizes)
    return load_weights(start) if start is not None else GapNetwork(sizes)


def write_curve(path: Path | str, curve: list[dict[str, float]], batch_size: int) -> None:
    """The learning curve as TSV: step, chains_seen, loss, and loss and accuracy by held-out set."""
    names = [name for name in (curve[-1] if curve else {}) if name not in ("step", "loss")]
    with atomic_write(path) as handle:
        print("step", "chains_seen", "loss", *names, sep="\t", file=handle)
        for point in curve:
            step = int(point["step"])
            values = (f"{point[name]:.5f}" for name in ("loss", *names))
            print(step, step * batch_size, *values, sep="\t", file=handle)


def main() -> None:
    """The command line; LacunaError becomes one line and exit status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        pretrain(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except LacunaError as error:
        print(f"Error: {error}", flush=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
