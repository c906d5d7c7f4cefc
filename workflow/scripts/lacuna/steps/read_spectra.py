"""What a sample's spectra say about its gaps, from files to files."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lacuna.core.alphabet import l_for_i_or_l
from lacuna.core.files import LacunaError, printable
from lacuna.core.tables import SPECTRUM_TABLE, SpectrumRow
from lacuna.core.words import plural
from lacuna.scaffolds.alkylation import READINGS, digest_of, read_alkylation, tells
from lacuna.scaffolds.json_lines import read_blocks
from lacuna.scaffolds.residue_masses import Modifications, mass_rules
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.spectra.elsewhere import (
    MOST_READING_NATS,
    SURELY_KNOWN,
    Coverage,
    Fit,
    coverage_of,
    is_elsewhere,
    joined_gaps,
    known_peptides,
    odds_of_known,
)
from lacuna.spectra.gap_mass import GapMass
from lacuna.spectra.likely import (
    LIKELY_PROBABILITY,
    SURE_PROBABILITY,
    Likely,
    stretches_shown,
    with_likely,
)
from lacuna.spectra.match import LARGE_MASS
from lacuna.spectra.odds import look
from lacuna.spectra.peaks import Spectra, fragments
from lacuna.spectra.read import read_spectra
from lacuna.spectra.spanning import fits, odds_of_readings, of_use

# Peptides or gaps whose spectra tell the state of C; more would change nothing. One chain gives an
# even share of them, so that each is asked where there are few, or FEW of them.
ENOUGH, FEW = 20, 5
LONG = 6  # residues of a gap
MAX_LOOKS = 2_000_000  # chains and gaps of a sample times its spectra, some milliseconds each

LOG = logging.getLogger(__name__)


def look_at_spectra(
    scaffolds: Path,
    spectra: Sequence[Path],
    alkylation: Path,
    out: Path,
    *,
    tolerance_ppm: float,
    modifications: Mapping[str, bool],
) -> None:
    """Write the rows of all gaps that spectra span, in the order of the chains, and of stretches of
    likely residues that they show.

    scaffolds: a folder with the blocks of a sample; alkylation: the state of its C;
    tolerance_ppm: of precursors. Raises LacunaError if a file of spectra cannot be used, or gaps
    and spectra are too many.
    """
    allowed = Modifications(read_alkylation(alkylation).cysteine, **modifications)
    chains, found = _loaded(scaffolds, spectra)
    rows: list[SpectrumRow] = []
    several: list[str] = []
    spanned = 0
    known = [fits_of_known(chain, found, allowed, tolerance_ppm) for chain in chains]
    if _are_of_another(chains, known):
        found, known = [], [{} for _ in chains]
    likely = _likely(chains, LIKELY_PROBABILITY)
    beside = [one.chain for one in _likely(chains, SURE_PROBABILITY)]
    fits_likely = [fits_of_known(one.chain, found, allowed, tolerance_ppm) for one in likely]
    cysteine = [carried for carried, _ in allowed.cysteine]
    stretches = stretches_shown(likely, fits_likely, found, cysteine)
    for chain, gap, own in own_spectra(
        chains, known, found, allowed, tolerance_ppm, likely=fits_likely, beside=beside
    ):
        if _is_seen(chain, gap, stretches):
            continue
        readings = mass_rules(chain, gap, allowed, by_spectra=True).readings()
        shown = look(chain, gap, own, readings, tolerance_ppm)
        if shown is not None:
            rows += shown.rows
            spanned += 1
            several += _several_masses(chain, gap, shown.masses)
    rows += stretches
    gaps = sum(len(chain.gaps) for chain in chains)
    LOG.info("%d spectra of use; %d of %d gaps are spanned by some", len(found), spanned, gaps)
    if several:
        more = f" (and of {len(several) - 1} more)" if len(several) > 1 else ""
        LOG.warning(
            "%s", printable(f"spectra show masses that exclude each other, of {several[0]}{more}")
        )
    SPECTRUM_TABLE.write(out, rows)


def _is_seen(chain: Scaffold, gap: Gap, stretches: Sequence[SpectrumRow]) -> bool:
    """Whether half of a LONG gap of unknown mass or more has been seen as likely residues.

    A spectrum that spans all of it would say little more, and one of another peptide could outweigh
    what has been seen.
    """
    seen = {
        i
        for row in stretches
        if row.chain == chain.chain
        for i in range(max(row.start, gap.start), min(row.end, gap.end))
    }
    return gap.mass is None and LONG < gap.size <= 2 * len(seen)


def _several_masses(chain: Scaffold, gap: Gap, masses: Sequence[GapMass]) -> list[str]:
    """The masses of a gap in words if some cannot be those of forms of one peptide, or another is
    given."""
    if gap.mass is None and all(masses[0].may_be(other) for other in masses[1:]):
        return []
    if not masses:
        return []
    named = ", ".join(
        f"{one.shown.mass:.4f} Da ({plural(len(one.spectra), 'spectrum', 'spectra')})"
        for one in masses
    )
    given = f"{gap.mass:.4f} Da given, " if gap.mass is not None else ""
    return [f"gap {chain.gaps.index(gap) + 1} of '{chain.chain}': {given}{named}"]


def own_spectra(
    chains: Sequence[Scaffold],
    known: Sequence[Mapping[int, Fit]],
    spectra: Spectra,
    allowed: Modifications,
    ppm: float,
    *,
    likely: Sequence[Mapping[int, Fit]] = (),
    beside: Sequence[Scaffold] = (),
) -> Iterator[tuple[Scaffold, Gap, Spectra]]:
    """Yield every gap with the spectra that fit a peptide around it and none elsewhere far better.

    A large precursor may be a whole chain, which spans all gaps: it is not compared. known: of each
    chain, as `fits_of_known` gives them; likely: the same with likely residues for known ones;
    beside: the chains with likely residues beside fewer and shorter gaps, which a spectrum may span
    in place of those of `chains`; allowed: what residues may carry; ppm: tolerance of precursors.
    """
    places = [
        place
        for chain, of_chain in zip(chains, known, strict=True)
        for place in _fits_of_chain(chain, of_chain, spectra, allowed, ppm)
    ]
    small = [
        {i: fit for i, fit in found.items() if spectra[i][0].mass <= LARGE_MASS}
        for *_, found in places
    ]
    spanning = sorted({i for found in small for i in found})
    other_gaps = (joined for one in beside for joined in joined_gaps(one))
    others = _fits_of_gaps(other_gaps, spanning, spectra, allowed, ppm)
    every: dict[int, list[Fit]] = defaultdict(list)  # by the number of the spectrum
    for of_place in (*likely, *known, *small, *(found for *_, found in others)):
        for number, fit in of_place.items():
            every[number].append(fit)
    for chain, gap, found in places:
        own = [i for i, fit in sorted(found.items()) if not is_elsewhere(fit, every[i])]
        yield chain, gap, [spectra[i] for i in own]


def _fits_of_chain(
    chain: Scaffold,
    known: Mapping[int, Fit],
    spectra: Spectra,
    allowed: Modifications,
    ppm: float,
) -> Iterator[tuple[Scaffold, Gap, dict[int, Fit]]]:
    """Yield the gaps of a chain with how spectra fit around each, by the number of the spectrum.

    Those that surely are of known residues are left out, except around a J, which counts as known
    there: they may tell what it is.
    """
    sure = {i: fit for i, fit in known.items() if fit.log_odds >= SURELY_KNOWN}
    left = [i for i in range(len(spectra)) if i not in sure]
    letters = l_for_i_or_l(chain.sequence)
    for gap in chain.gaps:
        over = []
        if chain.is_i_or_l(gap):
            over = [i for i, fit in sure.items() if _lies_over(fit.left, gap, letters)]
        yield from _fits_of_gaps([(chain, gap)], sorted(left + over), spectra, allowed, ppm)


def _lies_over(peptide: str, gap: Gap, letters: str) -> bool:
    """Whether a peptide holds a gap at any of its places among the letters of a chain."""
    starts = range(max(gap.end - len(peptide), 0), gap.start + 1)
    return any(letters.startswith(peptide, at) for at in starts)


def _fits_of_gaps(
    gaps: Iterable[tuple[Scaffold, Gap]],
    numbers: Sequence[int],
    spectra: Spectra,
    allowed: Modifications,
    ppm: float,
) -> Iterator[tuple[Scaffold, Gap, dict[int, Fit]]]:
    """Yield gaps of chains with how the spectra of some numbers fit around each, by number."""
    some = [spectra[i] for i in numbers]
    for chain, gap in gaps:
        of_gap = fits_of_gap(chain, gap, some, allowed, ppm)
        yield chain, gap, {numbers[i]: fit for i, fit in of_gap.items()}


def fits_of_gap(
    chain: Scaffold, gap: Gap, spectra: Spectra, allowed: Modifications, ppm: float
) -> dict[int, Fit]:
    """The peptide around a gap that each spectrum fits best, by its number."""
    rules = mass_rules(chain, gap, allowed, by_spectra=True)
    return fits(chain, gap, spectra, [reading for _, reading in rules.readings()], ppm)


def _are_of_another(chains: Sequence[Scaffold], known: Sequence[Mapping[int, Fit]]) -> bool:
    """Whether spectra are of another antibody than these chains, with a warning if so; known: as
    in `own_spectra`."""
    each = [coverage_of(chain, of.values()) for chain, of in zip(chains, known, strict=True)]
    shown = Coverage(*map(sum, zip(*each, strict=True)))
    if shown.of_another:
        LOG.warning(
            "of the spectra %d are of peptides of the constant regions, and %d of the known "
            "residues of CDRs: they are of another antibody and are not used",
            shown.of_constant,
            shown.of_cdrs,
        )
    return shown.of_another


def _likely(chains: Sequence[Scaffold], least: float) -> list[Likely]:
    """The chains with residues of that probability; none if reads settle no residue of any."""
    settled = any(one.settled for chain in chains for one in chain.evidence)
    return [with_likely(chain, least) for chain in chains] if settled else []


def fits_of_known(
    chain: Scaffold, spectra: Spectra, allowed: Modifications, ppm: float
) -> dict[int, Fit]:
    """The peptide of known residues of a chain that each spectrum fits best, by its number."""
    known = [known_peptides(chain, carried) for carried, _ in allowed.cysteine]
    best = {}
    for number, (precursor, peaks) in enumerate(spectra):
        each = [peptides.best(precursor, peaks, ppm) for peptides in known]
        some = [fit for fit in each if fit is not None]
        if some:
            best[number] = max(some)
    return best


def odds_by_spectra(
    scaffolds: Path,
    spectra: Sequence[Path],
    modifications: Mapping[str, bool],
    tolerance_ppm: float,
    *,
    gaps: bool = True,
) -> list[dict[str, float]]:
    """For each peptide of known residues with C, the log odds of every state of C by its spectra;
    if these leave it open, and with `gaps`, then for each gap that spectra may span. No more are
    looked at once ENOUGH tell. The order of the chains does not matter.

    Arguments and errors are those of `look_at_spectra`.
    """
    # What is left out is told when gaps are looked at, which every sample with spectra has done.
    chains, found = _loaded(scaffolds, spectra, level=logging.INFO)
    chains.sort(key=digest_of)
    states = [reading.mass for reading in READINGS.values()]
    share = max(ENOUGH // max(len(chains), 1), FEW)
    by_peptide: dict[str, np.ndarray] = {}
    for chain in chains:
        if len(by_peptide) >= ENOUGH:
            break
        by_peptide = odds_of_known(chain, found, states, tolerance_ppm, share) | by_peptide
    odds = [dict(zip(READINGS, one.tolist(), strict=True)) for one in by_peptide.values()]
    *_, second, first = sorted(sum(one[name] for one in odds) for name in READINGS)
    if not gaps or first - second >= MOST_READING_NATS:  # as much as a gap can tell
        return odds
    told = sum(map(tells, odds))
    readings = [Modifications(((mass, 1.0),), **modifications) for mass in states]
    for chain in chains:
        for gap in chain.gaps:
            rules = [mass_rules(chain, gap, allowed, by_spectra=True) for allowed in readings]
            of_gap = odds_of_readings(chain, gap, found, rules, tolerance_ppm).tolist()
            odds.append(dict(zip(READINGS, of_gap, strict=True)))
            told += tells(odds[-1])
            if told >= ENOUGH:
                return odds
    return odds


def _loaded(
    scaffolds: Path, spectra: Sequence[Path], *, level: int = logging.WARNING
) -> tuple[list[Scaffold], Spectra]:
    """The chains of a sample and its spectra; LacunaError if they are too many.

    level: of the line in the log about spectra that are left out.
    """
    usable = read_spectra(spectra, level=level)
    found = [(spectrum.precursor, fragments(spectrum)) for spectrum in usable]
    chains = list(read_blocks(scaffolds))
    looks = 0
    for chain in chains:
        looks += len(found)
        for gap in chain.gaps:
            looks += len(of_use(chain, gap, found))
        if looks > MAX_LOOKS:
            gaps = sum(len(one.gaps) for one in chains)
            raise LacunaError(
                f"{spectra[0]}: {len(found)} spectra, {len(chains)} chains and {gaps} gaps of the "
                f"sample make more than {MAX_LOOKS} pairs; give fewer of any"
            )
    return chains, found
