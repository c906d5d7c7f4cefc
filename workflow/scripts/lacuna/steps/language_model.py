"""The file of AntiBERTy's weights, which the thorough mode needs and Lacuna does not contain."""

from pathlib import Path

from lacuna.core.files import LacunaError


def check_language_model(path: Path) -> Path:
    """The path; if it is not a file, raises LacunaError, which says how to get the weights."""
    if not path.is_file():
        raise LacunaError(
            f"{path}: no such file; the thorough mode needs AntiBERTy's weights. Fetch them "
            "once by 'snakemake --cores 1 fetch_thorough', which needs a network, or copy the file"
        )
    return path
