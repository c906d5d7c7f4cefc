"""Where the files of this workflow are; the one place that knows."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
SCRIPTS = PACKAGE.parent  # adapters; what a process needs in PYTHONPATH to import the package
WORKFLOW = SCRIPTS.parent
SNAKEFILE = WORKFLOW.parent / "Snakefile"
REPORT_TEMPLATES = WORKFLOW / "report"
RESOURCES = WORKFLOW.parent / "resources"
GERMLINES = RESOURCES / "germlines"
UNIMOD = RESOURCES / "unimod" / "unimod.tsv"
