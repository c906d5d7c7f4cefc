"""Adapter of rule write_report."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.report import TABLES, write_report
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
write_report(
    **arguments(snakemake, "source", "weights", "given", *TABLES),
    tables={name: [Path(path) for path in snakemake.input[name]] for name in TABLES},
    given=[{name: Path(path) for name, path in files.items()} for files in snakemake.params.given],
    files={"weights": Path(snakemake.input.weights)},
)
