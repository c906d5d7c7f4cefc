"""The first chains of a sample as columns of their tables, for a hundred thousand at once.

All tables have the chains in the order of filled.fasta; what follows the last one is not read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.files import LacunaError, open_text
from lacuna.core.runs import places_within
from lacuna.results.report.words import imgt_span
from lacuna.results.streams import chunks

NONE = "."  # no letter
_EPSILON = 1e-6  # that no probability is lost to binary fractions when it is rounded down


@dataclass(frozen=True, slots=True)
class Listing:
    """n chains, their gaps, candidates and missing residues; `at` is the number of the chain.

    chains: chain, locus, v_segment, j_segment, c_segment, regions, description, sequence.
    gaps: at, first (from 1), length, code, region, imgt, open (why it was not filled), candidates
    (how many). candidates: at, rank, candidate, p, ppm, status. residues: at, and as letters or
    per mille: p, second, second_p, germline, truth ('.' if none or the same).
    """

    chains: pd.DataFrame
    gaps: pd.DataFrame
    candidates: pd.DataFrame
    residues: pd.DataFrame


def read_listing(tables: Mapping[str, Path], most: int, candidates: int) -> Listing:
    """The first `most` chains of a sample, with so many candidates of each gap at most.

    Raises LacunaError if a table cannot be read, or if they are not of the same chains.
    """
    chains = _first_chains(tables["chains"], most)
    records = list(islice(read_filled(tables["filled"]), len(chains)))
    for name, record in zip(chains["chain"], [*records, None], strict=False):
        if record is None or record[0] != name:
            found = "ends" if record is None else f"has '{record[0]}'"
            raise LacunaError(
                f"{tables['filled']}: {found} where {tables['chains']} has '{name}'; run again"
            )
    _, descriptions, sequences = zip(*records, strict=True) if records else ((), (), ())
    chains = chains.assign(description=list(descriptions), sequence=list(sequences))
    number = pd.Index(chains["chain"])
    rows = pd.concat([_gap_rows(part, candidates) for part in _of_chains(tables["gaps"], number)])
    parts = [_residue_rows(part) for part in _of_chains(tables["residues"], number)]
    residues = pd.concat(parts, ignore_index=True)
    gaps = _gaps(rows.reset_index(drop=True))
    if not _fit(gaps, residues):
        raise LacunaError(
            f"{tables['residues']}: has other residues than {tables['gaps']}; run again"
        )
    gaps["region"] = _regions_of_gaps(gaps["length"].to_numpy(), residues["region"])
    return Listing(chains, gaps, rows[rows["p"].notna()], residues)


def read_filled(path: Path) -> Iterator[tuple[str, str, str]]:
    """Id, description and sequence of each record of a FASTA of one line a sequence."""
    with open_text(path) as handle:
        for header in handle:
            name, _, description = header[1:].rstrip("\n").partition(" ")
            yield name, description, next(handle, "").rstrip("\n")


def _first_chains(path: Path, most: int) -> pd.DataFrame:
    columns = ("chain", "locus", "v_segment", "j_segment", "c_segment", "regions")
    parts: list[pd.DataFrame] = []
    for chunk in chunks(path, columns):
        parts.append(chunk)
        if sum(map(len, parts)) >= most:
            break
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return whole.head(most)


_COLUMNS = {
    "gaps": "gap start end rank candidate probability mass_error_ppm status first last imgt_first "
    "imgt_last ambiguity",
    "residues": "position gap residue probability alternatives germline region truth",
}


def _of_chains(path: Path, number: pd.Index) -> Iterator[pd.DataFrame]:
    """The rows of a table of some chains in pieces, with the number of their chain."""
    for chunk in chunks(path, ("chain", *_COLUMNS[path.stem].split())):
        at = number.get_indexer(pd.Index(chunk["chain"]))
        mine = at >= 0
        yield chunk[mine].assign(at=at[mine])
        if not mine.all():
            return


def _gap_rows(chunk: pd.DataFrame, candidates: int) -> pd.DataFrame:
    rank = chunk["rank"].astype("int64")
    chunk = chunk[rank <= candidates]
    first = chunk["imgt_first"]
    imgt = first.combine(chunk["imgt_last"], imgt_span).astype(first.dtype)
    return pd.DataFrame(
        {
            "at": chunk["at"],
            "gap": chunk["gap"].astype("int64"),
            "rank": rank[rank <= candidates],
            "start": chunk["start"].astype("int64"),
            "end": chunk["end"].astype("int64"),
            "first": pd.to_numeric(chunk["first"]),
            "last": pd.to_numeric(chunk["last"]),
            "code": chunk["ambiguity"],
            "imgt": imgt,
            "candidate": chunk["candidate"],
            "p": pd.to_numeric(chunk["probability"]),
            "ppm": pd.to_numeric(chunk["mass_error_ppm"]),
            "status": chunk["status"],
        }
    )


def _gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a gap, from its candidates; rows: numbered from 0."""
    top = rows["rank"] == 1
    which = np.cumsum(top.to_numpy()) - 1
    gaps = rows[top].reset_index(drop=True)
    filled = rows["p"].notna().to_numpy()
    n = np.bincount(which[filled], minlength=len(gaps))
    length = (gaps["last"] - gaps["first"] + 1).fillna(0).astype("int64")
    growth = length - (gaps["end"] - gaps["start"])
    ahead = growth.groupby(gaps["at"]).cumsum() - growth  # of the scaffold
    return pd.DataFrame(
        {
            "at": gaps["at"],
            "gap": gaps["gap"],
            "first": gaps["first"].fillna(gaps["start"] + ahead + 1).astype("int64"),
            "length": length,
            "code": gaps["code"],
            "imgt": gaps["imgt"],
            "open": gaps["status"].where(n == 0, ""),
            "candidates": n,
        }
    )


