"""Adapter of rule write_report."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.report import TABLES, write_report
from lacuna.steps.arguments import arguments

OTHERS = "template parts style script given with_evidence with_reads with_spectra".split()

log_to(snakemake.log[0])
files, given = snakemake.input, snakemake.params.given
write_report(
    **arguments(snakemake, *OTHERS, "evidence", "reads", "spectra", *TABLES, lists=["doubts"]),
    tables={name: [Path(path) for path in files[name]] for name in TABLES},
    given=[{name: [*map(Path, paths)] for name, paths in row.items()} for row in given],
    evidence=dict(zip(snakemake.params.with_evidence, map(Path, files.evidence), strict=True)),
    reads=dict(zip(snakemake.params.with_reads, map(Path, files.reads), strict=True)),
    spectra=dict(zip(snakemake.params.with_spectra, map(Path, files.spectra), strict=True)),
)
