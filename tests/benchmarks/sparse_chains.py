"""V domains of which little is observed: are the probabilities of the rest still true?

    python tests/benchmarks/sparse_chains.py CHAINS [--chains 250] [--seed 1] [--group vhh]

CHAINS is a FASTA, or a table or truth.jsonl as bench_accuracy.py has it; only V domains that no
weights were trained on tell anything. --group takes those of a species or set. Pieces of 6 to 15
residues of each, as peptides are, are observed until they make up a share of it; the rest is
filled. Prints a row for each share: missing residues, how many are right and their mean
probability, the expected calibration error, and those at 0.95 or more: their share of all, and how
many of them are right. One core, about a minute.
"""

import random
import tempfile
from pathlib import Path

import numpy as np
from common import drawing, read_chains

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import RESIDUE_TABLE
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

SHARES = (0.7, 0.5, 0.3, 0.2)
PIECE = (6, 15)  # residues
SURE = 0.95
LONGEST = 160  # residues of a V domain


def observed_in_pieces(chain: str, share: float, rng: random.Random) -> str:
    """The chain with X for all but a share of its residues."""
    shown: set[int] = set()
    while len(shown) < share * len(chain):
        n = rng.randint(*PIECE)
        start = rng.randint(0, len(chain) - n)
        shown |= set(range(start, start + n))
    return "".join(r if i in shown else MISSING_LETTER for i, r in enumerate(chain))


def main() -> None:
    parser = drawing(__doc__, "CHAINS", 250)
    parser.add_argument("--group", default="", help="begins the species, or set, of the chains")
    given = parser.parse_args()
    if given.chains.suffix == ".fasta":
        every = [r.body.decode().replace("\n", "") for r in read_records(given.chains, 1 << 20)]
    else:
        chains = read_chains(given.chains)
        every = [chain.sequence for chain in chains if chain.group.startswith(given.group)]
    rng = random.Random(given.seed)
    domains = sorted({chain for chain in every if len(chain) <= LONGEST})
    drawn = rng.sample(domains, min(given.n, len(domains)))
    print("| observed | missing | right | mean p | ECE | p >= 0.95 | right there |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for share in SHARES:
        with tempfile.TemporaryDirectory() as scratch:
            fasta, out = Path(scratch) / "chains.fasta", Path(scratch) / "out"
            masked = [observed_in_pieces(chain, share, rng) for chain in drawn]
            fasta.write_text("".join(f">{i}\n{letters}\n" for i, letters in enumerate(masked)))
            fill_file({"fasta": fasta}, out, {})
            rows = list(RESIDUE_TABLE.read(out / "residues.tsv"))
        right = np.array([drawn[int(r.chain)][r.position - 1] == r.residue for r in rows])
        p = np.array([row.probability for row in rows])
        sure = p >= SURE
        cells = (right.mean(), p.mean(), error_of_residues(right, p), sure.mean())
        texts = " | ".join(f"{cell:.3f}" for cell in (*cells, right[sure].mean()))
        print(f"| {share} | {len(rows)} | {texts} |", flush=True)


if __name__ == "__main__":
    main()
