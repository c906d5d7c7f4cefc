"""Adapter of rule write_report."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.report import TABLES, write_report

log_to(snakemake.log[0])
write_report(
    snakemake.params.samples,
    {name: [Path(path) for path in snakemake.input[name]] for name in TABLES},
    Path(snakemake.output.report),
    [Path(path) for path in snakemake.input.alkylation],
)
