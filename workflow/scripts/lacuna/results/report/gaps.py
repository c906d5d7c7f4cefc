"""What the tables of gaps and residues say about a whole sample, in one pass over each."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.tables import NOTHING_OBSERVED, MassDoubt
from lacuna.results.report.calibration import PROBABILITY_STEPS
from lacuna.results.report.chain import LEVELS, MILLE, verdict_of
from lacuna.results.report.words import clip, imgt_span, span
from lacuna.results.streams import chunks

UNCERTAIN_GAPS = 20
_NUMBER = re.compile(r"\d+")
FILLED = "filled"
# First words of a status, and its explanation; a gap that is simply filled needs none.
STATUS = {
    "filled (no template for": "filled in part without a template: no antibody domain there",
    "filled (no template": "filled without a template: no antibody domain and no homolog there",
    "filled (not proven best": "filled with what is not proven to be the best of its mass",
    NOTHING_OBSERVED: "left open: no residue of the chain is known",
    "no_length_fits_mass": "left open: no number of residues has its mass",
    "no_sequence_fits_mass": "left open: no sequence of its length has its mass",
    "mass_too_large": "left open: too long or heavy to be searched by its mass",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A filled residue; `wrong` is the true residue if it differs, else ''."""

    residue: str
    probability: float
    wrong: str

    @property
    def step(self) -> int:
        """Probability from 0 to 9, as a class of the style sheet."""
        return min(int(self.probability * 10), 9)


@dataclass(slots=True)
class UncertainGap:
    """One of the gaps that the model is least certain of."""

    chain: str
    gap: str
    place: str
    imgt: str
    length: str
    probability: float
    runner_up: str
    letters: list[Letter]
    known: bool  # whether its truth is known


@dataclass(slots=True)
class Gaps:
    """statuses: of gaps and codes, in words; verdicts: gaps that are sure, likely, unsure, open;
    weighed: gaps of known mass that were filled; uncertain: the least certain gaps; doubted: chain
    and number of those whose masses or length are in doubt."""

    statuses: Counter[str]
    verdicts: Counter[str]
    weighed: int
    uncertain: list[UncertainGap]
    doubted: set[tuple[str, str]]


@dataclass(slots=True)
class Residues:
    """Counts of residues of gaps by probability, (PROBABILITY_STEPS + 1,) each.

    Ambiguity codes outside gaps are left out, and residues that stay X are not in `all`.
    sure_codes: such codes that are sure; to_check: residues of gaps and codes to check before a
    gene is ordered; regions, columns: missing residues of gaps by region and by IMGT position.
    """

    all: np.ndarray
    known: np.ndarray  # with known truth
    right: np.ndarray
    sure_codes: int
    to_check: int
    regions: Counter[str]
    columns: Counter[int]


def read_gaps(path: Path) -> Gaps:
    """Statuses, verdicts, and the gaps whose best candidate has the lowest probability.

    Ambiguity codes outside gaps are not gaps, but count in the statuses.
    """
    columns = ("chain", "gap", "rank", "candidate", "probability", "length", "status")
    places = ("first", "last", "imgt_first", "imgt_last", "ambiguity", "cysteine")
    found = Gaps(statuses=Counter(), verdicts=Counter(), weighed=0, uncertain=[], doubted=set())
    least = pd.DataFrame()
    runners: dict[tuple[str, str], str] = {}
    for chunk in chunks(path, (*columns, *places)):
        first = chunk[chunk["rank"] == "1"]
        for status, n in first["status"].value_counts().items():
            found.statuses[_in_words(str(status))] += int(n)
        first = first[first["ambiguity"] == ""]
        found.weighed += int(((first["cysteine"] != "") & (first["candidate"] != "")).sum())
        first = first.assign(p=pd.to_numeric(first["probability"], errors="coerce"))
        shares = first["p"].astype(object).where(first["p"].notna(), None)
        doubted = first["status"].map(MassDoubt.of_status).map(bool)
        found.verdicts.update(map(verdict_of, shares, doubted))
        found.doubted.update(zip(first["chain"][doubted], first["gap"][doubted], strict=True))
        least = pd.concat([least, first[first["p"].notna()]])
        least = least.sort_values("p", kind="stable").head(UNCERTAIN_GAPS)
        keys = set(zip(least["chain"], least["gap"], strict=True))
        second = chunk[(chunk["rank"] == "2") & chunk["chain"].isin(least["chain"])]
        for row in second.to_dict("records"):
            if (row["chain"], row["gap"]) in keys:
                share = _number(row["probability"])
                runners[row["chain"], row["gap"]] = f"{clip(row['candidate'])} {share:.3g}"
    found.uncertain = [
        UncertainGap(
            chain=row["chain"],
            gap=row["gap"],
            place=span(row["first"], row["last"]),
            imgt=imgt_span(row["imgt_first"], row["imgt_last"]),
            length=row["length"],
            probability=row["p"],
            runner_up=runners.get((row["chain"], row["gap"]), ""),
            letters=[],
            known=False,
        )
        for row in least.to_dict("records")
    ]
    return found


