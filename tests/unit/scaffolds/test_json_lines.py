"""Scaffolds in files between steps."""

from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.scaffolds.json_lines import read_scaffold_block, to_json, write_scaffolds
from lacuna.scaffolds.scaffold import Scaffold
from scaffold_reader import Reader


@pytest.mark.parametrize("name", ["block.jsonl", "block.jsonl.gz"])
def test_blocks_are_read_as_they_were_written(read: Reader, tmp_path: Path, name: str) -> None:
    scaffolds = [
        read.one("AC{420 Da}D-"),
        read.one("ACDEF", "1\t3\t200.1"),
        Scaffold('ü"\\', "a\tb", "ACD", (), 3),
    ]
    write_scaffolds(tmp_path / name, scaffolds)
    assert read_scaffold_block(tmp_path / name) == scaffolds
    assert all("\n" not in to_json(scaffold) for scaffold in scaffolds)


@pytest.mark.parametrize("line", ["", "[]", "{}", "null", '{"gaps":[[1]]}', "nonsense"])
def test_a_line_that_is_no_scaffold_is_named(write: Write, line: str) -> None:
    good = to_json(Scaffold("a", "", "ACD", (), 1))
    path = write("block.jsonl", f"{good}\n{line}\n")
    with pytest.raises(LacunaError, match="block.jsonl:2: .*remove the file"):
        read_scaffold_block(path)
