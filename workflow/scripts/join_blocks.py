"""Adapter of rules join_blocks and join_doubts."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.join import join_parts

log_to(snakemake.log[0])
for table, out in snakemake.output.items():
    join_parts(table, snakemake.input[table], Path(out))
