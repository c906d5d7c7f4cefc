"""Records of a FASTA, as users and attackers have them."""

import gzip
import random
import tracemalloc
from pathlib import Path

import pytest

from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.scaffolds.fasta import count_records
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from scaffold_reader import Reader, fixed

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"


def test_ids_are_kept_as_they_are(read: Reader) -> None:
    ids = ["sp|P01834|IGKC_HUMAN", "a/b:c;d=e", "thera_dev|H|0|gap3", "ünïcode", "1", '"q"', "#5"]
    found = read("".join(f">{name}\twhat  it is \nACD\n" for name in ids))
    assert [record.chain for record in found] == ids
    assert all(isinstance(record, Scaffold) for record in found)
    assert found[0].description == "what  it is"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "character", ["\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\x1b"]
)
def test_a_control_character_in_a_description_becomes_a_blank(read: Reader, character: str) -> None:
    (found,) = read(f">a some{character}text\twith{character}\nACD\n")
    assert found.chain == "a" and found.description == "some text\twith"  # type: ignore[union-attr]


@pytest.mark.parametrize("character", ["\xa0", "\x1c", "\x85", "\u2028", "\u3000"])
def test_an_id_ends_at_a_blank_of_ascii_alone(read: Reader, character: str) -> None:
    (found,) = read(f">a{character}b what it is\nACD\n")
    assert found.chain == f"a{character}b" and found.description == "what it is"  # type: ignore[union-attr]


def test_an_empty_record_is_rejected(read: Reader) -> None:
    found = read(">a\n>b\n\n>c\n*\n>d\nAC\n>e")
    assert [type(record) for record in found] == [Rejected] * 3 + [Scaffold, Rejected]
    assert found[1] == Rejected(
        "b", 2, None, "heavy.fasta:2: 'b' has no sequence; give one or remove the record"
    )


def test_a_record_without_an_id_is_rejected(read: Reader) -> None:
    found = read(">\nAC\n> name\nAC\n>x\nAC\n")
    assert [record.line for record in found if isinstance(record, Rejected)] == [1, 3]
    assert "has no id" in found[0].reason  # type: ignore[union-attr]


def test_the_second_record_of_an_id_is_rejected_even_where_the_first_is_bad(read: Reader) -> None:
    found = read(">a\nAC\n>b\nAOC\n>a again\nDE\n>b\nAC\n>a\nAC\n", "a\t0\t1\n")
    assert isinstance(found[0], Scaffold) and found[0].gaps == (fixed(0, 1, "A"),)
    assert [type(record) for record in found[1:]] == [Rejected] * 4
    assert found[2] == Rejected(
        "a",
        5,
        None,
        "heavy.fasta:5: 'a' is a second record of this id (first: line 1); rename it; an id ends "
        "at the first blank: write a_again, say",
    )


def test_an_id_that_is_not_utf8_is_rejected_a_description_is_kept_and_noted(read: Reader) -> None:
    bad, good, other, note = read(b">caf\xe9 x\nAC\n>b caf\xe9\nAC\n>c \x93so\x94\nAC\n")
    assert isinstance(bad, Rejected) and "not UTF-8" in bad.reason
    assert isinstance(good, Scaffold) and good.description == "café"
    assert isinstance(other, Scaffold) and other.description == "“so”"
    assert isinstance(note, Rejected) and note.remark
    assert note.reason == (
        "heavy.fasta:3: 'b' has a description that is not UTF-8, read as Windows-1252 ('café'); if "
        "that is wrong, save the file as UTF-8 (as in 1 more chain)"
    )


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n \n", "  "])
def test_line_ends_and_starts_of_other_systems(read: Reader, end: str, start: str) -> None:
    lines = (start + ">a x\nAC\n-D\n>b\nAOC\n").replace("\n", end)
    good, bad = read(lines)
    above = start.count("\n")
    assert good == Scaffold("a", "x", "ACXD", (fixed(2, 3),), 1 + above)
    assert isinstance(bad, Rejected) and (bad.line, bad.column) == (5 + above, 2)


