"""What a run was made with: versions of Lacuna, Python and packages, and the weights."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import yaml

from lacuna import __version__
from lacuna.core.files import atomic_write, file_digest
from lacuna.core.licences import licence_of, read_record

PACKAGES = (
    "snakemake torch numpy numba pandas biopython safetensors pyteomics lxml psims immunum "
    "jsonschema PyYAML Jinja2 MarkupSafe tqdm"
).split()


def software_of(weights: Path, *, large_network: Path | None) -> dict[str, str]:
    """Versions by name, of this process and its machine; of the weights their digest and licence.

    large_network: its weights, if the run read them.
    Raises LacunaError if the weights cannot be read.
    """
    read = {"weights": weights, "large network": large_network}
    return {
        "Lacuna": __version__,
        **{f"{name} ({p.name})": f"sha256:{file_digest(p)}" for name, p in read.items() if p},
        "licence of the weights": licence_of(read_record(weights)),
        "Python": platform.python_version(),
        **{name: found for name in PACKAGES if (found := _installed(name))},
        "system": f"{platform.system()} {platform.machine()}",
    }


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:  # an environment of `--sdm conda` need not have all of them
        return None


def write_software(weights: Path, out: Path, *, large_network: Path | None) -> None:
    """Write the list as YAML, which MultiQC reads too; LacunaError if that is not possible."""
    with atomic_write(out) as handle:
        handle.write("# What the results in this folder were made with.\n")
        # Quoted, since readers of YAML take 1.10 for a number.
        yaml.dump(
            software_of(weights, large_network=large_network),
            handle,
            sort_keys=False,
            default_style="'",
            width=1000,
        )
