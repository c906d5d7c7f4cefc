"""Antibodies of unpaired natural chains, as the FASTA of read_panel.py's --chains.

    python tests/benchmarks/unpaired_antibodies.py TABLE SPECIES=N... [--seed 1]

TABLE has the columns species, chain (H, K or L) and vdomain_aa. N antibodies of each species are
put together of whole chains, drawn at random, kappa and lambda in turn. Chains that the table lacks
are made of germline segments, as read_panel.py makes them. No chain is left out because training
saw it: they show whether chains of a species are found and placed. Prints the FASTA. One core,
seconds.
"""

import csv
import random
from collections import defaultdict
from pathlib import Path

from common import options_of
from read_panel import made

from lacuna.antibody.germlines import LOCI, SPECIES, v_segments
from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.files import open_text

WHOLE = {"H": 110, "K": 104, "L": 104}  # residues of a V domain that lacks none at its ends
CDR3S = {"H": (6, 15), "K": (8, 12), "L": (9, 12)}  # residues of made CDR3s
MUTATED = 0.05  # of the framework residues of made chains


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("wanted", nargs="+", metavar="SPECIES=N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    natural: dict[tuple[str, str], list[str]] = defaultdict(list)
    with open_text(options.table) as handle:
        for row in csv.DictReader(handle):
            domain, locus = row["vdomain_aa"], row["chain"]
            if len(domain) >= WHOLE[locus] and MISSING_LETTER not in domain:
                natural[row["species"], locus].append(domain)
    v, rng = v_segments(), random.Random(options.seed)
    for chains in natural.values():
        rng.shuffle(chains)
    for wanted in options.wanted:
        species, _, n = wanted.partition("=")
        known = {LOCI[i] for i in v.locus[v.species == SPECIES.index(species)]}
        light = [locus for locus in "KL" if (species, locus) in natural] or sorted(known - {"H"})
        for i in range(int(n)):
            for locus in ("H", light[i % len(light)]):
                drawn = natural[species, locus]
                made_of = made(species, locus, i, cdr3=rng.randint(*CDR3S[locus]), rate=MUTATED)
                print(f">{species}|{i}|{locus}\n{drawn.pop() if drawn else made_of}")


if __name__ == "__main__":
    main()
