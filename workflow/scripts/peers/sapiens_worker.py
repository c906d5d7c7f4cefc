"""Sapiens 1.0.3: every missing residue masked, one pass, the likeliest of the 20 residues.

The package runs on fairseq 0.10.2, which does not build any more. Its checkpoints are those of
a RoBERTa (BERT's encoder, layer norm behind each step), which torch has: the weights are read
into it, without fairseq. They are loaded with `weights_only`, which runs no code of the file;
the one class allowed beside tensors is argparse's Namespace, in which fairseq keeps settings.
"""

from argparse import Namespace
from collections import defaultdict
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lacuna.benchmark.peer_worker import Answer, Fill, Question, serve, with_residues

BATCH = 64  # chains a pass, all of one length: nothing is padded
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
# Tokens as fairseq counts them; 1 is padding, which none is here, and 3 unknown.
BOS, EOS, FIRST, MASK = 0, 2, 4, 24
FIRST_POSITION = 2  # fairseq counts from behind the padding's token
HEADS = 8
CHECKPOINTS = {"H": "checkpoint_vh.pt", "L": "checkpoint_vl.pt"}


class Roberta(nn.Module):
    """The encoder and head of a RoBERTa; (batch, length) tokens to (batch, length, 20) logits."""

    def __init__(self, tokens: int, positions: int, width: int, inner: int, layers: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(tokens, width)
        self.embed_positions = nn.Embedding(positions, width)
        self.emb_layer_norm = nn.LayerNorm(width)
        layer = nn.TransformerEncoderLayer(
            width, HEADS, inner, dropout=0.0, activation="gelu", batch_first=True
        )
        self.layers = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.dense = nn.Linear(width, width)
        self.layer_norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, tokens)

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1]) + FIRST_POSITION
        x = self.emb_layer_norm(self.embed_tokens(tokens) + self.embed_positions(places))
        x = self.layers(x)  # (batch, length, width)
        x = self.layer_norm(nn.functional.gelu(self.dense(x)))
        return self.head(x)[..., FIRST : FIRST + len(RESIDUES)]


def from_fairseq(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """fairseq's names as those of `Roberta`; query, key and value become one matrix."""
    encoder, head = "decoder.sentence_encoder.", "decoder.lm_head."
    renamed = {
        "fc1": "linear1",
        "fc2": "linear2",
        "self_attn_layer_norm": "norm1",
        "final_layer_norm": "norm2",
    }
    found: dict[str, Tensor] = {}
    for name, weight in weights.items():
        if name.startswith(head):
            rest = name.removeprefix(head)
            found[rest if "." in rest else f"head.{rest}"] = weight
            continue
        parts = name.removeprefix(encoder).split(".")
        if parts[0] != "layers":
            found[".".join(parts)] = weight
        elif parts[3] in ("k_proj", "v_proj"):
            continue  # taken with the query
        else:
            stem = f"layers.layers.{parts[1]}."
            if parts[3] == "q_proj":
                three = [weights[name.replace("q_proj", f"{x}_proj")] for x in "qkv"]
                found[f"{stem}self_attn.in_proj_{parts[4]}"] = torch.cat(three)
            else:
                rest = [renamed.get(parts[2], parts[2]), *parts[3:]]
                found[stem + ".".join(rest)] = weight
    return found


def load_roberta(path: Path) -> Roberta:
    """The model of a checkpoint; every weight has a place, or torch says which has not."""
    with torch.serialization.safe_globals([Namespace]):
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    weights, settings = from_fairseq(checkpoint["model"]), checkpoint["args"]
    model = Roberta(
        len(weights["embed_tokens.weight"]),
        len(weights["embed_positions.weight"]),
        settings.encoder_embed_dim,
        settings.encoder_ffn_embed_dim,
        settings.encoder_layers,
    )
    model.load_state_dict(weights)
    return model.eval()


def encode(sequences: Sequence[str]) -> Tensor:
    """(batch, length + 2) tokens between begin and end of sequences of one length; X is masked."""
    rows = [[MASK if x == "X" else FIRST + RESIDUES.index(x) for x in s] for s in sequences]
    return torch.tensor([[BOS, *row, EOS] for row in rows])


def fill_batch(model: Roberta, questions: Sequence[Question]) -> list[Answer]:
    tokens = encode([q["sequence"] for q in questions])
    with torch.inference_mode():
        best, chosen = torch.softmax(model(tokens), -1).max(-1)  # (batch, length)
    answers: list[Answer] = []
    for row, question in enumerate(questions):
        masked = tokens[row] == MASK
        residues = [RESIDUES[i] for i in chosen[row, masked].tolist()]
        filled = with_residues(question["sequence"], residues)
        answers.append(("sapiens", question["id"], filled, best[row, masked].tolist()))
    return answers


def load(settings: dict[str, Any]) -> Fill:
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # on a CPU it takes twice as long
    folder = Path(str(distribution("sapiens").locate_file("sapiens"))) / "models" / "v1"
    models = {chain: load_roberta(folder / name) for chain, name in CHECKPOINTS.items()}

    def fill(questions: Sequence[Question]) -> list[Answer]:
        alike = defaultdict(list)
        for question in questions:
            alike[question["chain"], len(question["sequence"])].append(question)
        answers = []
        for (chain, _), mine in alike.items():
            for i in range(0, len(mine), BATCH):
                answers += fill_batch(models[chain], mine[i : i + BATCH])
        return answers

    return fill


if __name__ == "__main__":
    serve(load)
