"""A rule's inputs, outputs and parameters as keyword arguments of the function behind it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

# Parameters that exist only for Snakemake to compare with those of an earlier run.
DIGESTS = frozenset({"code", "inputs", "worker"})


def arguments(
    snakemake: Any,
    *without: str,
    lists: Sequence[str] = (),
    outputs: str | None = None,
    bundles: Mapping[str, type] | None = None,
) -> dict[str, Any]:
    """The inputs, outputs and parameters of a job by their names in the rule.

    Files are paths, or lists of paths. An optional input without a file is None, or an empty list
    if its name is in `lists`. without: names that the function does not take; digests are always
    left out. outputs: a name under which all outputs are passed together, as a dict by name.
    bundles: by parameter name, a dataclass that takes the arguments named like its fields. Raises
    ValueError if the rule uses a name twice.
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
        own = found.keys() & {field.name for field in fields(bundle)}
        found[name] = bundle(**{key: found.pop(key) for key in own})
    return found


def files_by_sample(
    files: Mapping[str, Iterable[str]], names: Iterable[Iterable[str]]
) -> Iterator[dict[str, Path]]:
    """Yield the files of each sample by name, from the lists of a rule on all samples.

    files: by name, one for each sample that has it, in the order of the samples; names: of each
    sample the names of the files that it has.
    """
    left = {name: map(Path, paths) for name, paths in files.items()}
    for own in names:
        yield {name: next(left[name]) for name in own}


def _files(given: str | Iterable[str], empty: bool = False) -> Path | list[Path] | None:
    """A file, or several; if there are none, a list if `empty`, else None."""
    if isinstance(given, str):
        return Path(given)
    paths = [Path(path) for path in given]
    return paths if paths or empty else None
