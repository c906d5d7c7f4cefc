"""The thorough mode: AntiBERTy's weights as an input of filling, and as a part of the results."""

from pathlib import Path

import pytest
from runs import Workspace

from antiberty import write_wheel
from chains import fasta, germline_chain, hidden, mutated
from lacuna.core.files import file_digest
from lacuna.network.language_model import convert_antiberty

pytestmark = pytest.mark.workflow

CHAINS = {
    f"{locus}{i}": hidden(mutated(germline_chain(locus, i), 8, i), [(25, 32), (50, 60)])
    for i, locus in enumerate("HKLH")
}


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    space = Workspace(tmp_path)
    space.write("chains.fasta", fasta(CHAINS))
    space.sheet({"sample": "s", "fasta": "chains.fasta"})
    return space


def fetched(space: Workspace, name: str = "antiberty.safetensors") -> Path:
    """A file as fetch_thorough writes it, of a small network of random weights."""
    write_wheel(space.folder / "antiberty.whl")
    path = space.folder / name
    convert_antiberty(space.folder / "antiberty.whl", path, {"licence": "MIT"})
    return path


def test_weights_that_were_not_fetched_are_asked_for_in_one_line(space: Workspace) -> None:
    space.config(mode="thorough", language_model="none.safetensors")
    said = space.run("--dry-run", status=1)
    assert "none.safetensors: no such file" in said.error() and "\n" not in said.error()
    assert "Fetch them once by 'snakemake --cores 1 fetch_thorough'" in said.error()
    assert space.run("--dry-run", "fetch_thorough").jobs() == {"fetch_thorough": 1}
    space.config(language_model="none.safetensors")
    assert "fetch_thorough" not in space.run("--dry-run").jobs()  # nor anything else of it


def test_a_run_in_both_modes(space: Workspace) -> None:
    path = fetched(space)
    space.config(language_model=path.name)
    jobs = space.run().jobs()
    assert "fetch_thorough" not in jobs
    fast, shown = space.results(), (space.folder / "out" / "report.html").read_text()
    assert file_digest(path) not in shown and "AntiBERTy" not in shown
    path.write_bytes(b"damaged")
    assert space.run("--dry-run").jobs() == {}  # fast runs never read it
    path = fetched(space)
    space.config(language_model=path.name, mode="thorough")
    planned = space.run("--dry-run").jobs()
    assert {"fill_gaps", "write_report"} <= set(planned)
    assert "fetch_thorough" not in planned
    space.run()
    thorough, shown = space.results(), (space.folder / "out" / "report.html").read_text()
    assert thorough["s/residues.tsv"] != fast["s/residues.tsv"]
    assert file_digest(path) in shown and "AntiBERTy, MIT licence" in shown
    made_with = (space.folder / "out" / "software_mqc_versions.yml").read_text()
    assert file_digest(path) in made_with
    filled = space.chains("s")
    for name, sequence in CHAINS.items():
        pairs = zip(sequence, filled[name], strict=True)
        assert all(a in ("X", b) for a, b in pairs) and "X" not in filled[name]
    log = (space.folder / "out" / "logs" / "fill_gaps" / "s.00000.log").read_text()
    assert "AntiBERTy read " in log and f" of {len(CHAINS)} chains" in log
    settings = (space.folder / "out" / "config.yaml").read_text()
    assert "mode: thorough" in settings
    # Other weights fill anew; the same ones do not.
    assert space.run("--dry-run").jobs() == {}
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert "fill_gaps" in space.run("--dry-run").jobs()
