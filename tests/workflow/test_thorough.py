"""The thorough mode: the large network's weights are an input of filling and a part of results."""

import shutil
from pathlib import Path

import pytest
from runs import Workspace

from chains import fasta, germline_chain, hidden, mutated
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.files import file_digest

pytestmark = pytest.mark.workflow

CHAINS = {
    f"{locus}{i}": hidden(mutated(germline_chain(locus, i), 8, i), [(25, 32), (50, 60)])
    for i, locus in enumerate("HKLH")
}


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    space = Workspace(tmp_path)
    space.write("chains.fasta", fasta(CHAINS))
    reads = simulate_reads([("H", germline_chain("H", 2), 1.0)], 200, 1)
    with open(space.write("reads.csv", ""), "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "simulated")
    space.sheet({"sample": "s", "fasta": "chains.fasta"}, {"sample": "r", "reads": "reads.csv"})
    return space


def test_a_file_that_is_missing_is_named_in_one_line(space: Workspace) -> None:
    space.config(mode="thorough", large_network="none.safetensors")
    said = space.run("--dry-run", status=1).error()
    assert said.endswith(
        "'large_network' is 'none.safetensors', which is not a file; correct the path"
    )
    assert "\n" not in said
    space.config(large_network="none.safetensors")
    space.run("--dry-run")  # fast runs never read it


def test_a_run_in_both_modes(space: Workspace, large_network: Path) -> None:
    path = space.folder / "large.safetensors"
    shutil.copy(large_network, path)
    space.config(large_network=path.name)
    space.run()
    fast, shown = space.results(), (space.folder / "out" / "report.html").read_text()
    assert file_digest(path) not in shown and "large network" not in shown
    path.write_bytes(b"damaged")
    assert space.run("--dry-run").jobs() == {}  # fast runs never read it
    shutil.copy(large_network, path)
    space.config(large_network=path.name, mode="thorough")
    assert {"fill_gaps", "weigh_evidence"} <= set(space.run("--dry-run").jobs())
    space.run()
    thorough, shown = space.results(), (space.folder / "out" / "report.html").read_text()
    assert thorough["s/residues.tsv"] != fast["s/residues.tsv"]
    assert thorough["r/evidence.tsv"] != fast["r/evidence.tsv"]
    assert thorough["r/reads.tsv"] == fast["r/reads.tsv"]
    assert file_digest(path) in shown and "large network of the thorough mode" in shown
    made_with = (space.folder / "out" / "software_mqc_versions.yml").read_text()
    assert file_digest(path) in made_with
    filled = space.chains("s")
    for name, sequence in CHAINS.items():
        pairs = zip(sequence, filled[name], strict=True)
        assert all(a in ("X", b) for a, b in pairs) and "X" not in filled[name]
    log = (space.folder / "out" / "logs" / "fill_gaps" / "s.00000.log").read_text()
    assert f"the large network read {len(CHAINS)} chains" in log
    settings = (space.folder / "out" / "config.yaml").read_text()
    assert "mode: thorough" in settings
    # Other weights fill anew; the same ones do not.
    assert space.run("--dry-run").jobs() == {}
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert "fill_gaps" in space.run("--dry-run").jobs()


def test_packed_samples_with_reads_are_weighed_as_alone(
    space: Workspace, large_network: Path
) -> None:
    shutil.copy(large_network, space.folder / "large.safetensors")
    others = [{"sample": f"s{i}", "fasta": "chains.fasta"} for i in range(8)]
    space.sheet(*others, {"sample": "r", "reads": "reads.csv"})
    settings = {"large_network": "large.safetensors", "mode": "thorough"}
    table = "out/r/evidence.tsv"
    space.config(**settings, pack_chains=0)
    assert "weigh_evidence" in space.run(table).jobs()
    alone = space.results()
    shutil.rmtree(space.folder / "out")
    space.config(**settings)
    assert "weigh_evidence" not in space.run(table).jobs()
    packed = space.results()
    assert packed["r/evidence.tsv"] == alone["r/evidence.tsv"]
