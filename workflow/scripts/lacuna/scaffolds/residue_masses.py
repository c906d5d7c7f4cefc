"""What residues may weigh, and which masses so many of them can have.

I and L have one mass. Here L stands for both: `alphabet.il_as_one` sums their probabilities,
`told_apart` takes the likelier of the two.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import ISOLEUCINE, LEUCINE, RESIDUES, TOKEN
from lacuna.core.masses import AMMONIA, AVERAGE, DEAMIDATION, MONOISOTOPIC, OXIDATION
from lacuna.scaffolds.scaffold import Gap, Measured, Scaffold

RESIDUE_MASSES = np.array([MONOISOTOPIC[r] for r in RESIDUES])  # Da, monoisotopic
LIGHTEST, HEAVIEST = float(RESIDUE_MASSES.min()), float(RESIDUE_MASSES.max())  # Da, of a residue
AVERAGE_MASSES = np.array([AVERAGE[r] for r in RESIDUES])  # Da
MAX_RESIDUES = 450  # of a gap that is decoded within a mass: a whole heavy chain
MAX_MASS = 50_000.0  # Da, of a gap of unknown length that is decoded: the same chain
BIN_DA = 0.005  # Da, resolution of the tables of masses that a number of residues can have
# Residues of the longest such table; beyond it only the lightest and heaviest residue count.
MAX_BINNED = 30
# Of the kinds here. Those of all readings of C, with what is usual and without, are 434, and 50 MB.
TABLES_KEPT = 512

# Da, Unimod 28 and 27; what C carries is in `alkylation.py`.
PYROGLUTAMATE = {"Q": -AMMONIA, "E": -18.010565}


class Usual(NamedTuple):
    """What a residue often carries: Da, how often relative to nothing, and a word for it."""

    mass: float
    odds: float
    word: str


# The odds are rough. They matter only if no fragment tells the forms apart.
USUAL = {
    "M": Usual(OXIDATION, 0.1, "oxidised"),
    "W": Usual(OXIDATION, 0.02, "oxidised"),
    "N": Usual(DEAMIDATION, 0.03, "deamidated"),
}

_DIGITS = 6  # of masses that are compared

PLAIN_CYSTEINE = ((0.0, 1.0),)  # C carries nothing
# Measured chains that begin with Q or E and have it as pyroglutamate; and the share of masses from
# which what is usual was taken off, or which were computed from a sequence.
PYROGLUTAMATE_SHARES = {"Q": 0.95, "E": 0.1}
CORRECTED_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Modifications:
    """Which modifications a gap's mass may hold.

    cysteine: what every C of the sample carries in Da, with the probability that it does; more
    than one where that cannot be told.
    """

    cysteine: tuple[tuple[float, float], ...] = PLAIN_CYSTEINE
    oxidised_methionine: bool = False
    pyroglutamate: bool = False  # of Q or E at the chain's first position
    deamidated: bool = False  # N and Q
    clipped_lysine: bool = False  # K at the chain's last position weighs nothing
    usual: bool = False  # also what is USUAL, as often as it is


UNMODIFIED = Modifications()


@dataclass(frozen=True, slots=True)
class ChainForm:
    """A form of a chain whose mass is known: what it weighs more than its residues, in Da."""

    words: str  # '' for none
    share: float  # its probability before the mass is compared
    monoisotopic: float = 0.0
    average: float = 0.0


@dataclass(frozen=True, slots=True)
class MassRules:
    """What the residues of one gap may weigh: by modification, and at the ends of a chain."""

    modifications: Modifications = UNMODIFIED
    starts_chain: bool = False
    ends_chain: bool = False
    forms: tuple["ChainForm", ...] = ()  # of the chain that the mass may be of; () if it is none

    def readings(self) -> tuple[tuple[float, "MassRules"], ...]:
        """These rules with each mass that C may have, and its probability."""
        several = self.modifications.cysteine
        if len(several) == 1:
            return ((1.0, self),)
        return tuple((share, self.with_cysteine(carried)) for carried, share in several)

    def with_cysteine(self, carried: float) -> "MassRules":
        """These rules where every C carries so many Da."""
        return replace(self, modifications=replace(self.modifications, cysteine=((carried, 1.0),)))

    @property
    def several_forms(self) -> bool:
        """Whether a sequence may have more than one mass, with one mass of C."""
        allowed = self.modifications
        anywhere = allowed.oxidised_methionine or allowed.deamidated or allowed.usual
        anywhere = anywhere or bool(self.forms)
        return anywhere or self.starts_chain or (self.ends_chain and allowed.clipped_lysine)

    def options(self, position: int, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Residues (m,) at a position of a gap, I among L: what each may weigh (m,) in Da, and the
        log probability that it then does (m,), 0 of all forms of a modification that is allowed."""
        first = self.starts_chain and position == 0
        last = self.ends_chain and position == length - 1
        return _options(self.modifications, first, last)


