"""The longest window that the large network reads, as its file says: known before a run."""

from pathlib import Path

from lacuna.core.files import LacunaError
from lacuna.core.tensor_metadata import read_metadata

MARKS = 2  # positions of the network that are no residues: those before and after a window


def check_window(length: int, large_network: Path | str) -> None:
    """Check that the large network in a file of weights reads windows of `length` residues.

    Raises LacunaError if it does not, or if the file cannot be read. A file that does not state its
    size is left to the job that loads it.
    """
    sizes = read_metadata(large_network, "model").get("transformer")
    positions = sizes.get("positions") if isinstance(sizes, dict) else None
    if isinstance(positions, int) and length > positions - MARKS:
        raise LacunaError(
            f"config: 'kmer.length' is {length}; write at most {positions - MARKS}, which the "
            f"large network '{large_network}' can read, or 'mode: fast'"
        )
