"""A full disk, and paths that cannot be used: a clear line for each."""

import errno
import os
from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError, atomic_write, path_fault, printable, writing


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_disk_that_takes_no_more_is_one_line(write: Write, name: str, code: int) -> None:
    path = write(name, "old")
    before = path.read_bytes()
    with pytest.raises(LacunaError) as error, atomic_write(path) as handle:
        handle.write("new")
        raise OSError(code, os.strerror(code))
    assert str(error.value).startswith(f"{path}: cannot be written ({os.strerror(code)}); ")
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [name]


def test_a_full_disk_is_known_by_what_the_system_says() -> None:
    with pytest.raises(LacunaError, match=r"/dev/full: cannot be written \(No space left"):
        with writing("/dev/full"), open("/dev/full", "wb") as handle:
            handle.write(b"x" * 100_000)


def test_a_folder_that_is_a_file_is_named(write: Write) -> None:
    with pytest.raises(LacunaError, match="a part of the path is a file"):
        with atomic_write(write("file", "") / "a" / "b.txt"):
            pass


def test_a_link_to_nothing_is_thought_of(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    with pytest.raises(LacunaError, match="is a file, or a link to nothing: remove it"):
        with atomic_write(tmp_path / "out" / "b.txt"):
            pass


def test_other_faults_than_those_of_the_disk_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), writing(tmp_path / "a"):
        open(tmp_path / "gone")
    with pytest.raises(PermissionError), writing(tmp_path / "out" / "a"):
        raise PermissionError(errno.EACCES, "denied", str(tmp_path / "in" / "b"))  # a file read


def test_one_line_is_one_line_on_every_terminal() -> None:
    shown = "a\\nb\\rc\\x1b[31m\\u2028d\\u202e é\\u3000x"
    assert printable("a\nb\rc\x1b[31m\u2028d\u202e é\u3000x") == shown
    assert str(LacunaError("a\nb\rc\x1b[31m\u2028d\u202e é\u3000x")) == shown


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a\nb", "holds a line end or another control character; rename it"),
        ("\x1b[2Ja", "control character"),
        ("{sample}/a.fasta", "holds braces, which Snakemake takes for its own"),
        ("https://lab.org/a.fasta", "is a URL; download the file"),
        ("s3://bucket/a.fasta", "is a URL"),
        (r"C:\data\a.fasta", "is a path of Windows; write it with '/'"),
        ("D:/data/a.fasta", "is a path of Windows"),
        (r"data\a.fasta", "is a path of Windows"),
        ("~/a.fasta", "begins with '~', which only a shell reads; write the whole path"),
    ],
)
def test_a_path_that_cannot_be_used_says_why(path: str, words: str) -> None:
    assert words in (path_fault(path) or "")


def test_a_path_may_be_odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    odd = ("-rf", "$(id)", "a;b", "it's", 'a "b"', "é\xa0\u3000", "a,b", "#a", "100%", "a:b", "..")
    assert [path for path in odd if path_fault(path)] == []
    for name in ("a\\b", "~"):  # if such a file exists, it is meant
        (tmp_path / name).touch()
        assert path_fault(name) is None
