"""The letters of a FASTA record, its inline mass gaps and the modifications of its residues.

Plain letters are read in one pass over the bytes. Only a record that contains anything else is
parsed: `X[+367.0537]` and `{420 Da}` are gaps of known mass; any other tag in brackets (ProForma 2)
or parentheses (PEAKS) is a modification of the residue before it, `[Acetyl]-` at the beginning one
of the N terminus and `-[Amidated]` at the end one of the C terminus.
"""

import re
from itertools import islice
from typing import NamedTuple

from Bio.Data.IUPACData import protein_letters_3to1_extended

from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.core.files import shortened
from lacuna.core.tags import Tag, dalton_mass, gap_mass, modification, peaks_modification
from lacuna.scaffolds.fasta import Fault, Record

# A sequence of this many A, C, G, T, U and N with each base in it, and of few letters for either of
# several bases besides, is DNA or RNA. A quarter of the residues of proteins are A, C, G, T or N: a
# chain with 30 of them and nothing else occurs about once in 10^17 chains. A shorter DNA (a primer)
# codes for fewer than ten residues.
MIN_NUCLEOTIDES = 30
MIN_NUCLEOTIDE_SHARE = 0.9

_BLANKS = b" \t\r\n\x0b\x0c"
_STOP = b"*"
_BAD = b"!"
_MISSING_CHARACTERS = b"-_?Xx"
_MISSING = MISSING_LETTER.encode()
_NUCLEOTIDES = b"ACGTUN"
_AMBIGUOUS = b"RYSWKMBDHV"  # IUPAC's for either of several bases
_UNKNOWN = b"X*-_?."
_PERHAPS_NUCLEIC = _NUCLEOTIDES + _AMBIGUOUS + _UNKNOWN + _BAD
_MAX_SHOWN = 40
# Three of them by chance begin one chain in 10^7.
_THREE_LETTERS = re.compile(
    f"(?:[-\\s]*(?:{'|'.join(protein_letters_3to1_extended)})){{3}}".encode(), re.IGNORECASE
)

# Brackets and parentheses may be nested: [Xlink:DSS[156]], (Label:13C(6)).
_BRACKETS = rb"\[(?:[^\[\]]|\[[^\[\]]*+\])*+\]"
_PARENTHESES = rb"\((?:[^()]|\([^()]*+\))*+\)"
_TAG = re.compile(_BRACKETS + b"|" + _PARENTHESES + rb"|\{[^{}]*+\}")
_N_TERMINUS = re.compile(b"(?:" + _BRACKETS + b")++-")
_C_TERMINUS = re.compile(b"-(?:" + _BRACKETS + rb")++\Z")

_NOT_READ = "which is not read; write residues with their modifications, as in C[+57.0215]"
_REMEDIES = {
    "[": "close the bracket, as in C[+57.0215]",
    "(": "close the parenthesis, as in C(+57.02)",
    "{": "close the brace, as in {420.18 Da}",
    "]": "open the bracket before it, as in C[+57.0215]",
    ")": "open the parenthesis before it, as in C(+57.02)",
    "}": "open the brace before it, as in {420.18 Da}",
    ".": "write X for a missing residue, and leave it out if it is a gap of an alignment",
    "<": f"it begins a global modification of ProForma, {_NOT_READ}",
    "/": f"it begins a charge or another chain of ProForma, {_NOT_READ}",
    "^": f"it counts modifications of unknown place in ProForma, {_NOT_READ}",
}


class InlineGap(NamedTuple):
    """An inline mass gap; `tolerance_da` is None if the default in ppm applies.

    `offset` is its place among the non-blank bytes of the record, for `locate`.
    """

    mass: float
    tolerance_da: float | None
    offset: int


class Letters(NamedTuple):
    """Content of a record: one letter of the alphabet per position, inline gaps, modifications.

    stop: position of the first stop codon before the end, read as a missing residue.
    """

    sequence: str
    inline: dict[int, InlineGap]  # by position
    modifications: tuple[tuple[int, Tag], ...]  # (position, tag), in order
    stop: int | None = None


