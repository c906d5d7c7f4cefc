"""The value of each source of templates: residue accuracy on the bench, source by source.

    python tests/benchmarks/ablation.py --chains results/pretrain/chains.safetensors

Compares methods without a network (if a profile is empty, the germline's residue is used) with the
network given only the scaffold, one source, or all sources. Homologs come from the encoded training
chains, none with more than --max-identity to the target. A TSV of all numbers is written to --out;
a table for readers and the learning curve in the record of the weights are printed. Does nothing if
there is no bench.
"""

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from common import ROOT, options_of, read_truth
from safetensors import safe_open
from torch import Tensor

from lacuna.core.alphabet import ABSENT, N_RESIDUES, encode
from lacuna.core.statistics import wilson_interval
from lacuna.network.encode import encode_scaffolds
from lacuna.network.model import GapNetwork, Kmers
from lacuna.network.weights import load_weights
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.library import load_library
from lacuna.templates.nearest import (
    N_GERMLINE,
    N_HOMOLOGS,
    Library,
    chain_grid,
    choose_homologs,
    homolog_profile,
    homolog_tokens,
    one_hot_templates,
)
from lacuna.training.batches import read_encoded

BLOCK = 128  # chains at a time
NOTHING = -1  # no answer; counts as wrong

Answers = Tensor  # (missing residues,) residue of each, or NOTHING


class Case(NamedTuple):
    """A scaffold of the bench; missing are 0-based positions."""

    sequence: str
    missing: list[int]
    protocol: str
    chain: str
    origin: str


class Block(NamedTuple):
    """k-mers of some cases; for each missing residue its place, its truth and its group."""

    kmers: Kmers
    row: Tensor
    at: Tensor
    truth: Tensor
    groups: list[tuple[str, str, str]]


def read_bench(path: Path) -> list[Case]:
    records = read_truth(path)
    return [Case(r["seq"], r["missing"], r["protocol"], r["chain"], r["set"]) for r in records]


def blocks(
    cases: list[Case], library: Library, references: Tensor | None, max_identity: float, k: int
) -> Iterator[Block]:
    """Cases as the workflow encodes them, with homologs from reference grids (m, N_CODES)."""
    one_hot = one_hot_templates(references, torch.bfloat16) if references is not None else None
    cases = sorted(cases, key=lambda case: len(case.sequence))
    for start in range(0, len(cases), BLOCK):
        part = cases[start : start + BLOCK]
        scaffolds = []
        for case in part:
            letters = list(case.sequence)
            for i in case.missing:
                letters[i] = "X"
            scaffolds.append(Scaffold("", "", "".join(letters), (), 0))
        encoded = encode_scaffolds(scaffolds, library, k=k)
        ((_, kmers),) = encoded.batches(len(encoded.tokens), library)
        if references is not None and one_hot is not None:
            kmers = with_homologs(kmers, references, one_hot, max_identity)
        row, at, chain, position = encoded.targets.long().unbind(1)
        pairs = list(zip(chain.tolist(), position.tolist(), strict=True))
        truth = torch.tensor([int(encode(part[c].sequence[p])[0]) for c, p in pairs])
        groups = [(part[c].origin, part[c].protocol, part[c].chain) for c, _ in pairs]
        yield Block(kmers, row, at, truth, groups)


def with_homologs(kmers: Kmers, references: Tensor, one_hot: Tensor, max_identity: float) -> Kmers:
    """The k-mers with the templates and the profile of their nearest reference chains."""
    grid = chain_grid(kmers.tokens, kmers.columns)
    best, identity = choose_homologs(grid, references, one_hot, max_identity)
    tokens = homolog_tokens(best, kmers.columns, references)
    tokens = tokens.masked_fill((identity <= 0)[:, :, None], ABSENT)
    templates, profiles = kmers.templates.clone(), kmers.profiles.clone()
    templates[:, N_GERMLINE:] = tokens[:, :N_HOMOLOGS]
    profiles[..., -N_RESIDUES:] = homolog_profile(tokens, identity)
    return replace(kmers, templates=templates, profiles=profiles)


def only(kmers: Kmers, germline: bool, profiles: bool, homologs: bool) -> Kmers:
    """The k-mers with some sources of templates; the others are empty."""
    slots = torch.tensor([germline] * N_GERMLINE + [homologs] * N_HOMOLOGS)
    channels = torch.tensor([profiles] * 2 * N_RESIDUES + [homologs] * N_RESIDUES)
    return replace(
        kmers,
        templates=kmers.templates.masked_fill(~slots[None, :, None], ABSENT),
        profiles=kmers.profiles * channels,
    )


def methods(model: GapNetwork, homologs: bool) -> dict[str, Callable[[Block], Answers]]:
    """Methods by name: functions that give the residue for each missing one of a block."""

    def copied(block: Block) -> Answers:
        tokens = block.kmers.templates[block.row, 0, block.at].long()
        return tokens.masked_fill(tokens >= N_RESIDUES, NOTHING)

    def profile(first: int) -> Callable[[Block], Answers]:
        def answer(block: Block) -> Answers:
            found = block.kmers.profiles[block.row, block.at, first : first + N_RESIDUES]
            # Profiles do not include constant regions.
            return torch.where(found.sum(-1) > 0, found.argmax(-1), copied(block))

        return answer

    def network(**sources: bool) -> Callable[[Block], Answers]:
        def answer(block: Block) -> Answers:
            with torch.inference_mode():
                logits = model(only(block.kmers, **sources))
            return logits[block.row, block.at].argmax(-1)

        return answer

    none = {"germline": False, "profiles": False, "homologs": False}
    found = {
        "germline copy": copied,
        "gene profile": profile(0),
        "network, no templates": network(**none),
        "network + germline residues": network(**none | {"germline": True}),
        "network + gene profiles": network(**none | {"profiles": True}),
        "network + germline and profiles": network(**none | {"germline": True, "profiles": True}),
    }
    if homologs:
        found |= {
            "retrieval": profile(2 * N_RESIDUES),
            "network + homologs": network(**none | {"homologs": True}),
            "network + all": network(germline=True, profiles=True, homologs=True),
        }
    return found


