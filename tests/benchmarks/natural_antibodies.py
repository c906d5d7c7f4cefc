"""Natural antibodies that training has not seen, as the FASTA of read_panel.py's --chains.

    python tests/benchmarks/natural_antibodies.py TRAINED KIND=TABLE... [--antibodies 40] [--seed 1]

TRAINED holds the chains that weights were trained on: `chains.safetensors` of the target pretrain.
A TABLE has the columns id, chain (H, K or L) and vdomain_aa, as those of resources/pretrain; the
two chains of an antibody have one id, or ids that differ only in their end (|H, |K, |L, |heavy or
|light). An antibody is left out if one of its chains shares 95 % of its residues with one that was
trained on. If TRAINED was made with a config that holds them out, chains of its own corpora can be
drawn too. KIND, which several tables may share, says which constant regions read_panel.py adds:
those of `mouse`, human ones otherwise, and tags to a chain that is alone. Prints the FASTA. One
core, a minute for a table.
"""

import csv
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from common import options_of

from lacuna.antibody.germlines import LOCI
from lacuna.core.files import open_text
from lacuna.training.batches import read_encoded
from lacuna.training.chains import Chains, like_held_out, number_all

ALIKE = 0.95  # share of residues
SPARE = 20  # antibodies that are looked at for each one that is wanted
CHAIN_OF_ID = re.compile(r"\|(H|K|L|heavy|light)$")

Domains = dict[str, str]  # V domains of an antibody by locus


def read_antibodies(path: Path) -> list[Domains]:
    """The pairs of a heavy and a light chain in a table; if it has none, its heavy chains."""
    found: dict[str, Domains] = {}
    twice = set()
    with open_text(path) as handle:
        for row in csv.DictReader(handle):
            name = CHAIN_OF_ID.sub("", row["id"])
            own = found.setdefault(name, {})
            if row["chain"] in own:
                twice.add(name)
            own[row["chain"]] = row["vdomain_aa"]
    every = [own for name, own in found.items() if name not in twice and "H" in own]
    pairs = [own for own in every if len(own) == 2]
    return pairs or every


def trained_chains(path: Path) -> Chains:
    """The chains of an encoded file that are drawn in training."""
    encoded = read_encoded(path).chains
    cumulative = encoded.cumulative.numpy()
    drawn = np.diff(cumulative, prepend=0.0) > 0
    return Chains(encoded.grids.numpy(), encoded.locus.numpy()).take(drawn)


def unseen(antibodies: Sequence[Domains], trained: Chains) -> Iterator[Domains]:
    """Those of which every chain has a whole V domain and is unlike all that were trained on."""
    domains = sorted({domain for own in antibodies for domain in own.values()})
    chains, rows = number_all(domains, 1)
    new = set()
    for locus in range(len(LOCI)):
        own = np.flatnonzero(chains.locus == locus)
        like = _like_any(chains.take(own), trained.take(trained.locus == locus))
        new |= {domains[rows[i]] for i in own[~like]}
    yield from (own for own in antibodies if new.issuperset(own.values()))


def _like_any(chains: Chains, trained: Chains) -> np.ndarray:
    """(n,) bool: which chains are like one that was trained on; these are many, so in pieces."""
    result = np.zeros(len(chains), dtype=bool)
    for i in range(0, len(trained), 4096):
        left = np.flatnonzero(~result)
        piece = trained.take(np.arange(i, min(i + 4096, len(trained))))
        result[left] = like_held_out(chains.take(left), piece, ALIKE)
    return result


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("trained", type=Path, metavar="TRAINED")
    parser.add_argument("tables", nargs="+", metavar="KIND=TABLE")
    parser.add_argument("--antibodies", type=int, default=40, dest="n")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    trained = trained_chains(options.trained)
    printed: Counter[str] = Counter()
    for table in options.tables:
        kind, _, path = table.partition("=")
        antibodies = read_antibodies(Path(path))
        random.Random(options.seed).shuffle(antibodies)
        new = list(unseen(antibodies[: SPARE * options.n], trained))[: options.n]
        print(f"{kind}: {len(new)} antibodies", file=sys.stderr)
        for own in new:
            for locus, domain in own.items():
                print(f">{kind}|{printed[kind]}|{locus}\n{domain}")
            printed[kind] += 1


if __name__ == "__main__":
    main()
