"""Adapter of rule find_alkylation."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.find_alkylation import find_alkylation
from lacuna.steps.reader_files import ReaderFiles

log_to(snakemake.log[0])
find_alkylation(**arguments(snakemake, lists=["spectra"], bundles={"reader": ReaderFiles}))
