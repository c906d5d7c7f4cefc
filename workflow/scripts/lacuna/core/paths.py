"""Where the files of this workflow are; the one place that knows.

An installed package carries its data in itself. In a clone they are beside the package.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SCRIPTS = PACKAGE.parent  # adapters; what a process needs in PYTHONPATH to import the package
WORKFLOW = SCRIPTS.parent
SNAKEFILE = WORKFLOW.parent / "Snakefile"
REPORT_TEMPLATES = WORKFLOW / "report"
INSTALLED = (PACKAGE / "resources").is_dir()
RESOURCES = (PACKAGE if INSTALLED else WORKFLOW.parent) / "resources"
SCHEMAS = (PACKAGE if INSTALLED else WORKFLOW) / "schemas"
CONFIG_SCHEMA = SCHEMAS / "config.schema.yaml"
SAMPLES_SCHEMA = SCHEMAS / "samples.schema.yaml"
GERMLINES = RESOURCES / "germlines"
UNIMOD = RESOURCES / "unimod" / "unimod.tsv"
WEIGHTS = RESOURCES / "weights" / "lacuna.safetensors"
LIBRARY = RESOURCES / "weights" / "library.safetensors"
