"""Adapter of rule encode_training."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.training.run_data import encode_training

log_to(snakemake.log[0])
encode_training(
    **arguments(snakemake, "fastas", "gaps", "targets", lists=["homologs"]),
    targets=[
        (Path(fasta), Path(gaps) if gaps else None) for fasta, gaps in snakemake.params.targets
    ],
    processes=snakemake.threads,
)
