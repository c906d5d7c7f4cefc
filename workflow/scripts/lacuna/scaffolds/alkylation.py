"""The states in which sample preparation leaves cysteine, and that of a sample.

Almost every sample for mass spectrometry is reduced and alkylated, and what C then carries can look
like another residue: a carbamidomethyl group has the mass of G, a propionamide group that of A.
Nothing here imports torch; `filling/cysteine.py` finds the state from masses, and
`steps/find_alkylation.py` does so for files.
"""

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from lacuna.core.files import atomic_write
from lacuna.core.masses import (
    CARBAMIDOMETHYL,
    CARBOXYMETHYL,
    METHYLTHIO,
    MONOISOTOPIC,
    NEM,
    PROPIONAMIDE,
    PYRIDYLETHYL,
)
from lacuna.core.words import plural
from lacuna.scaffolds.json_lines import write_scaffolds
from lacuna.scaffolds.scaffold import Scaffold

NONE = "none"


@dataclass(frozen=True, slots=True)
class Reading:
    """A state of C: the added mass and its formula, its name, and its prior probability."""

    mass: float  # Da, monoisotopic
    formula: str  # Unimod's composition
    words: str
    prior: float


# The prior of `auto`. Iodoacetamide and chloroacetamide are the reagents of most proteomics, so
# carbamidomethylation is the most probable. Next comes free C, in intact samples and if masses were
# computed from sequences. Neither is so much more probable that a single mass could not decide
# against it. Any other reagent is rare: it takes three masses to find it.
# The priors sum to 1.
READINGS = {
    "carbamidomethyl": Reading(CARBAMIDOMETHYL, "C2H3NO", "carbamidomethylated", 0.50),
    NONE: Reading(0.0, "", "unmodified", 0.45),
    "carboxymethyl": Reading(CARBOXYMETHYL, "C2H2O2", "carboxymethylated", 0.01),
    "propionamide": Reading(PROPIONAMIDE, "C3H5NO", "propionamidated", 0.01),
    "pyridylethyl": Reading(PYRIDYLETHYL, "C7H7N", "pyridylethylated", 0.01),
    "nem": Reading(NEM, "C6H7NO2", "N-ethylmaleimide-modified", 0.01),
    "methylthio": Reading(METHYLTHIO, "CH2S", "methylthiolated", 0.01),
}
SAME_MASS = 0.03  # Da, within which a modification that the user wrote on a C is that of a reading
CERTAIN_READING = 0.99  # probability from which a single reading is taken as true
PLAUSIBLE_READING = 0.02  # probability from which a reading is ranked with others
POSSIBLE_READING = 0.005  # the same where there are spectra
LEAST_READINGS = 2  # of a state that is open: a single one would pass for certain
TELLING_NATS = 0.7  # between two readings, from which a mass, or spectra, count as evidence
CLEAR_NATS = 3.0  # the same from which spectra clearly show one of them
# Share of peptides that show another reading, from which spectra disagree. Less is a matter of
# course: alkylation misses some C's, and a spectrum may be of another peptide.
DIVIDED_SHARE = 0.25
WRITTEN_ODDS = 1000.0  # given by modifications that the user wrote on observed C's
# Given by those that a tool wrote on the C's of reads, if there are so many: it read whole peptides
# with them, but looked for no others.
READ_ODDS, MIN_READ_CYSTEINES = 1e5, 5
MAX_CHAINS = 500  # of a sample that are kept as evidence of its state
# Keys of its file: those that are always written, and the one in words.
ALWAYS_WRITTEN, SENTENCE = ("readings", "how", "masses", "informative", "written"), "sentence"
EVIDENCE = "masses.jsonl"  # file of these chains, next to the sample's blocks


def reading_of(mass: float) -> str | None:
    """The reading in which C carries so many Da; None if there is none."""
    near = min(READINGS, key=lambda name: abs(READINGS[name].mass - mass))
    return near if abs(READINGS[near].mass - mass) <= SAME_MASS else None


def written_on(scaffold: Scaffold) -> list[tuple[int, str]]:
    """Positions of observed C's that have a reading written on them, and that reading."""
    found = []
    for m in scaffold.modifications:
        name = reading_of(m.mass) if scaffold.sequence[m.position] == "C" else None
        if name is not None:
            found.append((m.position, name))
    return found


