"""Scores of Lacuna and its peers on the same scaffolds: tables and a figure.

One function scores every method. A method is scored in a cell (set, protocol, chain type) if it
answered any of the cell's scaffolds. If it left out another of them, or changed an observed
residue, all missing residues of that scaffold count as wrong.
"""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.benchmark.peer_worker import Answer
from lacuna.benchmark.peers import (
    ALL,
    DOMAIN,
    HUMAN,
    Speed,
    Target,
    read_answers,
    read_speed,
    read_targets,
)
from lacuna.core.alphabet import same_but_il
from lacuna.core.files import atomic_write
from lacuna.core.statistics import N_BINS, calibration_error, wilson_interval
from lacuna.results.report import page_template
from lacuna.results.streams import write_table

TITLES = {
    "lacuna": "Lacuna",
    "lacuna_thorough": "Lacuna, thorough",
    "antiberty": "AntiBERTy 0.1.3",
    "sapiens": "Sapiens 1.0.3",
    "iglm": "IgLM 0.1.0",
    "germline_copy": "germline copy",
    "nearest_homolog": "nearest homolog",
}
HUMAN_SETS = ("thera_dev", "cov_abdab", "shehata")  # pooled, if any of them is present
KEYS = ("method", "set", "protocol", "chain")
COLUMNS = (
    *KEYS,
    *"n_residues n_correct accuracy ci_low ci_high n_gaps n_exact exact".split(),
    *"mean_probability ece".split(),
)
SPEED_COLUMNS = ("method", "scaffolds", "seconds", "chains_per_second", "processes", "peak_mb")


@dataclass(frozen=True, slots=True)
class Counts:
    """Results of one method for each of n targets.

    answered, correct, exact: (n,); bins: (n, N_BINS, 3) number of residues, of correct ones and
    sum of probabilities per bin of probability; None if the method gives no probabilities.
    """

    answered: np.ndarray
    correct: np.ndarray
    exact: np.ndarray
    bins: np.ndarray | None


def count(targets: Sequence[Target], answers: Iterable[Answer]) -> Counts:
    """Compare one method's answers with the truth.

    A gap is everything that is missing in a scaffold; it is exact if all of it is correct, with I
    and L taken as equal.
    """
    given = {chain: (filled, probabilities) for _, chain, filled, probabilities in answers}
    answered = np.zeros(len(targets), dtype=bool)
    correct = np.zeros(len(targets), dtype=int)
    exact = np.zeros(len(targets), dtype=bool)
    bins = np.zeros((len(targets), N_BINS, 3))
    for i, target in enumerate(targets):
        if target.id not in given:
            continue
        answered[i] = True
        filled, probabilities = given[target.id]
        if not _intact(target, filled):
            continue
        hit = [filled[p] == target.seq[p] for p in target.missing]
        correct[i] = sum(hit)
        exact[i] = same_but_il(filled, target.seq)
        for right, p in zip(hit, probabilities or (), strict=bool(probabilities)):
            bins[i, min(int(p * N_BINS), N_BINS - 1)] += (1, right, p)
    return Counts(answered, correct, exact, bins if bins.any() else None)


def _intact(target: Target, filled: str) -> bool:
    """Whether every observed residue is unchanged."""
    if len(filled) != len(target.seq):
        return False
    seen = zip(target.scaffold, filled, strict=True)
    return all(letter in ("X", found) for letter, found in seen)


def cells(targets: Sequence[Target]) -> Iterator[tuple[tuple[str, str, str], np.ndarray]]:
    """Yield each (set, protocol, chain type) with the indices of its targets; the pool comes first.

    The pool consists of V domains, which every method takes: of the human sets, or of all sets if
    none of those is present.
    """
    sets, protocols, chains = (
        np.array([getattr(t, name) for t in targets]) for name in ("set", "protocol", "chain")
    )
    given = [list(dict.fromkeys(values.tolist())) for values in (sets, protocols, chains)]
    domains = np.array([len(t.seq) <= DOMAIN for t in targets])
    human = domains & np.isin(sets, HUMAN_SETS)
    label, pool = (HUMAN, human) if human.any() else (ALL, domains)
    for key in product([label, *given[0]], [*given[1], ALL], [*sorted(given[2]), ALL]):
        inside = pool if key[0] == label else sets == key[0]
        inside = inside & ((protocols == key[1]) | (key[1] == ALL))
        inside &= (chains == key[2]) | (key[2] == ALL)
        if inside.any():
            yield key, np.flatnonzero(inside)


