"""The benchmark of scale: its chains, its sums and its table, but not the figures it measures."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from conftest import Write
from lacuna.antibody.numbering import number_chain
from lacuna.benchmark import scale
from lacuna.benchmark.scale import GAP, Measured, _job_seconds, table_of, write_chains, write_table
from lacuna.core.alphabet import RESIDUES
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.scaffolds.fasta import read_records

RUNS = [
    Measured(1000, {"read": 0.25, "other": 3.75}, 4.0, 512.4, 2000.0),
    Measured(100_000, {"read": 25.0, "other": 75.0}, 100.0, 1024.0, 2000.0),
]


def test_chains_are_v_domains_with_a_gap_and_ids_of_their_own(tmp_path: Path) -> None:
    write_chains(tmp_path / "chains.fasta", 30, seed=3)
    records = list(read_records(tmp_path / "chains.fasta", 1000))
    assert len({record.chain for record in records}) == 30
    sequences = [record.body.decode().strip() for record in records]
    assert len(set(sequences)) == 30
    for i, sequence in enumerate(sequences):
        assert sequence.count("X" * GAP) == 1
        assert sum(letter not in RESIDUES for letter in sequence) == GAP
        assert number_chain(sequence).locus == "HKL"[i % 3]


def test_the_same_seed_makes_the_same_chains(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_chains(tmp_path / name, 5, seed)
    one, same, other = ((tmp_path / name).read_bytes() for name in "abc")
    assert one == same != other


def test_a_row_tells_rate_and_share_of_the_bound() -> None:
    assert RUNS[1].row() == {
        "chains": "100000",
        "read s": "25.0",
        "other s": "75.0",
        "total s": "100.0",
        "chains/s": "1000",
        "peak MB": "1024",
        "bound chains/s": "2000",
        "share": "0.50",
    }


def test_the_table_is_written_and_shown_alike(tmp_path: Path) -> None:
    write_table(tmp_path / "scale.tsv", RUNS)
    written = [x.split("\t") for x in (tmp_path / "scale.tsv").read_text().splitlines()]
    shown = table_of(RUNS).splitlines()
    assert [line.split() for line in shown] == [" ".join(row).split() for row in written]
    assert len({len(line) for line in shown}) == 1


@pytest.mark.parametrize("name", ["fill_gaps/s.00000.tsv", "fill_gaps.tsv"])
def test_seconds_of_a_rule_are_those_of_all_its_jobs(name: str, write: Write) -> None:
    write("fill_gaps/s.00001.tsv", "s\th:m:s\n1.5\t0:00:01\n")
    path = write(name, "s\th:m:s\n2.25\t0:00:02\n")
    write("fill_gaps_of_others/s.tsv", "s\th:m:s\n100\t0:01:40\n")
    folder = path.parents[name.count("/")]
    assert _job_seconds(folder, "fill_gaps") == 3.75
    assert _job_seconds(folder, "read_scaffolds") == 0.0


@pytest.mark.parametrize("mode", ["fast", "thorough"])
def test_a_run_is_in_the_mode_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: str
) -> None:
    """With the large network in thorough mode only."""
    configs = []

    def peak_mb_of(command: Sequence[str], folder: Path) -> float:
        at = Path(command[command.index("--directory") + 1])
        configs.append(json.loads((at / "config.yaml").read_text()))
        return 100.0

    monkeypatch.setattr(scale, "peak_mb_of", peak_mb_of)
    monkeypatch.setattr(scale, "product_seconds", lambda *_: 1.0)
    large = tmp_path / "large.safetensors" if mode == "thorough" else None
    settings = {"precision": "fast", "mode": mode}
    files = WEIGHTS, LIBRARY, tmp_path / "scale.tsv"
    scale.measure_scale(*files, chains=[2], k=10, settings=settings, cores=1, large_network=large)
    (config,) = configs
    assert config["mode"] == mode
    assert config.get("large_network") == (None if large is None else str(large))
