"""Adapter of rule train_seed."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.tutorial.run import train_seed_models

log_to(snakemake.log[0])
given = {name: snakemake.input.get(name) or None for name in ("fasta", "gaps", "truth")}
train_seed_models(
    **{name: Path(path) if path else None for name, path in given.items()},
    out=Path(snakemake.output.report),
    **{name: snakemake.params[name] for name in ("tolerance_ppm", "k", "epochs", "seed")},
)
