"""Packs: which samples share a job, and that it does for each what its own jobs would do."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chains import fasta, germline_chain, hidden
from conftest import Write
from lacuna.core.config import check_config
from lacuna.core.files import LacunaError
from lacuna.steps import load
from lacuna.steps.packs import FEWEST_SAMPLES, LARGEST_SAMPLE, MOST_SAMPLES, plan_packs
from lacuna.steps.reader_files import Networks
from lacuna.steps.sample_files import SampleFiles as SmallSample
from lacuna.steps.settings import settings_of
from lacuna.steps.small_samples import fill_pack, samples_of

ROOT = Path(__file__).parents[3]
WEIGHTS = ROOT / "resources" / "weights" / "open"
CONFIG = check_config({"samples": "-"})
SETTINGS = settings_of(CONFIG | {"candidates": 2, "complete_ends": False})
OUTPUTS = ("filled", "residues", "gaps", "chains", "masses", "accuracy", "rejected")
OUTPUTS += ("alkylation", "alternatives")

sheets = st.lists(st.integers(0, 2 * LARGEST_SAMPLE), max_size=120).map(
    lambda sizes: {f"s{i}": n for i, n in enumerate(sizes)}
)


@given(sheets, st.integers(0, 300), st.sets(st.integers(0, 120)))
def test_packs_hold_the_small_samples_in_order_and_are_bounded(
    chains: dict[str, int], most: int, apart: set[int]
) -> None:
    alone = {f"s{i}" for i in apart}
    packs = plan_packs(chains, alone, most)
    packed = [name for pack in packs for name in pack.samples]
    small = [x for x, n in chains.items() if n <= min(LARGEST_SAMPLE, most) and x not in alone]
    assert packed == (small if most and len(small) >= FEWEST_SAMPLES else [])
    assert [pack.name for pack in packs] == [f"{i:05d}" for i in range(len(packs))]
    for pack in packs:
        assert 0 < len(pack.samples) <= MOST_SAMPLES
        assert sum(chains[name] for name in pack.samples) <= most


@given(sheets.filter(lambda chains: len(chains) > 0))
def test_a_sample_at_the_end_of_the_sheet_changes_no_pack_but_the_last(
    chains: dict[str, int],
) -> None:
    before, after = plan_packs(chains, (), 300), plan_packs({**chains, "new": 3}, (), 300)
    if before:
        assert after[: len(before) - 1] == before[:-1]
        assert len(after) - len(before) in (0, 1)


def test_a_packs_files_go_to_the_samples_that_they_are_of() -> None:
    usual = {"species": "auto", "alkylation": "auto", "reads_format": "", "tables": "filled"}
    rows = [
        {**usual, "sample": "a", "columns": "fasta homologs"},
        {**usual, "sample": "b", "species": "rat", "alkylation": "nem", "columns": "fasta gaps"},
        {**usual, "sample": "c", "columns": "fasta gaps homologs"},
        {
            **usual,
            "sample": "d",
            "columns": "reads reads",
            "reads_format": "peaks",
            "tables": "filled reads",
        },
        {**usual, "sample": "e", "columns": "reads", "tables": "filled reads"},
    ]
    inputs = {
        "fasta": ["a.fa", "b.fa", "c.fa"],
        "gaps": ["b.bed", "c.bed"],
        "truth": [],
        "homologs": ["a.hom", "c.hom"],
        "reads": ["d.csv", "d2.csv", "e.csv"],
        "weights": "w",
    }
    outputs = {"filled": [f"{x}/filled" for x in "abcde"], "reads": ["d/reads", "e/reads"]}
    a, b, c, d, e = samples_of(rows, inputs, outputs)
    assert (b.name, b.species, b.alkylation) == ("b", "rat", "nem")
    assert b.outputs == {"filled": Path("b/filled")}
    assert a.inputs == {"fasta": Path("a.fa"), "homologs": Path("a.hom")}
    assert b.inputs == {"fasta": Path("b.fa"), "gaps": Path("b.bed")}
    assert set(c.inputs.values()) == {Path("c.fa"), Path("c.bed"), Path("c.hom")}
    assert (d.inputs, d.reads, d.reads_format) == ({}, (Path("d.csv"), Path("d2.csv")), "peaks")
    assert e.reads == (Path("e.csv"),)
    assert e.outputs == {"filled": Path("e/filled"), "reads": Path("e/reads")}


def fill(samples: list[SmallSample], scratch: Path) -> None:
    networks = Networks(WEIGHTS / "lacuna.safetensors", WEIGHTS / "library.safetensors")
    device = torch.device("cpu")
    fill_pack(samples, networks, scratch, settings=SETTINGS, device=device)


def sample(
    name: str, path: Path, folder: Path, others: Mapping[str, Path] | None = None
) -> SmallSample:
    outputs = {table: folder / name / table for table in OUTPUTS}
    return SmallSample(name, "auto", "auto", {"fasta": path, **(others or {})}, outputs)


def test_every_file_of_every_sample_is_written_and_nothing_else(
    write: Write, tmp_path: Path
) -> None:
    paths = [write(f"{x}.fa", fasta({x: hidden(germline_chain(x, 1), [(30, 33)])})) for x in "HK"]
    out = tmp_path / "out"
    fill([sample(path.stem, path, out) for path in paths], tmp_path / "scratch")
    found = sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file())
    assert found == sorted(f"{x}/{table}" for x in "HK" for table in OUTPUTS)
    assert list((tmp_path / "scratch").iterdir()) == []
    for path in paths:
        alone = tmp_path / "alone" / path.stem
        fill([sample(path.stem, path, tmp_path / "alone")], tmp_path / "scratch")
        for table in OUTPUTS:
            assert (alone / table).read_bytes() == (out / path.stem / table).read_bytes()


def test_weights_and_library_are_read_once_for_many_samples_and_homologs_once_for_each(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    for name in ("load_weights", "load_library", "read_homologs"):
        real = getattr(load, name)
        monkeypatch.setattr(
            load, name, lambda path, real=real: (read.append(Path(path)), real(path))[1]
        )
    load.forget(network=True)
    chain = hidden(germline_chain("L", 1), [(30, 33)]).replace("X", "X[+200.1]", 1)
    path = write("a.fa", fasta({"a": chain}))  # its mass asks for the state of C
    samples = []
    for name in ("one", "two"):
        homologs = write(f"{name}.homologs.fa", fasta({"h": germline_chain("L", 2)}))
        samples.append(sample(name, path, tmp_path, {"homologs": homologs}))
    fill(samples, tmp_path / "scratch")
    load.forget(network=True)
    assert sorted(p.name for p in read) == [
        *("lacuna.safetensors", "library.safetensors"),
        *("one.homologs.fa", "two.homologs.fa"),
    ]


def test_a_sample_that_cannot_be_read_is_named(write: Write, tmp_path: Path) -> None:
    good = write("good.fa", fasta({"a": hidden(germline_chain("K", 1), [(30, 33)])}))
    bad = write("bad.fa", "no FASTA\n")
    samples = [sample("good", good, tmp_path), sample("bad", bad, tmp_path)]
    with pytest.raises(LacunaError) as error:
        fill(samples, tmp_path / "scratch")
    assert str(error.value).startswith(f"sample 'bad': {bad}: not a FASTA file (")
    assert {p.name for p in (tmp_path / "good").iterdir()} == set(OUTPUTS)
    assert not (tmp_path / "bad").exists()  # not even a partial file
