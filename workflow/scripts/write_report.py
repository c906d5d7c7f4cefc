"""Adapter of rule write_report."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.report import TABLES, ReportFiles, write_report
from lacuna.steps.arguments import arguments, files_by_sample

ALWAYS = (*TABLES, "alkylation", "masses")
OPTIONAL = ("doubts", "evidence", "reads", "spectra")
TEMPLATES = ("template", "parts", "style", "script")

log_to(snakemake.log[0])
params = snakemake.params
files = {name: snakemake.input[name] for name in (*ALWAYS, *OPTIONAL)}
found = files_by_sample(files, ((*ALWAYS, *names) for names in params.optional))
given = [{name: [*map(Path, paths)] for name, paths in row.items()} for row in params.given]
write_report(
    **arguments(snakemake, "samples", "given", "stated", "optional", *TEMPLATES, *files),
    samples=[*map(ReportFiles, params.samples, found, given, params.stated)],
)
