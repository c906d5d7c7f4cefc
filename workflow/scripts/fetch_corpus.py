"""Adapter of rule fetch_wheel."""

from pathlib import Path

from lacuna.corpus import fetch_wheel
from lacuna.logs import log_to

log_to(snakemake.log[0])
fetch_wheel(path=Path(snakemake.output.wheel), **dict(snakemake.params.items()))
