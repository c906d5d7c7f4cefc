"""Adapter of rule benchmark_scale."""

from pathlib import Path

from lacuna.benchmark.scale import measure_scale, table_of, write_table
from lacuna.core.logs import log_to

log = log_to(snakemake.log[0])
measured = measure_scale(
    *(Path(snakemake.input[name]).resolve() for name in ("weights", "library")),
    **{name: snakemake.params[name] for name in ("chains", "k", "settings")},
    cores=snakemake.threads,
)
write_table(Path(snakemake.output.table), measured)
log.close()
print(table_of(measured), flush=True)
