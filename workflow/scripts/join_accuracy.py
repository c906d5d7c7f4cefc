"""Adapter of rule join_accuracy."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.scores import join_accuracy

log_to(snakemake.log[0])
tables = ("accuracy", "chains", "rejected", "gaps", "alkylation")
join_accuracy(
    snakemake.params.samples,
    *([Path(p) for p in snakemake.input[name]] for name in tables),
    out=Path(snakemake.output.accuracy),
    summary=Path(snakemake.output.summary),
)
