"""Adapter of rule measure_accuracy."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.scores import measure

log_to(snakemake.log[0])
measure(
    [Path(p) for p in snakemake.input.scored],
    [Path(p) for p in snakemake.input.seed],
    Path(snakemake.output.accuracy),
)
