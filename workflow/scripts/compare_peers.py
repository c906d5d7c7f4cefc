"""Adapter of rule compare_peers."""

from pathlib import Path

from lacuna.benchmark.peer_scores import compare
from lacuna.core.logs import log_to

log = log_to(snakemake.log[0])
compare(
    Path(snakemake.input.scaffolds),
    *([Path(p) for p in snakemake.input[name]] for name in ("answers", "speeds")),
    **{name: Path(path) for name, path in snakemake.output.items()},
)
log.close()
print(Path(snakemake.output.table).read_text(encoding="utf-8"), end="")
