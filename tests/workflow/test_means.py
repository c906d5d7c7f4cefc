"""What a run tells while it goes and leaves for other programs: Snakemake's report, MultiQC."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from runs import ROOT, SNAKEFILE, Workspace, snakemake

from chains import fasta, germline_chain, hidden, mutated
from lacuna.core.files import file_digest
from lacuna.core.paths import WEIGHTS
from lacuna.results.software import PACKAGES

pytestmark = pytest.mark.workflow

MULTIQC = shutil.which("multiqc", path=f"{ROOT / '.venv-multiqc' / 'bin'}:{os.environ['PATH']}")
TRUE = {f"c{i}": mutated(germline_chain("HKL"[i], i), 4, i) for i in range(3)}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three chains of known truth in two blocks, and a sample with a bad record and no truth."""
    space = Workspace(tmp_path_factory.mktemp("means"))
    gaps = [(30, 36), (90, 94)]
    space.write("known.fasta", fasta({n: hidden(s, gaps) for n, s in TRUE.items()}))
    space.write("truth.fasta", fasta(TRUE))
    space.write("open.fasta", fasta({"o": hidden(TRUE["c0"], gaps), "bad": "QVQLO"}))
    space.sheet(
        {"sample": "known", "fasta": "known.fasta", "truth": "truth.fasta"},
        {"sample": "open", "fasta": "open.fasta"},
    )
    space.config(block_size=2)
    return space


@pytest.fixture(scope="module")
def told(space: Workspace) -> list[str]:
    """The lines of a run that writes to a terminal."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "snakemake", "--nocolor", "--snakefile", str(SNAKEFILE)]
    with subprocess.Popen(
        [*command, "--directory", str(space.folder), "--cores", "2"],
        cwd=ROOT,
        env=os.environ | {"PYTHONUTF8": "1"},
        stdout=end,
        stderr=end,
    ) as process:
        os.close(end)
        text = b""
        while True:
            try:
                part = os.read(terminal, 1 << 16)
            except OSError:  # Linux says so that the other end is closed
                break
            if not part:
                break
            text += part
        os.close(terminal)
    assert process.returncode == 0, text.decode()
    return text.decode().splitlines()


def test_a_terminal_shows_how_far_the_run_is_after_each_block(told: list[str]) -> None:
    lines = [line for line in told if line.startswith("Filled ")]
    assert 1 <= len(lines) <= 3  # blocks that end together share a line
    form = r"Filled (\d) of 3 blocks: (\d) of 5 chains, [\d.]+ a second, .+ left\."
    found = [re.fullmatch(form, line) for line in lines]
    counts = [(int(m[1]), int(m[2])) for m in found if m]
    assert len(counts) == len(lines) and counts == sorted(counts) and counts[-1] == (3, 5)
    assert lines[-1].endswith(", 0 s left.")


def test_the_last_line_names_the_report(told: list[str], space: Workspace) -> None:
    summary = (space.folder / "out" / "summary.txt").read_text().splitlines()
    assert told[-len(summary) - 1 :] == [*summary, "Report: out/report.html"]


def test_snakemakes_report_shows_the_results_with_captions(
    told: list[str], space: Workspace
) -> None:
    place = ("--snakefile", str(SNAKEFILE), "--directory", str(space.folder))
    snakemake(*place, "--report", str(space.folder / "whole.html"))
    page = (space.folder / "whole.html").read_text(encoding="utf-8")
    for sample in ("known", "open"):
        for name in ("filled.fasta", "residues.tsv", "gaps.tsv", "chains.tsv", "rejected.tsv"):
            assert f'"out/{sample}/{name}": {{"name": "{name}"' in page
            assert f'"labels": {{"sample": "{sample}", "file": "{name}"}}' in page
    for name in ("report.html", "summary.txt", "accuracy.tsv", "software_mqc_versions.yml"):
        assert f'"labels": {{"sample": "all samples", "file": "{name}"}}' in page
    captions = {path.stem for path in (ROOT / "workflow" / "report" / "captions").iterdir()}
    of_others = {"doubts", "evidence", "reads", "airr", "alternatives", "scaffolds", "spectra"}
    shown = captions - of_others
    for name in shown:
        text = (ROOT / "workflow" / "report" / "captions" / f"{name}.rst").read_text()
        assert json.dumps(f"<p>{text.rstrip()}</p>\n", ensure_ascii=False) in page


def test_the_software_is_listed(told: list[str], space: Workspace) -> None:
    listed = yaml.load(
        (space.folder / "out" / "software_mqc_versions.yml").read_text(), yaml.BaseLoader
    )
    assert listed[f"weights ({WEIGHTS.name})"] == f"sha256:{file_digest(WEIGHTS)}"
    assert listed["licence of the weights"] == "CC BY 4.0"
    assert listed["Python"] == ".".join(map(str, sys.version_info[:3]))
    assert {name: listed[name] for name in PACKAGES} == {name: version(name) for name in PACKAGES}


def test_the_table_for_multiqc_counts_as_the_others_do(told: list[str], space: Workspace) -> None:
    content = json.loads((space.folder / "out" / "lacuna_mqc.json").read_text())
    rows = [r for r in space.rows("accuracy.tsv") if r["scope"] == "overall"]
    right = {r["method"]: round(100 * float(r["accuracy"]), 2) for r in rows}
    common = {"gaps": 6, "open": 0, "missing": 30, "filled": 100.0, "rejected": 0}
    assert content["data"] == {
        "known": common
        | {"chains": 3, "right": right.pop("lacuna"), "best_baseline": max(right.values())},
        "open": {"chains": 1, "gaps": 2, "open": 0, "missing": 10, "filled": 100.0, "rejected": 1},
    }
    assert content["headers"].keys() == content["data"]["known"].keys()
    assert all(header["title"] and header["description"] for header in content["headers"].values())


@pytest.mark.skipif(MULTIQC is None, reason="no multiqc on PATH (make multiqc)")
def test_multiqc_shows_the_table_and_the_software(
    told: list[str], space: Workspace, tmp_path: Path
) -> None:
    assert MULTIQC is not None
    done = subprocess.run(
        [MULTIQC, "--no-version-check", "--strict", "--outdir", str(tmp_path), "out"],
        cwd=space.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    table = (tmp_path / "multiqc_data" / "multiqc_lacuna_samples.txt").read_text().splitlines()
    head, *rows = (line.split("\t") for line in table)
    content = json.loads((space.folder / "out" / "lacuna_mqc.json").read_text())
    assert head == ["Sample", *content["headers"]]
    assert {row[0]: float(row[1]) for row in rows} == {"known": 3, "open": 1}
    page = (tmp_path / "multiqc_report.html").read_text(encoding="utf-8")
    assert 'id="mqc-module-section-lacuna"' in page
    versions = (tmp_path / "multiqc_data" / "multiqc_software_versions.txt").read_text()
    assert version("torch") in versions
