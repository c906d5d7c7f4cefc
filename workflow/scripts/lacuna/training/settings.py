"""The `pretrain` section of a configuration: defaults, checks, and paths of its corpora."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lacuna.core.config import check_schema, read_schema, whole_numbers, with_defaults
from lacuna.core.files import LacunaError, path_fault, shortened
from lacuna.core.paths import PRETRAIN_SCHEMA

SECTION = "pretrain"
DEFAULT_MINUTES = 60.0
TEACHER_K = 510  # AntiBERTy has 512 positions; two of them mark the ends of a chain
# Names begin with a letter or digit, so that pip cannot take one for an option.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*==[A-Za-z0-9][A-Za-z0-9_.+!-]*")
_DRAWN_BY_ENCODING = (
    "seed",
    "near_identity",
    "duplicate_identity",
    "validation_share",
    "simulate",
    "simulated_weight",
    "graft_weight",
    "calibrate",
)


def check_pretrain(section: Mapping[str, Any] | None) -> dict[str, Any]:
    """The complete section: `section`, checked, with the defaults of its schema.

    Raises LacunaError for the first fault, naming the key and what it should be.
    """
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {SECTION: read_schema(PRETRAIN_SCHEMA)},
    }
    whole: dict[str, Any] = with_defaults({SECTION: dict(section or {})}, schema)
    given: dict[str, Any] = whole[SECTION]
    for name in ("corpora", "validation"):
        if isinstance(given[name], list):
            item = schema["properties"][SECTION]["properties"][name]["items"]
            given[name] = [with_defaults(one, item) for one in given[name]]
    check_schema(whole, schema)
    given = whole_numbers(given)
    _check_sources(given)
    train = given["train"]
    if train["steps"] is not None and train["minutes"] is not None:
        raise LacunaError(
            "config: both 'pretrain.train.steps' and 'pretrain.train.minutes' are given; keep one"
        )
    if given["teacher"]["wheel"] and train["k"] > TEACHER_K:
        raise LacunaError(
            f"config: 'pretrain.train.k' is {train['k']}; write at most {TEACHER_K}, as many as a "
            "teacher can read"
        )
    if train["steps"] is None and train["minutes"] is None:
        train["minutes"] = DEFAULT_MINUTES
    return given


def _check_sources(section: dict[str, Any]) -> None:
    """Raise LacunaError if a source is not exactly one file or wheel, or a name occurs twice."""
    for i, corpus in enumerate(section["corpora"]):
        where = f"config: 'pretrain.corpora.{i}' ('{corpus['name']}')"
        if (corpus["path"] is None) == (corpus["wheel"] is None):
            raise LacunaError(f"{where} needs either 'path' or 'wheel'; give one of them")
        _check_wheel(f"{where}: wheel", corpus["wheel"])
        _check_path(where, corpus["path"])
    _check_wheel("config: 'pretrain.teacher.wheel'", section["teacher"]["wheel"])
    for i, path in enumerate(section["held_out"]):
        _check_path(f"config: 'pretrain.held_out.{i}'", path)
    for i, one in enumerate(section["validation"]):
        _check_path(f"config: 'pretrain.validation.{i}.path'", one["path"])
    for kind in ("corpora", "validation"):
        names = [one["name"] for one in section[kind]]
        taken = ["natural"] if kind == "validation" else []
        for i, name in enumerate(names):
            if name in names[:i] + taken:
                raise LacunaError(
                    f"config: 'pretrain.{kind}.{i}.name' '{name}' is taken; rename it"
                )


def _check_wheel(where: str, requirement: str | None) -> None:
    """Raise LacunaError if what pip is to fetch is not one version of one package."""
    if requirement is not None and not _REQUIREMENT.fullmatch(requirement):
        raise LacunaError(f"{where} {shortened(repr(requirement))}; write name==version")


def _check_path(where: str, path: str | None) -> None:
    """Raise LacunaError if Snakemake cannot use a path as written."""
    if path is not None and (fault := path_fault(path)):
        raise LacunaError(f"{where}: {shortened(repr(path))} {fault}")


def wheel_name(requirement: str) -> str:
    """File name under which a wheel is stored: `abnativ==2.0.9` -> `abnativ-2.0.9.whl`."""
    return requirement.replace("==", "-") + ".whl"


def corpora_at(section: Mapping[str, Any], wheels: str | Path) -> list[dict[str, Any]]:
    """Arguments of `corpora.Corpus` for each corpus; fetched wheels are in the folder `wheels`."""
    corpora = []
    for corpus in section["corpora"]:
        rest = {k: v for k, v in corpus.items() if k not in ("wheel", "path")}
        path = corpus["path"] or Path(wheels) / wheel_name(corpus["wheel"])
        corpora.append({**rest, "path": str(path)})
    return corpora


def encode_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `encode.EncodeConfig`."""
    return {name: section[name] for name in _DRAWN_BY_ENCODING}


def train_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `batches.TrainConfig`; a time budget is not one of them."""
    settings = {k: v for k, v in section["train"].items() if k != "minutes" and v is not None}
    if section["teacher"]["wheel"]:
        settings["teacher_share"] = section["teacher"]["share"]
    return {**settings, "seed": section["seed"]}


def teacher_settings(section: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `batches.TrainConfig` for the teacher: its own or else the network's."""
    own = {k: section["teacher"][k] for k in ("steps", "batch_size", "learning_rate")}
    return {**train_settings(section), **own, "teacher_share": 0.0}
