"""The fit_read_errors target: from reads of known proteins to models."""

from pathlib import Path

import numpy as np
import pytest
from runs import Workspace

from chains import fasta, germline_chain
from lacuna.reads.errors.model import load_error_models, read_records

pytestmark = pytest.mark.workflow


def reads_of(chain: str, seed: int) -> str:
    """A plain table of 600 pieces of a chain; residues are wrong as their confidences say."""
    generator = np.random.default_rng(seed)
    rows = ["peptide\tconfidence"]
    for _ in range(600):
        at, length = int(generator.integers(0, len(chain) - 16)), int(generator.integers(9, 16))
        stated = generator.uniform(0.6, 1, length).round(2)
        piece = "".join(
            residue if generator.random() < share or 2 <= i < 8 else "W"
            for i, (residue, share) in enumerate(zip(chain[at : at + length], stated, strict=True))
        )
        rows.append(f"{piece}\t{' '.join(map(str, stated))}")
    return "\n".join(rows) + "\n"


def test_models_and_their_calibration_are_written(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    chains = {locus: germline_chain(locus, 1) for locus in "HK"}
    lines = ["set\tprotein\treads\ttruth"]
    for seed, (name, chain) in enumerate(chains.items()):
        space.write(f"{name}.tsv", reads_of(chain, seed))
        space.write(f"{name}.fasta", fasta({name: chain}))
        lines.append(f"{name}\t{name}\t{name}.tsv\t{name}.fasta")
    space.write("sets.tsv", "\n".join(lines) + "\n")
    space.sheet({"sample": "a", "fasta": "H.fasta"})
    space.config(read_errors={"sets": "sets.tsv"})
    assert space.run("fit_read_errors").jobs() == {"fit_read_errors": 1}
    models = tmp_path / "out" / "read_errors" / "models.tsv"
    assert {r.left_out for r in read_records(models)} == {"", "H", "K"}
    assert load_error_models(models, left_out="H") != load_error_models(models)
    rows = space.rows("read_errors/calibration.tsv")
    assert [(row["protein"], row["tool"], row["model"]) for row in rows] == [
        ("H", "table", "table"),
        ("K", "table", "table"),
    ]
    assert all(float(row["ece"]) < 0.08 for row in rows)
    again = space.run("fit_read_errors")
    assert "Nothing to be done" in again.output


def test_no_sets_are_one_line(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.write("a.fasta", fasta({"a": germline_chain("H", 1)}))
    space.sheet({"sample": "a", "fasta": "a.fasta"})
    space.config()
    run = space.run("fit_read_errors", status=1)
    assert run.error() == (
        "Error: config: 'read_errors.sets' is null; give a table of reads with truths"
    )
