"""What each part of the way from reads to chains brings: it is left out, and the rest is measured.

    python tests/benchmarks/read_ablation.py [--digest one] [--kinds WORD] [--seed 1]

Antibodies and reads are those of read_panel.py. Prints a row for each variant of the method (those
of lacuna/benchmark/reads.py), with germline copy as what is right without reads; what is wrong
among residues with each flag; and what masses that reads leave for open CDR3s bring when these are
filled. One core, about ten minutes.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from read_panel import DIGESTS, Antibody, Result, Road, antibodies, error

import lacuna
from lacuna.antibody.numbering import number_chain
from lacuna.benchmark import reads as scoring
from lacuna.core.masses import MONOISOTOPIC
from lacuna.evidence.chain import GapHint, WeighedChain
from lacuna.placing.leftover import TOLERANCE


@dataclass(frozen=True, slots=True)
class Filled:
    """An open CDR3 filled with its mass and without: whether the mass is right, and the lengths."""

    mass_right: bool
    length_with: bool
    length_without: bool


def domain_of(chain: str) -> str:
    """The V domain of a chain, '' for none."""
    columns = number_chain(chain).columns
    at = np.flatnonzero((columns > 0) & (columns <= 161))
    return chain[at[0] : at[-1] + 1] if len(at) else ""


def length_filled(chain: WeighedChain, gap: GapHint, *, with_mass: bool) -> int:
    """Residues of the V domain once the open CDR3 is filled."""
    own = {"start": gap.start, "end": gap.end, "min_length": gap.min_length}
    if with_mass:
        own |= {"mass": gap.mass, "tolerance_da": gap.tolerance_da}
    evidence: dict[int, dict[str, float]] = {}
    for position, residue, share in chain.likelihoods:
        evidence.setdefault(position, {})[residue] = share
    given = {"id": chain.name, "sequence": chain.scaffold, "gaps": [own], "evidence": evidence}
    (filled,) = lacuna.fill([given])
    return len(domain_of(filled.sequence))


def filled(antibody: Antibody, result: Result) -> Iterator[Filled]:
    """Yield what comes of each open CDR3 of which reads leave a mass."""
    for truth in antibody.truths:
        domain = domain_of(truth)
        chain = scoring._answer(domain, result.chains)
        for gap in chain.gaps if chain is not None else ():
            if gap.mass is None or chain is None:
                continue
            before, behind = chain.scaffold[: gap.start], chain.scaffold[gap.end :]
            lengths = [length_filled(chain, gap, with_mass=known) for known in (True, False)]
            inside = _between(domain, before[-4:], behind[:4])
            true = sum(MONOISOTOPIC[r] for r in inside)
            yield Filled(
                bool(inside) and abs(true - gap.mass) <= 2 * TOLERANCE,
                *(n == len(domain) for n in lengths),
            )


def _between(domain: str, before: str, behind: str) -> str:
    """The residues of a domain between two stretches, I, L and J alike; '' if one is not there."""
    merged = domain.translate(str.maketrans("IJ", "LL"))
    left, right = (part.translate(str.maketrans("IJ", "LL")) for part in (before, behind))
    start = merged.find(left) + len(left) if left in merged else -1
    stop = merged.find(right, max(start, 0))
    return domain[start:stop] if 0 <= start < stop else ""


def row(name: str, results: Sequence[Result]) -> str:
    """A row of the table of variants."""
    n = sum(r.residues for r in results)
    good = np.concatenate([r.good for r in results])
    probability = np.concatenate([r.probability for r in results])
    cells = (
        name,
        f"{sum(r.right for r in results) / n:.3f}",
        int(((probability >= scoring.CONFIDENT) & ~good).sum()),
        f"{error(good, probability):.3f}",
        f"{sum(sum(r.cdr3) for r in results)} of {sum(len(r.cdr3) for r in results)}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--digest", default="one", choices=DIGESTS)
    parser.add_argument("--kinds", default="", metavar="WORD", help="kinds that hold this word")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    road, asked = Road(), [a for a in antibodies() if options.kinds in a.kind]
    print("| left out | right | wrong at p >= .95 | ECE | CDR3s |\n" + "|---" * 5 + "|")
    with tempfile.TemporaryDirectory() as folder:
        for variant in scoring.VARIANTS:
            found = [
                road.run(a, options.digest, options.seed, Path(folder), variant) for a in asked
            ]
            if variant is scoring.VARIANTS[0]:
                whole = found
            print(row("nothing" if found is whole else variant.name, found), flush=True)
    n = sum(r.residues for r in whole)
    print(f"| reads (germline copy) | {sum(r.germline for r in whole) / n:.3f} | | | |")
    flags = [flag for r in whole for flag in r.flags]
    print("\nflags:", scoring._by_flag(flags, np.concatenate([r.good for r in whole])))
    gaps = [f for a, r in zip(asked, whole, strict=True) for f in filled(a, r)]
    open_ = sum(len(c.gaps) for r in whole for c in r.chains)
    print(
        f"masses: {len(gaps)} of {open_} open CDR3s have one, "
        f"{sum(f.mass_right for f in gaps)} the true one; filled to the right length: "
        f"{sum(f.length_with for f in gaps)} with it, {sum(f.length_without for f in gaps)} without"
    )


if __name__ == "__main__":
    sys.exit(main())