@dataclass(frozen=True, slots=True)
class Alkylation:
    """The state of C in a sample.

    readings: the plausible ones with their probabilities, the most probable first; how: `stated`
    by the user, `found` in the data, or `open`; masses: number of gaps of known mass in the chains
    kept as evidence; informative: number of these that favour one reading over another; written:
    number of observed C's by the reading that the user wrote on them; indifferent: whether all of
    these masses were weighed, and fit every reading equally well; convention: an error that all
    masses share, as in the status of their gaps; '' for none; spanned: number of peptides of known
    residues, or of gaps, whose spectra were looked at for it, and told: of those that favour one
    reading; read: number of C's of reads by the reading that their tool wrote on them; shown:
    number of these peptides and gaps by the reading that their spectra clearly show; by_masses: the
    reading that masses show if another one is stated, '' for none.
    """

    readings: tuple[tuple[str, float], ...]
    how: str
    masses: int = 0
    informative: int = 0
    written: tuple[tuple[str, int], ...] = ()
    indifferent: bool = False
    convention: str = ""
    spanned: int = 0
    told: int = 0
    read: tuple[tuple[str, int], ...] = ()
    shown: tuple[tuple[str, int], ...] = ()
    by_masses: str = ""

    @property
    def contradicted(self) -> bool:
        """Whether masses, reads or spectra show another state than the one taken to be true."""
        return bool(self.against_masses or self.against_reads or self.against_spectra)

    @property
    def against_masses(self) -> str:
        """What masses show of C if another state is stated, in words; or ''."""
        return f"masses show C {READINGS[self.by_masses].words}" if self.by_masses else ""

    @property
    def against_reads(self) -> str:
        """What reads carry on C if it is not the state taken to be true, in words; or ''."""
        name, n = max(self.read, key=lambda of_reading: of_reading[1], default=("", 0))
        if not n or self.how == "open" or name == self.readings[0][0]:
            return ""
        return f"{n} of the C's of reads are {READINGS[name].words}"

    @property
    def against_spectra(self) -> str:
        """What spectra show of C if too many are against the state taken to be true, in words; or
        ''."""
        others = {name: n for name, n in self.shown if name != self.readings[0][0]}
        too_many = sum(others.values()) > DIVIDED_SHARE * sum(n for _, n in self.shown)
        if not too_many or self.how == "open":
            return ""
        name = max(others, key=lambda other: others[other])
        return f"spectra of {plural(others[name], 'peptide')} show C {READINGS[name].words}"

    def against(self, stated: str) -> str:
        """The reading that masses show if it is not the one that is stated; or ''."""
        name, _ = self.readings[0]
        shown = self.how == "found" and self.informative > 0
        return name if shown and name != stated else ""

    @property
    def cysteine(self) -> tuple[tuple[float, float], ...]:
        """The readings in the form that `Modifications.cysteine` takes."""
        return tuple((READINGS[name].mass, share) for name, share in self.readings)

    def sentence(self) -> str:
        """The mass of C and how that is known, for the summary and the report."""
        against = {
            "masses": self.against_masses,
            "reads": self.against_reads,
            "spectra": self.against_spectra,
        }
        against = {source: words for source, words in against.items() if words}
        if not against:
            return self._sentence()
        remedy = "correct 'alkylation'" if self.how == "stated" else "state it with 'alkylation'"
        but, right = " and ".join(against.values()), " and ".join(against)
        return f"{self._sentence()}, but {but}: if the {right} are right, {remedy}"

    def _sentence(self) -> str:
        name, _ = self.readings[0]
        weighs = (
            f"C weighs {MONOISOTOPIC['C'] + READINGS[name].mass:.3f} Da, {READINGS[name].words}"
        )
        if self.how == "stated":
            return f"{weighs}: as stated"
        if self.how == "found":
            written = sum(n for _, n in self.written)
            sources = [plural(self.informative, "mass", "masses")] if self.informative else []
            sources += [plural(written, "observed C", "observed C's")] if written else []
            sources += [f"spectra of {plural(self.told, 'peptide')}"] if self.told else []
            read = dict(self.read).get(name, 0)
            sources += [plural(read, "C of reads", "C's of reads")] if read else []
            return f"{weighs}: found from {' and '.join(sources or self._together())}"
        if self.indifferent:
            return "the gap masses do not depend on what C carries, so its state is left open"
        shares = ", ".join(
            f"{share:.2f} {READINGS[n].words}"
            for i, (n, share) in enumerate(self.readings)
            if share >= PLAUSIBLE_READING or i < LEAST_READINGS
        )
        return (
            f"the mass of C cannot be determined ({self._why_open()}): {shares}; state it with "
            "'alkylation'"
        )

    def _together(self) -> list[str]:
        """What shows the state if none of it does alone."""
        masses = f"{plural(self.masses, 'mass', 'masses')} together"
        spectra = f"spectra of {plural(self.spanned, 'peptide')} together"
        return [masses] * (self.masses > 0) + [spectra] * (self.spanned > 0)

    def _why_open(self) -> str:
        """Why the state is not known, in words."""
        for source, counts, of in (
            ("spectra", self.shown, ("peptide", "peptides")),
            ("reads", self.read, ("C", "C's")),
        ):
            if _divided(counts):
                ranked = sorted(counts, key=lambda of_reading: -of_reading[1])
                each = [f"{READINGS[name].words} in {plural(n, *of)}" for name, n in ranked]
                return f"{source} show it {' and '.join(each)}"
        few = [plural(self.informative, "mass", "masses")] if self.informative else []
        few += [f"spectra of {plural(self.told, 'peptide')}"] if self.told else []
        if few:
            return f"too little evidence from {' and '.join(few)}"
        return "no evidence from masses" + (" or spectra" if self.spanned else "")

    def write(self, path: Path) -> None:
        """Write the state as JSON, including the sentence."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        kept = {name: value for name, value in values.items() if value or name in ALWAYS_WRITTEN}
        if self.spanned:
            kept["told"] = self.told
        shown = {name: dict(v) if isinstance(v, tuple) else v for name, v in kept.items()}
        with atomic_write(path) as handle:
            handle.write(json.dumps(shown | {SENTENCE: self.sentence()}, indent=1) + "\n")


def read_alkylation(path: Path) -> Alkylation:
    """Read a file of `Alkylation.write`."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    del found[SENTENCE]
    pairs = {name: tuple(value.items()) for name, value in found.items() if isinstance(value, dict)}
    return Alkylation(**(found | pairs))


