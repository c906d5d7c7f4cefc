"""Adapter of rule encode_training."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.training.run_data import encode_training

log_to(snakemake.log[0])
encode_training(
    [Path(p) for p in snakemake.input.homologs],
    [(Path(fasta), Path(gaps) if gaps else None) for fasta, gaps in snakemake.params.targets],
    *(Path(snakemake.input.library), Path(snakemake.output.chains)),
    processes=snakemake.threads,
    **{name: snakemake.params[name] for name in ("chains", "max_identity", "seed")},
)
