"""Adapter of rule benchmark_scale."""

from lacuna.benchmark.scale import measure_scale, table_of
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log = log_to(snakemake.log[0])
measured = measure_scale(**arguments(snakemake), cores=snakemake.threads)
log.close()
print(table_of(measured), flush=True)