def state_of(
    chains: Sequence[Scaffold],
    probabilities: Mapping[str, float],
    informative: int = 0,
    weighed: int = 0,
    convention: str = "",
) -> Alkylation:
    """The state from the probabilities of its readings: one that is certain, or all plausible ones
    and LEAST_READINGS of them.

    informative, weighed: of the chains' masses, those that favour a reading, and all that were
    weighed; convention: the error that these share, in words.
    """
    ranked = sorted(probabilities.items(), key=lambda reading: -reading[1])
    certain = ranked[0][1] >= CERTAIN_READING
    plausible = sum(share >= PLAUSIBLE_READING for _, share in ranked)
    kept = ranked[: 1 if certain else max(plausible, LEAST_READINGS)]
    total = sum(share for _, share in kept)
    masses = sum(gap.mass is not None for chain in chains for gap in chain.gaps)
    return Alkylation(
        tuple((name, share / total) for name, share in kept),
        "found" if certain else "open",
        masses,
        informative,
        tuple(sorted(count_written(chains).items())),
        indifferent=not certain and not informative and 0 < masses == weighed,
        convention=convention,
    )


def tells(odds: Mapping[str, float]) -> bool:
    """Whether the spectra of a peptide, or of those around a gap, tell readings apart, by the log
    odds of each."""
    return max(odds.values()) - min(odds.values()) > TELLING_NATS


def with_spectra(state: Alkylation, odds: Sequence[Mapping[str, float]]) -> Alkylation:
    """A state that is open, after what spectra say: it stays open if they disagree. One that is
    stated, or found in reads, holds whatever they say.

    odds: for each peptide of known residues, or gap that they may span, the log odds of each
    reading.
    """
    told = sum(map(tells, odds))
    shown = tuple(sorted(Counter(filter(None, map(_clearly_shown, odds))).items()))
    if state.how != "open":
        return replace(state, spanned=len(odds), told=told, shown=shown)
    kept = dict(state.readings)
    # One that other evidence ruled out stays improbable, and one that was only rare does not.
    ruled_out = PLAUSIBLE_READING if state.informative or state.written or state.read else 1.0
    nats = {
        name: math.log(kept.get(name) or ruled_out * reading.prior)
        + sum(of_one[name] for of_one in odds)
        for name, reading in READINGS.items()
    }
    most = max(nats.values())
    weights = {name: math.exp(value - most) for name, value in nats.items()}
    total = sum(weights.values())
    found = {name: weight / total for name, weight in weights.items()}
    name, share = max(found.items(), key=lambda reading: reading[1])
    certain = share >= CERTAIN_READING and not _divided(shown)
    if _divided(shown):
        found = {name: n / sum(n for _, n in shown) for name, n in shown}
    # The spectra of a gap may yet show a rare one, of which those of others say nothing.
    plausible = {name: share for name, share in found.items() if share >= POSSIBLE_READING}
    return replace(
        state,
        readings=((name, 1.0),) if certain else _ranked(plausible),
        how="found" if certain else "open",
        spanned=len(odds),
        told=told,
        indifferent=state.indifferent and not told,
        shown=shown,
    )