def _in_words(status: str) -> str:
    words = (text for begin, text in STATUS.items() if status.startswith(begin))
    return next(words, status)


def read_residues(path: Path, gaps: Gaps) -> Residues:
    """Counts by probability; also adds their residues to the `uncertain` gaps."""
    uncertain = gaps.uncertain
    listed = {(gap.chain, gap.gap): gap for gap in uncertain}
    chains = {chain for chain, _ in listed}
    counts = np.zeros((3, PROBABILITY_STEPS + 1), dtype=np.int64)
    found = Residues(
        all=counts[0],
        known=counts[1],
        right=counts[2],
        sure_codes=0,
        to_check=0,
        regions=Counter(),
        columns=Counter(),
    )
    columns = ("chain", "gap", "residue", "probability", "truth", "ambiguity", "region", "imgt")
    likely, sure = LEVELS[1] / MILLE, LEVELS[0] / MILLE
    for chunk in chunks(path, columns):
        p = pd.to_numeric(chunk["probability"], errors="coerce")
        chunk = chunk.assign(p=p, filled=chunk["residue"] != MISSING_LETTER)
        codes = chunk["ambiguity"] != ""
        found.sure_codes += int((codes & (p >= sure)).sum())
        unsure = ~chunk["filled"] | (p < likely)
        if gaps.doubted:  # of a large batch, mostly none
            of_gaps = zip(chunk["chain"], chunk["gap"], strict=True)
            unsure |= np.array([one in gaps.doubted for one in of_gaps], dtype=bool)
        found.to_check += int(unsure.sum())
        chunk = chunk[~codes]
        _count(chunk, counts)
        for region, n in chunk["region"].value_counts().items():
            found.regions[str(region)] += int(n)
        for imgt, n in chunk["imgt"].value_counts().items():
            if number := _NUMBER.match(str(imgt)):
                found.columns[int(number[0])] += int(n)
        for row in chunk[chunk["chain"].isin(chains)].to_dict("records"):
            gap = listed.get((row["chain"], row["gap"]))
            if gap is not None:
                gap.known |= row["truth"] != ""
                wrong = row["truth"] if row["truth"] != row["residue"] else ""
                gap.letters.append(Letter(row["residue"], _number(row["probability"]), wrong))
    return found


def _count(chunk: pd.DataFrame, counts: np.ndarray) -> None:
    """Add residues by their probability: all, those with a truth, and right ones."""
    p = chunk["p"].to_numpy()
    usable = (p >= 0) & (p <= 1)
    step = np.rint(np.where(usable, p, 0) * PROBABILITY_STEPS).astype(np.int64)
    known = usable & (chunk["truth"] != "").to_numpy()
    right = known & (chunk["truth"] == chunk["residue"]).to_numpy()
    filled = usable & chunk["filled"].to_numpy()
    for i, mask in enumerate((filled, known, right)):
        counts[i] += np.bincount(step[mask], minlength=PROBABILITY_STEPS + 1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
