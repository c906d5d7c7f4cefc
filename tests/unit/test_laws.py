"""Laws of a run, on chains drawn at random; see `laws.py`."""

import gzip
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import laws
from chains import constant_region, fasta, germline_chain, mutated, random_protein
from lacuna.core.alphabet import RESIDUES
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from lacuna.templates.homologs import Homologs, index_homologs

pytestmark = pytest.mark.slow  # whole runs

ANY = f"[{RESIDUES}]"
TO_CODE = {"I": "J", "L": "J", "D": "B", "N": "B", "E": "Z", "Q": "Z"}
CODES = {"J": "[IL]", "B": "[DN]", "Z": "[EQ]", "X": ANY}
# Kinds of gaps; those of unknown length take long to settle.
LOOSE = "mass daltons whole_daltons impossible unfit range insertion".split()
STYLES = ["run", "code", "hidden", "weighed", *LOOSE]
TABLE = "chain\tstart\tend\tmass\tmin_length\tmax_length\n"
ODD_IDS = [
    '"q',
    'a"b"',
    "sp|P01|x",
    "NA",
    "nan",
    "1",
    "-x",
    "ä\u03b2",
    "<b>",
    "a'b",
    "x;y,z",
    "[+1]",
]
DESCRIPTIONS = ["", "of a mouse", "tab\tin it", 'quoted "so"', "<script>", ">second"]


@dataclass(frozen=True)
class Written:
    """A chain as a user may write it; pattern: possible results; rows: of a gap table."""

    name: str
    description: str
    text: str
    rows: tuple[str, ...]
    truth: str
    pattern: str


@dataclass(frozen=True)
class Files:
    """The input of a run, and the layout of its FASTA."""

    chains: tuple[Written, ...]
    with_truth: bool
    line_end: str
    width: int

    def read(self, folder: Path, name: str = "chains.fasta") -> list[Scaffold]:
        """Read the scaffolds; every chain is usable."""
        fasta, gaps, truth = folder / name, folder / "gaps.tsv", folder / "truth.fasta"
        text = "".join(
            f">{' '.join(filter(None, (c.name, c.description)))}\n{self._wrapped(c.text)}\n"
            for c in self.chains
        ).replace("\n", self.line_end)
        data = text.encode()
        fasta.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        rows = [f"{c.name}\t{row}\n" for c in self.chains for row in c.rows]
        gaps.write_text(TABLE + "".join(rows), encoding="utf-8", newline=self.line_end)
        truth.write_text("".join(f">{c.name}\n{c.truth}\n" for c in self.chains), encoding="utf-8")
        found = list(read_scaffolds(fasta, gaps, truth if self.with_truth else None))
        assert not [record for record in found if isinstance(record, Rejected)]
        return [record for record in found if isinstance(record, Scaffold)]

    def _wrapped(self, text: str) -> str:
        return "\n".join(text[i : i + self.width] for i in range(0, len(text), self.width))


@st.composite
def proteins(draw: st.DrawFn) -> str:
    """A V domain with or without its constant region, a piece of a chain, or any protein."""
    locus, seed = draw(st.sampled_from("HKL")), draw(st.integers(0, 3))
    kind = draw(st.sampled_from(["V", "V", "V", "whole", "piece", "constant", "other"]))
    if kind == "other":
        return random_protein(draw(st.integers(12, 60)), seed)
    if kind == "constant":
        return constant_region(locus)[draw(st.integers(0, 60)) :]
    chain = mutated(germline_chain(locus, seed, constant=kind == "whole"), 4, seed)
    if kind != "piece":
        return chain
    start = draw(st.integers(0, len(chain) - 20))
    return chain[start : start + draw(st.integers(15, 80))]


@st.composite
def written(draw: st.DrawFn, name: str) -> Written:
    """A protein with up to four gaps, at most one of them of unknown length."""
    truth = draw(proteins())
    case = draw(st.sampled_from((str.upper, str.lower)))
    text, rows, pattern, done, positions, loose = "", [], "", 0, 0, 0
    for _ in range(draw(st.integers(0, 4))):
        start = done + draw(st.integers(0 if not done else 4, 40))
        n = draw(st.integers(1, 8))
        if start + n > len(truth):
            break
        style = draw(st.sampled_from([s for s in STYLES if not (loose and s in LOOSE)]))
        loose += style in LOOSE
        positions += start - done
        gap, width, row, may = _gap(draw, style, truth[start : start + n], positions)
        text += case(truth[done:start]) + gap
        pattern += truth[done:start] + may
        rows += [row] if row else []
        done, positions = start + n, positions + width
    text += case(truth[done:])
    description = draw(st.sampled_from(DESCRIPTIONS))
    return Written(name, description, text, tuple(rows), truth, pattern + truth[done:])


