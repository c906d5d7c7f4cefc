"""Two antibodies in one sample whose chains share a V gene: is the second one missed in silence?

    python tests/benchmarks/shared_v.py [--shared heavy,light,both] [--apart 0,3,8,15]
        [--ratios 1,3,9] [--digests two,deep] [--lengths same,other] [--seed 1]

The two antibodies have human V genes (IGHV3-23, IGKV1-39 where they share one), with CDR3s of
their own, and the V domains of the second differ from those of the first by some substitutions in
front of CDR3. Reads are simulated as those of read_panel.py. Prints a line for each mixture and a
table over all of them. Each true V domain is compared with a chain of its own (I = L).
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np
import torch
from read_panel import DIGESTS, LOOP, Road, constant

from lacuna.antibody.germlines import SPECIES, Segments, j_segments, v_segments
from lacuna.antibody.imgt import CYS104, FR4_START, N_CODES, N_IMGT, cdr3_codes
from lacuna.benchmark import reads as scoring
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.alphabet import ABSENT, RESIDUES, decode, encode
from lacuna.evidence.chain import WeighedChain
from lacuna.evidence.weigh import weigh
from lacuna.placing.draft import HELD
from lacuna.placing.place import Placed, place
from lacuna.reads.error_model import load_error_models
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.training.simulate import grid_to_chain

MUTATED = 5  # residues in front of CDR3 that differ from germline in both antibodies
# V and J segments: of the chain that is shared, and of the second antibody if it is not.
GENES = {
    "H": (("IGHV3-23*01", "IGHJ4*01"), ("IGHV1-69*01", "IGHJ6*01")),
    "K": (("IGKV1-39*01", "IGKJ1*01"), ("IGKV3-20*01", "IGKJ4*01")),
}
LENGTHS = {"H": 14, "K": 9}  # of CDR3s
LONGER = {"H": 4, "K": 1}  # residues by which the second CDR3 is longer if its length differs
CONSTANT = {"H": "IGHG1*01", "K": "IGKC*01"}


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two antibodies: which chains share a V gene, how far apart, and in which proportion.

    shared: 'heavy', 'light', 'both' or 'none'; apart: substitutions in front of CDR3; other_length:
    whether the CDR3s differ in length; ratio: of the first to the second.
    """

    shared: str
    apart: int
    other_length: bool
    ratio: int
    digest: str


def _segment(segments: Segments, name: str) -> np.ndarray:
    """The tokens of a human segment."""
    human = segments.species == SPECIES.index("human")
    (at,) = np.flatnonzero(human & (np.array(segments.names) == name))
    return segments.tokens[at]


def _grid(v: str, j: str, cdr3: str) -> np.ndarray:
    """(N_CODES,) tokens of a V domain by column."""
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    first, last = _segment(v_segments(), v), _segment(j_segments(), j)
    grid[1 : CYS104 + 1] = first[1 : CYS104 + 1]
    grid[FR4_START : N_IMGT + 1] = last[FR4_START : N_IMGT + 1]
    grid[cdr3_codes(len(cdr3))] = encode(cdr3)
    return grid


