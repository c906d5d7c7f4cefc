"""Gaps of unknown length in given chains, filled without and with the reads of the antibody.

    python tests/benchmarks/closed_gaps.py [--digests deep,two,one] [--chains FASTA] [--seed 1]
        [--lengths]

Antibodies and digests are those of read_panel.py. Two stretches of 3 to 15 residues of each V
domain, one of them in and around CDR3, are gaps without a length: with their masses (measured to
3 ppm), or without. Prints a Markdown table: the share of gaps with the right length, and of those
that are right (I = L); of those whose length reads show, how many have it right; and residues that
are wrong at p >= .95. With --lengths the gaps have a length and no mass, the right one or up to
three residues less or more, and the table says of how many `status` names it as another one than
reads show. One core, about ten minutes.
"""

import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from common import merged, options_of, share
from pyteomics.mass import std_aa_mass
from read_panel import DIGESTS, TOOLS, Antibody, antibodies, given

from lacuna.benchmark.simulated_reads import simulate_reads
from lacuna.core.config import check_config
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.core.tables import GAP_TABLE, RESIDUE_TABLE, MassDoubt
from lacuna.scaffolds.json_lines import read_scaffold_block
from lacuna.steps.fill_sample import fill_sample
from lacuna.steps.outputs import OUTPUTS
from lacuna.steps.reader_files import Networks
from lacuna.steps.sample_files import SampleFiles
from lacuna.steps.settings import settings_of

ERROR_PPM = 3.0  # standard deviation of the error of a gap's mass
SHORTEST, LONGEST = 3, 15
SURE = 0.95
OFF = range(-3, 4)  # residues too many of a length that is given
APART = 8  # residues between two gaps, at least
READ_FILES = {"evidence": "evidence.tsv", "reads": "reads.tsv", "scaffolds": "scaffolds.fasta"}


class Outcome(NamedTuple):
    """A gap: whether its length and its residues are right, whether reads show the length, and how
    many of its residues are wrong at p >= .95."""

    length: bool
    exact: bool
    shown: bool
    surely_wrong: int


def spans(chain: str, rng: random.Random) -> list[tuple[int, int]]:
    """Two stretches of a V domain, from 0, end exclusive."""
    while True:
        sizes = [rng.randint(SHORTEST, LONGEST) for _ in range(2)]
        starts = rng.randint(8, 80), rng.randint(88, 104)
        found = [(s, s + n) for s, n in zip(starts, sizes, strict=True)]
        if found[0][1] + APART <= found[1][0] and found[1][1] + APART <= len(chain):
            return found


def fill(
    antibody: Antibody, digest: str, seed: int, folder: Path, *, masses: bool, with_reads: bool
) -> list[Outcome]:
    """Fill the chains of an antibody, and say what came of each gap."""
    rng = random.Random(f"{seed} {antibody.truths}")

    def known(residues: str) -> tuple[int, str]:
        mass = sum(std_aa_mass[r] for r in residues) * (1 + rng.gauss(0.0, ERROR_PPM) / 1e6)
        return 0, f"{mass:.5f}\t\t" if masses else f"\t1\t{LONGEST + 5}"

    cut = [spans(chain, rng) for chain in antibody.truths]
    write_chains(antibody, cut, folder, known)
    run(folder, (write_reads(antibody, digest, seed, folder),) if with_reads else ())
    return list(outcomes(antibody, cut, folder))


def named(antibody: Antibody, digest: str, seed: int, folder: Path, off: int) -> list[bool]:
    """Of each gap that is given with so many residues too many, whether `status` says that reads
    show another length."""
    rng = random.Random(f"{seed} {antibody.truths}")
    cut = [spans(chain, rng) for chain in antibody.truths]
    write_chains(antibody, cut, folder, lambda residues: (max(len(residues) + off, 1), "\t\t"))
    run(folder, (write_reads(antibody, digest, seed, folder),))
    best = (row for row in GAP_TABLE.read(folder / "gaps.tsv") if row.rank == 1)
    return [MassDoubt.LENGTH_OF_READS in row.status for row in best]


def write_chains(
    antibody: Antibody,
    cut: Sequence[Sequence[tuple[int, int]]],
    folder: Path,
    known: Callable[[str], tuple[int, str]],
) -> None:
    """Write the chains and their gap table; known: of the residues of a gap, its number of X and
    the cells that say what is known of it."""
    with (
        open(folder / "chains.fasta", "w", encoding="utf-8") as chains,
        open(folder / "table.tsv", "w", encoding="utf-8") as gaps,
    ):
        gaps.write("chain\tstart\tend\tmass\tmin_length\tmax_length\n")
        for i, (chain, of_chain) in enumerate(zip(antibody.truths, cut, strict=True)):
            letters, done = "", 0
            for start, end in of_chain:
                letters += chain[done:start]
                hidden, cells = known(chain[start:end])
                gaps.write(f"c{i}\t{len(letters)}\t{len(letters) + hidden}\t{cells}\n")
                letters, done = letters + "X" * hidden, end
            chains.write(f">c{i}\n{letters}{chain[done:]}\n")


