"""Adapter of rule join_blocks."""

from pathlib import Path

from lacuna.logs import log_to
from lacuna.samples import HEADERS, join_parts

log_to(snakemake.log[0])
for table, out in snakemake.output.items():
    join_parts(snakemake.input[table], Path(out), HEADERS.get(table, ()))