def mass_rules(
    scaffold: Scaffold, gap: Gap, modifications: Modifications, *, by_spectra: bool = False
) -> MassRules:
    """What the residues of one gap of a chain may weigh.

    Where residues may be inserted at an end of the chain, a gap beside them does not reach it.
    by_spectra: whether spectra may give the gap its mass, as they do if it has none and evidence of
    some; their peptides carry what is usual.
    """
    if (by_spectra or gap.spectra is not None) and not gap.weighed:
        modifications = replace(modifications, usual=True)
    ends = (0, len(scaffold.sequence))
    inserted = {g.start for g in scaffold.gaps if g.start == g.end and not g.fixed}
    first, last = (end not in inserted or gap.start == gap.end for end in ends)
    return MassRules(modifications, first and gap.start == ends[0], last and gap.end == ends[1])


@lru_cache(maxsize=TABLES_KEPT)
def _options(
    rules: Modifications, first: bool, last: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    masses = dict(zip(RESIDUES, RESIDUE_MASSES, strict=True))
    ((carried, _),) = rules.cysteine
    masses["C"] += carried
    changed = PYROGLUTAMATE if first else {}
    # One that is not allowed is only as probable as it is usual.
    usual = {residue: (1 - CORRECTED_SHARE) * PYROGLUTAMATE_SHARES[residue] for residue in changed}
    if rules.pyroglutamate:
        usual = dict.fromkeys(changed, 1.0)
    plain = dict.fromkeys(masses, 1.0)
    if not rules.pyroglutamate:
        plain |= {residue: 1 - share for residue, share in usual.items()}
    often = usual_in(rules)
    plain |= {residue: plain[residue] / (1 + odds) for residue, (_, odds, _) in often.items()}
    forms = [(residue, mass, plain[residue]) for residue, mass in masses.items() if residue != "I"]
    forms += [(residue, masses[residue] + by, usual[residue]) for residue, by in changed.items()]
    if rules.oxidised_methionine:
        forms.append(("M", masses["M"] + OXIDATION, 1.0))
    if rules.deamidated:
        forms += [(residue, masses[residue] + DEAMIDATION, 1.0) for residue in "NQ"]
    forms += [(r, masses[r] + by, odds / (1 + odds)) for r, (by, odds, _) in often.items()]
    if rules.clipped_lysine and last:
        forms.append(("K", 0.0, 1.0))
    letters, weights, shares = zip(*forms, strict=True)
    residues = np.array([TOKEN[residue] for residue in letters])
    return residues, np.array(weights), np.log(shares)


def usual_in(rules: Modifications) -> dict[str, Usual]:
    """What residues carry without being allowed to, by the residue; nothing if `usual` is not."""
    allowed = {"M": rules.oxidised_methionine, "N": rules.deamidated}
    some = USUAL.items() if rules.usual else ()
    return {residue: usual for residue, usual in some if not allowed.get(residue, False)}


def told_apart(tokens: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Sequences (n, length) of a gap with I for L where I is likelier, by (length, 20)."""
    likelier = probabilities[:, ISOLEUCINE] >= probabilities[:, LEUCINE]
    return np.where((tokens == LEUCINE) & likelier, ISOLEUCINE, tokens).astype(np.uint8)


def may_weigh(tokens: np.ndarray, measured: Measured, rules: MassRules) -> bool:
    """Whether the residues of a gap (n,) tokens, L for I, can have a mass."""
    mass, tolerance = measured
    for _, reading in rules.readings():
        sums = sums_of(weights_of(tokens, reading))[-1]
        if (np.abs(sums - mass) <= tolerance + len(tokens) * 10.0**-_DIGITS).any():
            return True
    return False


def weights_of(tokens: np.ndarray, rules: MassRules) -> list[np.ndarray]:
    """What each residue of a gap (n,) tokens, L for I, may weigh, in Da; rules: with one mass of
    C."""
    options = (rules.options(position, len(tokens)) for position in range(len(tokens)))
    each = zip(tokens.tolist(), options, strict=True)
    return [masses[residues == token] for token, (residues, masses, _) in each]


def sums_of(weights: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What the first 0, 1, ... residues may weigh, each with any of its weights, in Da."""
    sums = [np.zeros(1)]
    for of_residue in weights:
        sums.append(np.unique(np.round(np.add.outer(sums[-1], of_residue), _DIGITS)))
    return sums


def nearest_mass(length: int, mass: float, rules: MassRules) -> float:
    """The mass nearest to `mass` that `length` residues can have, in Da, to about BIN_DA."""
    nearest = [_nearest_mass(length, mass, reading) for _, reading in rules.readings()]
    return min(nearest, key=lambda found: abs(found - mass))


def _nearest_mass(length: int, mass: float, rules: MassRules) -> float:
    lightest, heaviest = bounds(rules.modifications)
    if length > MAX_BINNED or not length * lightest <= mass <= length * heaviest:
        return min(max(mass, length * lightest), length * heaviest)
    reached = np.flatnonzero(_reached(length, _inside(rules.modifications)).as_bool())
    return float(reached[np.abs(reached * BIN_DA - mass).argmin()] * BIN_DA)


def completable(rest: np.ndarray, tolerance: float, residues: int, rules: MassRules) -> np.ndarray:
    """Which masses (n,) in Da that many residues can have, within the tolerance.

    Exact for no residues left; else true at least wherever a sequence without pyroglutamate exists.
    """
    if residues == 0:
        return np.abs(rest) <= tolerance
    lightest, heaviest = bounds(rules.modifications)
    clipped = rules.ends_chain and rules.modifications.clipped_lysine
    if clipped:
        lightest *= (residues - 1) / residues  # the last of them may weigh nothing
    fits = (rest + tolerance >= residues * lightest) & (rest - tolerance <= residues * heaviest)
    if residues > MAX_BINNED or clipped:
        return fits
    reached = _reached(residues, _inside(rules.modifications))
    slack = tolerance + (residues / 2 + 1) * BIN_DA  # each residue's mass is rounded to a bin
    low = np.floor((rest - slack) / BIN_DA).astype(int).clip(0, reached.bins)
    high = (np.ceil((rest + slack) / BIN_DA).astype(int) + 1).clip(0, reached.bins)
    return fits & (reached.below(low) < reached.below(high))


def heaviest_residue(rules: MassRules) -> float:
    """What the heaviest form of a residue weighs, in Da."""
    return max(bounds(reading.modifications)[1] for _, reading in rules.readings())


@lru_cache(maxsize=TABLES_KEPT)
def bounds(modifications: Modifications) -> tuple[float, float]:
    """The lightest and heaviest form of a residue inside a chain, in Da."""
    masses = _options(modifications, False, False)[1]
    return float(masses.min()), float(masses.max())


@dataclass(frozen=True, slots=True)
class _Reached:
    """Which of a number of bins are reached: a bit of each, in words of 64 (w,), and how many are
    reached before each word (w,). They take a fifth of a byte per bin."""

    bins: int
    words: np.ndarray
    before: np.ndarray

    @classmethod
    def of(cls, reached: np.ndarray) -> "_Reached":
        """From a bool for each bin: (bins,)."""
        packed = np.packbits(reached, bitorder="little")
        words = np.zeros(len(reached) // 64 + 1, dtype="<u8")
        words.view(np.uint8)[: len(packed)] = packed
        counts = np.cumsum(np.bitwise_count(words), dtype=np.int32)
        return cls(len(reached), words, np.concatenate(([0], counts[:-1])).astype(np.int32))

    def as_bool(self) -> np.ndarray:
        """A bool for each bin: (bins,)."""
        bits = np.unpackbits(self.words.view(np.uint8), count=self.bins, bitorder="little")
        return bits.view(bool)

    def below(self, bins: np.ndarray) -> np.ndarray:
        """How many bins before each of some (n,) are reached; it may be the one past the last."""
        word = bins >> 6
        bits = self.words[word] & ((np.uint64(1) << (bins & 63).astype(np.uint64)) - np.uint64(1))
        return np.asarray(self.before[word] + np.bitwise_count(bits))


def _inside(modifications: Modifications) -> Modifications:
    """Those that a residue inside a chain may have: what is said of the chain's ends left out."""
    return replace(modifications, pyroglutamate=False, clipped_lysine=False)


@lru_cache(maxsize=TABLES_KEPT)
def _reached(residues: int, inside: Modifications) -> _Reached:
    """Bins that are masses of that many residues inside a chain."""
    if residues == 0:
        return _Reached.of(np.ones(1, dtype=bool))
    steps = np.unique(np.rint(_options(inside, False, False)[1] / BIN_DA).astype(int))
    before = _reached(residues - 1, inside).as_bool()
    reached = np.zeros(len(before) + steps[-1], dtype=bool)
    for step in steps:
        reached[step : step + len(before)] |= before
    return _Reached.of(reached)
