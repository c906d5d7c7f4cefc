"""Adapter of rule read_scaffolds."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.join import split_scaffolds

log_to(snakemake.log[0])
files = ("fasta", "gaps", "truth", "homologs")
given = {name: snakemake.input.get(name) or None for name in files}
names = ("block_size", "n_blocks", "tolerance_ppm", "on_bad_record")
split_scaffolds(
    **{name: Path(path) if path else None for name, path in given.items()},
    folder=Path(snakemake.output.blocks),
    rejected=Path(snakemake.output.rejected),
    **{name: snakemake.params[name] for name in names},
)
