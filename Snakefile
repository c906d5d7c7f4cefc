"""Lacuna: fill the gaps of antibody protein sequences."""

from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/scaffolds.smk"
include: "workflow/rules/reads.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/fill.smk"
include: "workflow/rules/doubts.smk"
include: "workflow/rules/packs.smk"
include: "workflow/rules/seed.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/benchmark.smk"
include: "workflow/rules/peers.smk"
include: "workflow/rules/run.smk"


rule all:
    """Every file of every sample, and those of the whole run."""
    input:
        sample_files(),
        run_files(),
    message:
        "Every file is there."
