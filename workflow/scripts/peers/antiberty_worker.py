"""AntiBERTy 0.1.3: all missing residues masked, one pass, the most probable of the 20 residues.

This is what its `fill_masks` does, but keeps the probabilities.
"""

from collections.abc import Sequence
from typing import Any

import torch

from lacuna.benchmark.peer_worker import Answer, Fill, Question, serve, with_residues

BATCH = 32  # chains per pass


def spaced(sequence: str) -> str:
    """The sequence as its tokenizer reads it: spaces between residues, [MASK] for X."""
    return " ".join("[MASK]" if letter == "X" else letter for letter in sequence)


def load(_settings: dict[str, Any]) -> Fill:
    from antiberty import AntiBERTyRunner

    torch.set_num_threads(1)
    runner = AntiBERTyRunner()
    tokenizer = runner.tokenizer

    def fill_batch(questions: Sequence[Question]) -> list[Answer]:
        given = tokenizer(
            [spaced(q["sequence"]) for q in questions], return_tensors="pt", padding=True
        )
        tokens = given["input_ids"]  # (batch, length)
        with torch.inference_mode():
            logits = runner.model(
                input_ids=tokens, attention_mask=given["attention_mask"]
            ).prediction_logits
            logits[:, :, tokenizer.all_special_ids] = -torch.inf
            best, chosen = torch.softmax(logits, -1).max(-1)  # (batch, length)
        answers: list[Answer] = []
        for row, question in enumerate(questions):
            masked = tokens[row] == tokenizer.mask_token_id
            residues = tokenizer.convert_ids_to_tokens(chosen[row, masked].tolist())
            filled = with_residues(question["sequence"], residues)
            answers.append(("antiberty", question["id"], filled, best[row, masked].tolist()))
        return answers

    def fill(questions: Sequence[Question]) -> list[Answer]:
        batches = (questions[i : i + BATCH] for i in range(0, len(questions), BATCH))
        return [answer for batch in batches for answer in fill_batch(batch)]

    return fill


if __name__ == "__main__":
    serve(load)
