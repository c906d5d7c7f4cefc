"""Stretches of likely residues that a spectrum shows.

Of a chain from few reads, most residues are no more than likely, by germline and the network. If a
spectrum has the mass of a peptide of known and likely residues and clearly shows its fragments,
those between two cleavages that are close to each other have been seen: others would have to weigh
as much.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lacuna.core.alphabet import RESIDUES, l_for_i_or_l
from lacuna.core.masses import WATER
from lacuna.core.runs import runs_of
from lacuna.core.tables import STRETCH, SpectrumRow
from lacuna.scaffolds.scaffold import Gap, PositionEvidence, Scaffold
from lacuna.spectra.elsewhere import Fit
from lacuna.spectra.flanks import masses_of
from lacuna.spectra.ions import N_SERIES, OFFSET
from lacuna.spectra.peaks import Fragments, Spectra
from lacuna.spectra.read import Precursor

LIKELY_PROBABILITY = 0.6  # of a missing residue, I and L as one, from which it is likely
SURE_PROBABILITY = 0.9  # the same, beside gaps that a spectrum may span in place of another one
CLEAR_LOG_ODDS = 10.0  # of a peptide, that its likely residues are right included
SHORTEST_PEPTIDE = 6  # residues
CLOSE_RESIDUES = 2  # between cleavages; of three or more, others in their place are not so rare
PLAIN_TOLERANCE = 0.5  # Da by which a precursor may differ from a peptide that carries nothing
# Share of the probability of another residue that is left, with caution: of 1,750 such residues of
# six simulated antibodies two were wrong, of which 118 would have been by their probabilities.
STILL_WRONG_SHARE = 0.1


class Likely(NamedTuple):
    """A chain with its likely residues for known ones; logs (n,): log probability of each of these,
    0 of all other positions; filled (n,): which they are."""

    chain: Scaffold
    logs: np.ndarray
    filled: np.ndarray


def with_likely(chain: Scaffold, least: float = LIKELY_PROBABILITY) -> Likely:
    """A chain with its likely residues, L for I or L, in gaps of known length.

    least: their probability, I and L as one.
    """
    letters, logs = list(chain.sequence), np.zeros(len(chain.sequence))
    filled = np.zeros(len(letters), dtype=bool)
    inside = {i: gap for gap in chain.gaps if gap.fixed for i in range(gap.start, gap.end)}
    for one in chain.evidence:
        if one.settled and one.position in inside:
            residue, share = one.likeliest
            if share >= least:
                letters[one.position] = residue
                logs[one.position] = np.log(share)
                filled[one.position] = True
    gaps = [part for gap in chain.gaps for part in _left(gap, filled)]
    return Likely(replace(chain, sequence="".join(letters), gaps=tuple(gaps)), logs, filled)


def _left(gap: Gap, filled: np.ndarray) -> Iterator[Gap]:
    """Yield what is left of a gap where some positions (n,) are filled."""
    inside = filled[gap.start : gap.end]
    if not gap.fixed or not inside.any():
        yield gap
        return
    for start, stop in runs_of(~inside):
        yield Gap(gap.start + start, gap.start + stop, stop - start, stop - start)


def stretches_shown(
    chains: Sequence[Likely],
    fits: Sequence[Mapping[int, Fit]],
    spectra: Spectra,
    cysteine: Sequence[float],
) -> list[SpectrumRow]:
    """A row for each stretch with likely residues that a spectrum shows, in the order of the chains
    and along each; of several that show the same one, by the spectrum that fits its peptide best.

    fits: of each chain, the peptide of known and likely residues that a spectrum fits best, by its
    number; cysteine: Da that every C may carry. A spectrum is of the chain that it fits best, and
    shows nothing if several have the peptide, since it may be another one's, or if its peptide
    carries something: likely residues that are wrong may weigh as much less, as Q for E.
    """
    texts = [l_for_i_or_l(likely.chain.sequence) for likely in chains]
    most = {i: max(of[i].log_odds for of in fits if i in of) for i in set().union(*fits)}
    rows = []
    for likely, of_chain in zip(chains, fits, strict=True):
        weights = [np.array(masses_of(likely.chain, carried)) for carried in cysteine]
        best: dict[tuple[int, int], SpectrumRow] = {}
        for number, fit in sorted(of_chain.items()):
            if fit.log_odds < most[number] or sum(fit.left in text for text in texts) > 1:
                continue
            for row in _by_spectrum(likely, fit, weights, spectra[number]):
                rival = best.setdefault((row.start, row.end), row)
                if row.nats > rival.nats:
                    best[row.start, row.end] = row
        rows += [best[place] for place in sorted(best)]
    return rows


def _by_spectrum(
    likely: Likely,
    fit: Fit,
    weights: Sequence[np.ndarray],
    spectrum: tuple[Precursor, Fragments],
) -> Iterator[SpectrumRow]:
    """Yield the stretches with likely residues that the spectrum of a peptide shows.

    weights: of the n residues of the chain in each state of C, in Da (n,).
    """
    precursor, peaks = spectrum
    start = l_for_i_or_l(likely.chain.sequence).find(fit.left)
    end = start + len(fit.left)
    log_odds = fit.log_odds + float(likely.logs[start:end].sum())
    if log_odds < CLEAR_LOG_ODDS or end - start < SHORTEST_PEPTIDE:
        return
    own = min(
        (one[start:end] for one in weights),
        key=lambda one: abs(precursor.mass - WATER - float(one.sum())),
    )
    if abs(precursor.mass - WATER - float(own.sum())) > PLAIN_TOLERANCE:
        return
    cleavages = _seen(precursor, peaks, own)
    ions = f"{len(cleavages) - 2}/{end - start - 1} cleavages"
    about = f"{precursor.name} as {start}..{end}"
    for run in _close(cleavages):
        first, stop = start + run.start, start + run.stop
        if likely.filled[first:stop].any():
            where = likely.chain.chain, first, stop
            yield SpectrumRow(*where, STRETCH, precursor.mass, None, log_odds, ions, about)


def _seen(precursor: Precursor, peaks: Fragments, weights: np.ndarray) -> list[int]:
    """The cleavages of a peptide that a spectrum shows, with both of its ends, as numbers of
    residues before each; weights (n,): of its residues, in Da."""
    before = np.cumsum(weights)[:-1]
    seen = np.zeros(len(before), dtype=bool)
    for series in precursor.series:
        own = before if series in N_SERIES else float(weights.sum()) - before
        seen |= peaks.matched(own + OFFSET[series])
    return [0, *(np.flatnonzero(seen) + 1).tolist(), len(weights)]


def _close(cleavages: Sequence[int]) -> Iterator[range]:
    """Yield the runs of residues of a peptide between cleavages that are CLOSE_RESIDUES or fewer
    apart."""
    start = stop = cleavages[0]
    for one in cleavages[1:]:
        if one - stop > CLOSE_RESIDUES:
            if stop > start:
                yield range(start, stop)
            start = one
        stop = one
    if stop > start:
        yield range(start, stop)


def confirmed(
    evidence: Sequence[PositionEvidence], stretches: Sequence[tuple[int, int]]
) -> tuple[PositionEvidence, ...]:
    """The evidence of a chain's positions of which stretches, half-open, have been seen."""
    seen = {i for start, end in stretches for i in range(start, end)}
    return tuple(
        _confirmed(one) if one.settled and one.position in seen else one for one in evidence
    )


def _confirmed(one: PositionEvidence) -> PositionEvidence:
    """The distribution of a position whose likely residue has been seen; I and L as before."""
    residue, share = one.likeliest
    if share < LIKELY_PROBABILITY:
        return one
    weights, same = np.array(one.weights), np.array([l_for_i_or_l(r) == residue for r in RESIDUES])
    weights[~same] *= STILL_WRONG_SHARE
    weights[same] *= (1.0 - weights[~same].sum()) / weights[same].sum()
    return replace(one, weights=tuple(weights.tolist()), spread=one.spread * STILL_WRONG_SHARE)
