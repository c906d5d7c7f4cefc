"""Adapter of rule write_kmers."""

from pathlib import Path

from lacuna.blocks import encode_block
from lacuna.logs import log_to
from lacuna.samples import block_path

log_to(snakemake.log[0])
settings = ("max_identity", "species", "modifications", "precision")
homologs = snakemake.input.get("homologs")
encode_block(
    block_path(Path(snakemake.input.scaffolds), snakemake.wildcards.block),
    Path(homologs) if homologs else None,
    *(Path(snakemake.input[name]) for name in ("weights", "library", "alkylation")),
    *map(Path, snakemake.output),
    **snakemake.params.kmer,
    **{name: snakemake.params[name] for name in settings},
)
