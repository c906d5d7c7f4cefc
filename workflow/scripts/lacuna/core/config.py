"""The configuration: fills in defaults and reports misspelt keys and wrong values in one line."""

import copy
import difflib
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from jsonschema import Draft202012Validator, ValidationError

from lacuna.core.files import LacunaError, path_fault, shortened
from lacuna.core.paths import (
    CONFIG_SCHEMA,
    DEFAULT_WEIGHTS,
    LIBRARY_FILE,
    NETWORK_FILE,
    RESOURCES,
    SAMPLES_SCHEMA,
    WEIGHT_SETS,
    set_of,
)

# Keys that are paths; Snakemake must be able to use them.
PATH_KEYS = (
    "samples",
    "outdir",
    "library",
    "large_network",
    "train.from",
    "peers.bench",
    "peers.homologs",
    "read_errors.sets",
    "benchmark_reads.sets",
)
# Names of the schema's types for readers of messages.
_TYPE_NAMES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "a section with keys of its own",
    "string": "text",
}
# Keys of earlier versions, and what to write instead.
_MOVED = {
    "carbamidomethyl_cysteine": "write 'alkylation: carbamidomethyl', or leave it to "
    "'alkylation: auto'",
}

_MOST_BITS = 1024
# libyaml, if PyYAML has it, reads the same in a tenth of the time.
SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_yaml(path: str | Path, needed: bool = True) -> None:
    """Check that a config file is YAML with keys.

    needed: whether the file must exist. Raises LacunaError that names the line at fault.
    """
    try:
        with open(path, encoding="utf-8-sig") as handle:
            found = yaml.safe_load(handle)
    except FileNotFoundError:
        if needed:
            raise LacunaError(
                f"{path}: no such file here; start where it is, or give one by --configfile"
            ) from None
        return
    except (OSError, UnicodeDecodeError) as error:
        raise LacunaError(f"{path}: cannot be read ({error}); save it as plain text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        fault = getattr(error, "problem", None) or str(error)
        if "'\\t'" in fault:
            raise LacunaError(f"{path}{line}: begins with a tab; indent with blanks") from None
        remedy = "correct the line, or the one above it"
        raise LacunaError(f"{path}{line}: not YAML ({fault}); {remedy}") from None
    if not isinstance(found, dict):
        raise LacunaError(f"{path}: has no keys; write a line like 'samples: samples.tsv'")


def check_repeats(path: str | Path) -> None:
    """Raise LacunaError if a config file has a key twice in a section: only the last would count.

    What is wrong with a file that is no YAML is left to those that read it.
    """
    try:
        with open(path, encoding="utf-8-sig") as handle:
            root = yaml.compose(handle, Loader=SafeLoader)
    except (OSError, ValueError, yaml.YAMLError):
        return
    waiting, seen = [("", root)], set()
    while waiting:
        section, node = waiting.pop()
        if not isinstance(node, yaml.MappingNode) or id(node) in seen:
            continue
        seen.add(id(node))  # an anchor may be within itself
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise LacunaError(
                    f"{path}:{line}: '{_join(section, shortened(name))}' is there a second time "
                    f"(first: line {lines[name]}), and only one would count; remove one"
                )
            lines[name] = line
            waiting.append((_join(section, name), value))


def read_schema(path: str | Path) -> dict[str, Any]:
    """A JSON schema that is written in YAML."""
    with open(path, encoding="utf-8") as handle:
        schema: dict[str, Any] = yaml.load(handle, Loader=SafeLoader)
    return schema


def check_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """A new, complete configuration: `config`, checked, with the defaults of its schema.

    Raises LacunaError for the first fault in order of keys, naming the key and what it should be.
    """
    schema = read_schema(CONFIG_SCHEMA)
    resolved: dict[str, Any] = with_defaults(copy.deepcopy(dict(config)), schema)
    for key, value in resolved.items():
        kinds = schema["properties"].get(key, {}).get("type", ())
        if "boolean" in kinds and isinstance(value, str):
            # `--config key=true` arrives as text: Snakemake parses only Python's True and False.
            resolved[key] = {"true": True, "false": False}.get(value.lower(), value)
    check_schema(resolved, schema)
    for name, text in path_settings(resolved):
        if fault := path_fault(text):
            raise LacunaError(f"config: '{name}' is {text!r}, which {fault}")
    resolved = whole_numbers(resolved)
    length, stride = resolved["kmer"]["length"], resolved["kmer"]["stride"]
    if stride > length:  # a schema cannot express this
        raise LacunaError(
            f"config: 'kmer.stride' is {stride}; write at most 'kmer.length', {length}, "
            "or residues between two windows are never read"
        )
    _choose_weights(resolved)
    return resolved


def _choose_weights(config: dict[str, Any]) -> None:
    """Put the bundled files of the set `weights` where a configuration names bundled files.

    Raises LacunaError if it names a file of another set than `weights`, but for the default path.
    """
    chosen = config["weights"]
    files = ((config, "library", LIBRARY_FILE), (config["train"], "from", NETWORK_FILE))
    for section, key, file in files:
        if section[key] is None:
            continue
        sets = {bundled_path(name, file): name for name in WEIGHT_SETS}
        # Also by a whole path or a link: else the weights of two sets would be mixed in silence.
        named = sets.get(os.path.normpath(section[key])) or set_of(Path(section[key]))
        if named not in (None, chosen) and section[key] != bundled_path(DEFAULT_WEIGHTS, file):
            raise LacunaError(
                f"config: '{section[key]}' is of the weights '{named}', and 'weights' is "
                f"'{chosen}'; write 'weights: {named}' instead of the path"
            )
        if named:
            section[key] = bundled_path(chosen, file)


def bundled_path(weights: str, file: str) -> str:
    """Path of a file of a set of weights as a configuration names it: `resources/weights/...`."""
    return (WEIGHT_SETS[weights] / file).relative_to(RESOURCES.parent).as_posix()


def path_settings(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the text of every path in a complete configuration."""
    for key in PATH_KEYS:
        found: Any = config
        for part in key.split("."):
            found = found[part]
        if found is not None:
            yield key, found


def check_schema(values: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
    """Raise LacunaError for the first value that a schema does not allow, in order of keys."""
    _check_finite(values)
    errors = sorted(Draft202012Validator(schema).iter_errors(values), key=_error_order)
    if errors:
        raise LacunaError(f"config: {_explained(errors[0], schema)}")


def _check_finite(value: Any, key: str = "") -> None:
    """Raise LacunaError if a number is NaN (.nan), infinite (.inf) or too long to print."""
    if isinstance(value, float) and not math.isfinite(value):
        raise LacunaError(f"config: '{key}' is {value}; write a finite number")
    if isinstance(value, int) and value.bit_length() > _MOST_BITS:
        # Python prints no number of more than 4300 digits, so no later message could show it.
        bits = value.bit_length()
        raise LacunaError(f"config: '{key}' is a number of {bits} bits; write a smaller one")
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for name, one in value.items():
            _check_finite(one, _join(key, str(name)))


def whole_numbers(value: Any) -> Any:
    """The value with 100.0 as 100, at every level: a schema accepts both as whole numbers."""
    if isinstance(value, dict):
        return {name: whole_numbers(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole_numbers(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _error_order(error: ValidationError) -> tuple[bool, list[str]]:
    """Sort key: unknown keys first, since a misspelt key often causes the fault next to it."""
    return error.validator != "additionalProperties", [str(key) for key in error.absolute_path]


def with_defaults(section: Any, schema: Mapping[str, Any]) -> Any:
    """Fill the defaults of a schema into a section and its subsections, in place."""
    if not isinstance(section, dict):
        return section
    for key, below in schema.get("properties", {}).items():
        if "default" in below:
            section.setdefault(key, copy.deepcopy(below["default"]))
        if below.get("type") == "object":
            # An empty `train:` in YAML is null: the section exists and changes nothing.
            given = section.get(key)
            section[key] = with_defaults({} if given is None else given, below)
    return section


def _explained(error: ValidationError, schema: Mapping[str, Any]) -> str:
    """One line for a validation error: the key, what is wrong with it and what to write."""
    key = ".".join(str(part) for part in error.absolute_path)
    given: Any = error.instance
    wanted: Any = error.validator_value
    kind = str(error.validator)
    if kind == "additionalProperties":
        known = list(cast(Mapping[str, Any], error.schema)["properties"])
        unknown = next(str(name) for name in given if name not in known)
        if unknown in _MOVED:
            return f"'{_join(key, unknown)}' is no longer a key; {_MOVED[unknown]}"
        return _unknown(unknown, key, known, schema)
    allowed = cast(Mapping[str, Any], error.schema).get("enum")
    if kind == "type" and allowed:
        kind, wanted = "enum", allowed  # not every text will do
    if kind == "required":
        missing = next(name for name in wanted if name not in given)
        return f"'{_join(key, missing)}' is missing; add it to the config file"
    if kind == "minLength":
        return f"'{key}' is empty; give it, or leave the key out"
    remedy = _remedy(key, given, kind, wanted) or shortened(error.message)
    return f"'{key}' is {_shown(given)}; {remedy}"


def _remedy(key: str, given: Any, kind: str, wanted: Any) -> str:
    """What to write for a key, '' if that is not known.

    given: its value; kind, wanted: the rule of the schema that it breaks, and the rule's value.
    """
    if kind == "type":
        names = [wanted] if isinstance(wanted, str) else wanted
        says = f"write {' or '.join(_TYPE_NAMES[name] for name in names)}"
        if key in PATH_KEYS and isinstance(given, int | float):
            kind_given = "true or false" if isinstance(given, bool) else "a number"
            says += f", as './NAME' (a bare name like this one is taken for {kind_given})"
        if "." in key and isinstance(given, str):
            says += " (a nested key comes as text from --config: set it in a config file)"
        return says
    if kind == "enum":
        names = [str(name).lower() if isinstance(name, bool) else str(name) for name in wanted]
        # None is an empty value, and not what "none" means.
        near = difflib.get_close_matches(given, names, n=1) if isinstance(given, str) else []
        return f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(names)}"
    remedies = {
        "minimum": f"write at least {wanted}",
        "maximum": f"write at most {wanted}",
        "exclusiveMinimum": f"write more than {wanted}",
        "exclusiveMaximum": f"write less than {wanted}",
        "minItems": f"list at least {wanted}, or leave the key out",
        "uniqueItems": "list each once",
        "pattern": f"write it as {wanted}",
    }
    return remedies.get(kind, "")


def _shown(value: Any) -> str:
    """A value roughly as it was written."""
    try:
        return shortened(repr(value))
    except ValueError:  # Python prints no whole number of more than 4,300 digits
        return "a number of thousands of digits"


def _unknown(name: str, section: str, known: list[str], schema: Mapping[str, Any]) -> str:
    """Name the valid key, in this section or another, that was probably meant by an unknown one."""
    says = f"unknown key '{_join(section, name)}'; "
    everywhere = {path: path.rpartition(".")[2] for path in _keys(schema)}
    if name in everywhere and "." in name:
        parts = name.split(".")
        nested = ": {".join(parts) + ": ..." + "}" * (len(parts) - 1)
        return f"{says}a key of a section is written below it, in a config file: {nested}"
    columns = () if section else read_schema(SAMPLES_SCHEMA)["properties"]
    if name in columns and name != "sample":  # that is `samples`, misspelt
        return f"{says}it is a column of the sample sheet, for each sample"
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"{says}did you mean '{_join(section, near[0])}'?"
    elsewhere = difflib.get_close_matches(name, sorted(set(everywhere.values())), n=1)
    if elsewhere:
        path = next(path for path, leaf in everywhere.items() if leaf == elsewhere[0])
        return f"{says}did you mean '{path}'?"
    return f"{says}known keys {'here ' if section else ''}are {', '.join(known)}"


def _keys(schema: Mapping[str, Any], section: str = "") -> Iterator[str]:
    """Yield the dotted path of every key of a schema."""
    for name, below in schema.get("properties", {}).items():
        yield _join(section, name)
        yield from _keys(below, _join(section, name))


def _join(section: str, name: str) -> str:
    return f"{section}.{name}" if section else name
