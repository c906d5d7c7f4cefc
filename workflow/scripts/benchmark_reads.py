"""Adapter of rule benchmark_reads."""

from lacuna.benchmark.reads import benchmark_reads, lines
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log = log_to(snakemake.log[0])
rows = benchmark_reads(**arguments(snakemake, "files"))
log.close()
print("\n".join(lines(rows)), flush=True)
