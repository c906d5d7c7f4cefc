"""Adapter of rule find_alkylation."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.steps.find_alkylation import find_alkylation

log_to(snakemake.log[0])
settings = ("max_identity", "modifications", "precision", "species", "alkylation")
given = {name: snakemake.input.get(name) or None for name in ("homologs", "weights", "library")}
find_alkylation(
    Path(snakemake.input.scaffolds),
    **{name: Path(path) if path else None for name, path in given.items()},
    out=Path(snakemake.output.alkylation),
    **{name: value for name, value in snakemake.params.items() if name in settings},
    **snakemake.params.kmer,
)