def print_table(right: dict[str, Counter], n: Counter, by_set: bool) -> None:
    """Print accuracy by method and protocol, heavy / light."""
    origins = sorted({key[0] for key in n}) if by_set else [""]
    protocols = sorted({key[1] for key in n}, key=lambda p: (p.rstrip("0123456789"), len(p), p))
    for origin in origins:
        print(f"\n{origin or 'all sets'}, residue accuracy, heavy / light")
        print("| |", " | ".join(protocols), "|")
        print("|---" * (len(protocols) + 1) + "|")
        for method, counts in right.items():
            cells = []
            for protocol in protocols:
                pair = []
                for chain in ("H", "L"):
                    keys = [k for k in n if k[1:] == (protocol, chain) and origin in ("", k[0])]
                    total = sum(n[k] for k in keys)
                    share = sum(counts[k] for k in keys) / total if total else math.nan
                    pair.append(f"{share:.3f}" if total else "-")
                cells.append(" / ".join(pair))
            print(f"| {method} |", " | ".join(cells), "|")


def write_tsv(path: Path, right: dict[str, Counter], n: Counter) -> None:
    """Write a row per method, set, protocol and chain, and per method, protocol and chain."""
    with open(path, "w", encoding="utf-8") as handle:
        header = ("method", "set", "protocol", "chain", "n_residues", "n_correct")
        print(*header, "accuracy", "ci_low", "ci_high", sep="\t", file=handle)
        for method, counts in right.items():
            sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
            for key in n:
                for group in (key, ("all", *key[1:])):
                    sums[group][0] += n[key]
                    sums[group][1] += counts[key]
            for group, (total, correct) in sorted(sums.items()):
                low, high = wilson_interval(correct, total)
                numbers = (f"{x:.4f}" for x in (correct / total, low, high))
                print(method, *group, total, correct, *numbers, sep="\t", file=handle)


def print_curve(weights: Path) -> None:
    """Print held-out accuracy by chains seen, and the gain of the last doublings."""
    with safe_open(str(weights), "pt") as handle:
        record = json.loads((handle.metadata() or {}).get("record", "{}"))
    curve = record.get("curve", [])
    names = [name for name in (curve[-1] if curve else {}) if name.endswith("_accuracy")]
    if not names:
        print(f"\n{weights.name} carries no learning curve")
        return
    size = record["train"]["batch_size"]
    print("\nchains seen", *names, sep="\t")
    for point in curve:
        print(f"{point['step'] * size:,.0f}", *(f"{point[n]:.4f}" for n in names), sep="\t")
    for name in names:
        points = [
            (math.log2(p["step"]), p[name]) for p in curve if p["step"] * 4 >= curve[-1]["step"]
        ]
        if len(points) > 2:
            x, y = torch.tensor(points, dtype=torch.float64).T
            slope = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
            print(f"{name}: {100 * slope:+.2f} points per doubling over the last two doublings")
    print("(the step size falls towards the end, which lifts the last points)")


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--bench", type=Path, default=ROOT.parent / "shared" / "bench")
    weights = ROOT / "resources" / "weights" / "open"
    parser.add_argument("--weights", type=Path, default=weights / "lacuna.safetensors")
    parser.add_argument("--library", type=Path, default=weights / "library.safetensors")
    parser.add_argument("--chains", type=Path, help="encoded chains: the references of homologs")
    parser.add_argument("--max-identity", type=float, default=0.95)
    parser.add_argument("--sample", type=int, help="measure on so many cases only")
    parser.add_argument("--by-set", action="store_true", help="a table per set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    truth = options.bench / "truth.jsonl"
    if not truth.is_file():
        print(f"{truth} is not there: nothing to measure on")
        return
    references = None
    if options.chains is not None:
        encoded = read_encoded(options.chains).chains
        drawn = encoded.cumulative.diff(prepend=torch.zeros(1, dtype=torch.float64)) > 0
        references = encoded.grids[drawn]
    model = load_weights(options.weights)
    found = methods(model, references is not None)
    cases = read_bench(truth)
    if options.sample is not None:
        cases = random.Random(0).sample(cases, min(options.sample, len(cases)))
    n: Counter = Counter()
    right: dict[str, Counter] = {name: Counter() for name in found}
    library = load_library(options.library)
    for block in blocks(cases, library, references, options.max_identity, k=128):
        n.update(block.groups)
        for name, method in found.items():
            hits = (method(block) == block.truth).tolist()
            right[name].update(g for g, hit in zip(block.groups, hits, strict=True) if hit)
    print_table(right, n, options.by_set)
    if options.out is not None:
        write_tsv(options.out, right, n)
    print_curve(options.weights)


if __name__ == "__main__":
    main()
