"""How often the alkylation state of C is found from the masses of few gaps.

    python tests/benchmarks/alkylation_states.py FOLDER

FOLDER holds scaffolds.fasta, gaps.tsv (chain, start, end, mass) and truth.jsonl (a record per
scaffold: id, protocol, seq). Scaffolds with one gap are drawn, and their masses computed with free
or with carbamidomethylated C. For samples of 1, 3, 10 and 50 masses, prints in how many the state
was found, left open or wrong, how many have a C at all, and the seconds per sample.
"""

import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from common import ROOT, given_paths, read_truth

from lacuna.core.words import AUTO
from lacuna.filling.cysteine import find_reading
from lacuna.scaffolds.alkylation import READINGS
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.residue_masses import Modifications
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.steps.load import load_reader
from lacuna.steps.reader_files import ReaderFiles

SAMPLES = {1: 100, 3: 100, 10: 50, 50: 20}  # masses per sample: number of samples
STATES = ("none", "carbamidomethyl")


def with_masses(scaffold: Scaffold, whole: str, carried: float) -> Scaffold:
    """The scaffold with gap masses in which each C carries `carried` Da."""
    gaps = []
    for gap in scaffold.gaps:
        mass = (gap.mass or 0.0) + carried * whole[gap.start : gap.end].count("C")
        gaps.append(replace(gap, mass=mass, tolerance_da=mass * 1e-5))
    return replace(scaffold, gaps=tuple(gaps))


def main(folder: Path) -> None:
    whole = {record["id"]: record["seq"] for record in read_truth(folder / "truth.jsonl")}
    read = read_scaffolds(folder / "scaffolds.fasta", folder / "gaps.tsv")
    pool = [s for s in read if isinstance(s, Scaffold) and len(s.gaps) == 1]
    weights = ROOT / "resources" / "weights" / "open"
    files = weights / "lacuna.safetensors", weights / "library.safetensors"
    reader = load_reader(ReaderFiles(*files, None, AUTO, 128, 64, 0.95, "fast"))
    rng = random.Random(1)
    print("state", "masses", "samples", "with C", "right", "open", "wrong", "s/sample", sep="\t")
    for state in STATES:
        for n, samples in SAMPLES.items():
            counts: Counter[str] = Counter()
            begun = time.perf_counter()
            for _ in range(samples):
                drawn = rng.sample(pool, n)
                carried = READINGS[state].mass
                chains = [with_masses(s, whole[s.chain], carried) for s in drawn]
                found = find_reading(chains, Modifications(), reader)
                hidden = (whole[s.chain][g.start : g.end] for s in drawn for g in s.gaps)
                counts["C"] += any("C" in residues for residues in hidden)
                right = found.readings[0][0] == state
                counts["open" if found.how == "open" else "right" if right else "wrong"] += 1
            seconds = (time.perf_counter() - begun) / samples
            cells = [counts[name] for name in ("C", "right", "open", "wrong")]
            print(state, n, samples, *cells, f"{seconds:.2f}", sep="\t", flush=True)


if __name__ == "__main__":
    main(*given_paths(__doc__, "FOLDER"))
