"""A heavy and a light chain on the report, as they are read, packed and shown."""

import base64
import gzip
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chains import germline_chain
from lacuna.results.report import MAX_DRAWN, ReportFiles, write_report
from lacuna.results.report.chain import Chain
from lacuna.results.report.chains import read_chains
from lacuna.results.report.listing import read_listing
from lacuna.results.report.payload import Detail, encode_chains
from report_tables import write_tables

HEAVY = germline_chain("H", 1, constant=True)
LIGHT = germline_chain("K", 2, constant=True)
GAPS = {HEAVY: [(20, 26), (99, 104)], LIGHT: [(0, 3), (88, 92)]}


def chains_of(paths: dict[str, Path]) -> list[Chain]:
    return list(read_chains(*(paths[name] for name in ("filled", "chains", "gaps", "residues"))))


def antibody_in(folder: Path) -> list[Chain]:
    """A heavy and a light chain with two gaps each; folder: for their tables."""
    paths = write_tables(folder / "h", [(HEAVY, GAPS[HEAVY])], constant="IGHG1*01")
    (heavy,) = chains_of(paths)
    paths = write_tables(folder / "k", [(LIGHT, GAPS[LIGHT])], locus="K", constant="IGKC*01")
    (light,) = chains_of(paths)
    return [replace(light, name="light"), replace(heavy, name="heavy")]


def report_on(
    folder: Path,
    paths: dict[str, Path],
    given: dict[str, list[Path]] | None = None,
    options: dict[str, Any] | None = None,
    **tables: Path,
) -> str:
    """The page on a sample; tables: those that not every sample has; options: of the run."""
    out = folder / "report.html"
    write_report([ReportFiles("s", paths | tables, given or {})], out, **options or {})
    return out.read_text(encoding="utf-8").partition("<script>")[0]


def unpacked(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(text)))
    return found


def packed(paths: dict[str, Path], detail: Detail, chains: Sequence[Chain] = ()) -> dict[str, Any]:
    listing = read_listing(paths, MAX_DRAWN, detail.candidates)
    return unpacked(encode_chains(listing, detail.step, chains))


def decoded(column: dict[str, list[Any]]) -> list[Any]:
    return [column["values"][i] for i in column["index"]]


def letters_of(svg: str, kinds: Sequence[str]) -> str:
    """Letters of a map's texts of some classes, in lines from left to right."""
    placed = []
    for kind, xs, y, text in re.findall(
        r'<text class="(\w+)[^"]*" x="([^"]*)" y="(\d+)">(\w+)<', svg
    ):
        if kind in kinds:
            assert len(xs.split()) == len(text)
            placed += [(int(y), int(x), c) for x, c in zip(xs.split(), text, strict=True)]
    return "".join(letter for _, _, letter in sorted(placed))


def write_evidence(path: Path, sequence: str, doubtful: int, flagged: int) -> None:
    """Reads over the first hundred positions, a doubtful and a flagged position (from 1)."""
    lines = [
        "chain position imgt region residue probability state depth germline alternatives flags"
    ]
    for i, letter in enumerate(sequence, 1):
        state = "doubtful" if i == doubtful else "observed"
        depth = f"{i / 10:.1f}" if i <= 100 else "0.0"
        flags = "against_evidence" if i == doubtful else "length" if i == flagged else ""
        others = "T:0.60,S:0.10" if i == doubtful else ""
        lines.append(f"c000000 {i} {i} FR1 {letter} 0.9 {state} {depth} A {others} {flags}")
    path.write_text("".join(line.replace(" ", "\t") + "\n" for line in lines))
