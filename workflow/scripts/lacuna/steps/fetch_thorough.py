"""AntiBERTy's weights for the thorough mode: fetched once, with pip."""

import logging
import tempfile
from pathlib import Path

from lacuna.core.files import LacunaError, writing
from lacuna.core.paths import SNAKEFILE
from lacuna.network.language_model import convert_antiberty, load_language_model
from lacuna.training.corpora import fetch_wheel

# The last release that includes its weights, as resources/pretrain/teacher.yaml names it.
ORIGIN = {
    "package": "antiberty==0.1.3",
    "sha256": "30d910992b190013871bac49cdc032e01a19339f7d2b958ab99b0eb44638352a",
    "licence": "MIT",
    "source": "Ruffolo, Gray and Sulam 2021, arXiv:2112.07782",
}
LOG = logging.getLogger(__name__)


def fetch_thorough(language_model: str) -> str:
    """Fetch AntiBERTy's package and write its weights unless they exist; returns a line to print.

    language_model: that of the configuration; a relative path that does not exist here is in the
    workflow's folder, like other resources. Raises LacunaError if the package cannot be fetched,
    is not the known one, or if a file that is there cannot be used.
    """
    path = Path(language_model)
    path = path if path.exists() else SNAKEFILE.parent / path
    if path.exists():
        load_language_model(path)
        return f"{path}: has AntiBERTy's weights already"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetching-", dir=path.parent) as folder:
        wheel = Path(folder) / "antiberty.whl"
        try:
            fetch_wheel(ORIGIN["package"], wheel, ORIGIN["sha256"])
        except LacunaError as error:
            raise LacunaError(
                f"{error} (or copy '{path}' from a machine where this was done)"
            ) from None
        convert_antiberty(wheel, path, ORIGIN)
    return f"{path}: AntiBERTy's weights ({ORIGIN['package']}, {ORIGIN['licence']} licence)"
