"""The configuration: defaults, and faults that name the key and the remedy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from lacuna.alkylation import AUTO, CHOICES
from lacuna.config import check_config
from lacuna.files import LacunaError

SCHEMA_PATH = Path(__file__).resolve().parents[2] / "workflow" / "schemas" / "config.schema.yaml"
SCHEMA = yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))
MINIMAL = {"samples": "samples.tsv"}


def check(**keys: Any) -> dict[str, Any]:
    return check_config(MINIMAL | keys, SCHEMA_PATH)


def sections(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (dotted path, schema) of every section and key."""
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from sections(below, f"{path}.{name}".strip("."))


def test_defaults_are_filled_in_at_every_level() -> None:
    config = check()
    assert (config["outdir"], config["seed"], config["block_size"]) == ("results", 0, 10000)
    assert config["on_bad_record"] == "reject"
    assert config["kmer"] == {"length": 128, "stride": 64}
    assert config["train"]["from"] == "resources/weights/lacuna.safetensors"
    assert config["seed_lstm"] == {"samples": [], "epochs": 100, "k": 10}
    assert config["accuracy"] == {"max_identity": 0.95}


def test_what_is_given_stays_and_its_neighbours_are_filled_in() -> None:
    config = check(kmer={"length": 99}, train={"from": None}, seed=7)
    assert config["kmer"] == {"length": 99, "stride": 64}
    assert config["train"]["from"] is None and config["train"]["steps"] == 0
    assert config["seed"] == 7


def test_what_is_chosen_of_cysteine_is_what_there_is() -> None:
    assert sorted(SCHEMA["properties"]["alkylation"]["enum"]) == sorted(CHOICES)
    assert check()["alkylation"] == AUTO


def test_an_empty_section_is_the_section_unchanged() -> None:
    assert check(model=None) == check()


def test_neither_the_callers_config_nor_the_defaults_are_changed() -> None:
    given: dict[str, Any] = {"samples": "x", "kmer": {"length": 99}}
    check_config(given, SCHEMA_PATH)["seed_lstm"]["samples"].append("mine")
    assert given == {"samples": "x", "kmer": {"length": 99}}
    assert check()["seed_lstm"]["samples"] == []


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"blocksize": 5}, ["unknown key 'blocksize'", "did you mean 'block_size'?"]),
        ({"kmer": {"lenght": 5}}, ["unknown key 'kmer.lenght'", "did you mean 'kmer.length'?"]),
        ({"stride": 5}, ["unknown key 'stride'", "did you mean 'kmer.stride'?"]),
        (
            {"kmer": {"epochs": 5}},
            ["unknown key 'kmer.epochs'", "did you mean 'seed_lstm.epochs'?"],
        ),
        ({"qqqqqq": 5}, ["unknown key 'qqqqqq'", "known keys are samples, outdir"]),
        ({"seed": "seven"}, ["'seed' is 'seven'", "a whole number"]),
        ({"seed": 1.5}, ["'seed' is 1.5", "a whole number"]),
        ({"seed": True}, ["'seed' is True", "a whole number"]),
        ({"seed": -1}, ["'seed' is -1", "at least 0"]),
        ({"block_size": 0}, ["'block_size' is 0", "at least 1"]),
        ({"model": {"dropout": 1}}, ["'model.dropout' is 1", "less than 1"]),
        ({"accuracy": {"max_identity": 2}}, ["'accuracy.max_identity' is 2", "at most 1"]),
        ({"train": {"learning_rate": 0}}, ["'train.learning_rate' is 0", "more than 0"]),
        ({"on_bad_record": "rejekt"}, ["'on_bad_record' is 'rejekt'", "did you mean 'reject'?"]),
        ({"on_bad_record": "x"}, ["'on_bad_record' is 'x'", "use one of reject, fail"]),
        ({"kmer": {"length": "99"}}, ["'kmer.length' is '99'", "set it in a config file"]),
        ({"kmer": 99}, ["'kmer' is 99", "a section"]),
        ({"train": {"from": 3}}, ["'train.from' is 3", "text or null"]),
        ({"seed_lstm": {"samples": "a"}}, ["'seed_lstm.samples' is 'a'", "a list"]),
        ({"samples": None}, ["'samples' is None", "text"]),
        ({"candidates": 101}, ["'candidates' is 101", "at most 100"]),
        ({"alkylation": "carbamidomethy"}, ["did you mean 'carbamidomethyl'?"]),
        (
            {"modifications": {"carbamidomethyl_cysteine": True}},
            ["'modifications.carbamidomethyl_cysteine'", "'alkylation: carbamidomethyl'"],
        ),
        # A misspelt key is named before the fault that it causes.
        ({"samples": None, "smaples": "x"}, ["unknown key 'smaples'", "did you mean 'samples'?"]),
    ],
)
def test_faults_name_key_and_remedy_in_one_line(keys: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(LacunaError) as error:
        check(**keys)
    message = str(error.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_missing_key_is_named() -> None:
    with pytest.raises(LacunaError, match="'samples' is missing; add it"):
        check_config({}, SCHEMA_PATH)


def test_a_stride_longer_than_the_window_would_skip_residues() -> None:
    with pytest.raises(LacunaError, match="'kmer.stride' is 65.*at most 'kmer.length', 64"):
        check(kmer={"length": 64, "stride": 65})
    assert check(kmer={"length": 64, "stride": 64})


def test_the_schema_is_strict_described_and_its_defaults_are_valid() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    for path, schema in sections(SCHEMA):
        assert schema.get("description"), path
        if path == "pretrain":
            continue  # its keys have a schema of their own
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False, path
        elif path not in SCHEMA["required"]:
            Draft202012Validator(schema).validate(schema["default"])


def test_a_yes_or_no_from_the_command_line_is_read() -> None:
    assert check(alternatives="true")["alternatives"] is True
    assert check(alternatives="False")["alternatives"] is False
    with pytest.raises(LacunaError, match="'alternatives' is 'maybe'; write true or false"):
        check(alternatives="maybe")
