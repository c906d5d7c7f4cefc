"""Adapter of rule fetch_wheel."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.training.corpus import fetch_wheel

log_to(snakemake.log[0])
fetch_wheel(path=Path(snakemake.output.wheel), **dict(snakemake.params.items()))
