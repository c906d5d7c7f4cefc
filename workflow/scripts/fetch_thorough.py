"""Adapter of rule fetch_thorough."""

from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments
from lacuna.steps.fetch_thorough import fetch_thorough

log = log_to(snakemake.log[0])
said = fetch_thorough(**arguments(snakemake))
log.close()
print(said, flush=True)
