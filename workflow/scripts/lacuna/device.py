"""The one place where a job learns on what it computes, and in which precision."""

from collections.abc import Mapping

import torch


def pick_device(gpus: int) -> torch.device:
    """The first GPU where the job was given one and there is one, else the CPU.

    gpus: `snakemake.resources.gpu`; 0 never touches a GPU. Snakemake grants `gpu=1` on machines
    without any, so a GPU that is not there is no error.
    """
    return torch.device("cuda" if gpus > 0 and torch.cuda.is_available() else "cpu")


def product_dtype(device: torch.device) -> torch.dtype:
    """In what matrix products are made: bfloat16 where the processor multiplies it, else float32.

    On CPUs without such instructions bfloat16 is several times slower than float32.
    """
    if device.type == "cuda":
        return torch.bfloat16
    capabilities: Mapping[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # not in every version
    if any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16")):
        return torch.bfloat16
    return torch.float32
