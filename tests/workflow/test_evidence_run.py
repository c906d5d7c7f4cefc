"""Samples with evidence of single positions: what it changes, and that it changes nothing else."""

import pytest
from runs import Run, Workspace

from chains import fasta, germline_chain, hidden

pytestmark = pytest.mark.workflow

CHAIN = germline_chain("H", 1)
GAPS = [(30, 31), (60, 64)]
HEADER = "chain\tposition\tresidue\tprobability\n"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A chain with evidence in a gap and of an observed residue, without, and with a bad row."""
    space = Workspace(tmp_path_factory.mktemp("evidence"))
    space.write("chains.fasta", fasta({"a": hidden(CHAIN, GAPS)}))
    space.write("good.tsv", f"{HEADER}a\t31\tW\t1\na\t11\tW\t0.9\na\t11\t{CHAIN[10]}\t0.1\n")
    space.write("bad.tsv", HEADER + "a\t31\tW\t1\na\t999\tW\t1\n")
    rows = [{"sample": "with", "evidence": "good.tsv"}, {"sample": "without"}]
    rows.append({"sample": "bad", "evidence": "bad.tsv"})
    space.sheet(*({**row, "fasta": "chains.fasta"} for row in rows))
    space.config(precision="float32")
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run()


def test_evidence_fills_a_gap_and_changes_no_observed_residue(
    space: Workspace, finished: Run
) -> None:
    filled, plain = space.chains("with")["a"], space.chains("without")["a"]
    assert filled == CHAIN[:30] + "W" + CHAIN[31:60] + filled[60:64] + CHAIN[64:]
    assert plain[30] != "W" and plain[:30] == filled[:30]
    rows = space.rows("with/evidence.tsv")
    assert "".join(row["residue"] for row in rows) == filled
    states = {row["position"]: row["state"] for row in rows}
    assert states["31"] == "inferred" and states["11"] == "doubtful" and states["1"] == "observed"
    (residue,) = (r for r in space.rows("with/residues.tsv") if r["position"] == "31")
    assert residue["residue"] == "W" and float(residue["probability"]) > 0.99


def test_only_samples_with_evidence_have_the_table(space: Workspace, finished: Run) -> None:
    assert finished.jobs()["write_evidence"] == 2  # of the bad one, too: it has no rows
    assert not (space.folder / "out" / "without" / "evidence.tsv").exists()
    (row,) = space.rows("bad/rejected.tsv")
    assert row["reason"].startswith("bad.tsv:3: 'a' has evidence for position 999 past its end")


def test_another_table_of_evidence_fills_its_sample_alone_again(
    space: Workspace, finished: Run
) -> None:
    assert space.run("--dry-run").jobs() == {}
    before = (space.folder / "good.tsv").read_text()
    try:
        space.write("good.tsv", before.replace("W\t1", "F\t1"))
        planned = space.run("--dry-run").jobs()
    finally:
        space.write("good.tsv", before)
    assert planned["read_scaffolds"] == planned["fill_gaps"] == planned["write_evidence"] == 1