def _clearly_shown(odds: Mapping[str, float]) -> str | None:
    """The reading that the spectra of a peptide, or of those around a gap, clearly show."""
    first, second, *_ = sorted(odds, key=lambda name: -odds[name])
    return first if odds[first] - odds[second] >= CLEAR_NATS else None


def _divided(shown: Sequence[tuple[str, int]]) -> bool:
    """Whether spectra or reads disagree; shown: `Alkylation.shown` or `Alkylation.read`."""
    counts = [n for _, n in shown]
    return bool(counts) and sum(counts) - max(counts) > DIVIDED_SHARE * sum(counts)


def _ranked(shares: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Readings by their probability, which sums to 1."""
    total = sum(shares.values())
    ranked = sorted(shares.items(), key=lambda reading: -reading[1])
    return tuple((name, share / total) for name, share in ranked)


def by_reads(carried: Mapping[float, int]) -> dict[str, int]:
    """Number of C's of reads by reading, from that by the mass that a tool wrote on them.

    Empty if they are too few: a tool may see a modification on a C by mistake.
    """
    found = Counter[str]()
    for mass, n in carried.items():
        name = reading_of(mass)
        if name is not None and name != NONE:
            found[name] += n
    return dict(found) if found.total() >= MIN_READ_CYSTEINES else {}


def log_odds(written: Mapping[str, int], read: Mapping[str, int]) -> np.ndarray:
    """Log odds (readings,) from the priors and from modifications on C.

    written, read: number of observed C's, and of C's of reads, by the reading written on them.
    Reads of two preparations give each its share.
    """
    names = list(READINGS)
    logs = np.log([reading.prior for reading in READINGS.values()])
    if _divided(list(read.items())):
        logs -= math.log(READ_ODDS)
        for name, n in read.items():
            logs[names.index(name)] = math.log(n / sum(read.values()))
        read = {}
    for counts, odds in ((written, WRITTEN_ODDS), (read, READ_ODDS)):
        for name, n in counts.items():
            logs[names.index(name)] += math.log(odds) * n / sum(counts.values())
    return logs


def prior_shares(read: Mapping[str, int]) -> dict[str, float]:
    """Probabilities of the readings without any mass; read: as in `log_odds`."""
    weights = np.exp(log_odds({}, read))
    return dict(zip(READINGS, (weights / weights.sum()).tolist(), strict=True))


# --- chains that are evidence --------------------------------------------------------------------


def digest_of(scaffold: Scaffold) -> tuple[int, str]:
    """A number by which to order chains, whatever their order is in the input, and the chain's
    id."""
    digest = blake2b(scaffold.chain.encode(), digest_size=8).digest()
    return int.from_bytes(digest), scaffold.chain


@dataclass(slots=True)
class EvidenceChains:
    """Keeps MAX_CHAINS with masses or a modified C of the chains that pass through `watch`.

    The choice depends only on their ids, neither on their order nor on the blocks.
    """

    kept: list[tuple[int, str, Scaffold]] = field(default_factory=list)

    def watch(self, scaffolds: Iterable[Scaffold]) -> Iterator[Scaffold]:
        """Yield the scaffolds unchanged, keeping those that are evidence."""
        for scaffold in scaffolds:
            if any(gap.mass is not None for gap in scaffold.gaps) or written_on(scaffold):
                self._keep(scaffold)
            yield scaffold

    def _keep(self, scaffold: Scaffold) -> None:
        digest, name = digest_of(scaffold)
        entry = (-digest, name, scaffold)
        push = heapq.heappush if len(self.kept) < MAX_CHAINS else heapq.heappushpop
        push(self.kept, entry)

    def write(self, folder: Path) -> None:
        """Write them next to the blocks, in order of their digests; no file if there are none."""
        if self.kept:
            chosen = sorted(self.kept, key=lambda entry: entry[:2], reverse=True)
            write_scaffolds(folder / EVIDENCE, (scaffold for _, _, scaffold in chosen))


def count_written(scaffolds: Sequence[Scaffold]) -> Counter[str]:
    """Number of observed C's by the reading that the user wrote on them."""
    return Counter(name for scaffold in scaffolds for _, name in written_on(scaffold))
