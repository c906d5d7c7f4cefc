"""What to measure next: the gaps in which most residues are expected to be wrong."""

from collections.abc import Iterable
from dataclasses import dataclass

from lacuna.results.report.chain import MILLE, Chain, Gap

MAX_STEPS = 3
LEAST = 0.5  # residues expected to be wrong for which a gap is worth a measurement


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


def steps_of(chains: Iterable[Chain]) -> dict[str, list[Step]]:
    """The gaps most worth a measurement, by what to measure; most wrong residues come first."""
    steps = [_step(chain, gap) for chain in chains for gap in chain.real_gaps]
    worth = [step for step in steps if step.wrong >= LEAST]
    found: dict[str, list[Step]] = {}
    for step in sorted(worth, key=lambda step: -step.wrong)[:MAX_STEPS]:
        found.setdefault(step.what, []).append(step)
    return found


def _step(chain: Chain, gap: Gap) -> Step:
    missing = chain.residues_of(gap)
    wrong = sum(1 - residue.probability / MILLE for residue in missing)
    return Step(chain.name, gap.place, gap.region, wrong, len(missing), _what(chain, gap))


def _what(chain: Chain, gap: Gap) -> str:
    """What to measure of a gap, by what is known of it."""
    if gap.doubted or not gap.candidates:
        return "what the status of the gap names, again"
    if gap.candidates[0].cysteine is not None:
        return "a fragment that ends within the gap"
    if chain.evidence.depths:
        return "a peptide across the gap, as another protease may leave, or the mass of the gap"
    return "the mass of the gap, or a spectrum of a peptide across it"