def _substituted(grid: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """The V domain with n other residues in front of CDR3, none of them I for L or held."""
    out = grid.copy()
    free = [c for c in range(1, CYS104) if grid[c] < len(RESIDUES) and c not in HELD]
    for column in rng.choice(free, n, replace=False):
        now = RESIDUES[out[column]]
        others = [r for r in RESIDUES if r not in (now, "C") and {r, now} != {"I", "L"}]
        out[column] = RESIDUES.index(rng.choice(others))
    return out


def _cdr3(locus: str, length: int, rng: np.random.Generator) -> str:
    """A made CDR3 with germline ends."""
    head, tail = {"H": ("AR", "FDY"), "K": ("QQ", "PT")}[locus]
    weights = 1 / np.arange(2, len(LOOP) + 2)
    middle = rng.choice(list(LOOP), length - len(head) - len(tail), p=weights / weights.sum())
    return head + "".join(middle) + tail


def domains(mixture: Mixture, seed: int) -> list[tuple[str, str]]:
    """V domains, heavy and light, of both antibodies."""
    rng = np.random.default_rng([seed, mixture.apart, mixture.other_length, mixture.ratio])
    chains: dict[str, list[str]] = {}
    for locus, name in (("H", "heavy"), ("K", "light")):
        shared = mixture.shared in (name, "both")
        longer = LONGER[locus] if mixture.other_length else 0
        loops = [_cdr3(locus, LENGTHS[locus] + more, rng) for more in (0, longer)]
        one, other = GENES[locus]
        first = _substituted(_grid(*one, loops[0]), MUTATED, rng)
        if shared:
            second = _substituted(first, mixture.apart, rng)
            second[105:FR4_START] = ABSENT
            second[N_IMGT + 1 :] = ABSENT
            second[cdr3_codes(len(loops[1]))] = encode(loops[1])
        else:
            second = _substituted(_grid(*other, loops[1]), MUTATED, rng)
        chains[locus] = [decode(grid_to_chain(grid)[0]) for grid in (first, second)]
    return list(zip(chains["H"], chains["K"], strict=True))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a mixture; counts over the true V domains that have a chain of their own.

    named: CDR3s that are right in a chain or in a note; silent: wrong residues that are called
    observed and have no flag; at_sites: residues wrong at .95 or more where the two antibodies
    differ in front of CDR3.
    """

    mixture: Mixture
    truths: int
    found: int
    invented: int
    residues: int
    right: int
    sure: int
    at_sites: int
    silent: int
    cdr3: int
    named: int
    false: int
    shares: str
    seconds: float


def run(road: Road, mixture: Mixture, seed: int, folder: Path) -> Outcome:
    pairs = domains(mixture, seed)
    shares = [mixture.ratio / (mixture.ratio + 1) / 2, 1 / (mixture.ratio + 1) / 2]
    molecules = [
        (f"{name}{i}", domain + constant("human", CONSTANT[name]), share)
        for i, (pair, share) in enumerate(zip(pairs, shares, strict=True))
        for name, domain in zip("HK", pair, strict=True)
    ]
    proteases, n = DIGESTS[mixture.digest]
    simulated = simulate_reads(molecules, n, seed, proteases=proteases)
    with (folder / "reads.csv").open("w", encoding="utf-8", newline="") as handle:
        write_peaks(simulated, handle, "simulated")
    peptides = read_peptides([folder / "reads.csv"]).reads
    start = time.process_time()
    placed = place(
        peptides,
        load_error_models(),
        contaminants=road.contaminants,
        use=road.library.v_prior.numpy(),
    )
    chains = weigh(placed, road.model, road.library)
    seconds = time.process_time() - start
    truth = folder / "truth.fasta"
    records = [f">{name}\n{sequence}\n" for name, sequence, _ in molecules]
    truth.write_text("".join(records), encoding="utf-8")
    return _outcome(mixture, scoring._true_domains(truth), chains, placed, peptides, seconds)


def _outcome(
    mixture: Mixture,
    truths: Sequence[scoring._Truth],
    chains: Sequence[WeighedChain],
    placed: Placed,
    peptides: Sequence[Read],
    seconds: float,
) -> Outcome:
    like = np.array([[_likeness(truth, chain) for chain in chains] for truth in truths])
    pairs = _matched(like)
    right = sure = at_sites = silent = cdr3 = residues = 0
    shares = {p.name: p.share for p in placed.populations}
    abundance: dict[int, float] = {}
    for i, j in pairs:
        score = scoring._score(truths[i], chains[j], placed, peptides)
        abundance[i] = shares[chains[j].name]
        certain = (score.probability >= scoring.CONFIDENT) & ~score.good
        observed = score.states == "observed"
        residues += len(score.domain)
        right += score.right
        sure += int(certain.sum())
        silent += int((observed & ~score.good & ~np.array([bool(f) for f in score.flags])).sum())
        cdr3 += score.cdr3
        other = truths[(i + 2) % len(truths)].domain if len(truths) == 4 else ""
        at_sites += _other_residues(truths[i].domain, other, chains[j], certain)
    stated = {row.sequence for row in getattr(placed, "others", ())}
    loops = {_loop(chain) for chain in chains} | stated
    return Outcome(
        mixture,
        len(truths),
        len(pairs),
        len(chains) - len(pairs),
        residues,
        right,
        sure,
        at_sites,
        silent,
        cdr3,
        sum(truth.cdr3.replace("I", "L") in loops for truth in truths),
        len(stated - {truth.cdr3.replace("I", "L") for truth in truths}),
        " ".join(f"{abundance[i]:.2f}" if i in abundance else "-" for i in range(len(truths))),
        seconds,
    )


def _matched(like: np.ndarray) -> list[tuple[int, int]]:
    """Truths and the chains that are theirs, each at most once, so that most residues are alike."""
    wide = np.pad(like, ((0, 0), (0, like.shape[0])))  # a truth may be without a chain
    ways = permutations(range(wide.shape[1]), like.shape[0])
    best = max(ways, key=lambda way: wide[range(len(way)), way].sum())
    return [(i, j) for i, j in enumerate(best) if wide[i, j] > 0]


def _likeness(truth: scoring._Truth, chain: WeighedChain) -> float:
    """Residues that a chain shares with a true V domain, those of CDR3 five times; 0 if few."""
    letters = "".join(row.residue for row in scoring._domain_rows(chain))
    pairs = scoring._pairs(truth.domain, letters)
    same = sum(scoring._like(truth.domain[i], letters[j]) for i, j in pairs)
    if same <= scoring.LEAST_LIKE * len(truth.domain):
        return 0.0
    loop = truth.cdr3.replace("I", "L")
    own = _loop(chain)
    return same + 4.0 * sum(a == b for a, b in zip(loop, own, strict=False))


def _loop(chain: WeighedChain) -> str:
    """The CDR3 of a chain, L for I."""
    loop = "".join(row.residue for row in chain.rows if row.region == "CDR3")
    return loop.replace("I", "L")


def _other_residues(domain: str, other: str, chain: WeighedChain, certain: np.ndarray) -> int:
    """Residues in front of CDR3 that are certain, wrong, and those of the other antibody."""
    rows = scoring._domain_rows(chain)
    if abs(len(domain) - len(other)) > max(LONGER.values()):
        return 0
    return sum(
        bool(certain[j]) and row.region != "CDR3" and scoring._like(other[j], row.residue)
        for j, row in enumerate(rows[: min(len(other), len(certain))])
    )


HEAD = (
    "| shared | ratio | digest | mixtures | chains found | invented | right | wrong at p >= .95 "
    "| of these of the other antibody | silent | CDR3s right | CDR3s named | false CDR3s named "
    "| seconds at most |\n" + "|---" * 14 + "|"
)


def row(title: tuple[object, ...], found: Sequence[Outcome]) -> str:
    """A row of the table: mixtures pooled."""
    truths = sum(o.truths for o in found)
    cells = (
        *title,
        len(found),
        f"{sum(o.found for o in found)} of {truths}",
        sum(o.invented for o in found),
        f"{sum(o.right for o in found) / max(sum(o.residues for o in found), 1):.4f}",
        sum(o.sure for o in found),
        sum(o.at_sites for o in found),
        sum(o.silent for o in found),
        f"{sum(o.cdr3 for o in found)} of {truths}",
        f"{sum(o.named for o in found)} of {truths}",
        sum(o.false for o in found),
        f"{max(o.seconds for o in found):.0f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def mixtures(options: argparse.Namespace) -> Iterator[Mixture]:
    """The mixtures that are asked for; with --every n each n-th one, in an order that mixes them.

    Antibodies that share no V gene have no substitutions to count."""
    every = [
        Mixture(shared, apart, other == "other", ratio, digest)
        for shared, apart, other, ratio, digest in product(
            options.shared.split(","),
            map(int, options.apart.split(",")),
            options.lengths.split(","),
            map(int, options.ratios.split(",")),
            options.digests.split(","),
        )
    ]
    order = np.random.default_rng(0).permutation(len(every))
    yield from (every[i] for i in sorted(order[: len(every) // options.every]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", default="heavy,light,both")
    parser.add_argument("--apart", default="0,3,8,15")
    parser.add_argument("--ratios", default="1,3,9")
    parser.add_argument("--digests", default="two,deep")
    parser.add_argument("--lengths", default="same,other")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one in N mixtures")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    road, found = Road(), []
    with tempfile.TemporaryDirectory() as folder:
        for mixture in mixtures(options):
            found.append(one := run(road, mixture, options.seed, Path(folder)))
            m = mixture
            print(
                f"{m.shared:6} {m.apart:2} {'other' if m.other_length else 'same':5} {m.ratio}:1 "
                f"{m.digest:4} found {one.found} inv {one.invented} right {one.right}/"
                f"{one.residues} sure {one.sure} sites {one.at_sites} silent {one.silent} cdr3 "
                f"{one.cdr3} named {one.named} false {one.false} shares {one.shares} "
                f"{one.seconds:.0f}s",
                file=sys.stderr,
                flush=True,
            )
    print(HEAD)
    keys = sorted({(o.mixture.shared, o.mixture.ratio, o.mixture.digest) for o in found})
    for shared, ratio, digest in keys:
        of = [
            o
            for o in found
            if (o.mixture.shared, o.mixture.ratio, o.mixture.digest) == (shared, ratio, digest)
        ]
        print(row((shared, f"{ratio}:1", digest), of))
    print(row(("all", "", ""), found))


if __name__ == "__main__":
    main()
