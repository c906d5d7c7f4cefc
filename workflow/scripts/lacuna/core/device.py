"""The one place where a job learns on what it computes, in which precision and memory."""

import ctypes
import os
import sys
from collections.abc import Mapping

import torch

PRECISIONS: dict[str, torch.dtype | None] = {
    "fast": None,
    "float32": torch.float32,
    "float64": torch.float64,
}
_chosen: torch.dtype | None = None  # of this process; see `set_precision`


def set_precision(name: str) -> None:
    """In what this process makes matrix products from here on; called beside `use_threads`.

    'fast', as it is without a call, is what `product_dtype` finds to be fastest; the others are
    the same on every processor. Raises ValueError for a name that is not in PRECISIONS.
    """
    global _chosen
    if name not in PRECISIONS:
        raise ValueError(f"precision {name!r}; one of {', '.join(PRECISIONS)}")
    _chosen = PRECISIONS[name]
    torch.backends.cudnn.allow_tf32 = _chosen is None  # a GPU's float32 of 10 bits


def use_threads(threads: int) -> None:
    """How many threads this process computes with on the CPU; the same results on every run.

    MKL chooses the code of its elementary functions at their first call. If two threads make that
    call together, one of them may get other code, and the last bits of the first step differ from
    run to run. So one thread makes the first call of each.
    """
    torch.set_num_threads(1)
    x = torch.linspace(0.1, 0.9, 4096)
    for function in (torch.exp, torch.log, torch.tanh, torch.sigmoid, torch.erf, torch.sqrt):
        function(x)
    torch.nn.functional.gelu(x)
    torch.set_num_threads(threads)


def pick_device(gpus: int) -> torch.device:
    """A GPU where the job was given one and there is one, else the CPU.

    The first one, or that of this process among those that torchrun started.

    gpus: `snakemake.resources.gpu`; 0 never touches a GPU. Snakemake grants `gpu=1` on machines
    without any, so a GPU that is not there is no error.
    """
    if gpus == 0 or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def product_dtype(device: torch.device) -> torch.dtype:
    """In what matrix products are made: bfloat16 where the processor multiplies it, else float32.

    On CPUs without such instructions bfloat16 is several times slower than float32. After
    `set_precision` with another than 'fast' what it names.
    """
    if _chosen is not None:
        return _chosen
    if device.type == "cuda":
        return torch.bfloat16
    capabilities: Mapping[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # not in every version
    if any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16")):
        return torch.bfloat16
    return torch.float32


def keep_memory() -> bool:
    """Keep freed memory for the next tensors instead of giving it back; whether that was possible.

    Training frees and asks for the same hundreds of megabytes at every step. glibc gives large
    pieces back at once, and the system clears each page anew: a third of a step on a CPU.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # another C library
        return False
    trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8  # names of malloc.h
    settings = ((mmap_max, 0), (trim_threshold, -1), (top_pad, 64 << 20), (arena_max, 1))
    return all([mallopt(name, value) for name, value in settings])