def test_the_last_line_needs_no_line_end(read: Reader) -> None:
    assert read(">a\nAC-") == read(">a\nAC-\n")


def test_gzip_is_known_by_its_bytes(write: Write) -> None:
    text = ">a\nAC-D\n"
    plain = list(read_scaffolds(write("a.fasta", text)))
    for path in (write("b.fa.gz", text), write("c.fasta", gzip.compress(text.encode()))):
        assert list(read_scaffolds(path)) == plain
        assert count_records(path) == 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PNG, r"not a FASTA file \(it begins with '\\ufffdPNG"),
        (b"\n>a\nAC\0\0", "3: holds a NUL character; save the file as plain text"),
        (
            b"PK\3\4 [Content_Types].xml",
            "not a FASTA file .*; it is a workbook of a spreadsheet: save its chains as FASTA, or",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "or its sheet as text with the columns of AIRR"),
        (">a\nAC\n".encode("utf-16"), "not a FASTA file .*; it is in UTF-16: save it as UTF-8 "),
        (b"\n<!doctype HTML>\n", "not a FASTA file .*; it is a page of HTML"),
        (
            b">P1;h\na title\nACD*\n",
            r"not a FASTA file \(it begins with '>P1;h'\); this is PIR: co",
        ),
        (b"\r\n>F1;\r\ntitle\r\nACD*\r\n", "this is PIR: convert it to FASTA"),
        (b"ACDEF\n>a\nAC\n", r"not a FASTA file \(it begins with 'ACDEF"),
        (b"@read\nACGT\n+\nFFFF\n", "not a FASTA file"),
        (b"", "the file is empty; give at least one"),
        (b"\n \r\n", "the file is empty"),
        (gzip.compress(b"", mtime=0), "the file is empty"),
        (gzip.compress(PNG, mtime=0), "not a FASTA file"),
        (gzip.compress(random.Random(1).randbytes(99), mtime=0)[:50], "damaged"),
    ],
)
def test_a_file_that_is_no_fasta_stops_the_run(write: Write, content: bytes, words: str) -> None:
    path = write("light.fasta", content)
    for reads in (count_records, lambda path: list(read_scaffolds(path))):
        with pytest.raises(LacunaError, match=f"light.fasta:.*{words}") as error:
            reads(path)
        assert "\n" not in str(error.value)


def test_a_record_of_pir_among_others_is_rejected(read: Reader) -> None:
    first, bad, last = read(">P1\nACD\n>DL;h\na title\nACD*\n>P;1\nACD\n")
    assert isinstance(first, Scaffold) and isinstance(last, Scaffold)
    assert isinstance(bad, Rejected) and bad.line == 3
    assert bad.reason.endswith("is PIR, whose second line is a title; convert it to FASTA")


def test_a_missing_file_stops_the_run(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match=r"no\.fasta: no such file"):
        count_records(tmp_path / "no.fasta")


