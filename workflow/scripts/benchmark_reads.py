"""Adapter of rule benchmark_reads."""

from lacuna.benchmark.reads import KnownSet, benchmark_reads, lines
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.read_errors import known_reads

log = log_to(snakemake.log[0])
given = arguments(snakemake, "files")
sets = [KnownSet(*one) for one in known_reads(given.pop("sets"))]
rows = benchmark_reads(sets, **given)
log.close()
print("\n".join(lines(rows)), flush=True)
