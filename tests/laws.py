"""Invariants of every run: checks of a run's files against its input.

`fill` does all that a run does, from reading files to writing tables. A law takes a `Run` and
fails if the run breaks it; LAWS lists all of them.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
from Bio import SeqIO

import bundled
from lacuna.core.alphabet import AMBIGUOUS, MISSING_LETTER, RESIDUES
from lacuna.core.tables import TABLES
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.lengths.unknown import resolve_lengths
from lacuna.results.accuracy import accuracy_table, add_up, read_scored, sum_scored
from lacuna.results.join import HEADERS, MODEL, join_parts
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES, Modifications
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.homologs import Homologs

ROUNDED = 1e-4  # largest rounding error of a printed probability
# What a chain's first residue may have lost as pyroglutamate, in Da.
AT_START = {"Q": (0.0, 17.026549), "E": (0.0, 18.010565)}
# What C may carry, in Da: nothing, or one of the usual alkylations.
ON_CYSTEINE = tuple(reading.mass for reading in READINGS.values())


@dataclass(frozen=True, slots=True)
class Run:
    """Scaffolds of a run in order, and its files; all cells of the tables are text."""

    scaffolds: tuple[Scaffold, ...]
    folder: Path
    tables: dict[str, pd.DataFrame]

    @property
    def filled(self) -> dict[str, str]:
        """Filled sequence by id."""
        lines = (self.folder / "filled").read_bytes().decode().split("\n")
        return {
            header[1:].split(" ")[0]: sequence
            for header, sequence in zip(lines[:-1:2], lines[1::2], strict=True)
        }

    def of(self, table: str, chain: str) -> pd.DataFrame:
        """The rows of one chain."""
        rows = self.tables[table]
        return rows[rows["chain"] == chain]


def fill(
    scaffolds: Sequence[Scaffold],
    folder: Path,
    *,
    homologs: Homologs | None = None,
    blocks: Sequence[int] = (),
    candidates: int = 5,
) -> Run:
    """Fill scaffolds with the bundled weights; `blocks` are the indices at which to cut them."""
    reader, rules = bundled.reader(homologs), Modifications()
    edges = [0, *blocks, len(scaffolds)]
    parts: dict[str, list[Path]] = {name: [] for name in TABLES}
    for number, (start, stop) in enumerate(zip(edges, edges[1:], strict=False)):
        chains = resolve_lengths(scaffolds[start:stop], rules, reader)
        kmers = reader.encoder.encode(chains)
        predict = reader.predictor.predict
        tables = Tables(
            fill_chains(
                *(chains, kmers, reader.encoder, predict),
                candidates=candidates,
                modifications=rules,
            )
        )
        paths = {name: folder / f"{name}.{number}" for name in TABLES}
        tables.write(paths)
        for name, path in paths.items():
            parts[name].append(path)
    for name in TABLES:
        join_parts(name, parts[name], folder / name)
    read = {name: _as_text(folder / name) for name in HEADERS if name in TABLES}
    return Run(tuple(scaffolds), folder, {**read, "scored": read_scored(folder / "scored")})


def _as_text(table: Path) -> pd.DataFrame:
    return pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False)


def mass_of(sequence: str, on_cysteine: float = 0.0) -> float:
    """Mass of residues in Da, including what each C carries."""
    total = sum(RESIDUE_MASSES[RESIDUES.index(letter)] for letter in sequence)
    return float(total + on_cysteine * sequence.count("C"))


# --- the laws ------------------------------------------------------------------------------------


def every_chain_comes_back_once_in_order_under_its_id(run: Run) -> None:
    names = [scaffold.chain for scaffold in run.scaffolds]
    assert list(run.filled) == names
    assert list(run.tables["chains"]["chain"]) == names
    for table in ("residues", "gaps", "scored"):
        seen = list(dict.fromkeys(run.tables[table]["chain"]))
        assert seen == [name for name in names if name in set(seen)]
    for scaffold in run.scaffolds:
        numbers = [str(i) for i in range(1, len(scaffold.gaps) + 1)]
        assert list(dict.fromkeys(run.of("gaps", scaffold.chain)["gap"])) == numbers


def observed_residues_never_change(run: Run) -> None:
    """A filled chain is its scaffold with the first candidate of each gap, or X, in its place."""
    filled = run.filled
    for scaffold in run.scaffolds:
        rows = run.of("gaps", scaffold.chain)
        best = rows[rows["rank"] == "1"]
        pieces, done = [], 0
        for gap, answer, status in zip(
            scaffold.gaps, best["candidate"], best["status"], strict=True
        ):
            pieces.append(scaffold.sequence[done : gap.start])
            if answer or status.startswith("filled"):
                assert gap.min_length <= len(answer) <= (gap.max_length or len(answer))
                _may_be(scaffold.sequence[gap.start : gap.end], answer)
                pieces.append(answer)
            else:
                times = f"{{{gap.end - gap.start}}}" if gap.fixed else "*"
                pieces.append(MISSING_LETTER + times)
            done = gap.end
        pieces.append(scaffold.sequence[done:])
        assert re.fullmatch("".join(pieces), filled[scaffold.chain]), scaffold.chain


def _may_be(hidden: str, answer: str) -> None:
    """In a gap of known length, an ambiguity code becomes one of its two residues."""
    if len(hidden) == len(answer):
        for code, letter in zip(hidden, answer, strict=True):
            assert letter in AMBIGUOUS.get(code, RESIDUES)


def lengths_are_consistent(run: Run) -> None:
    filled = run.filled
    for row in run.tables["chains"].itertuples():
        sequence, residues = filled[row.chain], run.of("residues", row.chain)
        assert int(row.length) == len(sequence)
        coded, known = residues["ambiguity"] != "", residues["residue"] != MISSING_LETTER
        assert (int(row.missing), int(row.filled)) == ((~coded).sum(), (~coded & known).sum())
        assert (int(row.ambiguous), int(row.resolved)) == (coded.sum(), (coded & known).sum())
        assert sequence.count(MISSING_LETTER) == (residues["residue"] == MISSING_LETTER).sum()
        places = residues["position"].astype(int)
        assert places.is_monotonic_increasing and places.is_unique
        assert [sequence[place - 1] for place in places] == list(residues["residue"])
    by_gap = run.tables["residues"].groupby(["chain", "gap"], sort=False)["residue"].agg("".join)
    for row in run.tables["gaps"].itertuples():
        if row.candidate:
            assert int(row.length) == len(row.candidate)
        if row.rank == "1" and row.candidate:
            assert by_gap[(row.chain, row.gap)] == row.candidate


def a_mass_is_met_or_the_gap_stays_open(run: Run) -> None:
    for scaffold in run.scaffolds:
        rows = run.of("gaps", scaffold.chain)
        for number, gap in enumerate(scaffold.gaps, start=1):
            if gap.mass is None or gap.tolerance_da is None:
                continue
            for row in rows[rows["gap"] == str(number)].itertuples():
                if row.candidate:
                    lost = AT_START.get(row.candidate[0], (0.0,)) if gap.start == 0 else (0.0,)
                    whole = [mass_of(row.candidate, each) for each in ON_CYSTEINE]
                    off = [mass - less - gap.mass for mass in whole for less in lost]
                    assert min(map(abs, off)) <= gap.tolerance_da + 1e-6, row
                    if gap.interval:
                        assert row.mass_error_ppm == "", row
                        continue
                    ppm = 1e6 * (float(row.mass) - gap.mass) / gap.mass
                    assert abs(float(row.mass_error_ppm) - ppm) < 0.2
                else:
                    assert not row.status.startswith("filled"), row


def probabilities_are_shares(run: Run) -> None:
    residues = run.tables["residues"]
    shares = residues["probability"].astype(float)
    assert shares.between(0, 1).all()
    for share, cell in zip(shares, residues["alternatives"], strict=True):
        others = [float(pair.split(":")[1]) for pair in cell.split(",") if pair]
        assert all(0 < other <= 1 for other in others)
        assert share + sum(others) <= 1 + 0.005 * len(others) + ROUNDED
    rows = run.tables["gaps"]
    rows = rows[rows["probability"] != ""]
    chances = rows["probability"].astype(float)
    assert chances.between(0, 1).all()
    for _, of_gap in chances.groupby([rows["chain"], rows["gap"]]):
        assert of_gap.is_monotonic_decreasing and of_gap.sum() <= 1 + 1e-3 * len(of_gap)


def tables_parse_to_what_was_written(run: Run) -> None:
    """csv, pandas and Biopython read the same cells and records from the files."""
    names = [scaffold.chain for scaffold in run.scaffolds]
    for name in (table for table in HEADERS if table in run.tables):
        header = HEADERS[name]
        text = (run.folder / name).read_bytes().decode()
        assert "\r" not in text and text.endswith("\n")
        rows = list(csv.reader(StringIO(text, newline=""), delimiter="\t"))
        columns = header.rstrip("\n").split("\t")
        assert rows[0] == columns and {len(row) for row in rows} == {len(columns)}
        assert run.tables[name].to_numpy().tolist() == rows[1:]
        assert text.count("\n") == len(rows)
        assert set(run.tables[name]["chain"]) <= set(names)
    records = list(SeqIO.parse(run.folder / "filled", "fasta"))
    written = [" ".join(filter(None, (s.chain, s.description))) for s in run.scaffolds]
    assert [record.description for record in records] == written
    assert [str(record.seq) for record in records] == list(run.filled.values())


def accuracy_adds_up(run: Run) -> None:
    """All scopes count the same residues, and two halves of a table add up to the whole."""
    scored = run.tables["scored"]
    known = sum(len(gap.truth or "") for s in run.scaffolds for gap in s.gaps)
    assert len(scored) == known
    if scored.empty:
        return
    whole = accuracy_table([sum_scored(scored)])
    right = (scored["truth"] == scored[MODEL]).sum()
    mine = whole[whole["method"] == MODEL]
    for scope in ("overall", "chain", "gap_length"):
        rows = mine[mine["scope"] == scope]
        assert rows["n_residues"].sum() == known and rows["n_correct"].sum() == right
    for column in ("locus", "region"):
        rows = mine[mine["scope"] == column]
        assert rows["n_residues"].sum() == (scored[column] != "").sum()
    # Between chains, as blocks are cut.
    middle = scored["chain"] == scored["chain"].iloc[0]
    halves = [sum_scored(half) for half in (scored[middle], scored[~middle])]
    assert accuracy_table([add_up(halves)]).equals(whole)


LAWS = (
    every_chain_comes_back_once_in_order_under_its_id,
    observed_residues_never_change,
    lengths_are_consistent,
    a_mass_is_met_or_the_gap_stays_open,
    probabilities_are_shares,
    tables_parse_to_what_was_written,
    accuracy_adds_up,
)
