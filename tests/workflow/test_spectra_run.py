"""Samples with spectra: what they change, and what runs again."""

import pytest
from runs import Run, Workspace

from chains import fasta, germline_chain, hidden
from peaks import as_mgf, as_mzml, spectrum_of

pytestmark = pytest.mark.workflow

START, END = 60, 65
HEAVY = germline_chain("H", 1)
CHAIN = HEAVY[:START] + "GHWPE" + HEAVY[END:]
PEPTIDE = CHAIN[43:67]  # a tryptic one


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A chain with a gap: without spectra, with those of its peptide, and with noise."""
    assert CHAIN[42] in "KR" and PEPTIDE[-1] in "KR"
    space = Workspace(tmp_path_factory.mktemp("spectra"))
    space.write("chains.fasta", fasta({"a": hidden(CHAIN, [(START, END)])}))
    space.write("good.mgf", as_mgf([spectrum_of(PEPTIDE)]))
    space.write("more.mzML", as_mzml([spectrum_of(PEPTIDE, 3)]))
    space.write("noise.mgf", as_mgf([spectrum_of(PEPTIDE, series=(), noise=200)]))
    rows = [{"sample": "without"}, {"sample": "with", "spectra": "good.mgf;more.mzML"}]
    rows.append({"sample": "noisy", "spectra": "noise.mgf"})
    space.sheet(*({**row, "fasta": "chains.fasta"} for row in rows))
    space.config(precision="float32", alkylation="none", pack_chains=0)
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run()


def test_spectra_fill_a_gap_and_noise_changes_nothing(space: Workspace, finished: Run) -> None:
    assert finished.jobs()["read_spectra"] == 2
    assert space.chains("with")["a"] == CHAIN
    first = space.rows("with/gaps.tsv")[0]
    assert "Da by spectra" in first["status"] and float(first["probability"]) > 0.9
    results = space.results()
    assert results["noisy/gaps.tsv"] == results["without/gaps.tsv"]
    assert space.rows("noisy/spectra.tsv") == []
    assert not (space.folder / "out" / "without" / "spectra.tsv").exists()
    rows = space.rows("with/spectra.tsv")
    assert {row["kind"] for row in rows} == {"spectrum", "mass", "unseen", "cleavage"}
    assert rows[0]["spectrum"].endswith(" as 43..67")
    without, of, noisy = (space.folder / "out" / "summary.txt").read_text().splitlines()[:3]
    assert "spectra" not in without
    assert "; spectra span 1 of 1 gap" in of
    assert "; WARNING: none of the spectra spans a gap (are they of these chains" in noisy


def test_another_spectrum_fills_its_sample_alone_again(space: Workspace, finished: Run) -> None:
    assert space.run("--dry-run").jobs() == {}
    before = (space.folder / "good.mgf").read_text()
    try:
        space.write("good.mgf", as_mgf([spectrum_of(PEPTIDE, noise=5)]))
        planned = space.run("--dry-run").jobs()
    finally:
        space.write("good.mgf", before)
    assert planned["read_spectra"] == planned["fill_gaps"] == 1


def test_a_file_that_holds_no_spectra_stops_the_run(space: Workspace, finished: Run) -> None:
    before = (space.folder / "noise.mgf").read_text()
    try:
        space.write("noise.mgf", "peptide\nEVQLV\n")
        run = space.run(status=1)
    finally:
        space.write("noise.mgf", before)
    assert "noise.mgf: neither MGF nor mzML: it begins with 'peptide'" in run.error()
