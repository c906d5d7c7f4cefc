"""Adapter of rule compare_peers."""

from pathlib import Path

from lacuna.benchmark.peer_scores import compare
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log = log_to(snakemake.log[0])
compare(**arguments(snakemake, "template"))
log.close()
print(Path(snakemake.output.table).read_text(encoding="utf-8"), end="")
