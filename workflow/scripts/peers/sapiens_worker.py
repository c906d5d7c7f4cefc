"""Sapiens 1.0.3: all missing residues masked, one pass, the most probable of the 20 residues.

The package runs on fairseq 0.10.2, which no longer builds. Its checkpoints are those of a RoBERTa
(BERT's encoder, layer norm after each step), which torch provides: the weights are loaded into that
without fairseq. They are read with `weights_only`, which runs no code of the file; the only class
allowed in addition to tensors is argparse's Namespace, in which fairseq stores settings.
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

BATCH = 64  # chains per pass, all of one length: nothing is padded
RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
# Token numbers of fairseq; 1 is padding, which does not occur here, and 3 is unknown.
BOS, EOS, FIRST, MASK = 0, 2, 4, 24
FIRST_POSITION = 2  # fairseq numbers positions from after the padding token's
HEADS = 8
CHECKPOINTS = {"H": "checkpoint_vh.pt", "L": "checkpoint_vl.pt"}


class Roberta(nn.Module):
    """Encoder and head of a RoBERTa; (batch, length) tokens -> (batch, length, 20) logits."""

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
    """Rename fairseq's weights as in `Roberta`; query, key and value become one matrix."""
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
            continue  # handled together with the query
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
    """Load the model of a checkpoint; torch raises an error if a weight is missing or left over."""
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
    """(batch, length + 2) tokens with begin and end, of sequences of one length; X is masked."""
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


def load(_settings: dict[str, Any]) -> Fill:
    torch.set_num_threads(1)
    torch.backends.mha.set_fastpath_enabled(False)  # it takes twice as long on a CPU
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
