"""Files: plain and gzipped, whole or not at all, and clear messages if they cannot be read."""

import bz2
import gzip
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import (
    LacunaError,
    atomic_write,
    atomic_write_bytes,
    check_temporary_folder,
    open_bytes,
    open_text,
    printable,
    read_lines,
)


def zipped(name: str) -> bytes:
    """A ZIP archive with one file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(range(256)))
    return buffer.getvalue()


def test_text_is_read_with_any_line_ends_and_without_a_byte_order_mark(write: Write) -> None:
    with open_text(write("a.txt", b"\xef\xbb\xbfone\r\ntw\xc3\xb6\n")) as handle:
        assert list(handle) == ["one\n", "twö\n"]


def test_gzip_is_known_by_its_bytes_not_by_its_name(write: Write) -> None:
    for path in (write("a.gz", "hello"), write("b.fasta", gzip.compress(b"hello"))):
        with open_bytes(path) as handle:
            assert handle.read() == b"hello"
    plain = write("c.txt", "hello").rename(write("d", "").parent / "plain.gz")
    with open_text(plain) as text:
        assert text.read() == "hello"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(LacunaError, match="nowhere.txt: no such file"),
        open_text(tmp_path / "nowhere.txt"),
    ):
        pass


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match="cannot be read"), open_bytes(tmp_path):
        pass


def test_a_damaged_gzip_is_named(write: Write) -> None:
    whole = gzip.compress(os.urandom(5000))
    for broken in (whole[:2000], whole[:-1], whole[:1000] + b"\xff" * 200 + whole[1200:]):
        path = write("broken", broken)
        with pytest.raises(LacunaError, match="broken: the gzip file is damaged"):
            with open_bytes(path) as handle:
                handle.read()


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    """An input is read several times: to recognise it, to count its records, to read them."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with subprocess.Popen(["sh", "-c", f"echo text > '{path}'"]):
        with pytest.raises(LacunaError, match="pipe: is a pipe, .*; give a file instead"):
            with open_bytes(path):
                pass


@pytest.mark.parametrize("name", ["a.fasta", "a.fasta.gz"])
def test_a_file_that_changes_while_it_is_read_is_named(write: Write, name: str) -> None:
    path = write(name, "> old" * 1000)
    with pytest.raises(LacunaError, match=f"{name}: changed while it was read; run again"):
        with open_bytes(path) as handle:
            handle.read(1)
            with open(path, "ab") as more:
                more.write(b"new")
            handle.read()
    with pytest.raises(LacunaError, match="changed while it was read"):
        with open_bytes(path):
            os.replace(write("b", "of the same size"), path)
    with pytest.raises(LacunaError, match="changed while it was read"):
        with open_bytes(path):
            path.unlink()


def test_text_that_is_not_utf8_is_named(write: Write) -> None:
    message = r"latin.txt: not a text file in UTF-8 \(byte 0xe9\); .*: save it as UTF-8"
    with pytest.raises(LacunaError, match=message):
        with open_text(write("latin.txt", b"caf\xe9\n")) as handle:
            handle.read()
    with pytest.raises(LacunaError, match="UTF-16: save it as UTF-8 .in a spreadsheet, CSV UTF-8"):
        with open_text(write("excel.tsv", "chain\tstart\n".encode("utf-16"))) as handle:
            handle.read()


def test_a_fault_of_other_text_is_not_that_of_the_open_file(write: Write) -> None:
    with pytest.raises(UnicodeDecodeError):
        with open_text(write("a.txt", "good\n")):
            b"caf\xe9".decode()
    with pytest.raises(LacunaError, match="inner.txt: not a text file"):
        with open_text(write("outer.txt", "good\n")), open_text(write("inner.txt", b"\xe9")) as x:
            x.read()


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        (zipped("[Content_Types].xml"), "it is a workbook of a spreadsheet: save its sheet as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "it is a workbook of a spreadsheet"),
        (zipped("reads.csv"), "it is a compressed file: unpack it"),
        (bz2.compress(bytes(range(256))), "it is a compressed file: unpack it"),
        (b"\0\xff\0\xfe", "save it as plain text"),
    ],
)
def test_files_that_are_no_text_are_recognised(write: Write, content: bytes, remedy: str) -> None:
    with pytest.raises(LacunaError, match=f"not a text file in UTF-8 .*; {remedy}"):
        with open_text(write("reads.csv", content)) as handle:
            handle.read()


def test_atomic_write_makes_folders_and_leaves_one_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic_write(path) as handle:
        handle.write("ö\n")
        assert not path.exists()
    assert path.read_bytes() == "ö\n".encode()
    assert os.listdir(path.parent) == ["a.txt"]


def test_what_a_kill_leaves_is_gone_after_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    killed = (
        f"import os, sys; sys.path[:0] = {sys.path!r}; from lacuna.core.files import atomic_write\n"
    )
    killed += f"with atomic_write({str(path)!r}) as out: out.write('half'); os._exit(1)"
    subprocess.run([sys.executable, "-c", killed], check=False)
    assert os.listdir(tmp_path) != ["a.txt"]
    with atomic_write(path) as handle:
        handle.write("whole")
    assert os.listdir(tmp_path) == ["a.txt"] and path.read_text() == "whole"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_failed_write_leaves_what_was_there(write: Write, name: str) -> None:
    path = write(name, "old")
    before = path.read_bytes()
    with pytest.raises(RuntimeError), atomic_write(path) as handle:
        handle.write("new")
        raise RuntimeError
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [name]


def test_the_same_content_gives_the_same_gzip_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / "one.gz", tmp_path / "other.gz"]
    for path in paths:
        with atomic_write_bytes(path) as handle:
            handle.write(b"hello" * 100)
    first, second = (path.read_bytes() for path in paths)
    assert first == second
    assert gzip.decompress(first) == b"hello" * 100
    assert first[4:8] == bytes(4)  # no time in the header


def test_a_full_folder_of_temporary_files_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    check_temporary_folder()
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda dir: open("/dev/full", "wb"))
    with pytest.raises(LacunaError, match=r"written \(No space left on device\); free some space"):
        check_temporary_folder()


def test_a_written_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    with atomic_write(tmp_path / "a") as handle:
        handle.write("x")
    umask = os.umask(0)
    os.umask(umask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o666 & ~umask


def test_lines_are_bounded_and_counted(write: Write) -> None:
    path = write("a.txt", "one\r\n" + "x" * 12 + "\n12345\n\n" + "y" * 6)
    with open_text(path) as handle:
        assert list(read_lines(handle, 5)) == [
            (1, "one", True),
            (2, "xxxxx", False),
            (3, "12345", True),
            (4, "", True),
            (5, "yyyyy", False),
        ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("a\nb\tc\r", "a\\nb\\tc\\r"),
        ("\x85\u2028\u202e\ud800", "\\x85\\u2028\\u202e\\ud800"),
        ("ünïcode 中 \xa0\u200b", "ünïcode 中 \\xa0\\u200b"),
    ],
)
def test_an_error_is_one_line_without_control_characters(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(LacunaError(text)) == shown


def test_a_path_that_the_locale_cannot_name_says_what_to_set(tmp_path: Path) -> None:
    code = f"import sys; sys.path[:0] = {sys.path!r}; from lacuna.core.files import open_bytes\n"
    code += "with open_bytes('gr\\xf6\\xdfe.fasta'): pass"
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | plain, capture_output=True, text=True
    )
    assert "this locale has no such letters; set PYTHONUTF8=1" in done.stderr
