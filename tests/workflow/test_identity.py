"""The same bytes for any number of cores and any division of the batch into blocks."""

from pathlib import Path

import pytest
from runs import Workspace

from chains import fasta, germline_chain, hidden, mutated, random_protein

pytestmark = pytest.mark.workflow

FILES = ("filled.fasta", "residues.tsv", "gaps.tsv", "chains.tsv", "masses.tsv")
FILES += ("accuracy.tsv", "rejected.tsv")
# Cores, and chains per block: 1 and 3 blocks.
RUNS = {"whole": (1, 1000), "fives": (4, 5)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve chains of many kinds, some with truth, and homologs."""
    chains = {
        f"{locus}{i}": mutated(germline_chain(locus, i, constant=i == 2), 5, i)
        for i in range(3)
        for locus in "HKL"
    }
    gaps = "".join(f"{name}\t{10 + 6 * i}\t{19 + 6 * i}\n" for i, name in enumerate(chains))
    heavy = germline_chain("H", 8)
    chains |= {
        "protein": hidden(random_protein(150, 1), [(0, 3), (70, 80)]),
        "mass": heavy[:40] + "X[+426.26]" + heavy[44:],
        "bad": "QVQLO",
    }
    homologs = [mutated(germline_chain("HKL"[i % 3], i // 3), 12, 9 + i) for i in range(9)]
    homologs.append(mutated(random_protein(150, 1), 30, 3))
    folder = tmp_path_factory.mktemp("identity")
    space = Workspace(folder / "data")
    space.write("chains.fasta", fasta(chains))
    space.write("gaps.bed", gaps)
    space.write("homologs.fasta", fasta({f"h{i}": h for i, h in enumerate(homologs)}))
    names = ("chains.fasta", "gaps.bed", "homologs.fasta")
    columns = zip(("fasta", "gaps", "homologs"), names, strict=True)
    space.sheet({"sample": "many"} | dict(columns))
    return folder


@pytest.fixture(scope="module")
def written(folder: Path) -> dict[str, dict[str, bytes]]:
    found = {}
    for name, (cores, block_size) in RUNS.items():
        space = Workspace(folder / name)
        space.config(samples=str(folder / "data" / "samples.tsv"), block_size=block_size)
        run = space.run(*(f"out/many/{file}" for file in FILES), cores=cores)
        assert run.jobs()["fill_gaps"] == -(-12 // block_size)
        found[name] = {f: (space.folder / "out" / "many" / f).read_bytes() for f in FILES}
    return found


@pytest.mark.parametrize("file", FILES)
def test_cores_and_blocks_leave_every_byte_as_it_is(
    written: dict[str, dict[str, bytes]], file: str
) -> None:
    assert written["fives"][file] == written["whole"][file]


def test_there_is_something_to_compare(written: dict[str, dict[str, bytes]]) -> None:
    whole = written["whole"]
    assert whole["filled.fasta"].count(b">") == 11
    assert whole["residues.tsv"].count(b"\n") >= 9 * 9 + 13 + 2
    assert whole["accuracy.tsv"].count(b"nearest_homolog") > 10
