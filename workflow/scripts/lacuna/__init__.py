"""Lacuna fills the gaps in antibody protein sequences; Snakemake scripts are adapters over it."""

__version__ = "0.1.0"