def _letter_table() -> bytes:
    """256 bytes: letter for each byte of a sequence; stops stay stops, invalid bytes are `_BAD`."""
    table = bytearray(_BAD * 256)
    for letter in RESIDUES + "".join(AMBIGUOUS):
        table[ord(letter)] = table[ord(letter.lower())] = ord(letter)
    for character in _MISSING_CHARACTERS:
        table[character] = ord(MISSING_LETTER)
    table[_STOP[0]] = _STOP[0]
    return bytes(table)


_LETTERS = _letter_table()


def read_letters(record: Record, max_length: int) -> Letters:
    """Letters, inline gaps and modifications of a record; raises its first Fault."""
    if record.fault is not None:
        raise Fault(record.fault, record.line)
    raw = record.body.translate(_LETTERS, _BLANKS)
    inline: dict[int, InlineGap] = {}
    modifications: tuple[tuple[int, Tag], ...] = ()
    if not raw.strip(_PERHAPS_NUCLEIC):
        _check_protein(record)
    if _BAD in raw:
        raw, inline, modifications = _annotated(record)
    stop = None
    if _STOP in raw:
        raw = _without_stop(raw)
        at = raw.find(_STOP)
        stop = at if at >= 0 else None
        raw = raw.replace(_STOP, _MISSING)
    if not raw:
        raise Fault("has no sequence; give one or remove the record", record.line)
    if len(raw) > max_length:
        raise Fault(
            f"has {len(raw)} residues, more than the limit of {max_length}; split the chain",
            record.line,
        )
    return Letters(raw.decode("ascii"), inline, modifications, stop)


def _without_stop(raw: bytes) -> bytes:
    return raw.removesuffix(_STOP)


def _check_protein(record: Record) -> None:
    """Raise Fault if a record is DNA or RNA rather than protein."""
    letters = record.body.translate(None, _BLANKS).upper()
    if letters.strip(_NUCLEOTIDES + _AMBIGUOUS + _UNKNOWN):
        return
    given = letters.translate(None, _UNKNOWN)
    known = given.translate(None, _AMBIGUOUS)
    if len(known) < MIN_NUCLEOTIDE_SHARE * len(given):
        return
    if len(known) < MIN_NUCLEOTIDES or not set(b"ACG") < set(known) & set(b"ACGTU"):
        return
    kind = "RNA" if b"U" in known else "DNA"
    how_many = f"{len(known)} of" if len(known) < len(given) else "all"
    raise Fault(
        f"looks like {kind}: {how_many} its {len(given)} letters are "
        f"{', '.join(_NUCLEOTIDES.decode())}; translate it to protein",
        record.line,
    )


# --- tags ----------------------------------------------------------------------------------------


def _annotated(
    record: Record,
) -> tuple[bytes, dict[int, InlineGap], tuple[tuple[int, Tag], ...]]:
    """Letters (including a final stop), inline gaps and modifications of any record."""
    text = record.body.translate(None, _BLANKS)
    first = _N_TERMINUS.match(text)
    begin = first.end() if first else 0
    last = _C_TERMINUS.search(text, begin)
    end = last.start() if last else len(text)

    letters = bytearray()
    inline: dict[int, InlineGap] = {}
    modifications: list[tuple[int, Tag]] = []
    at = begin
    for match in _TAG.finditer(text, begin, end):
        letters += _piece(record, text, at, match.start())
        after_x = match.start() > at and text[match.start() - 1 : match.start()] in b"Xx"
        try:
            if match[0].startswith(b"{"):
                inline[len(letters)] = InlineGap(*dalton_mass(_inside(match[0])), match.start() + 1)
                letters += _MISSING
            elif after_x and match[0].startswith(b"["):
                mass = gap_mass(_inside(match[0]))
                inline[len(letters) - 1] = InlineGap(mass, None, match.start() + 1)
            else:
                _check_owner(letters, text, match)
                tag = _modification(match[0])
                modifications += [(len(letters) - 1, tag)] if tag else []
        except ValueError as error:
            raise _tag_fault(record, match[0], match.start(), error) from None
        at = match.end()
    letters += _piece(record, text, at, end)

    residues = _without_stop(bytes(letters))
    beginning = _terminal(record, text, 0, begin, residues[:1], 0)
    ending = _terminal(record, text, end, len(text), residues[-1:], len(residues) - 1)
    return bytes(letters), inline, (*beginning, *modifications, *ending)


