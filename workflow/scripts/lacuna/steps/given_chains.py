"""Chains as a Python program gives them, and the files of a sample that say the same."""

import difflib
import math
import os
import re
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from Bio.Seq import MutableSeq, Seq, UndefinedSequenceError
from Bio.SeqRecord import SeqRecord

from lacuna.core.files import LacunaError, atomic_write, printable, shortened
from lacuna.core.tsv import plain_row
from lacuna.core.words import type_of
from lacuna.scaffolds.evidence_table import LONG_FORM as EVIDENCE_COLUMNS
from lacuna.scaffolds.fasta import fasta_record
from lacuna.scaffolds.gap_table import COLUMNS as GAP_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

Chain = str | Seq | SeqRecord | tuple[str, str | Seq] | Mapping[str, Any]

_CHAIN_KEYS = ("sequence", "id", "description", "gaps", "evidence")
_GAP_KEYS = tuple(name for name in GAP_COLUMNS if name != "chain")
_MEANT = {"chain": "id", "name": "id", "seq": "sequence", "from": "start", "to": "end"}
_FILE = re.compile(r"\.(fa|faa|fas|fasta|tsv|csv|txt)(\.gz)?\Z")
_UNNAMED = ("", "<unknown id>", "<unknown description>")  # Biopython's placeholders
# What messages say of the files that are written.
_PLACE = re.compile(r"(chains|gaps|evidence|homologs) given:(\d+): (.*)", re.DOTALL)
_FIRST = re.compile(r"\(first: line (\d+)\)")


@dataclass(frozen=True, slots=True)
class Given:
    """A chain as it is written to the files of the sample."""

    chain: str
    description: str
    sequence: str
    gaps: tuple[Mapping[str, Any], ...] = ()
    evidence: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


def given_chains(chains: "Iterable[Chain] | pd.DataFrame", what: str = "chain") -> list[Given]:
    """The chains of a call, or its homologs, each with an id; LacunaError for the first bad one.

    what: the word for one of them, by which it is named if it has no id.
    """
    if isinstance(chains, str | Seq | SeqRecord | Mapping):
        raise LacunaError(f"fill takes a list of {what}s; for a single one write [{what}]")
    if _is_frame(chains):
        _check_columns(chains, what)
        chains = _chain_rows(chains)
    if not isinstance(chains, Iterable):
        raise LacunaError(f"fill takes a list of {what}s, not {type_of(chains)}")
    records = [
        _plain(_record(chain, f"{what} {number}"), f"{what} {number}")
        for number, chain in enumerate(chains, start=1)
    ]
    taken = {record.chain for record in records}
    return [
        record if record.chain else replace(record, chain=_free(f"{what}{number}", number, taken))
        for number, record in enumerate(records, start=1)
    ]


