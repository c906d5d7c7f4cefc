"""Device, precision, threads and memory of the computations of a job."""

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
_chosen: torch.dtype | None = None  # for this process; see `set_precision`


def set_precision(name: str) -> None:
    """Set the precision of matrix products for the rest of this process.

    Call it together with `use_threads`. 'fast', the default, is what `product_dtype` finds to be
    fastest; the others give the same results on every processor. Raises ValueError if the name is
    not in PRECISIONS.
    """
    global _chosen
    if name not in PRECISIONS:
        raise ValueError(f"precision {name!r}; one of {', '.join(PRECISIONS)}")
    _chosen = PRECISIONS[name]
    torch.backends.cudnn.allow_tf32 = _chosen is None  # TF32: float32 with a 10-bit mantissa


def use_threads(threads: int) -> None:
    """Set the number of CPU threads of this process; results are the same on every run.

    MKL chooses the code of its elementary functions at their first call. If two threads make that
    call at the same time, one of them may get other code, and the last bits of the first step then
    differ from run to run. So a single thread makes the first call of each function.
    """
    torch.set_num_threads(1)
    x = torch.linspace(0.1, 0.9, 4096)
    for function in (torch.exp, torch.log, torch.tanh, torch.sigmoid, torch.erf, torch.sqrt):
        function(x)
    torch.nn.functional.gelu(x)
    torch.set_num_threads(threads)


def pick_device(gpus: int) -> torch.device:
    """A GPU if the job was granted one and the machine has one, else the CPU.

    It is the first GPU or, in a process started by torchrun, that of LOCAL_RANK.

    gpus: `snakemake.resources.gpu`; with 0 no GPU is ever touched. Snakemake grants `gpu=1` on
    machines without any, so a missing GPU is not an error.
    """
    if gpus == 0 or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))


def product_dtype(device: torch.device) -> torch.dtype:
    """Type of matrix products: bfloat16 if the processor multiplies it natively, else float32.

    On CPUs without such instructions bfloat16 is several times slower than float32. A call of
    `set_precision` with another name than 'fast' overrides this.
    """
    if _chosen is not None:
        return _chosen
    if device.type == "cuda":
        return torch.bfloat16
    # Not in every version of torch.
    capabilities: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    if any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16")):
        return torch.bfloat16
    return torch.float32


def keep_memory() -> None:
    """Keep freed memory for later tensors instead of returning it, if the C library is glibc.

    Training frees and allocates the same hundreds of megabytes at every step. glibc returns large
    blocks at once, and the system then clears each page anew: a third of a step on a CPU.
    """
    linux = sys.platform.startswith("linux")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if linux else None
    if mallopt is not None:
        trim_threshold, top_pad, mmap_max, arena_max = -1, -2, -4, -8  # constants of malloc.h
        settings = ((mmap_max, 0), (trim_threshold, -1), (top_pad, 64 << 20), (arena_max, 1))
        for name, value in settings:
            mallopt(name, value)
