"""The configuration: defaults, and faults that name the key and the remedy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import Write
from lacuna.core.config import (
    PATH_KEYS,
    check_config,
    check_repeats,
    check_yaml,
    path_settings,
)
from lacuna.core.files import LacunaError
from lacuna.core.paths import WEIGHT_SETS
from lacuna.core.words import AUTO
from lacuna.scaffolds.alkylation import READINGS

SCHEMA_PATH = Path(__file__).resolve().parents[3] / "workflow" / "schemas" / "config.schema.yaml"
SCHEMA = yaml.safe_load(SCHEMA_PATH.read_text(encoding="utf-8"))
MINIMAL = {"samples": "samples.tsv"}


def check(**keys: Any) -> dict[str, Any]:
    return check_config(MINIMAL | keys)


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
    assert config["train"]["from"] == "resources/weights/open/lacuna.safetensors"
    assert config["seed_lstm"] == {"samples": [], "epochs": 100, "k": 10}
    assert config["accuracy"] == {"max_identity": 0.95}


def test_one_word_chooses_network_and_library() -> None:
    folder = "resources/weights/noncommercial"
    network, library = (f"{folder}/{file}.safetensors" for file in ("lacuna", "library"))
    config = check(weights="noncommercial")
    assert (config["train"]["from"], config["library"]) == (network, library)
    assert check(**config) == config  # the record of a run gives the same run
    mine = check(weights="noncommercial", library="mine.safetensors", train={"from": None})
    assert (mine["train"]["from"], mine["library"]) == (None, "mine.safetensors")
    with pytest.raises(
        LacunaError, match=f"'{library}' is of the weights 'noncommercial', and 'weights' is"
    ):
        check(library=library)
    for other in (f"./{library}", str(WEIGHT_SETS["noncommercial"] / "library.safetensors")):
        with pytest.raises(LacunaError, match="is of the weights 'noncommercial', and 'weights'"):
            check(library=other)
        assert check(weights="noncommercial", library=other) == config
    network = str(WEIGHT_SETS["open"] / "lacuna.safetensors")
    with pytest.raises(LacunaError, match="'weights' is 'noncommercial'; write 'weights: open'"):
        check(weights="noncommercial", train={"from": network})
    with pytest.raises(LacunaError, match="'weights' is 'opne'; did you mean 'open'?"):
        check(weights="opne")
    with pytest.raises(LacunaError, match="'weights' is 'default'; use one of open, noncommercial"):
        check(weights="default")


def test_what_is_given_stays_and_its_neighbours_are_filled_in() -> None:
    config = check(kmer={"length": 99}, train={"from": None}, seed=7)
    assert config["kmer"] == {"length": 99, "stride": 64}
    assert config["train"]["from"] is None and config["train"]["steps"] == 0
    assert config["seed"] == 7


def test_what_is_chosen_of_cysteine_is_what_there_is() -> None:
    assert set(SCHEMA["properties"]["alkylation"]["enum"]) == {AUTO, *READINGS}
    assert check()["alkylation"] == AUTO


def test_an_empty_section_is_the_section_unchanged() -> None:
    assert check(model=None) == check()


def test_neither_the_callers_config_nor_the_defaults_are_changed() -> None:
    given: dict[str, Any] = {"samples": "x", "kmer": {"length": 99}}
    check_config(given)["seed_lstm"]["samples"].append("mine")
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
        ({"species": "human"}, ["unknown key 'species'", "a column of the sample sheet"]),
        ({"homologs": "h.fasta"}, ["unknown key 'homologs'", "a column of the sample sheet"]),
        ({"sample": "s.tsv"}, ["did you mean 'samples'?"]),
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
        ({"alkylation": None}, ["'alkylation' is None; use one of auto, carbamidomethyl, none"]),
        ({"complete_ends": 1}, ["'complete_ends' is 1; use one of auto, true, false"]),
        ({"kmer": {"length": "99"}}, ["'kmer.length' is '99'", "set it in a config file"]),
        ({"kmer": 99}, ["'kmer' is 99", "a section"]),
        ({"train": {"from": 3}}, ["'train.from' is 3", "text or null"]),
        ({"seed_lstm": {"samples": "a"}}, ["'seed_lstm.samples' is 'a'", "a list"]),
        ({"samples": None}, ["'samples' is None", "text"]),
        ({"tolerance_ppm": float("nan")}, ["'tolerance_ppm' is nan", "write a finite number"]),
        ({"block_size": float("inf")}, ["'block_size' is inf", "write a finite number"]),
        ({"benchmark_scale": {"chains": [float("nan")]}}, ["'benchmark_scale.chains.0' is nan"]),
        ({"block_size": 1e30}, ["'block_size' is 1e+30", "at most 100000"]),
        ({"kmer": {"length": 1_000_000}}, ["'kmer.length' is 1000000", "at most 4096"]),
        ({"candidates": 10_000}, ["'candidates' is 10000", "at most 100"]),
        ({"seed": 1 << 64}, ["'seed' is 18446744073709551616", "at most 4294967295"]),
        ({"outdir": ""}, ["'outdir' is empty"]),
        ({"outdir": 20261201}, ["'outdir' is 20261201; write text, as './NAME'", "for a number"]),
        ({"outdir": True}, ["'outdir' is True; write text, as './NAME'", "for true or false"]),
        ({"kmer.length": 64}, ["'kmer.length'", "written below it", "kmer: {length: ...}"]),
        ({"qqqqqq": "x" * 9999}, ["unknown key"]),
        ({"seed": "x" * 9999}, ["'seed' is 'xxx", "..."]),
        ({"outdir": "{sample}"}, ["'outdir' is '{sample}', which holds braces", "rename"]),
        ({"outdir": "~/out"}, ["'outdir' is '~/out', which begins with '~'"]),
        ({"outdir": r"C:\out"}, ["which is a path of Windows"]),
        ({"samples": "https://lab.org/a.tsv"}, ["'samples' is", "which is a URL"]),
        ({"train": {"from": "a\nb"}}, ["'train.from' is 'a\\nb', which holds a line end"]),
        ({"peers": {"bench": "{x}"}}, ["'peers.bench' is '{x}', which holds braces"]),
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
    assert "\n" not in message and len(message) < 500
    assert [word for word in words if word not in message] == []


def test_a_missing_key_is_named() -> None:
    with pytest.raises(LacunaError, match="'samples' is missing; add it"):
        check_config({})


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


def test_whole_numbers_are_whole() -> None:
    config = check(block_size=100.0, kmer={"length": 64.0}, benchmark_scale={"chains": [1e3]})
    found = [config["block_size"], config["kmer"]["length"], config["benchmark_scale"]["chains"][0]]
    assert found == [100, 64, 1000] and {type(number) for number in found} == {int}
    assert check(tolerance_ppm=0.5)["tolerance_ppm"] == 0.5


def test_every_number_has_a_least_and_a_greatest() -> None:
    for path, schema in sections(SCHEMA):
        for one in (schema, schema.get("items", {})):
            if {"integer", "number"} & set(np.atleast_1d(one.get("type", []))):
                assert {"minimum", "exclusiveMinimum"} & set(one), path
                assert {"maximum", "exclusiveMaximum"} & set(one), path


def test_paths_are_those_that_the_schema_has() -> None:
    assert dict(path_settings(check(outdir="out"))) == {
        "samples": "samples.tsv",
        "outdir": "out",
        "large_network": "resources/weights/open/large.safetensors",
        "library": "resources/weights/open/library.safetensors",
        "train.from": "resources/weights/open/lacuna.safetensors",
    }
    texts = [
        key
        for key, schema in sections(SCHEMA)
        if "string" in np.atleast_1d(schema.get("type")) and "enum" not in schema
    ]
    assert sorted(texts) == sorted(PATH_KEYS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\nkmer:\n\tlength: 3\n", [":3:", "begins with a tab", "indent with blanks"]),
        ("seed: 1\nkmer: {length: 3\nseed: 2\n", ["config.yaml:3: not YAML", "one above it"]),
        ("seed: 'a\n", ["not YAML"]),
        ("- seed\n", ["has no keys"]),
        ("", ["has no keys", "samples: samples.tsv"]),
        (b"seed: \xff\n", ["cannot be read", "plain text"]),
        (b"seed: \x00\n", ["config.yaml", "not YAML"]),
    ],
)
def test_a_config_file_that_is_no_yaml(write: Write, text: str | bytes, words: list[str]) -> None:
    with pytest.raises(LacunaError) as error:
        check_yaml(write("config.yaml", text))
    message = str(error.value)
    assert "config.yaml" in message and "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_config_file_that_is_yaml(write: Write, tmp_path: Path) -> None:
    check_yaml(write("config.yaml", "\ufeffsamples: a\n"))
    check_yaml(write("config.json", '{"samples": "a"}'))
    check_yaml(tmp_path / "gone", needed=False)
    with pytest.raises(LacunaError, match="gone: no such file here; .* --configfile"):
        check_yaml(tmp_path / "gone")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\noutdir: a\nseed: 2\n", [":3: 'seed' is there a second time (first: line 1)"]),
        ("train: {steps: 300}\ntrain:\n  from: null\n", [":2: 'train'", "remove one"]),
        ("kmer:\n  length: 64\n  length: 32\n", [":3: 'kmer.length'", "line 2"]),
        ('{"seed": 1, "seed": 2}', [":1: 'seed'"]),
    ],
)
def test_a_key_that_is_there_twice(write: Write, text: str, words: list[str]) -> None:
    with pytest.raises(LacunaError) as error:
        check_repeats(write("config.yaml", text))
    assert [word for word in words if word not in str(error.value)] == []


def test_keys_that_are_there_once(write: Write, tmp_path: Path) -> None:
    shared = "seed: 1\nkmer: &a {length: 64}\nmodel: *a\ntrain: {seed: 2}\n"
    for text in (shared, "a: &a {b: *a}\n", "- 1\n- 1\n", "seed: 'a\n", "", b"seed: \xff\n"):
        check_repeats(write("config.yaml", text))
    check_repeats(tmp_path / "gone")
    check_repeats(tmp_path)
