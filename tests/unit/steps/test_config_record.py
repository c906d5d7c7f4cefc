"""The settings of a run, as written next to its results."""

import os
from pathlib import Path

import pytest
import yaml

from lacuna.core.config import check_config
from lacuna.core.files import LacunaError
from lacuna.core.paths import WORKFLOW
from lacuna.steps.config_record import FIRST_LINE, is_rewritten, write_record

SCHEMA = WORKFLOW / "schemas" / "config.schema.yaml"
GIVEN = {
    "samples": "my/Prøven.tsv",
    "tolerance_ppm": 5.0,
    "train": {"from": None, "steps": 2, "learning_rate": 1e-05},
    "seed_lstm": {"samples": ["yes", "007", "1e3"]},
}


def test_it_holds_every_key_and_reads_as_the_same_settings(tmp_path: Path) -> None:
    config = check_config(GIVEN)
    path = tmp_path / "out" / "config.yaml"
    assert write_record(path, config)
    text = path.read_text(encoding="utf-8")
    assert text.startswith(FIRST_LINE) and "samples: my/Prøven.tsv\n" in text
    assert str(tmp_path) not in text
    told = yaml.safe_load(text)
    assert set(told) == set(yaml.safe_load(SCHEMA.read_text())["properties"])
    assert told == config == check_config(told)
    assert str(told) == str(config)  # in the order in which Snakemake compares settings


def test_the_next_run_replaces_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    assert write_record(path, {"a": "x" * 1000})
    assert write_record(path, {"b": 1})
    assert path.read_text() == f"{FIRST_LINE}b: 1\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "samples: mine.tsv\n", "# settings\n" + FIRST_LINE])
def test_a_file_of_the_users_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    assert not write_record(path, {"a": 1})
    assert path.read_text() == text
    assert not is_rewritten(path, path)


def test_a_folder_of_its_name_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").mkdir()
    assert not write_record(tmp_path / "config.yaml", {"a": 1})


def test_a_record_that_is_read_is_known_under_any_name(tmp_path: Path) -> None:
    record, other = tmp_path / "config.yaml", tmp_path / "other.yaml"
    assert not is_rewritten(other, record)
    write_record(record, {"a": 1})
    other.write_bytes(record.read_bytes())
    assert is_rewritten(Path(os.path.relpath(record)), record)
    assert not is_rewritten(other, record)
    assert not is_rewritten(tmp_path / "gone.yaml", record)


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LacunaError, match=r"cannot be written \(.*\); .* choose another outdir"):
        write_record(tmp_path / "file" / "config.yaml", {"a": 1})
