"""The header of a training checkpoint, read before any of its tensors."""

import re
from dataclasses import dataclass
from pathlib import Path

from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import Kinds, json_of, read_header
from lacuna.network.weights import Record

STATE_FORMAT = "lacuna-1-state"
RESTART = "delete the checkpoint to start again"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The header of a checkpoint.

    kinds: types and shapes of its tensors; model: model settings; record: record of the training;
    loss_steps: number of steps in its sum of losses.
    """

    kinds: Kinds
    model: Record
    record: Record
    loss_steps: int

    @property
    def step(self) -> int:
        """Number of training steps made."""
        return int(self.record["step"])

    def check_same_run(self, path: Path, model: Record, record: Record) -> None:
        """Compare the checkpoint with the run that resumes from it.

        Raises LacunaError, naming the first difference, if it was made with another model, other
        training or masking settings, other chains, other first weights or another teacher.
        """
        weights = [{key: r.get(key) for key in ("start", "teacher")} for r in (self.record, record)]
        pairs: tuple[tuple[str, Record, Record], ...] = (
            ("model", self.model, model),
            *((name, self.record[name], record[name]) for name in ("train", "masking", "data")),
            ("weights", weights[0], weights[1]),
        )
        for section, stored, wanted in pairs:
            for key in wanted | stored:
                if stored.get(key) != wanted.get(key):
                    says = f"was {stored.get(key)} and is now {wanted.get(key)}"
                    if section in ("data", "weights"):  # too long to print
                        says = "has changed since the checkpoint was written"
                    raise LacunaError(f"{path}: {section}.{key} {says}; restore it, or {RESTART}")


def checkpoint_of(weights: Path) -> Path:
    """The checkpoint that lies beside these weights while they are trained."""
    return weights.with_suffix(".state")


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the header of a checkpoint; LacunaError if it is damaged or not a checkpoint."""
    kinds, metadata = read_header(path, RESTART)
    if metadata.get("format") != STATE_FORMAT or not {"model", "record"} <= set(metadata):
        raise LacunaError(f"{path}: not a checkpoint of {STATE_FORMAT}; {RESTART}")
    model, record = (json_of(metadata, key, path, RESTART) for key in ("model", "record"))
    steps = metadata.get("loss_steps", "0")
    if not (_is_record(record) and re.fullmatch("[0-9]{1,15}", steps)):
        raise LacunaError(f"{path}: the checkpoint is damaged (its record); {RESTART}")
    return Checkpoint(kinds, model, record, int(steps))


def _is_record(record: Record) -> bool:
    """Whether the record of a checkpoint has all that is read from it, in the right types."""
    sections = all(isinstance(record.get(name), dict) for name in ("train", "masking", "data"))
    step, curve = record.get("step"), record.get("curve")
    if not (sections and type(step) is int and step >= 0 and isinstance(curve, list)):
        return False
    points = all(isinstance(point, dict) and {"step", "loss"} <= set(point) for point in curve)
    numbers = [value for point in curve if isinstance(point, dict) for value in point.values()]
    steps = record["train"].get("steps")
    return points and all(type(n) in (int, float) for n in numbers) and type(steps) is int
