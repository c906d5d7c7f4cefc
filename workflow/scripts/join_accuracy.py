"""Adapter of rule join_accuracy."""

from lacuna.core.logs import log_to
from lacuna.results.summary import SummaryFiles, join_accuracy
from lacuna.steps.arguments import arguments, files_by_sample

ALWAYS = "accuracy chains rejected gaps alkylation".split()
OPTIONAL = "reads evidence doubts spectra masses".split()

log_to(snakemake.log[0])
params = snakemake.params
files = {name: snakemake.input[name] for name in (*ALWAYS, *OPTIONAL)}
found = files_by_sample(files, ((*ALWAYS, *names) for names in params.optional))
join_accuracy(
    **arguments(snakemake, "report", "samples", "optional", *files),
    samples=[SummaryFiles(**s, **own) for s, own in zip(params.samples, found, strict=True)],
)
