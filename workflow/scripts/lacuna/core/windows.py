"""The longest window that the large network reads, as its file says: known before a run."""

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lacuna.core.files import LacunaError

MARKS = 2  # positions of the network that are no residues: those before and after a window


def check_window(length: int, large_network: Path | str) -> None:
    """Check that the large network in a file of weights reads windows of `length` residues.

    Raises LacunaError if it does not, or if the file cannot be read. A file that does not state its
    size is left to the job that loads it.
    """
    try:
        with safe_open(str(large_network), "np") as handle:
            settings: Any = json.loads((handle.metadata() or {}).get("model", "{}"))
    except FileNotFoundError:
        raise LacunaError(f"{large_network}: no such file; check the path") from None
    except (OSError, SafetensorError, ValueError, RecursionError) as error:
        raise LacunaError(
            f"{large_network}: damaged or not a safetensors file ({error}); train or fetch it again"
        ) from None
    sizes = settings.get("transformer") if isinstance(settings, dict) else None
    positions = sizes.get("positions") if isinstance(sizes, dict) else None
    if isinstance(positions, int) and length > positions - MARKS:
        raise LacunaError(
            f"config: 'kmer.length' is {length}; write at most {positions - MARKS}, which the "
            f"large network '{large_network}' can read, or 'mode: fast'"
        )
