"""Antibodies from reads alone, and from the same reads with the intact masses of both chains.

    python tests/benchmarks/reads_and_masses.py [--antibodies 24] [--digests one,two]
        [--tolerance 1] [--wrong]

Antibodies are those of resources/benchmark/therapeutics.fasta whose heavy and light chain are both
there, which no weights were trained on. In the digest `one`, every second antibody is cut by
trypsin and the others by chymotrypsin; in `two`, all are cut by both. Masses are average ones of
reduced chains, with normal errors of a third of the tolerance. Of ten heavy chains nine lack the
lysine that ends them; a chain that begins with Q or E has it as pyroglutamate in 95 and 10 % of
cases. With --wrong every mass has an error: an oxygen, a hexose, two hydrogens more or fewer, or
what one C may carry. Residues of V domains are compared with the truth (I = L). Ten minutes on one
core.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import torch
from common import options_of
from read_panel import constant
from reads_and_spectra import HEAD, Row, antibodies, chains_of, domain_of

from lacuna.antibody.numbering import number_chain
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.masses import (
    AVERAGE,
    CARBAMIDOMETHYL,
    CYSTEINYL,
    DISULFIDE,
    GROUP_RATIO,
    HEXOSE,
    OXIDATION,
    chain_masses,
)
from lacuna.scaffolds.residue_masses import PYROGLUTAMATE, PYROGLUTAMATE_SHARES
from lacuna.steps.one_file import fill_file

DIGESTS = {"one": (("trypsin",), ("chymotrypsin",)), "two": (("trypsin", "chymotrypsin"),)}
READS = 1_500
CLIPPED = 0.9  # of heavy chains
ERRORS = (OXIDATION, HEXOSE, DISULFIDE, -DISULFIDE, CARBAMIDOMETHYL, CYSTEINYL)  # Da


def measured(chain: str, heavy: bool, tolerance: float, rng: random.Random) -> float:
    """The average mass of a chain as it would be found, in Da."""
    mass = chain_masses(chain)[1] + rng.gauss(0, tolerance / 3)
    if heavy and rng.random() < CLIPPED:
        mass -= AVERAGE["K"]
    if rng.random() < PYROGLUTAMATE_SHARES.get(chain[0], 0.0):
        mass += PYROGLUTAMATE[chain[0]] * GROUP_RATIO
    return mass


def write_inputs(
    folder: Path,
    number: int,
    antibody: tuple[str, str, str],
    digest: str,
    given: argparse.Namespace,
) -> dict[str, Path]:
    """Write reads and masses of an antibody: its name and V domains; the paths of both."""
    name, heavy, light = antibody
    rng = random.Random(f"{digest} {name}")
    of_light = "IGLC2*01" if number_chain(light).locus == "L" else "IGKC*01"
    truths = {
        "heavy": heavy + constant("human", "IGHG1*01"),
        "light": light + constant("human", of_light),
    }
    molecules = [(f"m{i}", one, 0.5) for i, one in enumerate(truths.values())]
    proteases = DIGESTS[digest][number % len(DIGESTS[digest])]
    reads = simulate_reads(molecules, READS, 7 + number, proteases=proteases)
    paths = {"reads": folder / "reads.csv", "masses": folder / "masses.tsv"}
    with open(paths["reads"], "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "simulated")
    table = "chain\tmass\ttolerance_da\tkind\n"
    for chain, truth in truths.items():
        mass = measured(truth, chain == "heavy", given.tolerance, rng)
        mass += rng.choice(ERRORS) * GROUP_RATIO if given.wrong else 0.0
        table += f"{chain}\t{mass:.3f}\t{given.tolerance}\taverage\n"
    paths["masses"].write_text(table)
    return paths


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--antibodies", type=int, default=24)
    parser.add_argument("--digests", default="one,two")
    parser.add_argument("--tolerance", type=float, default=1.0, help="of the masses, in Da")
    parser.add_argument("--wrong", action="store_true", help="give every mass an error")
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(HEAD)
    for digest in given.digests.split(","):
        used = {f"reads ({digest})": (), f"reads ({digest}) and masses": ("masses",)}
        rows = {title: Row([], 0.0) for title in used}
        for number, antibody in enumerate(antibodies(given.antibodies)):
            with tempfile.TemporaryDirectory() as scratch:
                folder = Path(scratch)
                paths = write_inputs(folder, number, antibody, digest, given)
                for title, names in used.items():
                    begun, out = time.process_time(), folder / title
                    inputs = {name: paths[name] for name in names}
                    fill_file(inputs, out, {"complete_ends": False}, reads=[paths["reads"]])
                    chains = list(chains_of(out).values())
                    found = [domain_of(truth, chains) for truth in antibody[1:]]
                    spent = rows[title].seconds + time.process_time() - begun
                    rows[title] = Row([*rows[title].found, *found], spent)
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        base = next(iter(rows.values()))
        for title, row in rows.items():
            print(row.text(title, base))


if __name__ == "__main__":
    main()