def _piece(record: Record, text: bytes, start: int, end: int) -> bytes:
    """The letters of a stretch without tags; raises Fault for any other character."""
    piece = text[start:end].translate(_LETTERS)
    if _BAD in piece:
        raise _bad_character(record, start + piece.index(_BAD))
    return piece


def _terminal(
    record: Record, text: bytes, start: int, end: int, residue: bytes, position: int
) -> list[tuple[int, Tag]]:
    """The modifications of a terminus, on its residue at `position`."""
    found = []
    for match in _TAG.finditer(text, start, end):
        try:
            if residue.decode() not in RESIDUES or not residue:
                raise ValueError("on a terminus whose residue is missing; leave the tag out")
            tag = _modification(match[0])
        except ValueError as error:
            raise _tag_fault(record, match[0], match.start(), error) from None
        found += [(position, tag)] if tag else []
    return found


def _check_owner(letters: bytearray, text: bytes, match: re.Match[bytes]) -> None:
    """Raise ValueError if a tag does not follow a residue, or begins a range."""
    begins_range = match[0].startswith(b"(") and (
        match[0][1:2] in (b"?", b">") or text[match.end() : match.end() + 1] == b"["
    )
    if begins_range:
        raise ValueError(f"a range or a name of ProForma, {_NOT_READ}")
    if text[match.end() : match.end() + 1] == b"?" and not letters:
        raise ValueError(f"a modification of unknown place in ProForma, {_NOT_READ}")
    if not letters:
        raise ValueError(
            "before the first residue; write X[+367.0537] for a gap of known mass, "
            "or [Acetyl]- for a modification of the N terminus"
        )
    if chr(letters[-1]) not in RESIDUES:
        raise ValueError(
            "on a missing residue; write a gap of known mass as X[+367.0537], once, "
            "and modifications only on known residues"
        )


def _modification(tag: bytes) -> Tag | None:
    if tag.startswith(b"["):
        return modification(_inside(tag))
    return peaks_modification(_inside(tag))


def _inside(tag: bytes) -> str:
    return tag[1:-1].decode("utf-8", "replace")


def _tag_fault(record: Record, tag: bytes, start: int, error: ValueError) -> Fault:
    """The Fault of a tag that starts at an offset among the non-blank bytes of a record."""
    line, column, _ = locate(record, start + 1)
    written = record.body[_place(record, start) : _place(record, start + len(tag) - 1) + 1]
    shown = shortened(" ".join(written.decode("utf-8", "replace").split()), _MAX_SHOWN)
    return Fault(f"has '{shown}' at column {column}, {error}", line, column)


def _bad_character(record: Record, offset: int) -> Fault:
    """The Fault for the character at `offset` among the non-blank bytes of a record."""
    line, column, character = locate(record, offset)
    if _THREE_LETTERS.match(record.body):
        return Fault(
            "is in the three-letter code; write one letter for each residue, as E for GLU", line
        )
    remedy = _REMEDIES.get(character, "write X for an unknown residue")
    if character.isdecimal() or character in "+":
        remedy = (
            "remove it, or write a gap of known mass as X[+367.0537] and a modification as "
            "C[+57.0215]"
        )
    if not character.isprintable():
        remedy = "remove it"
    shown = character if character.isprintable() else f"U+{ord(character):04X}"
    return Fault(f"has '{shown}' at column {column}; {remedy}", line, column)


def locate(record: Record, offset: int) -> tuple[int, int, str]:
    """Line, column (1-based) and character of the `offset`-th non-blank byte of a body."""
    at = _place(record, offset)
    line = record.line + record.below + record.body.count(b"\n", 0, at)
    before = record.body[record.body.rfind(b"\n", 0, at) + 1 : at]
    column = len(before.decode("utf-8", "replace")) + 1
    return line, column, record.body[at : at + 4].decode("utf-8", "replace")[0]


def _place(record: Record, offset: int) -> int:
    """Where in a body its `offset`-th non-blank byte is."""
    not_blank = re.finditer(rb"[^ \t\r\n\x0b\x0c]", record.body)
    return next(islice(not_blank, offset, None)).start()