@pytest.mark.parametrize("size", [3, 64, 1 << 20])
def test_records_are_whole_wherever_the_reads_cut_the_file(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", size)
    path = write("a.fasta", "\n>a > b\nAC>\n>b\n\n\nDE\nFG\n>c\nA\n")
    bad, *good = read_scaffolds(path)
    assert isinstance(bad, Rejected) and (bad.line, bad.column) == (3, 3)
    assert good == [Scaffold("b", "", "DEFG", (), 4), Scaffold("c", "", "A", (), 9)]
    assert count_records(path) == 3


@pytest.mark.parametrize(
    "text",
    [
        ">a x\rAC\r-D\r>b\rAOC\n",
        ">a x\rAC\r-D\r>b\rAOC\r\n",
        ">a x\rAC\r-D\r>b\rAOC\r",
        ">a x\r\r\nAC\r\r\n-D\r\r\n>b\r\r\nAOC\r\r\n",
    ],
)
def test_line_ends_of_cr_with_another_at_the_end(read: Reader, text: str) -> None:
    good, bad = read(text)
    assert good == Scaffold("a", "x", "ACXD", (fixed(2, 3),), 1)
    assert isinstance(bad, Rejected) and (bad.chain, bad.line, bad.column) == ("b", 5, 2)


def test_records_of_cr_among_those_of_lf_are_not_lost_in_silence(read: Reader) -> None:
    lines = "".join(f">c{i}\nACD\n" for i in range(9))
    found = read(f"{lines}>a\rACD\r>b\rACD\n")
    assert found[-1] == Rejected(
        "a",
        19,
        None,
        "heavy.fasta:19: 'a' has both CR and LF as line ends; "
        "save the file with one kind of line end",
    )


@pytest.mark.parametrize("before", [b"\n", b"A"])
@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_chain_begins_at_the_start_of_a_line_alone(
    write: Write, monkeypatch: pytest.MonkeyPatch, before: bytes, shift: int
) -> None:
    """Regardless of the length of the record and of where it is cut."""
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", 64)
    body = b"A" * (63 + shift - 3) + before + b"A" * 64 + b">b\nACD\n"
    path = write("a.fasta", b">a\n" + body + b">c\nACD\n")
    for max_length in (1, 2, 3):
        found = list(read_scaffolds(path, max_length=max_length))
        assert [record.chain for record in found] == ["a", "c"]
        assert found[-1].line == 1 + (b">a\n" + body).count(b"\n")


def test_an_id_has_a_length(read: Reader) -> None:
    found = read(f">{'a' * 1000}\nACD\n>{'b' * 200_000}\nACD\n>c\nACD\n")
    assert isinstance(found[0], Scaffold) and isinstance(found[2], Scaffold)
    assert isinstance(found[1], Rejected) and len(found[1].chain) == 100
    assert found[1].reason == (
        f"heavy.fasta:3: '{'b' * 97}...' has an id of 200000 characters, "
        "more than the limit of 1000; shorten it"
    )


def test_an_id_holds_no_nul(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lacuna.scaffolds.fasta._CHUNK", 8)  # in the first chunk, it stops the run
    good, bad = read_scaffolds(write("a.fasta", ">a\nACDEFG\n>b\0c\nACD\n"))
    assert isinstance(good, Scaffold) and isinstance(bad, Rejected)
    assert bad.reason == (
        "a.fasta:3: 'b\\x00c' has a NUL character in its id; save the file as plain text"
    )


def test_messages_show_control_characters_as_escapes(read: Reader) -> None:
    good, bad = read(">a\x1b[2J\nACD\n>b\x1b]0;x\x07\u202e\nAOD\n")
    assert good.chain == "a\x1b[2J"  # an id is never rewritten
    assert isinstance(bad, Rejected) and bad.chain == "b\\x1b]0;x\\x07\\u202e"
    assert bad.reason.startswith("heavy.fasta:4: 'b\\x1b]0;x\\x07\\u202e' has 'O'")


def test_ids_that_a_spreadsheet_takes_for_formulas_are_said_once(
    read: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    found = read(">=1+1\nACD\n>@a\nACD\n>a=1\nACD\n>-x\nACD\n")
    assert [record.chain for record in found] == ["=1+1", "@a", "a=1", "-x"]
    (said,) = caplog.messages
    assert said.startswith("heavy.fasta: 3 ids (=1+1, @a, -x) begin with one of = + - @")


def test_many_chains_are_not_held(write: Write) -> None:
    """Held, they would take 28 MB."""
    n = 20_000
    chain = "EVQLVESGGGLVQPGGSLRLSCAAS-----" * 4
    path = write("many.fasta", "".join(f">c{i}\n{chain}\n" for i in range(n)))
    tracemalloc.start()
    found = sum(isinstance(record, Scaffold) for record in read_scaffolds(path))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == count_records(path) == n
    assert most < 10e6
