"""Chains of species that are not in training, or not even bundled: are the probabilities true?

    python tests/benchmarks/species_chains.py CHAINS.fasta [--gaps 3] [--seed 1]

Names of the records are a species and anything else, joined by |; records are V domains. In each,
so many gaps of eight residues are filled. Prints a row for each species: gaps that are named far
from every germline, missing residues, how many are right by copying the nearest germline and by
Lacuna, their mean probability, the expected calibration error, and of those at 0.95 or more their
share of all and how many of them are right. One core, a few seconds for 100 chains.
"""

import random
import tempfile
from pathlib import Path

import numpy as np
from common import options_of

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import FAR, GAP_TABLE, RESIDUE_TABLE
from lacuna.scaffolds.fasta import read_records
from lacuna.steps.one_file import fill_file

GAP, APART = 8, 2  # residues
SURE = 0.95
HEAD = ("species", "gaps named", "residues", "germline", "right", "mean p", "ECE", "p >= 0.95")


def hidden_in_gaps(chain: str, gaps: int, rng: random.Random) -> str:
    """The chain with X for so many gaps, with observed residues between them."""
    letters, starts = list(chain), range(0, len(chain) - GAP, GAP + APART)
    for start in rng.sample(starts, gaps):
        letters[start : start + GAP] = MISSING_LETTER * GAP
    return "".join(letters)


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("chains", type=Path)
    parser.add_argument("--gaps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    chains = {r.chain: r.body.decode().replace("\n", "") for r in read_records(given.chains, 1000)}
    with tempfile.TemporaryDirectory() as scratch:
        fasta, out = Path(scratch) / "chains.fasta", Path(scratch) / "out"
        masked = ((name, hidden_in_gaps(c, given.gaps, rng)) for name, c in chains.items())
        fasta.write_text("".join(f">{name}\n{letters}\n" for name, letters in masked))
        fill_file({"fasta": fasta}, out, {})
        rows = list(RESIDUE_TABLE.read(out / "residues.tsv"))
        gaps = [gap for gap in GAP_TABLE.read(out / "gaps.tsv") if gap.rank == 1]
    print(f"| {' | '.join((*HEAD, 'right there'))} |\n|{' --- |' * (len(HEAD) + 1)}")
    for species in dict.fromkeys(name.split("|")[0] for name in chains):
        own = [r for r in rows if r.chain.startswith(f"{species}|")]
        named = [FAR in g.status for g in gaps if g.chain.startswith(f"{species}|")]
        truth = [chains[r.chain][r.position - 1] for r in own]
        right = np.array([t == r.residue for t, r in zip(truth, own, strict=True)])
        copied = np.array([t == r.germline for t, r in zip(truth, own, strict=True)])
        p = np.array([r.probability for r in own])
        sure = p >= SURE
        shares = copied.mean(), right.mean(), p.mean(), error_of_residues(right, p), sure.mean()
        there = f"{right[sure].mean():.3f}" if sure.any() else "-"
        told = [f"{x:.3f}" for x in shares]
        cells = (species, f"{sum(named)} of {len(named)}", len(own), *told, there)
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
