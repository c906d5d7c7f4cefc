"""Adapter of rule fill_by_lacuna."""

import sys
from pathlib import Path

from lacuna.benchmark.peers import measure_method
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
files = ("weights", "library", "homologs", "large_network")
given = {name: snakemake.input.get(name) or None for name in files}
measure_method(
    **arguments(snakemake, "settings", *files),
    method=snakemake.wildcards.ours,
    python=Path(sys.executable),
    settings={**given, **snakemake.params.settings, "method": snakemake.wildcards.ours},
    processes=snakemake.threads,
)
