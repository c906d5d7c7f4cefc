"""Adapter of rule build_peer_env."""

from pathlib import Path

from lacuna.benchmark.peer_envs import build_env
from lacuna.core.logs import log_to

log_to(snakemake.log[0])
paths = (snakemake.input.requirements, snakemake.output.env)
build_env(snakemake.params.package, *map(Path, paths))
