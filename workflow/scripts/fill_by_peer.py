"""Adapter of rule fill_by_peer."""

from pathlib import Path

from lacuna.benchmark.peers import measure_method
from lacuna.core.logs import log_to

log_to(snakemake.log[0])
measure_method(
    Path(snakemake.input.scaffolds),
    *(Path(snakemake.output[name]) for name in ("answers", "speed")),
    method=snakemake.wildcards.peer,
    python=Path(snakemake.input.env) / "bin" / "python",
    settings={},
    processes=snakemake.threads,
)
