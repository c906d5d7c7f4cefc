"""Adapter of rule fill_pack."""

from pathlib import Path

from lacuna.core.device import pick_device
from lacuna.core.logs import log_to
from lacuna.steps.reader_files import Networks
from lacuna.steps.settings import Settings
from lacuna.steps.small_samples import fill_pack, samples_of

log_to(snakemake.log[0])
outputs = {name: paths for name, paths in snakemake.output.items() if name != "scratch"}
fill_pack(
    samples_of(snakemake.params.samples, dict(snakemake.input.items()), outputs),
    Networks(
        Path(snakemake.input.weights),
        Path(snakemake.input.library),
        Path(asked) if (asked := snakemake.input.large_network) else None,
    ),
    scratch=Path(snakemake.output.scratch),
    settings=Settings(**snakemake.params.settings),
    device=pick_device(snakemake.resources.get("gpu", 0)),
)
