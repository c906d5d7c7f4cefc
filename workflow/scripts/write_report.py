"""Adapter of rule write_report."""
from pathlib import Path
Path(snakemake.output.report).write_text("x")
