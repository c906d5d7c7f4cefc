"""The tutorial's model on the chains of a sample, with its answers among those of the others."""

from dataclasses import replace
from pathlib import Path

import pytest

from chains import fasta, germline_chain, hidden
from conftest import Write
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.results.scores import measure
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.tutorial.run import train_seed_models, true_chain
from tsv import read_tsv

WHOLE = germline_chain("K", 1)[:40]
SPAN = (20, 23)
SETTINGS = {"tolerance_ppm": 10.0, "k": 10, "epochs": 1, "seed": 0}


def test_the_true_chain_needs_the_truth_of_every_gap() -> None:
    gaps = (Gap(1, 3, 2, 2, truth="VQ"), Gap(4, 5, 1, 1, truth="V"))
    chain = Scaffold("m", "", "QXXLX", gaps, 1)
    assert true_chain(chain) == "QVQLV"
    assert true_chain(replace(chain, gaps=(gaps[0], replace(gaps[1], truth=None)))) is None
    assert true_chain(replace(chain, gaps=(gaps[0], replace(gaps[1], truth="VV")))) is None


def test_the_tutorial_model_stands_beside_the_others(write: Write, tmp_path: Path) -> None:
    """There is a report per usable chain, and its answers are compared with the truth."""
    scaffolds = write("s.fasta", fasta({"a": WHOLE, "bad": "QVQLO", "b": hidden(WHOLE, [SPAN])}))
    gaps = write("gaps.bed", "a\t20\t23\n")
    truth = write("truth.fasta", fasta({"b": WHOLE}))
    train_seed_models(scaffolds, gaps, truth, tmp_path / "seed", **SETTINGS)
    reports = {p.name for p in (tmp_path / "seed").iterdir() if p.is_dir()}
    assert reports == {"00000", "00001"}
    told = read_tsv(tmp_path / "seed" / "predictions.tsv")
    assert {(r["chain"], r["position"]) for r in told} == {
        (c, str(p)) for c in "ab" for p in (21, 22, 23)
    }
    assert {r["protocol"] for r in told} == {"scaffold", "true_context"}
    assert {r["answer"] for r in told} <= set(RESIDUES)
    hidden_residues = WHOLE[slice(*SPAN)]
    for name in "ab":
        lines = [
            "\t".join((name, "1", "3", str(21 + i), t, "CDR1", "K", t, "0.9000", t, "X", t)) + "\n"
            for i, t in enumerate(hidden_residues)
        ]
        write(name, "".join(lines))
    measure([tmp_path / "a", tmp_path / "b"], [tmp_path / "seed"], tmp_path / "accuracy.tsv")
    found = [r for r in read_tsv(tmp_path / "accuracy.tsv") if r["scope"] == "overall"]
    seed = {r["protocol"]: r for r in found if r["method"] == "seed_lstm"}
    for protocol, row in seed.items():
        right = sum(
            r["answer"] == hidden_residues[int(r["position"]) - 21]
            for r in told
            if r["protocol"] == protocol
        )
        assert (row["n_residues"], row["n_correct"], row["n_gaps"]) == ("6", str(right), "2")
    assert set(seed) == {"scaffold", "true_context"}
    assert next(r for r in found if r["method"] == "lacuna")["n_correct"] == "6"


def test_the_tutorial_model_needs_the_truth(write: Write, tmp_path: Path) -> None:
    scaffolds = write("s.fasta", fasta({"a": hidden(WHOLE, [SPAN])}))
    with pytest.raises(LacunaError, match="seed_lstm: 'a' has a gap without truth"):
        train_seed_models(scaffolds, None, None, tmp_path / "seed", **SETTINGS)
    assert not (tmp_path / "seed" / "predictions.tsv").exists()
