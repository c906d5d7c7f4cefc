"""Training chains of a run: no homolog that is, or is near, a chain to be filled is among them."""

from pathlib import Path

import pytest
import torch

from chains import fasta, germline_chain, hidden, mutated
from lacuna.training import encode
from lacuna.training.batches import read_encoded
from lacuna.training.chains import number_all
from lacuna.training.run_data import encode_training, like_targets

LIBRARY = Path(__file__).parents[3] / "resources" / "weights" / "open" / "library.safetensors"
WHOLE = germline_chain("H", 3)
SPANS = ([(0, 15)], [(40, 43)], [(30, 60)], [(5, 6), (50, 52), (100, 103)])


@pytest.mark.parametrize("by_table", [False, True])
@pytest.mark.parametrize("spans", [[], *SPANS])
def test_homologs_near_what_is_observed_are_left_out(
    tmp_path: Path, spans: list[tuple[int, int]], by_table: bool
) -> None:
    """In the hidden part a homolog may differ: nothing there shows that it is another chain."""
    observed = [i for i in range(len(WHOLE)) if not any(a <= i < b for a, b in spans)]
    few, many = WHOLE, WHOLE
    for count, at in enumerate(observed[1::8], start=1):  # one residue in eight differs
        many = many[:at] + ("W" if many[at] != "W" else "A") + many[at + 1 :]
        few = many if count == 2 else few
    near = [WHOLE, few, hidden(WHOLE, spans).replace("X", "W")]
    natural = number_all([*near, many, germline_chain("K", 5)], 1)[0]
    assert len(natural) == 5
    (tmp_path / "t.fasta").write_text(fasta({"t": WHOLE if by_table else hidden(WHOLE, spans)}))
    table = tmp_path / "gaps.tsv"
    table.write_text("chain\tstart\tend\n" + "".join(f"t\t{a}\t{b}\n" for a, b in spans))
    targets = [(tmp_path / "t.fasta", table if by_table and spans else None)]
    assert like_targets(natural, targets, 0.95).tolist() == [True] * 3 + [False] * 2


@pytest.mark.slow
def test_chains_to_be_filled_are_not_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_constants = {"chains.constants": torch.zeros(1, 9, dtype=torch.uint8)}
    no_constants["chains.constant_templates"] = torch.zeros(1, 5, 9, dtype=torch.uint8)
    no_constants["chains.constant_locus"] = torch.zeros(1, dtype=torch.long)
    monkeypatch.setattr(encode, "constant_tensors", lambda: no_constants)  # seconds of alignments
    others = {f"o{i}": mutated(germline_chain("L", i), 15, i) for i in range(3)}
    aligned = {name: f"{chain[:26]}....{chain[26:]}" for name, chain in others.items()}
    (tmp_path / "homologs.fasta").write_text(fasta({"same": WHOLE, **aligned}))
    (tmp_path / "t.fasta").write_text(fasta({"t": hidden(WHOLE, [(95, 105)]), "nothing": "XXXX"}))
    encode_training(
        [tmp_path / "homologs.fasta"],
        [(tmp_path / "t.fasta", None)],
        LIBRARY,
        tmp_path / "chains.safetensors",
        chains=20,
        max_identity=0.95,
        seed=0,
        processes=1,
    )
    encoded = read_encoded(tmp_path / "chains.safetensors")
    assert encoded.record["homologs"] == len(others)
    assert len(encoded.chains.grids) == len(others) + 20
