"""Adapter of rule encode_corpus."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.training.corpora import Corpus
from lacuna.training.encode import EncodeConfig, encode_corpora

log_to(snakemake.log[0])
encode_corpora(
    **arguments(snakemake, "files", "corpora", "settings", lists=["held_out"]),
    corpora=[Corpus(**{**c, "path": Path(c["path"])}) for c in snakemake.params.corpora],
    config=EncodeConfig(**snakemake.params.settings),
    processes=snakemake.threads,
)
