"""The `pretrain` section: defaults, faults that name key and remedy, arguments of rules."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from lacuna.core.files import LacunaError
from lacuna.core.licences import not_free
from lacuna.network.model import ModelConfig
from lacuna.network.transformer import TransformerConfig
from lacuna.training.batches import TrainConfig
from lacuna.training.corpora import Corpus
from lacuna.training.encode import EncodeConfig
from lacuna.training.masking import MaskingConfig
from lacuna.training.settings import (
    TEACHER_K,
    check_pretrain,
    corpora_at,
    encode_settings,
    train_settings,
)

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = ROOT / "workflow" / "schemas" / "pretrain.schema.yaml"
MINE: dict[str, Any] = {"name": "mine", "path": "a.csv", "licence": "mine", "source": "me"}


def check(**keys: Any) -> dict[str, Any]:
    return check_pretrain(keys)


def test_defaults_are_those_of_the_code() -> None:
    section = check()
    assert section["model"].items() <= asdict(ModelConfig()).items()
    assert MaskingConfig(**section["masking"]) == MaskingConfig()
    assert TrainConfig(**train_settings(section)) == TrainConfig()
    encoding = EncodeConfig(**encode_settings(section))
    none = dict.fromkeys(section["calibrate"], 0)
    assert encoding == EncodeConfig(simulate=section["simulate"], calibrate=none)
    assert section["train"]["minutes"] == 60
    assert check_pretrain(None) == section


def test_the_ready_made_file_is_the_default_with_the_examples_held_out() -> None:
    text = (ROOT / "resources" / "pretrain" / "default.yaml").read_text()
    given = check_pretrain(yaml.safe_load(text)["pretrain"])
    assert all((ROOT / path).is_file() for path in given["held_out"])
    assert given | {"held_out": []} == check()


def test_the_file_of_open_weights_names_every_corpus_by_digest_and_free_licence() -> None:
    text = (ROOT / "resources" / "pretrain" / "open.yaml").read_text()
    given = check_pretrain(yaml.safe_load(text)["pretrain"])
    assert all((ROOT / path).is_file() for path in given["held_out"])
    assert not_free(given["corpora"]) == [] and given["teacher"]["wheel"] == "antiberty==0.1.3"
    assert all(len(part["sha256"]) == 64 for part in (*given["corpora"], given["teacher"]))


def test_windows_are_as_long_as_a_teacher_can_read() -> None:
    assert TEACHER_K == TransformerConfig().positions - 2
    teacher = {"wheel": "antiberty==0.1.3"}
    assert check(train={"k": TEACHER_K}, teacher=teacher)["train"]["k"] == TEACHER_K
    assert check(train={"k": TEACHER_K + 1})["train"]["k"] == TEACHER_K + 1  # without a teacher


def test_corpora_stand_where_they_are_given_or_fetched_to() -> None:
    section = check(corpora=[MINE, {**MINE, "name": "w", "path": None, "wheel": "abc==1.0"}])
    corpora = [Corpus(**{**c, "path": Path(c["path"])}) for c in corpora_at(section, "out/wheels")]
    assert [str(c.path) for c in corpora] == ["a.csv", "out/wheels/abc-1.0.whl"]
    assert corpora[0].weight == 1 and list(corpora[0].files) == ["*.csv", "*.csv.gz"]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"corpra": []}, ["unknown key 'pretrain.corpra'", "did you mean 'pretrain.corpora'?"]),
        ({"train": {"step": 5}}, ["did you mean 'pretrain.train.steps'?"]),
        ({"train": {"steps": 0}}, ["'pretrain.train.steps' is 0", "at least 1"]),
        ({"train": {"steps": 5, "minutes": 5}}, ["both 'pretrain.train.steps'", "keep one"]),
        ({"model": {"kernel": 4}}, ["'pretrain.model.kernel' is 4", "use one of 1, 3, 5"]),
        ({"simulate": {"mouse:X": 5}}, ["did you mean 'pretrain.simulate.mouse:"]),
        ({"corpora": []}, ["'pretrain.corpora' is []"]),
        ({"corpora": ["a.csv"]}, ["'pretrain.corpora.0' is 'a.csv'", "a section"]),
        ({"corpora": [{"name": "a", "path": "a", "source": "b"}]}, ["licence' is missing"]),
        ({"corpora": [{**MINE, "wieght": 2}]}, ["did you mean 'pretrain.corpora.0.weight'?"]),
        ({"corpora": [{**MINE, "path": None}]}, ["('mine') needs either 'path' or 'wheel'"]),
        ({"corpora": [{**MINE, "wheel": "a==1"}]}, ["('mine') needs either 'path' or 'wheel'"]),
        ({"corpora": [{**MINE, "path": None, "wheel": "a"}]}, ["wheel 'a'; write name==version"]),
        (
            {"corpora": [{**MINE, "path": None, "wheel": "--index-url==1"}]},
            ["wheel '--index-url==1'; write name==version"],
        ),
        *(
            ({"teacher": {"wheel": wheel}}, ["'pretrain.teacher.wheel'", "write name==version"])
            for wheel in ("--index-url==1", "-e==1", "antiberty", "a==1 b==2", "a==-1", "a==1\n")
        ),
        ({"corpora": [{**MINE, "path": "{a}.csv"}]}, ["'{a}.csv' holds braces"]),
        ({"held_out": ["~/a.fasta"]}, ["'pretrain.held_out.0': '~/a.fasta' begins with '~'"]),
        ({"train": {"k": 10**6}}, ["'pretrain.train.k' is 1000000", "at most 4096"]),
        ({"train": {"learning_rate": float("nan")}}, ["'pretrain.train.learning_rate' is nan"]),
        ({"corpora": [MINE, MINE]}, ["'pretrain.corpora.1.name' 'mine' is taken"]),
        (
            {"train": {"k": 511}, "teacher": {"wheel": "antiberty==0.1.3"}},
            ["'pretrain.train.k' is 511; write at most 510", "a teacher can read"],
        ),
        ({"validation": [{"name": "natural", "path": "a"}]}, ["'natural' is taken"]),
    ],
)
def test_faults_name_key_and_remedy_in_one_line(keys: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(LacunaError) as error:
        check(**keys)
    message = str(error.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_the_schema_is_strict_and_described() -> None:
    schema = yaml.safe_load(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    waiting = [("pretrain", schema)]
    while waiting:
        path, section = waiting.pop()
        assert section.get("description"), path
        if "properties" in section:
            assert section["additionalProperties"] is False, path
            waiting += [(f"{path}.{k}", v) for k, v in section["properties"].items()]
        if "description" in section.get("items", {}):
            waiting.append((f"{path}[]", section["items"]))