def _residue_rows(chunk: pd.DataFrame) -> pd.DataFrame:
    residue = chunk["residue"]
    filled = (residue != MISSING_LETTER).to_numpy()
    # The first of "S:0.10,R:0.08"; a regular expression would take three times as long.
    first = [cell.partition(",")[0] for cell in chunk["alternatives"].to_numpy(dtype=object)]
    second, second_p = (
        pd.Series([cell.partition(":")[part] for cell in first], chunk.index, dtype=str)
        for part in (0, 2)
    )
    known = filled & (second != "").to_numpy()
    return pd.DataFrame(
        {
            "at": chunk["at"],
            "gap": chunk["gap"].astype("int64"),
            "position": chunk["position"].astype("int64"),
            "region": chunk["region"],
            "p": _per_mille(chunk["probability"].where(filled, "0")),
            "second": second.where(known, NONE),
            "second_p": _per_mille(second_p.where(known, "0")),
            "germline": _unless_same(chunk["germline"], residue),
            "truth": _unless_same(chunk["truth"], residue),
        }
    )


def _per_mille(shares: pd.Series) -> np.ndarray:
    return (pd.to_numeric(shares).to_numpy() * 1000 + _EPSILON).astype("int64")


def _unless_same(letters: pd.Series, residue: pd.Series) -> pd.Series:
    return letters.where((letters != residue) & (letters != ""), NONE)


def _fit(gaps: pd.DataFrame, residues: pd.DataFrame) -> bool:
    """Whether the residues are those of the gaps, at their positions."""
    length = gaps["length"].to_numpy()
    if length.sum() != len(residues):
        return False
    position = np.repeat(gaps["first"].to_numpy(), length) + places_within(length)
    chain, gap = (np.repeat(gaps[name].to_numpy(), length) for name in ("at", "gap"))
    found = residues[["at", "gap", "position"]].to_numpy().T
    return bool(np.array_equal(found, np.array([chain, gap, position])))


def _regions_of_gaps(length: np.ndarray, regions: pd.Series) -> np.ndarray:
    """The first and the last region of each gap, joined if they differ; '' without residues."""
    named = regions.to_numpy(dtype=object)
    stop = np.cumsum(length)
    found = np.full(len(length), "", dtype=object)
    some = length > 0
    first, last = named[(stop - length)[some]], named[stop[some] - 1]
    both = (first != "") & (last != "") & (first != last)
    found[some] = np.where(both, first + "–" + last, np.where(first != "", first, last))
    return found