def _is_frame(value: object) -> TypeGuard["pd.DataFrame"]:
    """Whether a value is a pandas data frame, without importing pandas for it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def _rows(frame: "pd.DataFrame") -> list[Any]:
    """The rows of a data frame as dicts."""
    return frame.to_dict("records")


def _chain_rows(frame: "pd.DataFrame") -> list[Any]:
    """The rows of a data frame of chains; one without a sequence is rejected, as an empty one."""
    return [row | {"sequence": _value(row, "sequence", "")} for row in _rows(frame)]


def _check_columns(frame: "pd.DataFrame", what: str) -> None:
    """Raise LacunaError if a data frame has a column that is no key of a chain."""
    for column in frame.columns:
        if column not in _CHAIN_KEYS:
            hint = _hint(column, _CHAIN_KEYS)
            raise LacunaError(
                f"the data frame of {what}s has the unknown column '{column}'; {hint}"
            )


def _hint(key: object, known: Sequence[str]) -> str:
    """What to write instead of an unknown key."""
    near = difflib.get_close_matches(str(key), known, n=1)
    meant = near[0] if near else _MEANT.get(str(key).lower(), "")
    return f"did you mean '{meant}'?" if meant in known else f"use {', '.join(known)}"


def _plain(record: Given, where: str) -> Given:
    """The record as its lines in a FASTA will have it; LacunaError if they would say otherwise."""
    name = "" if record.chain in _UNNAMED else record.chain
    if any(letter.isspace() for letter in name):
        raise LacunaError(f"{where}: its id '{shortened(name)}' contains a blank; remove it")
    about = "" if record.description in _UNNAMED else " ".join(record.description.split())
    sequence = printable("".join(record.sequence.split()))
    if sequence.startswith(">"):
        raise LacunaError(
            f"{where}: its sequence begins with '>' ({shortened(sequence, 20)}); give a pair of "
            "header and sequence instead of a record of a FASTA file"
        )
    return replace(record, chain=printable(name), description=about, sequence=sequence)


def _free(name: str, number: int, taken: Container[str]) -> str:
    """The name, with the number behind it as often as it takes to be none of those taken."""
    while name in taken:
        name = f"{name}_{number}"
    return name


def _text(sequence: str | Seq | MutableSeq, where: str) -> str:
    """The residues of a sequence; LacunaError if only its length is known."""
    try:
        return str(sequence)
    except UndefinedSequenceError:
        raise LacunaError(f"{where} is a Seq without residues; write X for each") from None


def _record(chain: Chain, where: str) -> Given:
    """Convert a chain as given, without checking its id; LacunaError if its type is wrong."""
    match chain:
        case str() | Seq():
            sequence = _text(chain, where)
            _check_no_path(sequence, where)
            return Given("", "", sequence)
        case SeqRecord():
            about = (chain.description or "").removeprefix(chain.id or "")
            return Given(chain.id or "", about, _text(chain.seq or "", where))
        case (str(header), str() | Seq() as sequence):
            # The id ends at the first blank of ASCII, as in a FASTA.
            name, *rest = re.split(r"\s", header.strip(), maxsplit=1, flags=re.ASCII)
            return Given(name, "".join(rest), _text(sequence, where))
        case Mapping():
            _check_keys(chain, _CHAIN_KEYS, ("sequence",), where)
            name, description = (str(_value(chain, key, "")) for key in ("id", "description"))
            gaps, evidence = _gaps_given(chain, where), _evidence_given(chain, where)
            return Given(name, description, str(chain["sequence"]), gaps, evidence)
    raise LacunaError(
        f"{where} is {type_of(chain)}; give a sequence, a (header, sequence) pair, a "
        "SeqRecord, or a dict with 'sequence'"
    )


def _check_no_path(text: str, where: str) -> None:
    """Raise LacunaError if a sequence is the path of a file."""
    if _FILE.search(text) or ((os.sep in text or "." in text) and os.path.isfile(text)):
        raise LacunaError(
            f"{where} is the path of a file, '{shortened(text)}'; give its records, as "
            "list(Bio.SeqIO.parse(path, 'fasta')) reads them, or fill the file by the command "
            "lacuna fill"
        )


def _is_given(value: object) -> bool:
    """Whether a value is one: an empty cell of a data frame is None, NaN, pandas' NA or NaT."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):  # pandas is slow to import
        return False
    return not (isinstance(value, float | np.floating) and math.isnan(value))


def _value(chain: Mapping[str, Any], key: str, otherwise: Any) -> Any:
    """The value of a key; `otherwise` if it is not given, or is an empty text."""
    value = chain.get(key)
    empty = isinstance(value, str) and not value
    return value if _is_given(value) and not empty else otherwise


def _gaps_given(chain: Mapping[str, Any], where: str) -> tuple[Mapping[str, Any], ...]:
    """The gaps of a chain that is a dict; LacunaError if they are no dicts with the right keys."""
    gaps = _value(chain, "gaps", ())
    if _is_frame(gaps):
        gaps = _rows(gaps)
    if isinstance(gaps, str | Mapping) or not isinstance(gaps, Iterable):
        raise LacunaError(
            f"{where}: its gaps are {shortened(repr(gaps))}; give a list of dicts with 'start' and "
            "'end'"
        )
    found = tuple(gaps)
    for gap in found:
        _check_keys(gap, _GAP_KEYS, ("start", "end"), f"{where}: a gap")
    return found


