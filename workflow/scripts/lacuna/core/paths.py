"""Paths of the files of this workflow; no other module knows them.

An installed package contains its data. In a clone they are next to the package.
"""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SCRIPTS = PACKAGE.parent  # adapters; goes into PYTHONPATH of a process that imports the package
WORKFLOW = SCRIPTS.parent
SNAKEFILE = WORKFLOW.parent / "Snakefile"
REPORT_TEMPLATES = WORKFLOW / "report"
INSTALLED = (PACKAGE / "resources").is_dir()
RESOURCES = (PACKAGE if INSTALLED else WORKFLOW.parent) / "resources"
SCHEMAS = (PACKAGE if INSTALLED else WORKFLOW) / "schemas"
CONFIG_SCHEMA = SCHEMAS / "config.schema.yaml"
SAMPLES_SCHEMA = SCHEMAS / "samples.schema.yaml"
PRETRAIN_SCHEMA = SCHEMAS / "pretrain.schema.yaml"
GERMLINES = RESOURCES / "germlines"
UNIMOD = RESOURCES / "unimod" / "unimod.tsv"
CONTAMINANTS = RESOURCES / "contaminants" / "contaminants.fasta"
# Sets of weights by the word that names them; each folder holds a network, its library and a card.
WEIGHT_SETS = {name: RESOURCES / "weights" / name for name in ("open", "noncommercial")}
DEFAULT_WEIGHTS = "open"
NETWORK_FILE, LIBRARY_FILE = "lacuna.safetensors", "library.safetensors"
LARGE_NETWORK = RESOURCES / "weights" / "open" / "large.safetensors"  # of the thorough mode
READ_ERRORS = RESOURCES / "read_errors" / "models.tsv"


def bundled_weights(name: str) -> tuple[Path, Path]:
    """Network and germline library of a set of weights, one of WEIGHT_SETS."""
    return WEIGHT_SETS[name] / NETWORK_FILE, WEIGHT_SETS[name] / LIBRARY_FILE


def set_of(path: Path) -> str | None:
    """Name of the bundled set of weights that a file is of; None if it is of none."""
    for name in WEIGHT_SETS:
        if path.exists() and any(path.samefile(file) for file in bundled_weights(name)):
            return name
    return None


def prefer_this_package() -> None:
    """Let processes that this one starts import this package rather than one that is installed."""
    before = list(filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep)))
    if before[:1] != [str(SCRIPTS)]:
        os.environ["PYTHONPATH"] = os.pathsep.join([str(SCRIPTS), *before])


WEIGHTS, LIBRARY = bundled_weights(DEFAULT_WEIGHTS)