def run(folder: Path, reads: tuple[Path, ...]) -> None:
    """Fill the chains of a folder."""
    out = {name: folder / file for name, file in (OUTPUTS | READ_FILES).items()}
    if not reads:
        out = {name: path for name, path in out.items() if name not in READ_FILES}
    config = check_config({"samples": "-", "alkylation": "none"})
    inputs = {"fasta": folder / "chains.fasta", "gaps": folder / "table.tsv"}
    sample = SampleFiles("s", "auto", "none", inputs, out, reads)
    fill_sample(
        sample, Networks(WEIGHTS, LIBRARY), folder, settings_of(config), torch.device("cpu")
    )


def write_reads(antibody: Antibody, digest: str, seed: int, folder: Path) -> Path:
    """Simulated reads of an antibody, as its tool writes them."""
    proteases, n = DIGESTS[digest]
    if digest == "one":
        proteases = (antibody.single,)
    name, written, reading = TOOLS[antibody.tool]
    molecules = [
        (f"m{i}", m, 1 / len(antibody.molecules)) for i, m in enumerate(antibody.molecules)
    ]
    reads = simulate_reads(molecules, n, seed, proteases=proteases, reading=reading)
    path = folder / name
    path.write_text(written(reads, random.Random(seed)), encoding="utf-8")
    return path


def outcomes(
    antibody: Antibody, cut: Sequence[Sequence[tuple[int, int]]], folder: Path
) -> Iterator[Outcome]:
    """Yield what came of each gap, from the files in `folder`."""
    every = GAP_TABLE.read(folder / "gaps.tsv")
    best = {(row.chain, row.gap): row for row in every if row.rank == 1}
    probabilities: dict[tuple[str, int], list[float]] = defaultdict(list)
    for row in RESIDUE_TABLE.read(folder / "residues.tsv"):
        probabilities[row.chain, row.gap].append(row.probability)
    chains = read_scaffold_block(folder / "scaffolds" / "00000.jsonl")
    for i, (truth, of_chain, scaffold) in enumerate(zip(antibody.truths, cut, chains, strict=True)):
        for number, ((start, end), gap) in enumerate(zip(of_chain, scaffold.gaps, strict=True), 1):
            true = merged(truth[start:end])
            found = merged(best[f"c{i}", number].candidate or "")
            wrong = sum(
                p >= SURE and (len(found) != len(true) or found[j] != true[j])
                for j, p in enumerate(probabilities[f"c{i}", number])
            )
            yield Outcome(len(found) == len(true), found == true, bool(gap.shown), wrong)


def row(title: str, found: Sequence[Outcome]) -> str:
    """A row of the table."""
    shown = [one for one in found if one.shown]
    cells = (
        title,
        len(found),
        share(sum(one.length for one in found), len(found)),
        share(sum(one.exact for one in found), len(found)),
        f"{sum(one.length for one in shown)} of {len(shown)}",
        sum(one.surely_wrong for one in found),
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--digests", default="deep,two,one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chains", type=Path, metavar="FASTA")
    parser.add_argument("--lengths", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    every = list(given(options.chains) if options.chains else antibodies())
    digests = options.digests.split(",")
    if options.lengths:
        print(f"| given | {' | '.join(digests)} |\n" + "|---" * (1 + len(digests)) + "|")
        for off in OFF:
            cells = []
            for digest in digests:
                told: list[bool] = []
                for antibody in every:
                    with tempfile.TemporaryDirectory() as folder:
                        told += named(antibody, digest, options.seed, Path(folder), off)
                cells.append(f"{sum(told)} of {len(told)}")
            print(f"| {off:+d} | {' | '.join(cells)} |", flush=True)
        return
    print(
        "| gaps | n | length right | exact | of lengths that reads show, right "
        "| wrong at p >= .95 |\n" + "|---" * 6 + "|"
    )
    for masses in (True, False):
        known = "mass given" if masses else "no mass"
        for digest in ("", *digests):
            found = []
            for antibody in every:
                with tempfile.TemporaryDirectory() as folder:
                    found += fill(
                        antibody,
                        digest,
                        options.seed,
                        Path(folder),
                        masses=masses,
                        with_reads=bool(digest),
                    )
            title = f"{known}, {f'reads ({digest})' if digest else 'no reads'}"
            print(row(title, found), flush=True)


if __name__ == "__main__":
    main()
