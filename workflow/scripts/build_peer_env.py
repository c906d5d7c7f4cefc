"""Adapter of rule build_peer_env."""

from lacuna.benchmark.peer_envs import build_env
from lacuna.core.logs import log_to
from lacuna.steps.arguments import arguments

log_to(snakemake.log[0])
build_env(**arguments(snakemake))
