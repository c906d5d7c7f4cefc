"""Runs from peptide reads: simulated ones of a small antibody, with and without its chains."""

import io
from pathlib import Path

import pytest
from runs import ROOT, Run, Workspace

from chains import fasta, germline_chain, hidden
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.alphabet import RESIDUES
from lacuna.steps.packs import FEWEST_SAMPLES
from tsv import read_tsv

pytestmark = pytest.mark.workflow

HEAVY, LIGHT = germline_chain("H", 1), germline_chain("K", 2)
GAP = (40, 46)
BAD_LINE = "no,peptide,here\n"


def reads() -> str:
    """A PEAKS table of 600 reads, the last line spoilt."""
    handle = io.StringIO()
    chains = [("heavy", HEAVY, 1.0), ("light", LIGHT, 1.0)]
    write_peaks(simulate_reads(chains, 600, 1), handle, "simulated")
    return handle.getvalue() + BAD_LINE


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A sample of reads alone, in two files, and one of reads on given chains with a gap."""
    space = Workspace(tmp_path_factory.mktemp("reads"))
    header, *rows = reads().splitlines(keepends=True)
    space.write("one.csv", header + "".join(rows[:300]))
    space.write("two.csv", header + "".join(rows[300:]))
    space.write("chains.fasta", fasta({"H": hidden(HEAVY, [GAP]), "L": LIGHT}))
    space.write("truth.fasta", fasta({"mine_L": LIGHT, "mine_H": HEAVY}))
    space.write("tags.fasta", fasta({"tag": "GSDYKDDDDKHHHHHHGS"}))
    both = "one.csv;two.csv"
    space.sheet(
        {"sample": "found", "reads": both, "contaminants": "tags.fasta", "truth": "truth.fasta"},
        {"sample": "given", "reads": both, "fasta": "chains.fasta"},
    )
    space.config(precision="float32")
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run()


def test_chains_are_found_and_filled(space: Workspace, finished: Run) -> None:
    for rule in ("read_peptides", "place_reads", "weigh_evidence", "write_evidence"):
        assert finished.jobs()[rule] == 2
    filled = space.chains("found")
    assert len(filled) == 2 and "reads placed" in finished.output
    assert {row["locus"] for row in space.rows("found/chains.tsv")} == {"H", "K"}
    for true in (HEAVY, LIGHT):
        assert any(_like(true, chain) for chain in filled.values())
    assert space.run().jobs() == {}


def test_a_truth_of_other_names_is_scored(space: Workspace, finished: Run) -> None:
    rows = space.rows("found/residues.tsv")
    assert sum(bool(row["truth"]) for row in rows) > 20  # I or L, mostly
    truths = [row for row in rows if row["truth"] and not row["ambiguity"]]
    (overall,) = (
        row
        for row in space.rows("found/accuracy.tsv")
        if (row["scope"], row["method"]) == ("overall", "lacuna")
    )
    assert int(overall["n_residues"]) == len(truths) > 0


def _like(true: str, chain: str) -> bool:
    """Whether chains are the same but for I and L and a few residues that no read shows."""
    pairs = zip(true.replace("I", "L"), chain.replace("I", "L"), strict=False)
    return len(true) == len(chain) and sum(a == b for a, b in pairs) >= 0.95 * len(true)


@pytest.mark.parametrize("sample", ["found", "given"])
def test_what_is_observed_never_changes(space: Workspace, finished: Run, sample: str) -> None:
    lines = (space.folder / "out" / sample / "scaffolds.fasta").read_text().splitlines()
    scaffolds = dict(zip((x[1:] for x in lines[::2]), lines[1::2], strict=True))
    filled = space.chains(sample)
    assert list(filled) == list(scaffolds)
    rows = space.rows(f"{sample}/evidence.tsv")
    for header, chain in filled.items():
        name = header.split()[0]
        of_chain = [row for row in rows if row["chain"] == name]
        assert "".join(row["residue"] for row in of_chain) == chain
        assert [int(row["position"]) for row in of_chain] == list(range(1, len(chain) + 1))
        if not any(row["flags"].endswith("length") for row in of_chain):
            pairs = zip(scaffolds[header], chain, strict=True)
            assert all(a == b for a, b in pairs if a in RESIDUES)
    if sample == "found":
        for row in rows:
            assert row["state"] != "observed" or float(row["depth"]) > 0


def test_given_chains_are_kept_and_their_gap_is_read(space: Workspace, finished: Run) -> None:
    filled = space.chains("given")
    assert filled["L"] == LIGHT
    assert filled["H"][: GAP[0]] + filled["H"][GAP[1] :] == HEAVY[: GAP[0]] + HEAVY[GAP[1] :]
    assert filled["H"].replace("I", "L") == HEAVY.replace("I", "L")
    rows = [row for row in space.rows("given/evidence.tsv") if row["chain"] == "H"]
    states = {row["state"] for row in rows[slice(*GAP)]}
    assert states == {"observed"}  # in reads


def test_every_read_has_a_row_and_a_spoilt_one_is_rejected(space: Workspace, finished: Run) -> None:
    for sample in ("found", "given"):
        rows = space.rows(f"{sample}/reads.tsv")
        assert len(rows) == 600 and len({row["read"] for row in rows}) == 600
        placed = [row for row in rows if row["start"]]
        assert 300 < len(placed) < 600
        assert all(int(row["start"]) < int(row["end"]) for row in placed)
        (bad,) = space.rows(f"{sample}/rejected.tsv")
        assert bad["line"] == "302" and "two.csv:302" in bad["reason"]


def test_a_pack_gives_the_same_bytes(space: Workspace, finished: Run) -> None:
    """Of eight small samples and that of reads alone."""
    row = {"sample": "found", "reads": "one.csv;two.csv"}
    row |= {"contaminants": "tags.fasta", "truth": "truth.fasta"}
    small = [f"s{i}" for i in range(FEWEST_SAMPLES - 1)]
    for i, name in enumerate(small):
        space.write(f"{name}.fasta", fasta({name: hidden(germline_chain("L", i), [(9, 12)])}))
    rows = [{"sample": name, "fasta": f"{name}.fasta"} for name in small]
    space.sheet(*rows[:4], row, *rows[4:], name="packed.tsv")
    run = space.run("--config", "samples=packed.tsv", "outdir=packed", "precision=float32")
    assert run.jobs()["fill_pack_00000"] == 1 and "read_peptides" not in run.jobs()
    wanted = {
        name: content
        for name, content in space.results().items()
        if name.startswith("found/") and name.count("/") == 1
    }
    found = space.results("packed")
    assert len(wanted) == 11
    assert {name: found.get(name) for name in wanted} == wanted


def test_a_file_that_holds_no_reads_is_one_line(space: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path)
    other.write("r.csv", "a,b\n1,2\n")
    other.sheet({"sample": "bad", "reads": "r.csv"})
    other.config()
    run = other.run(status=1)
    assert run.error().startswith("Error: ") and "r.csv: no format of peptide reads" in run.error()
    assert "\n" not in run.error() and "Traceback" not in run.output


def test_reads_within_the_results_are_refused(space: Workspace, tmp_path: Path) -> None:
    other = Workspace(tmp_path)
    other.write("out/bad/r.csv", "a,b\n1,2\n")
    other.sheet({"sample": "bad", "reads": "out/bad/r.csv"})
    other.config()
    run = other.run("--dry-run", status=1)
    assert "reads of sample 'bad'" in run.error() and "move the file" in run.error()


def test_bad_records_end_a_run_that_asks_for_it(space: Workspace, finished: Run) -> None:
    run = space.run(
        "out2/found/rejected.tsv", "--config", "outdir=out2", "on_bad_record=fail", status=1
    )
    assert "two.csv:302" in run.error()


def test_the_bundled_reads_are_in_the_bundled_sheet() -> None:
    sheet = ROOT / "resources" / "examples" / "samples.tsv"
    rows = {row["sample"]: row for row in read_tsv(sheet)}
    assert "simulated" in rows["benralizumab_simulated"]["reads"]