def _evidence_given(chain: Mapping[str, Any], where: str) -> Mapping[int, Mapping[str, float]]:
    """The evidence of a chain that is a dict; LacunaError if it is no dict of dicts."""
    evidence = _value(chain, "evidence", {})
    for known in (evidence, *(evidence.values() if isinstance(evidence, Mapping) else ())):
        if not isinstance(known, Mapping):
            raise LacunaError(
                f"{where}: its evidence is {shortened(repr(evidence))}; give a dict of "
                "positions, each with a dict of residues and probabilities"
            )
    return dict(evidence)


def _check_keys(found: object, known: Sequence[str], needed: Sequence[str], where: str) -> None:
    """Raise LacunaError if `found` is not a dict, has an unknown key, or lacks a key."""
    if not isinstance(found, Mapping):
        raise LacunaError(f"{where} is {shortened(repr(found))}; give a dict with {known[0]!r}")
    for key in found:
        if key not in known:
            raise LacunaError(f"{where} has the unknown key '{key}'; {_hint(key, known)}")
    for key in needed:
        if not _is_given(found.get(key)):
            raise LacunaError(f"{where} has no '{key}'; add it")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a sample that say what was given.

    paths: by column of the sheet; rows: of the rows of each table the number of their chain.
    """

    paths: dict[str, Path]
    rows: Mapping[str, Sequence[int]]

    def spoken(self, message: str) -> str:
        """A message on a line of these files, which are gone, as one on the chain given there."""
        match = _PLACE.match(message)
        if match is None:
            return message
        kind, line = match[1], int(match[2])
        # A table has a header, a record of a FASTA two lines.
        number = self.rows[kind][line - 2] if kind in self.rows else (line + 1) // 2
        text = _FIRST.sub(lambda first: f"(first: chain {(int(first[1]) + 1) // 2})", match[3])
        return f"{'homolog' if kind == 'homologs' else 'chain'} {number}: {text}"


def write_inputs(
    given: Sequence[Given],
    homologs: "str | Path | Iterable[Chain] | pd.DataFrame | None",
    folder: Path,
) -> Written:
    """Write what was given as files of a sample.

    homologs: a file, which is used as it is, or chains.
    """
    paths = {"fasta": folder / "chains given"}
    _write_fasta(given, paths["fasta"])
    # A later chain of the same id is rejected: its rows would be taken for those of the first.
    firsts: dict[str, tuple[int, Given]] = {}
    for number, chain in enumerate(given, start=1):
        firsts.setdefault(chain.chain, (number, chain))
    gaps = [
        (number, (chain.chain, *(gap.get(key) for key in _GAP_KEYS)))
        for number, chain in firsts.values()
        for gap in chain.gaps
    ]
    evidence = [
        (number, (chain.chain, position, residue, share))
        for number, chain in firsts.values()
        for position, shares in chain.evidence.items()
        for residue, share in shares.items()
    ]
    rows = {}
    tables = (("gaps", GAP_COLUMNS, gaps), ("evidence", EVIDENCE_COLUMNS, evidence))
    for kind, columns, found in tables:
        if found:
            rows[kind] = [number for number, _ in found]
            paths[kind] = folder / f"{kind} given"
            _write_table(paths[kind], columns, [row for _, row in found])
    if isinstance(homologs, str | Path):
        paths["homologs"] = Path(homologs)
    elif homologs is not None and (related := given_chains(homologs, "homolog")):
        paths["homologs"] = folder / "homologs given"
        _write_fasta(_with_own_ids(related), paths["homologs"])
    return Written(paths, rows)


def _with_own_ids(chains: Iterable[Given]) -> Iterator[Given]:
    """Yield the chains with an id each that no other has, since a second one would be rejected."""
    taken: set[str] = set()
    for number, chain in enumerate(chains, start=1):
        name = _free(chain.chain, number, taken)
        taken.add(name)
        yield replace(chain, chain=name)


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table with tabs and without quotes, as its reader takes it."""
    with atomic_write(path) as handle:
        for row in (columns, *rows):
            handle.write(plain_row(map(_cell, row)))


def _cell(value: object) -> str:
    """A value as a cell of a table."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ";".join(map(_cell, value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a data frame with an empty cell has 3.0 for 3
    return printable(str(value)) if _is_given(value) else ""


def _write_fasta(chains: Iterable[Given], path: Path) -> None:
    with atomic_write(path) as handle:
        for chain in chains:
            handle.write(fasta_record(chain.chain, chain.description, chain.sequence))
