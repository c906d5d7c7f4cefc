"""The public benchmark: what it hides, and that every way to fill beats copying the germline."""

import sys
from collections import Counter
from pathlib import Path

import pytest

from lacuna.core.alphabet import RESIDUES
from lacuna.core.paths import WEIGHT_SETS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])


def test_every_chain_is_hidden_in_every_way() -> None:
    from public_accuracy import PROTOCOLS, SIZES, scaffolds

    drawn = list(scaffolds())
    assert len({(s.name, s.protocol) for s in drawn}) == len(drawn) == 300 * len(PROTOCOLS)
    assert Counter(s.kind for s in drawn) == {"H": 900, "L": 900}
    for s in drawn:
        assert set(s.sequence) <= set(RESIDUES)
        assert len(s.missing) == SIZES.get(s.protocol, 15 if s.protocol == "nterm15" else 10)
        assert s.gapped.count("-") == len(s.missing) and len(s.gapped) == len(s.sequence)
    assert all(s.missing[0] == 0 for s in drawn if s.protocol == "nterm15")
    assert len({s.missing[0] for s in drawn if s.protocol == "gap15"}) > 50
    assert list(scaffolds()) == drawn


@pytest.mark.parametrize("way", [*WEIGHT_SETS, "thorough"])
def test_lacuna_fills_better_than_the_germline(way: str, tmp_path: Path) -> None:
    from public_accuracy import measured, write_inputs

    write_inputs(tmp_path)
    table = measured(tmp_path, way, "gap10")
    assert table.loc["lacuna", "n_residues"] == 3000
    assert table.loc["lacuna", "n_correct"] > table.loc["germline_copy", "n_correct"] + 30
