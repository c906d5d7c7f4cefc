"""Lengths of gaps without a mass, in chains of several gaps that have an intact mass.

What a gap weighs at a length, and what all others do, are distributions of masses. The probability
of the intact mass follows from both, and with it that of the length. (A single gap has what the
intact mass leaves as its own, and its length is found in `unknown.py`.)
"""

import numpy as np

from lacuna.filling.evidence import with_evidence
from lacuna.filling.lengths.open_gaps import OpenChain, OpenGap
from lacuna.filling.masses.chain_mass import TotalMass
from lacuna.filling.masses.intact import intact_rules, likely_end, unweighed
from lacuna.filling.masses.intact_errors import left_with_errors
from lacuna.filling.reader import Reader
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.resizing import variants_of
from lacuna.scaffolds.scaffold import Scaffold

PLAUSIBLE_LENGTH = 1e-4  # probability of a length without the mass from which it is weighed


def weigh_lengths(chain: OpenChain, modifications: Modifications, reader: Reader) -> None:
    """Choose the lengths of a chain's gaps anew, by its intact mass as well: one after another,
    each with the others as chosen."""
    alone = unweighed(chain.scaffold)
    for found in chain.open:
        if found.number in alone and found.stages is None and len(found.shares) > 1:
            _weigh_length(chain, found, modifications, reader)


def _weigh_length(
    chain: OpenChain, found: OpenGap, modifications: Modifications, reader: Reader
) -> None:
    shares = np.array(found.shares)
    plausible = np.flatnonzero(shares >= PLAUSIBLE_LENGTH)
    lengths = [found.lengths[i] for i in plausible.tolist()]
    variants = variants_of(chain.scaffold, chain.chosen, found.number, lengths)
    if not all(gap.fixed for gap in variants[0].gaps):
        return  # no length fits the mass of another gap
    kmers = reader.encoder.encode(variants)
    targets = kmers.targets.numpy()
    read = with_evidence(variants, targets, reader.predictor.predict(kmers))
    ends = kmers.bounds()[1:-1]
    of_variants = zip(variants, np.split(read, ends), np.split(targets[:, 3], ends), strict=True)
    densities = [_density(*one, modifications) for one in of_variants]
    weights = shares[plausible] * densities
    weights /= weights.sum()
    best = int(weights.argmax())
    if chain.chosen[found.number] != lengths[best]:
        found.without_intact_mass, chain.chosen[found.number] = (
            chain.chosen[found.number],
            lengths[best],
        )
    found.share, found.by_intact_mass = float(weights[best]), True


def _density(
    chain: Scaffold, read: np.ndarray, positions: np.ndarray, modifications: Modifications
) -> float:
    """Probability per Da of the intact mass of a chain; read: distributions (t, 20) of its missing
    residues at some positions (t,)."""
    inside = np.zeros(len(positions), dtype=bool)
    gaps = list(unweighed(chain).values())
    for gap in gaps:
        inside |= (gap.start <= positions) & (positions < gap.end)
    rules = intact_rules(chain, modifications, likely_end(chain, gaps[-1], read[inside]))
    left = left_with_errors(chain, read[inside], rules.forms)
    return 0.0 if left is None else TotalMass(read[inside], left, rules).density(left)
