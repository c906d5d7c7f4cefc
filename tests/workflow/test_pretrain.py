"""The pretrain target, from corpora of every kind to weights; killed and resumed."""

import csv
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from runs import ROOT, SNAKEFILE, snakemake
from safetensors import safe_open

from antiberty import write_wheel
from lacuna.core.alphabet import decode
from lacuna.network.transformer import load_large
from lacuna.network.weights import load_weights
from lacuna.templates.library import load_library
from lacuna.training.simulate import grid_to_chain, mutate, recombine

TINY = ROOT / "tests" / "configs" / "pretrain_tiny.yaml"
pytestmark = pytest.mark.workflow


def simulated(n: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    kinds = [("human", "H"), ("human", "K"), ("human", "L"), ("mouse", "H")]
    grids = [mutate(recombine(*kinds[i % 4], rng, []), 0.02, rng) for i in range(n)]
    return [decode(grid_to_chain(grid)[0]) for grid in grids]


def table(rows: list[dict[str, str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def fasta(chains: list[str]) -> str:
    return "".join(f">chain{i}\n{chain}\n" for i, chain in enumerate(chains))


def write_corpora(folder: Path) -> None:
    """A corpus of every kind in `corpora`, and a wheel for pip in `wheels`."""
    corpora, wheels = folder / "corpora", folder / "wheels"
    corpora.mkdir()
    wheels.mkdir()
    chains = simulated(240, 1)
    # 60 chains: one is held out, one is there twice, one has a letter that is not a residue.
    (corpora / "chains.fasta").write_text(fasta([*chains[:60], chains[0], "QVQLO" + chains[1]]))
    (corpora / "held_out.fasta").write_text(fasta(chains[:1]))
    (corpora / "validation.fasta").write_text(fasta(simulated(12, 2)))
    airr = [
        {"sequence_id": "x", "sequence_alignment_aa": c[:9] + "." + c[9:]} for c in chains[60:120]
    ]
    (corpora / "airr.tsv").write_text(table(airr, "\t"))
    oas = [{"sequence": "ACGT", "sequence_alignment_aa": c} for c in chains[120:180]]
    metadata = '"{""Run"": ""tiny"", ""Species"": ""human""}"\n'
    (corpora / "oas.csv.gz").write_bytes(gzip.compress((metadata + table(oas)).encode()))
    (corpora / "table.csv").write_text(table([{"protein": c} for c in chains[180:200]]))
    pairs = zip(chains[200:220], chains[220:240], strict=True)
    text = table([{"input_seq_vh": h, "input_seq_vl": light} for h, light in pairs])
    info = "tinycorpus-1.0.dist-info/"
    with zipfile.ZipFile(wheels / "tinycorpus-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tinycorpus/pairs.csv", text)
        wheel.writestr("tinycorpus/other.csv", "a,b\n1,2\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: tinycorpus\nVersion: 1.0\n")
        wheel.writestr(
            info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(info + "RECORD", "")
    write_wheel(wheels / "antiberty-0.1.3-py3-none-any.whl")


PIP = {
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "{folder}/wheels",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def arguments(folder: Path, *more: str) -> list[str]:
    """Of a run in a folder of its own, so that runs share neither locks nor results."""
    configs = (ROOT / "config.yaml", folder / "pretrain.yaml")
    return [
        *("--snakefile", str(SNAKEFILE), "--cores", "2", "--resources", "gpu=0"),
        *("--directory", str(folder), "pretrain"),
        *("--configfile", *map(str, configs), *more),
    ]


def set_up(folder: Path, text: str = TINY.read_text()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write_corpora(folder)
    (folder / "resources").symlink_to(ROOT / "resources")
    (folder / "pretrain.yaml").write_text(text)
    return folder / "results" / "pretrain"


def run(folder: Path, *more: str, status: int = 0) -> str:
    """The output of a run."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in PIP.items():
            patch.setenv(name, value.format(folder=folder))
        return snakemake(*arguments(folder, *more), status=status).output


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one whole run; tests that write work on copies."""
    folder = tmp_path_factory.mktemp("pretrain") / "run"
    set_up(folder)
    run(folder)
    return folder


@pytest.fixture(scope="module")
def stopped(finished: Path) -> Path:
    """A copy of that folder in the state in which a run was killed before the last steps."""
    folder = finished.with_name("stopped")
    shutil.copytree(finished, folder, symlinks=True)
    results = folder / "results" / "pretrain"
    for name in ("lacuna.safetensors", "library.safetensors", "curve.tsv"):
        (results / name).unlink()
    checkpoint = results / "lacuna.state"
    command = [sys.executable, "-m", "snakemake", *arguments(folder)]
    job = subprocess.Popen(command, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not checkpoint.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    assert checkpoint.exists(), "finished, or never began, before it was killed"
    run(folder, "--unlock")
    return folder


def test_every_corpus_is_read_and_counted(finished: Path) -> None:
    record = json.loads((finished / "results/pretrain/corpus.json").read_text())
    counts = {c["name"]: (c["read"], c["numbered"]) for c in record["corpora"]}
    assert counts["fasta"][0] == 62
    assert {counts[n][0] for n in ("airr", "oas")} == {60}
    assert counts["table"][0] == 20 and counts["wheel"][0] == 40
    assert all(numbered > 0.8 * read for read, numbered in counts.values())
    corpus = record["corpora"][0]
    assert corpus["numbered"] <= 60  # neither the copy nor the chain with another letter
    assert corpus["near_held_out"] >= 1
    data = (finished / "corpora/chains.fasta").read_bytes()
    assert corpus["sha256"] == hashlib.sha256(data).hexdigest()
    assert record["validation"]["apart"]["kept"] > 6
    assert record["validation"]["natural"]["kept"] > 5


def test_weights_library_and_curve_can_be_used(finished: Path) -> None:
    results = finished / "results" / "pretrain"
    model = load_weights(results / "lacuna.safetensors")
    assert (model.config.channels, model.config.hidden) == (16, 16)
    assert len(load_library(results / "library.safetensors").v) > 1000
    header, *rows = [line.split("\t") for line in (results / "curve.tsv").read_text().splitlines()]
    assert header[:3] == ["step", "chains_seen", "loss"]
    assert {"natural_accuracy", "apart_loss", "simulated_alpaca_loss"} <= set(header)
    assert set(model.temperatures) == {"alpaca"}
    assert [row[:2] for row in rows] == [[str(s), str(32 * s)] for s in (10, 20, 30, 40)]
    assert not (results / "lacuna.state").exists()


def test_the_log_has_a_line_of_progress_per_validation(finished: Path) -> None:
    log = (finished / "results/logs/pretrain_model.log").read_text()
    line = r"step (\d+)/40  [\d,]+ chains/s  loss [\d.]+  held-out accuracy .* [\d.]+ min left"
    assert re.findall(line, log) == ["10", "20", "30", "40"]


def test_the_record_holds_nothing_of_the_machine(finished: Path) -> None:
    with safe_open(finished / "results/pretrain/lacuna.safetensors", "pt") as handle:
        record = json.loads(handle.metadata()["record"])
    text = json.dumps(record)
    assert str(finished) not in text and os.uname().nodename not in re.findall(r"[\w.-]+", text)
    assert record["step"] == 40 and record["chains_seen"] == 1280
    assert (record["teacher"]["step"], record["train"]["teacher_share"]) == (4, 0.5)
    assert [c["licence"] for c in record["data"]["corpora"]] == ["none"] * 5
    assert record["teacher"]["start"]["package"] == "antiberty 0.1.3"
    assert not [v for v in re.findall(r'"([^"]*)"', text) if v.startswith("/")]


def test_the_teacher_is_there_for_the_thorough_mode(finished: Path) -> None:
    results = finished / "results/pretrain"
    teacher, large = (load_large(results / f"{x}.safetensors") for x in ("teacher", "large"))
    assert large.sizes == teacher.sizes and large.record == teacher.record
    for name, x in teacher.state_dict().items():
        assert torch.allclose(x, large.state_dict()[name], atol=0.1), name


def test_a_killed_run_goes_on_to_the_same_bytes(
    finished: Path, stopped: Path, tmp_path: Path
) -> None:
    shutil.copytree(stopped, tmp_path / "killed", symlinks=True)
    results = tmp_path / "killed" / "results" / "pretrain"
    run(tmp_path / "killed", "--rerun-incomplete")
    assert "going on from step" in (results.parent / "logs/pretrain_model.log").read_text()
    for name in ("lacuna.safetensors", "library.safetensors", "curve.tsv"):
        unbroken = (finished / "results" / "pretrain" / name).read_bytes()
        assert (results / name).read_bytes() == unbroken, name


def test_a_checkpoint_that_cannot_be_used_stops_the_run_in_one_line(
    stopped: Path, tmp_path: Path
) -> None:
    shutil.copytree(stopped, tmp_path / "killed", symlinks=True)
    checkpoint = tmp_path / "killed" / "results" / "pretrain" / "lacuna.state"
    whole = checkpoint.read_bytes()

    checkpoint.write_bytes(whole[: len(whole) // 2])
    said = run(tmp_path / "killed", "--rerun-incomplete", status=1)
    assert re.search(r"Error: .*lacuna\.state: damaged .*delete the checkpoint", said)

    checkpoint.write_bytes(whole)
    (tmp_path / "killed" / "pretrain.yaml").write_text(
        TINY.read_text().replace("hidden: 16", "hidden: 24")
    )
    said = run(tmp_path / "killed", "--rerun-incomplete", status=1)
    assert re.search(r"Error: .*model\.hidden was 16 and is now 24; restore", said)
    assert checkpoint.read_bytes() == whole


def test_a_misspelt_key_is_named(tmp_path: Path) -> None:
    set_up(tmp_path, TINY.read_text().replace("batch_size: 32", "batchsize: 32"))
    said = run(tmp_path, "--dry-run", status=1)
    assert "did you mean 'pretrain.train.batch_size'?" in said
