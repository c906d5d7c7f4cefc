"""Adapter of rule fill_by_peer."""

from pathlib import Path

from lacuna.benchmark.peers import measure_method
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
measure_method(
    **arguments(snakemake, "env"),
    method=snakemake.wildcards.peer,
    python=Path(snakemake.input.env) / "bin" / "python",
    settings={},
    processes=snakemake.threads,
)
