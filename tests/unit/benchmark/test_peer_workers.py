"""What the peers' workers do around their models, and Sapiens' model itself."""

import pickle
from argparse import Namespace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lacuna.benchmark.peer_worker import with_residues
from peers import antiberty_worker, iglm_worker
from peers.sapiens_worker import MASK, encode, fill_batch, load_roberta

WIDTH, INNER, LAYERS, TOKENS, POSITIONS = 16, 24, 2, 25, 40


def test_residues_stand_in_the_place_of_x_in_their_order() -> None:
    assert with_residues("XQXXV", "AYW") == "AQYWV"


def test_antiberty_reads_masks_for_missing_residues() -> None:
    assert antiberty_worker.spaced("QXV") == "Q [MASK] V"


def test_iglm_reads_one_gap_between_what_is_filled_and_what_is_observed() -> None:
    prompt = iglm_worker.infill_prompt("QVA", "LXXE", "L", "mouse")
    assert prompt == ["[LIGHT]", "[MOUSE]", *"QVA", "[MASK]", *"LE", "[SEP]"]


# --- Sapiens -------------------------------------------------------------------------------------


def fairseq_weights() -> dict[str, Tensor]:
    """Weights of a small RoBERTa under fairseq's names."""
    generator = torch.Generator().manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator) / 2

    def linear(name: str, out: int, inside: int) -> dict[str, Tensor]:
        return {f"{name}.weight": drawn(out, inside), f"{name}.bias": drawn(out)}

    def norm(name: str) -> dict[str, Tensor]:
        return {f"{name}.weight": 1 + drawn(WIDTH) / 4, f"{name}.bias": drawn(WIDTH)}

    encoder, head = "decoder.sentence_encoder.", "decoder.lm_head."
    weights = {
        f"{encoder}embed_tokens.weight": drawn(TOKENS, WIDTH),
        f"{encoder}embed_positions.weight": drawn(POSITIONS, WIDTH),
        **norm(f"{encoder}emb_layer_norm"),
        **linear(f"{head}dense", WIDTH, WIDTH),
        **norm(f"{head}layer_norm"),
        f"{head}weight": drawn(TOKENS, WIDTH),
        f"{head}bias": drawn(TOKENS),
    }
    for i in range(LAYERS):
        layer = f"{encoder}layers.{i}."
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            weights |= linear(f"{layer}self_attn.{name}", WIDTH, WIDTH)
        weights |= norm(f"{layer}self_attn_layer_norm") | norm(f"{layer}final_layer_norm")
        weights |= linear(f"{layer}fc1", INNER, WIDTH) | linear(f"{layer}fc2", WIDTH, INNER)
    return weights


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    settings = Namespace(
        encoder_embed_dim=WIDTH, encoder_ffn_embed_dim=INNER, encoder_layers=LAYERS
    )
    torch.save({"model": fairseq_weights(), "args": settings}, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


def by_hand(weights: dict[str, Tensor], tokens: Tensor) -> Tensor:
    """fairseq's RoBERTa on one sequence of tokens (length,): (length, TOKENS) logits."""
    encoder, head = "decoder.sentence_encoder.", "decoder.lm_head."

    def linear(x: Tensor, name: str) -> Tensor:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        return nn.functional.layer_norm(
            x, (WIDTH,), weights[f"{name}.weight"], weights[f"{name}.bias"]
        )

    n = len(tokens)
    x = weights[f"{encoder}embed_tokens.weight"][tokens]
    x = norm(x + weights[f"{encoder}embed_positions.weight"][2 : n + 2], f"{encoder}emb_layer_norm")
    for i in range(LAYERS):
        layer = f"{encoder}layers.{i}."
        q, k, v = (
            linear(x, f"{layer}self_attn.{name}_proj").view(n, 8, -1).transpose(0, 1)
            for name in "qkv"
        )  # (heads, n, width / heads)
        mixed = torch.softmax(q @ k.transpose(1, 2) / q.shape[-1] ** 0.5, -1) @ v
        mixed = linear(mixed.transpose(0, 1).reshape(n, WIDTH), f"{layer}self_attn.out_proj")
        x = norm(x + mixed, f"{layer}self_attn_layer_norm")
        inner = nn.functional.gelu(linear(x, f"{layer}fc1"))
        x = norm(x + linear(inner, f"{layer}fc2"), f"{layer}final_layer_norm")
    x = norm(nn.functional.gelu(linear(x, f"{head}dense")), f"{head}layer_norm")
    return linear(x, head.removesuffix("."))


def test_a_fairseq_checkpoint_gives_fairseqs_logits(checkpoint: Path) -> None:
    [tokens] = encode(["QVXLVX"])
    assert tokens.tolist() == [0, 17, 21, MASK, 13, 21, MASK, 2]
    wanted = by_hand(fairseq_weights(), tokens)[:, 4:24]
    with torch.inference_mode():
        found = load_roberta(checkpoint)(tokens[None])[0]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)


def test_company_in_a_batch_changes_no_answer(checkpoint: Path) -> None:
    model = load_roberta(checkpoint)
    questions = [
        {"id": str(i), "sequence": s, "chain": "H"}
        for i, s in enumerate(["QXVQLXESGG", "DIXMTQXPSS"])
    ]
    together = fill_batch(model, questions)
    for question, (method, name, filled, told) in zip(questions, together, strict=True):
        [(_, _, alone, told_alone)] = fill_batch(model, [question])
        assert (method, name, filled) == ("sapiens", question["id"], alone)
        assert told == pytest.approx(told_alone, abs=1e-5)
        assert "X" not in filled and len(told) == question["sequence"].count("X")


class Executes:
    """Content of a malicious checkpoint."""

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return Path, ("anything",)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "evil.pt"
    torch.save({"model": {}, "args": Executes()}, path)
    with pytest.raises(pickle.UnpicklingError, match="Weights only"):
        load_roberta(path)
