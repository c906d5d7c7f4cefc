"""Large tensors of weights in four bits a number: an eighth of their size.

Neighbouring numbers form groups of GROUP. Each number is one of 16 evenly spaced ones from the
least to the largest of its group:

    number = low + step * code

A tensor NAME becomes NAME.codes (two a byte, the first in the lower bits), NAME.low and NAME.step.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from lacuna.core.tensor_files import Kinds

GROUP = 64
LEAST_PACKED = 1 << 16  # numbers of the smallest tensor that is packed
_MOST = 15  # the largest code


def _is_large(shape: tuple[int, ...]) -> bool:
    n = torch.Size(shape).numel()
    return n >= LEAST_PACKED and n % GROUP == 0


def pack(name: str, x: Tensor) -> dict[str, Tensor]:
    """The tensors that stand for x (float32) in a file: x itself if it is small."""
    if not _is_large(tuple(x.shape)):
        return {name: x}
    groups = x.detach().reshape(-1, GROUP)
    # Codes are those of the rounded steps, with which they are read.
    low = groups.amin(1).half()
    step = ((groups.amax(1) - low.float()) / _MOST).half()
    spread = step.float()[:, None].clamp(min=torch.finfo(torch.float16).tiny)
    codes = ((groups - low.float()[:, None]) / spread).round().clamp(0, _MOST).to(torch.uint8)
    pairs = codes.reshape(-1, 2)
    return {
        f"{name}.codes": pairs[:, 0] | pairs[:, 1] << 4,
        f"{name}.low": low,
        f"{name}.step": step,
    }


def packed_kinds(plain: Kinds, found: Kinds) -> Kinds:
    """Types and shapes that a file has for tensors of `plain`; packed are those it has codes of."""
    kinds: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {}
    for name, (dtype, shape) in plain.items():
        if f"{name}.codes" in found and _is_large(shape):
            n = torch.Size(shape).numel()
            kinds[f"{name}.codes"] = (torch.uint8, (n // 2,))
            kinds[f"{name}.low"] = kinds[f"{name}.step"] = (torch.float16, (n // GROUP,))
        else:
            kinds[name] = (dtype, shape)
    return kinds


def unpack(stored: Mapping[str, Tensor], plain: Kinds) -> dict[str, Tensor]:
    """The tensors of `plain` from those of a file that fits `packed_kinds`."""
    tensors = {}
    for name, (dtype, shape) in plain.items():
        if name in stored:
            tensors[name] = stored[name]
            continue
        pairs = stored[f"{name}.codes"]
        codes = torch.stack((pairs & _MOST, pairs >> 4), 1).reshape(-1, GROUP)
        low, step = (stored[f"{name}.{part}"].to(dtype)[:, None] for part in ("low", "step"))
        tensors[name] = (low + step * codes).reshape(shape)
    return tensors