def _gap(draw: st.DrawFn, style: str, hidden: str, at: int) -> tuple[str, int, str, str]:
    """Text of a gap, its positions in the scaffold, its row of the table, and its pattern."""
    n, mass, end = len(hidden), laws.mass_of(hidden), at + len(hidden)
    some = f"(?:{ANY}+|X)"
    match style:
        case "run":
            return draw(st.sampled_from("-X_?x")) * n, n, "", f"{ANY}{{{n}}}"
        case "code":
            codes = "".join(TO_CODE.get(residue, "X") for residue in hidden)
            return codes, n, "", "".join(CODES[code] for code in codes)
        case "mass":
            return f"X[+{mass:.4f}]", 1, "", some
        case "daltons":
            return f"{{{mass:.3f} Da}}", 1, "", some
        case "whole_daltons":
            return f"{{{int(mass)} Da}}", 1, "", some
        case "impossible":
            return "X[+60.5]", 1, "", some
        case "unfit":  # no possible number of residues has that mass
            low = min(n, 2)
            return "-" * n, n, f"{at}\t{end}\t60.5\t{low}\t{n + 1}", f"X{{{n}}}"
        case "hidden":
            return hidden, n, f"{at}\t{end}\t\t\t", f"{ANY}{{{n}}}"
        case "weighed":
            row = f"{at}\t{end}\t{mass + draw(st.sampled_from((0, 0.3))):.4f}\t\t"
            return "-" * n, n, row, f"(?:{ANY}|X){{{n}}}"
        case "range":
            low, high = max(n - 2, 1), n + 2
            return hidden, n, f"{at}\t{end}\t\t{low}\t{high}", f"{ANY}{{{low},{high}}}"
        case _:
            return "", 0, f"{at}\t{at}\t\t{n - 1}\t{n + 1}", f"{ANY}{{{n - 1},{n + 1}}}"


@st.composite
def inputs(draw: st.DrawFn) -> Files:
    names = draw(st.permutations(["a", "B", "b", *ODD_IDS]))[: draw(st.integers(1, 4))]
    return Files(
        tuple(draw(written(name)) for name in names),
        draw(st.booleans()),
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from([7, 60, 10_000])),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    shutil.rmtree(tmp_path)


def homologs_of(files: Files) -> Homologs | None:
    """Chains near the first and the last, but different from both."""
    return index_homologs(mutated(files.chains[i].truth, 6, i) for i in (0, -1))


@settings(max_examples=30)
@given(inputs(), st.booleans())
def test_every_law_holds_of_a_run(folder: Path, files: Files, with_homologs: bool) -> None:
    homologs = homologs_of(files) if with_homologs else None
    run = laws.fill(files.read(folder), folder, homologs=homologs)
    for law in laws.LAWS:
        law(run)
    for chain in files.chains:
        assert re.fullmatch(chain.pattern, run.filled[chain.name]), chain


@settings(max_examples=20)
@given(inputs())
def test_filling_a_filled_chain_changes_nothing(folder: Path, files: Files) -> None:
    filled = laws.fill(files.read(folder), folder).filled
    whole = {name: sequence for name, sequence in filled.items() if "X" not in sequence}
    assume(whole)
    (folder / "again.fasta").write_text(fasta(whole), encoding="utf-8")
    again = laws.fill(list(read_scaffolds(folder / "again.fasta")), folder)
    assert again.filled == whole
    assert again.tables["gaps"].empty and again.tables["residues"].empty


@settings(max_examples=10)
@given(inputs(), st.data())
def test_neither_cuts_nor_order_change_a_run(
    folder: Path, files: Files, data: st.DataObject
) -> None:
    scaffolds, homologs = files.read(folder), homologs_of(files)
    run = laws.fill(scaffolds, folder, homologs=homologs)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(scaffolds)), max_size=3)))
    tables = {name: (folder / name).read_bytes() for name in run.tables}
    laws.fill(scaffolds, folder, homologs=homologs, blocks=cuts)
    assert {name: (folder / name).read_bytes() for name in run.tables} == tables
    shuffled = laws.fill(data.draw(st.permutations(scaffolds)), folder, homologs=homologs)
    assert shuffled.filled == {s.chain: run.filled[s.chain] for s in shuffled.scaffolds}
    for name in tables:
        for scaffold in scaffolds:
            assert shuffled.of(name, scaffold.chain).equals(
                run.of(name, scaffold.chain).set_axis(shuffled.of(name, scaffold.chain).index)
            )


@settings(max_examples=60)
@given(inputs(), st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([5, 80]), st.booleans())
def test_the_layout_of_a_file_changes_nothing(
    folder: Path, files: Files, line_end: str, width: int, zipped: bool
) -> None:
    other = Files(files.chains, files.with_truth, line_end, width)
    names = [(s.chain, s.sequence, s.gaps) for s in files.read(folder)]
    name = "other.fasta.gz" if zipped else "other.fasta"
    assert [(s.chain, s.sequence, s.gaps) for s in other.read(folder, name)] == names
