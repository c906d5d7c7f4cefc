"""A training run, on one device or on several GPUs of a node, from start to end.

Needs only torch, numpy and safetensors, so it also runs on a bare GPU node, given the arguments
of `pretrain` as a JSON file, and on several GPUs of a node with torchrun:

    python -m lacuna.training.run settings.json
    torchrun --standalone --nproc-per-node 4 -m lacuna.training.run settings.json

A run that was stopped resumes from the last checkpoint, with the batches of an uninterrupted run
and, on the CPU, to the same weights.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import distributed

from lacuna.core.device import keep_memory, pick_device, use_threads
from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.paths import SCRIPTS
from lacuna.core.tensor_files import tensors_of, write_tensors
from lacuna.network.model import GapNetwork, ModelConfig, TemplateReader
from lacuna.network.transformer import load_large
from lacuna.network.weights import Record, load_weights, save_packed
from lacuna.training.antiberty import large_network_from
from lacuna.training.batches import ALONE, Encoded, Ranks, TrainConfig, read_encoded
from lacuna.training.checkpoint import checkpoint_of, read_checkpoint
from lacuna.training.masking import MaskingConfig
from lacuna.training.trainer import Trainer

LOG = logging.getLogger(__name__)
TIMED_STEPS = 10  # timed to find how many steps fit into a time budget


def _steps_in(minutes: float, trainer: Trainer) -> int:
    """Steps that fit into a time budget, timed by a trainer that is then discarded."""
    for _ in range(3):
        trainer.train_step()
    began = time.monotonic()
    for _ in range(TIMED_STEPS):
        loss = trainer.train_step()
    float(loss)  # waits for a GPU
    steps = max(int(60 * minutes * TIMED_STEPS / (time.monotonic() - began)), 1)
    if trainer.ranks.world > 1:  # all processes use the number of steps found by the first
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
    their defaults. start: weights to begin with; they bring their own model settings.
    antiberty: AntiBERTy's wheel; if given, a teacher that begins with its weights is trained.
    teacher: weights of such a teacher, to learn from.
    minutes: time budget; sets the number of steps, by their speed at the start.
    gpus: number granted to the job; with several, one process trains on each.
    If there is a checkpoint (`checkpoint_of` the weights), training resumes from it; it is
    removed at the end. Raises LacunaError if it or `chains` cannot be used.
    """
    asked = dict(locals())
    together = min(gpus, torch.cuda.device_count())
    if together > 1 and not distributed.is_torchelastic_launched():
        _run_together(together, asked)
        return
    use_threads(threads)
    device = pick_device(gpus)
    if device.type == "cpu":
        keep_memory()
    encoded = read_encoded(chains)
    masks = MaskingConfig(**masking)
    learns_from = load_large(teacher) if teacher is not None else None
    with _ranks(device) as ranks:

        def make(config: TrainConfig) -> Trainer:
            network = starting_network(ModelConfig(**model), config.seed, start, antiberty)
            return Trainer(encoded, network, config, masks, device, learns_from, ranks)

        trainer = _trained(make, TrainConfig(**train), Path(weights), minutes)
    if ranks.rank > 0:
        return
    if library is not None:
        _write_library(Path(library), encoded)
    write_curve(curve, trainer.curve, trainer.config.batch_size)
    checkpoint_of(Path(weights)).unlink(missing_ok=True)


def _trained(
    make: Callable[[TrainConfig], Trainer],
    config: TrainConfig,
    weights: Path,
    minutes: float | None,
) -> Trainer:
    """The trainer after its last step, which resumes from a checkpoint of these weights.

    make: a trainer at its first step; minutes: as of `pretrain`.
    """
    state = checkpoint_of(weights)
    if minutes is not None:
        timed = not state.exists()
        steps = _steps_in(minutes, make(config)) if timed else _steps_planned(state)
        config = replace(config, steps=steps)
    trainer = make(config)
    resumed = trainer.resume(weights)
    report = LOG.info if trainer.ranks.rank == 0 else LOG.debug
    if resumed:
        report("going on from step %d of %s", trainer.step, state)
    report("%s", _plan(trainer))
    trainer.run(weights, report)
    return trainer


def _plan(trainer: Trainer) -> str:
    """How much is trained, and on what, as the first line of the log."""
    config, world, device = trainer.config, trainer.ranks.world, trainer.device.type
    names = {torch.bfloat16: "bfloat16", torch.float32: "float32"}
    return (
        f"{len(trainer.encoded.chains.grids)} chains, "
        f"{config.steps} steps of {config.batch_size} "
        f"on {f'{world} x cuda' if world > 1 else device} "
        f"({names[trainer.dtype]}, {torch.get_num_threads()} threads)"
    )


def pack_teacher(weights: Path | str, out: Path | str) -> None:
    """Write the weights of a large network in four bits a number; LacunaError as `load_large`."""
    teacher = load_large(weights)
    save_packed(Path(out), teacher, teacher.record)


def _steps_planned(state: Path) -> int:
    """The number of steps of the training of which `state` is the checkpoint."""
    return int(read_checkpoint(state).record["train"]["steps"])


def _write_library(path: Path, encoded: Encoded) -> None:
    """Write the germline library of the encoded chains, with the record of what they are."""
    record = {"data": encoded.record}
    metadata = {"record": json.dumps(record, sort_keys=True)}
    write_tensors(path, tensors_of(encoded.library), metadata)


@contextmanager
def _ranks(device: torch.device) -> Iterator[Ranks]:
    """Yield the rank of this process in torchrun, or ALONE without torchrun."""
    if not distributed.is_torchelastic_launched():
        yield ALONE
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
        distributed.barrier()  # the first process may still be writing
    finally:
        distributed.destroy_process_group()


def _run_together(processes: int, settings: Record) -> None:
    """Run `pretrain` in several processes with torchrun; LacunaError if it fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(settings, file, default=str)
        file.flush()
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc-per-node={processes}", "-m", "lacuna.training.run", file.name]
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


def starting_network(
    sizes: ModelConfig,
    seed: int,
    start: Path | str | None = None,
    antiberty: Path | str | None = None,
) -> TemplateReader:
    """The network at the start of training: new, with given weights, or a teacher."""
    torch.manual_seed(seed)
    if antiberty is not None:
        return large_network_from(antiberty, sizes)
    return load_weights(start) if start is not None else GapNetwork(sizes)


def write_curve(path: Path | str, curve: list[dict[str, float]], batch_size: int) -> None:
    """Write the learning curve as TSV: step, chains_seen, loss; loss and accuracy by set."""
    names = [name for name in (curve[-1] if curve else {}) if name not in ("step", "loss")]
    with atomic_write(path) as handle:
        print("step", "chains_seen", "loss", *names, sep="\t", file=handle)
        for point in curve:
            step = int(point["step"])
            values = (f"{point[name]:.5f}" for name in ("loss", *names))
            print(step, step * batch_size, *values, sep="\t", file=handle)


def main() -> None:
    """Run the command line; a LacunaError is printed as one line, with exit status 1."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
    try:
        pretrain(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    except LacunaError as error:
        print(f"Error: {error}", flush=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
