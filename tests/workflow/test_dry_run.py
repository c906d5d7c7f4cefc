"""A large batch is planned in blocks: the number of jobs does not grow with that of chains."""

from pathlib import Path

import pytest
from runs import Workspace

from chains import germline_chain

pytestmark = pytest.mark.workflow

CHAIN = germline_chain("H", 1)


def test_10000_chains_are_five_blocks(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    chain = CHAIN[:40] + "X" * 5 + CHAIN[45:]
    space.write("many.fasta", "".join(f">m{i}\n{chain}\n" for i in range(10_000)))
    space.write("one.fasta", f">m\n{chain}\n")
    space.sheet({"sample": "many", "fasta": "many.fasta"}, {"sample": "one", "fasta": "one.fasta"})
    # Like the bundled config, name samples that this sheet does not have.
    space.config(block_size=2000, seed_lstm={"samples": ["alemtuzumab_light", *"bcde"]})
    planned = space.run("--dry-run")
    assert planned.jobs() == {
        "all": 1,
        "read_scaffolds": 2,
        "find_alkylation": 2,
        "write_kmers": 5 + 1,
        "fill_gaps": 5 + 1,
        "join_blocks": 2,
        "measure_accuracy": 2,
        "join_accuracy": 1,
        "write_report": 1,
    }
    assert "seed_lstm: 'alemtuzumab_light' is not a sample of samples.tsv" in planned.output
    assert "seed_lstm: 2 more names are not samples; left out." in planned.output
    assert not (space.folder / "out").exists()
