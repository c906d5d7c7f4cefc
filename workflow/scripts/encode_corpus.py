"""Adapter of rule encode_corpus."""

from pathlib import Path

from lacuna.core.logs import log_to
from lacuna.training.corpus import Corpus, EncodeConfig, encode_corpora

log_to(snakemake.log[0])
encode_corpora(
    [Corpus(**{**c, "path": Path(c["path"])}) for c in snakemake.params.corpora],
    [Path(p) for p in snakemake.input.held_out],
    dict(zip(snakemake.params.validation, map(Path, snakemake.input.validation), strict=True)),
    *(Path(snakemake.output[name]) for name in ("chains", "record")),
    config=EncodeConfig(**snakemake.params.settings),
    processes=snakemake.threads,
)
