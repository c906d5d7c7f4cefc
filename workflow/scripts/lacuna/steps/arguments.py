"""What the rule of a script gives it, as keyword arguments of the function that does its work."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

# Parameters that are there for Snakemake to compare with those of an earlier run.
DIGESTS = frozenset({"code", "inputs", "worker"})


def arguments(
    snakemake: Any,
    *without: str,
    lists: Sequence[str] = (),
    outputs: str | None = None,
    bundles: Mapping[str, type] | None = None,
) -> dict[str, Any]:
    """The inputs, outputs and parameters of a job by the names that its rule gives them.

    Files are paths, or lists of paths. An optional input that has no file is None, or an empty
    list if it is one of `lists`. `without`: names that the function does not take; digests are
    always left out. outputs: a name under which all outputs are passed together, by their own.
    bundles: by the name that the function gives it, a dataclass that holds the arguments which its
    fields name. Raises ValueError if the rule uses a name twice.
    """
    inputs = {name: _files(files, name in lists) for name, files in snakemake.input.items()}
    made = {name: _files(files) for name, files in snakemake.output.items()}
    params = dict(snakemake.params.items())
    found: dict[str, Any] = {}
    for group in (inputs, made if outputs is None else {outputs: made}, params):
        kept = {k: v for k, v in group.items() if k not in without and k not in DIGESTS}
        if twice := found.keys() & kept.keys():
            raise ValueError(f"rule {snakemake.rule}: '{min(twice)}' names two things")
        found |= kept
    for name, bundle in (bundles or {}).items():
        found[name] = bundle(**{field.name: found.pop(field.name) for field in fields(bundle)})
    return found


def _files(given: str | Iterable[str], empty: bool = False) -> Path | list[Path] | None:
    """A file, or several; of none a list if `empty`, else None."""
    if isinstance(given, str):
        return Path(given)
    paths = [Path(path) for path in given]
    return paths if paths or empty else None
