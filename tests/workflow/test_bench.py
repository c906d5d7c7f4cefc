"""The model compared with copying the germline, on scaffolds from outside the project."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
import torch

import bundled
from lacuna.core.tables import SCORED_TABLE
from lacuna.filling.fill import Tables, fill_chains
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Scaffold

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
STRIDE, START = 7, 3  # every seventh scaffold: all sets, all protocols, 3 s

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(not BENCH.is_dir(), reason="../shared/bench is not here"),
]


@dataclass
class Counts:
    """Numbers of residues and of correct ones by method, by set and by protocol."""

    residues: Counter
    model: Counter
    germline: Counter


@pytest.fixture(scope="module")
def counts() -> Counts:
    with open(BENCH / "truth.jsonl", encoding="utf-8") as handle:
        truth = [json.loads(line) for line in handle][START::STRIDE]
    known = {record["id"]: record for record in truth}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    chains = [
        with_truth(s, known[s.chain]["seq"])
        for s in read_scaffolds(BENCH / "scaffolds.fasta")
        if isinstance(s, Scaffold) and s.chain in known
    ]
    assert len(chains) == len(truth)
    reader = bundled.reader()
    kmers = reader.encoder.encode(chains)
    texts = Tables(
        fill_chains(*(chains, kmers, reader.encoder, reader.predictor.predict), candidates=1)
    ).texts
    torch.set_num_threads(threads)
    text = texts["scored"].getvalue()
    table = pd.read_csv(
        StringIO(text),
        sep="\t",
        names=list(SCORED_TABLE.names),
        dtype=str,
        keep_default_na=False,
    )
    found = Counts(Counter(), Counter(), Counter())
    for row in table.to_dict("records"):
        for key in (known[row["chain"]]["set"], known[row["chain"]]["protocol"]):
            found.residues[key] += 1
            found.model[key] += row["lacuna"] == row["truth"]
            found.germline[key] += row["germline_copy"] == row["truth"]
    assert len(table) == sum(len(record["missing"]) for record in truth)
    return found


def with_truth(chain: Scaffold, whole: str) -> Scaffold:
    return replace(chain, gaps=tuple(replace(g, truth=whole[g.start : g.end]) for g in chain.gaps))


@pytest.mark.parametrize("protocol", ["gap3", "gap5", "gap10", "gap15", "nterm15", "random10"])
def test_no_protocol_is_filled_worse_than_by_the_germline(counts: Counts, protocol: str) -> None:
    assert counts.residues[protocol] > 300
    assert counts.model[protocol] >= counts.germline[protocol]


@pytest.mark.parametrize(
    "name", ["thera_dev", "cov_abdab", "shehata", "boughter", "oas_mouse", "vhh", "full_dev"]
)
def test_no_set_is_filled_worse_than_by_the_germline(counts: Counts, name: str) -> None:
    assert counts.residues[name] > 300
    assert counts.model[name] >= counts.germline[name]
