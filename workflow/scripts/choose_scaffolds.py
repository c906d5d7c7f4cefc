"""Adapter of rule choose_scaffolds."""

from pathlib import Path

from lacuna.benchmark.peers import choose_scaffolds
from lacuna.core.logs import log_to

log_to(snakemake.log[0])
paths = (snakemake.input.truth, snakemake.output.scaffolds)
choose_scaffolds(*map(Path, paths), limit=snakemake.params.limit)
