"""Molecules that lack constant domains: is any filled that is not there, or one lost that is?

    python tests/benchmarks/constant_domains.py [--digests deep,two,trypsin] [--n 4] [--seed 1]

Made human antibodies and VHHs (tests/benchmarks/read_panel.py) as IgG1, Fab, F(ab')2, and VHH or
scFv on an Fc, from simulated reads; a second VHH goes on within the hinge, behind AAA. Prints, for
each kind and digest, over the heavy chains (of an scFv, its VH): residues of constant regions that
are there, and how many of these the answers lack; residues that they have besides; and how many of
these are not flagged `length`. Answers and truths are aligned by difflib, runs below four residues
do not count. One core, about five minutes.
"""

import tempfile
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

import torch
from common import merged, options_of
from read_panel import FAB_END, HIS, LINKER, Antibody, Road, constant, made

from lacuna.antibody.imgt import CONSTANT
from lacuna.evidence.chain import WeighedChain
from lacuna.placing.votes.draft import Draft

SHORTEST = 4  # residues of a run that counts as the same
HINGE = "EPKSSDKTHTCPPCP"  # of fusions: S for the C that binds the light chain
ENDS = {"Fab": FAB_END, "F(ab')2": "DKTHTCPPCPAPELLGG"}


def molecules(n: int, seed: int) -> Iterator[tuple[str, Antibody, str]]:
    """(kind, molecule, the constant region of its heavy chain)."""
    gamma, kappa = constant("human", "IGHG1*01"), constant("human", "IGKC*01")
    fc = HINGE + gamma[gamma.index("CPPCP") + 5 :]
    linked = "AAA" + gamma[gamma.index("DKTHT") :]
    for i in range(n):
        at = 100 * seed + i
        heavy = made("human", "H", at, cdr3=10 + i % 8)
        light = made("human", "K", at, cdr3=9)
        for kind in ("IgG1", *ENDS):
            region = gamma
            if kind in ENDS:
                region = gamma[: gamma.index(ENDS[kind]) + len(ENDS[kind])]
            tag = HIS if kind == "Fab" else ""
            chains = (heavy + region + tag, light + kappa)
            yield kind, Antibody(kind, chains, (heavy, light)), region + tag
        vhh = made("alpaca", "H", at, cdr3=12 + i % 8, rate=0.06)
        for kind, region in (("VHH-Fc", fc), ("VHH-AAA-Fc", linked)):
            yield kind, Antibody(kind, (vhh + region,), (vhh,)), region
        scfv = (light + LINKER + heavy + fc,)
        yield "scFv-Fc", Antibody("scFv-Fc", scfv, (light, heavy)), fc


def counts(draft: Draft, chain: WeighedChain, region: str) -> tuple[int, int, int]:
    """Residues of a constant region that an answer lacks and has besides, and how many of the
    latter are not flagged."""
    first = draft.find(CONSTANT)
    rows = chain.rows[first:] if first >= 0 else ()
    found = merged("".join(row.residue for row in rows))
    matcher = SequenceMatcher(None, found, merged(region), autojunk=False)
    same = [block for block in matcher.get_matching_blocks() if block.size >= SHORTEST]
    own = {i for block in same for i in range(block.a, block.a + block.size)}
    besides = [row for i, row in enumerate(rows) if i not in own]
    return (
        len(region) - len(own),
        len(besides),
        sum("length" not in row.flags for row in besides),
    )


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--digests", default="deep,two,trypsin")
    parser.add_argument("--n", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    road = Road()
    digests: Sequence[str] = options.digests.split(",")
    found: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for digest in digests:
            for kind, antibody, region in molecules(options.n, options.seed):
                result = road.run(antibody, digest, options.seed, Path(folder))
                drafts = zip(result.placed.drafts, result.chains, strict=True)
                heavy = next(((d, c) for d, c in drafts if d.locus == "H"), None)
                three = counts(*heavy, region) if heavy else (len(region), 0, 0)
                found.setdefault((kind, digest), []).append((len(region), *three))
    print("| molecule | digest | chains | residues | lacking | besides | of these without flag |")
    print("|---" * 7 + "|")
    for (kind, digest), rows in sorted(found.items(), key=lambda item: digests.index(item[0][1])):
        sums = [sum(column) for column in zip(*rows, strict=True)]
        print("| " + " | ".join(map(str, (kind, digest, len(rows), *sums))) + " |")


if __name__ == "__main__":
    main()
