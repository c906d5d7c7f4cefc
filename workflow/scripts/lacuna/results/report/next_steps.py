"""What to measure next: the gaps of a sample in which most residues are expected to be wrong."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.tables import NOTHING_OBSERVED, MassDoubt
from lacuna.results.report.words import ends, span
from lacuna.results.streams import chunks

MAX_STEPS = 3
LEAST_WRONG = 0.5  # residues expected to be wrong for which a gap is worth a measurement

Key = tuple[str, str]  # of a gap: its chain, its number there


@dataclass(frozen=True, slots=True)
class Step:
    """A gap to measure: where it is, how many of its residues are expected to be wrong, and what to
    measure."""

    chain: str
    place: str
    region: str
    wrong: float
    residues: int
    what: str


def read_steps(
    gaps: Path, residues: Path, *, reads: bool, measured: Collection[str] = ()
) -> dict[str, list[Step]]:
    """The gaps most worth a measurement, by what to measure; most wrong residues come first.

    gaps, residues: tables of a sample, of any number of chains; reads: whether it has some;
    measured: its chains with an intact mass.
    """
    worst = {(gap["chain"], gap["gap"]): gap for gap in _worst(residues).to_dict("records")}
    what = _what(gaps, worst, reads, measured)
    found: dict[str, list[Step]] = {}
    for key, gap in worst.items():
        place = span(gap["first"], gap["last"])
        region = ends((gap["first_region"], gap["last_region"]))
        if key in what:
            step = Step(gap["chain"], place, region, gap["wrong"], gap["residues"], what[key])
            found.setdefault(step.what, []).append(step)
    return found


def _worst(residues: Path) -> pd.DataFrame:
    """The gaps in which most residues are expected to be wrong, a row each."""
    worst = _by_gap(pd.DataFrame(columns=[*_COLUMNS, "wrong"]))
    for rows in _whole_gaps(residues):
        gaps = _by_gap(rows)
        worth = pd.concat([worst, gaps[gaps["wrong"] >= LEAST_WRONG]])
        worst = worth.sort_values("wrong", ascending=False, kind="stable").head(MAX_STEPS)
    return worst


_COLUMNS = ("chain", "gap", "position", "region", "residue", "probability", "ambiguity")


def _whole_gaps(residues: Path) -> Iterator[pd.DataFrame]:
    """Yield missing residues of gaps, all those of one gap together."""
    begun: list[pd.DataFrame] = []  # the last gap, of which more may follow
    for chunk in chunks(residues, _COLUMNS):
        p = pd.to_numeric(chunk["probability"], errors="coerce").fillna(0.0)
        filled = chunk["residue"] != MISSING_LETTER
        rows = chunk.assign(wrong=(1 - p).where(filled, 1.0))[chunk["ambiguity"] == ""]
        if rows.empty:
            continue
        rows = pd.concat([*begun, rows])
        last = rows["chain"].eq(rows["chain"].iloc[-1]) & rows["gap"].eq(rows["gap"].iloc[-1])
        yield rows[~last]
        begun = [rows[last]]
    yield from begun


def _by_gap(rows: pd.DataFrame) -> pd.DataFrame:
    """Gaps with where they begin and end, from their residues, which follow each other."""
    new = (rows["chain"] != rows["chain"].shift()) | (rows["gap"] != rows["gap"].shift())
    starts = np.flatnonzero(new)
    stops = np.append(starts[1:], len(rows))[: len(starts)]
    first, last = rows.iloc[starts], rows.iloc[stops - 1]
    return pd.DataFrame(
        {
            "chain": first["chain"].to_numpy(),
            "gap": first["gap"].to_numpy(),
            "first": first["position"].to_numpy(),
            "last": last["position"].to_numpy(),
            "first_region": first["region"].to_numpy(),
            "last_region": last["region"].to_numpy(),
            "wrong": np.add.reduceat(rows["wrong"].to_numpy(dtype=float), starts),
            "residues": stops - starts,
        }
    )


def _what(
    gaps: Path, wanted: Collection[Key], reads: bool, measured: Collection[str]
) -> dict[Key, str]:
    """What to measure of each of the gaps that are wanted; the table is read as far as needed."""
    chains = {chain for chain, _ in wanted}
    found: dict[Key, str] = {}
    columns = ("chain", "gap", "rank", "probability", "status", "cysteine")
    for chunk in chunks(gaps, columns):
        rows = chunk[chunk["chain"].isin(chains) & (chunk["rank"] == "1")]
        for row in rows.to_dict("records"):
            if (key := (row["chain"], row["gap"])) in wanted:
                filled = row["probability"] != ""
                weighed = row["cysteine"] != ""
                whole = row["chain"] in measured
                found[key] = _what_of(row["status"], filled, weighed, reads, whole)
        if len(found) == len(wanted):
            break
    return found


def _what_of(status: str, filled: bool, weighed: bool, reads: bool, whole: bool) -> str:
    """What to measure of a gap, by what is known of it; weighed: whether it has a mass; whole:
    whether its chain has one."""
    if status.startswith(NOTHING_OBSERVED):
        return "any peptide of the chain"
    if not filled or MassDoubt.of_status(status):
        return "the mass again (the status of the gap says why)"
    if weighed:
        return "a fragment that ends within the gap"
    if reads:
        of = "the gap" if whole else "the gap or of the chain"
        return f"a peptide across the gap, as another protease may leave, or the mass of {of}"
    return "the mass of the gap, or a spectrum of a peptide across it"
