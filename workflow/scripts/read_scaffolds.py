"""Adapter of rule read_scaffolds."""

from lacuna.core.files import in_sample
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.split_scaffolds import ChainFiles, split_scaffolds

log_to(snakemake.log[0])
with in_sample(snakemake.wildcards.sample):
    split_scaffolds(**arguments(snakemake, lists=["evidence"], bundles={"given": ChainFiles}))
