"""Adapter of rule weigh_evidence."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.reader_files import ReaderFiles
from lacuna.steps.weigh_evidence import weigh_evidence

log_to(snakemake.log[0])
weigh_evidence(**arguments(snakemake, bundles={"reader": ReaderFiles}))