def score(targets: Sequence[Target], answers: Iterable[Answer]) -> pd.DataFrame:
    """Accuracy, exact gaps and calibration of every method in every cell, as text.

    A method that fills nothing at all, such as homologs if none are given, is left out. Cells
    whose chains a method does not take are blank.
    """
    by_method: dict[str, list[Answer]] = {method: [] for method in TITLES}
    answering = set()  # methods that fill anything
    n_missing = {t.id: len(t.missing) for t in targets}
    for method, chain, filled, probabilities in answers:
        by_method[method].append((method, chain, filled, probabilities))
        if filled.count("X") < n_missing[chain]:
            answering.add(method)
    counts = {m: count(targets, given) for m, given in by_method.items() if m in answering}
    missing = np.array(list(n_missing.values()))
    places = list(cells(targets))
    rows = [
        dict(zip(KEYS, (method, *key), strict=True)) | _cell(found, missing, at)
        for method, found in counts.items()
        for key, at in places
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _cell(found: Counts, missing: np.ndarray, at: np.ndarray) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(COLUMNS[len(KEYS) :], "")
    if not found.answered[at].any():
        return row
    n, right = int(missing[at].sum()), int(found.correct[at].sum())
    exact = int(found.exact[at].sum())
    low, high = wilson_interval(right, n)
    row |= {
        "n_residues": n,
        "n_correct": right,
        "accuracy": f"{right / n:.4f}",
        "ci_low": f"{low:.4f}",
        "ci_high": f"{high:.4f}",
        "n_gaps": len(at),
        "n_exact": exact,
        "exact": f"{exact / len(at):.4f}",
    }
    if found.bins is not None:
        bins = found.bins[at].sum(0)  # (N_BINS, 3)
        row["mean_probability"] = f"{bins[:, 2].sum() / n:.4f}"
        row["ece"] = f"{calibration_error(bins[:, 1], bins[:, 2], n):.4f}"
    return row


def speed_table(speeds: Iterable[Speed]) -> pd.DataFrame:
    """Seconds, chains per second and memory of every measured method, as text."""
    rows = [
        {
            "method": s.method,
            "scaffolds": s.scaffolds,
            "seconds": f"{s.seconds:.2f}",
            "chains_per_second": f"{s.scaffolds / s.seconds:.1f}",
            "processes": s.processes,
            "peak_mb": f"{s.peak_mb:.0f}",
        }
        for s in sorted(speeds, key=lambda s: list(TITLES).index(s.method))
    ]
    return pd.DataFrame(rows, columns=SPEED_COLUMNS)


def summarise(accuracy: pd.DataFrame, speed: pd.DataFrame) -> str:
    """A Markdown table of the pooled sets for readers, a row per method."""
    label, pool = _pool(accuracy)
    by_key = {(r["method"], r["protocol"]): r for r in pool.to_dict("records")}
    fast = {r["method"]: r for r in speed.to_dict("records")}
    protocols = list(dict.fromkeys(pool["protocol"]))
    head = ["", *protocols[:-1], "exact gaps", "ECE", "chains/s", "MB"]
    lines = [head, ["---"] * len(head)]
    for method in dict.fromkeys(pool["method"]):
        whole, measured = by_key[method, ALL], fast.get(method, {})
        lines.append(
            [TITLES[method]]
            + [_share(by_key[method, protocol]) for protocol in protocols[:-1]]
            + [f"{float(x):.3f}" if x else "" for x in (whole["exact"], whole["ece"])]
            + [measured.get("chains_per_second", ""), measured.get("peak_mb", "")]
        )
    n = by_key["lacuna", ALL]["n_gaps"]
    sets = ", ".join(HUMAN_SETS) if label == HUMAN else "all sets"
    said = f"{n:,} scaffolds of {sets}: residue accuracy (95 % Wilson interval)"
    said += f"; chains/s and MB with {speed['processes'].max()} processes of one thread.\n"
    if ("nearest_homolog", ALL) not in by_key:
        said += "No nearest homolog: 'peers.homologs' names no FASTA.\n"
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + "\n" + said


def _pool(accuracy: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """Name and rows of the pool, by method and protocol; see `cells`."""
    label = accuracy["set"].iloc[0]
    return label, accuracy[(accuracy["set"] == label) & (accuracy["chain"] == ALL)]


def _share(row: Mapping[Hashable, str]) -> str:
    return f"{float(row['accuracy']):.3f} ({float(row['ci_low']):.3f}-{float(row['ci_high']):.3f})"


def draw(accuracy: pd.DataFrame, speed: pd.DataFrame) -> str:
    """An SVG of accuracy per protocol on the pooled sets, with intervals, and of speed."""
    label, pool = _pool(accuracy)
    rows = pool[pool["accuracy"] != ""].to_dict("records")
    low = np.floor(20 * min(float(r["ci_low"]) for r in rows)) / 20
    protocols = list(dict.fromkeys(r["protocol"] for r in rows))
    methods = list(dict.fromkeys(r["method"] for r in rows))
    fastest = max(float(v) for v in speed["chains_per_second"])
    return page_template("peers.svg.j2").render(
        rows=rows,
        sets=label,
        protocols=protocols,
        methods=methods,
        titles=TITLES,
        low=low,
        ticks=[round(x, 2) for x in np.arange(low, 1.001, 0.05)],
        speeds=speed.to_dict("records"),
        fastest=fastest,
    )


def compare(
    scaffolds: Path,
    answers: Sequence[Path],
    speeds: Sequence[Path],
    *,
    accuracy: Path,
    speed: Path,
    plot: Path,
    table: Path,
) -> None:
    """Score all methods; write the two tables, the figure and the summary."""
    found = (answer for path in answers for answer in read_answers(path))
    scores = score(read_targets(scaffolds), found)
    speeds_found = speed_table(read_speed(path) for path in speeds)
    write_table(accuracy, scores)
    write_table(speed, speeds_found)
    for path, text in (
        (table, summarise(scores, speeds_found)),
        (plot, draw(scores, speeds_found)),
    ):
        with atomic_write(path) as handle:
            handle.write(text)
