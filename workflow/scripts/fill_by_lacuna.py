"""Adapter of rule fill_by_lacuna."""

import sys
from pathlib import Path

from lacuna.benchmark.peers import measure_method
from lacuna.core.logs import log_to

log_to(snakemake.log[0])
given = {name: snakemake.input.get(name) for name in ("weights", "library", "homologs")}
paths = (snakemake.input.scaffolds, snakemake.output.answers, snakemake.output.speed)
settings = {**{name: path or None for name, path in given.items()}, **snakemake.params.settings}
options = {"method": "lacuna", "python": Path(sys.executable), "processes": snakemake.threads}
measure_method(*map(Path, paths), settings=settings, **options)
