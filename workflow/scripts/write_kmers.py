"""Adapter of rule write_kmers."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.results.join import block_path
from lacuna.steps.blocks import encode_block

log_to(snakemake.log[0])
inputs = ("homologs", "weights", "library", "alkylation")
settings = ("max_identity", "species", "modifications", "precision")
encode_block(
    block_path(Path(snakemake.input.scaffolds), snakemake.wildcards.block),
    *(Path(p) if (p := snakemake.input.get(name)) else None for name in inputs),
    *map(Path, snakemake.output),
    **snakemake.params.kmer,
    **{name: snakemake.params[name] for name in settings},
)
