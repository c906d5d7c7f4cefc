"""IgLM 0.1.0: gaps infilled greedily from left to right, each at its known length.

IgLM is for non-commercial use only; its licence is in its package, and no part of it is here.

Its `infill` samples spans of any length for one gap of a chain. To get a single span of the gap's
length, the most probable residue is taken at each step, and no other token is allowed before the
span is complete. IgLM fills one gap at a time: filled gaps are part of the context of later ones,
open gaps are left out. It is given chain type and species.
"""

import re
from typing import Any

import torch

from lacuna.benchmark.peer_worker import Answer, Fill, Question, serve

CHAINS = {"H": "[HEAVY]", "L": "[LIGHT]"}


def infill_prompt(filled: str, rest: str, chain: str, species: str) -> list[str]:
    """Tokens of a request for the gap between `filled`, before it, and `rest`, after it."""
    context = [*filled, "[MASK]", *rest.replace("X", ""), "[SEP]"]
    return [CHAINS[chain], f"[{species.upper()}]", *context]


def load(_settings: dict[str, Any]) -> Fill:
    from iglm import IgLM

    torch.set_num_threads(1)
    iglm = IgLM()
    tokenizer = iglm.tokenizer
    residues = set(tokenizer.convert_tokens_to_ids(list("ACDEFGHIKLMNPQRSTVWY")))
    others = [token for token in range(len(tokenizer)) if token not in residues]

    def infill(prompt: list[str], length: int) -> tuple[str, list[float]]:
        asked = torch.tensor([tokenizer.convert_tokens_to_ids(prompt)])
        with torch.inference_mode():
            output = iglm.model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                do_sample=False,
                min_new_tokens=length,
                max_new_tokens=length,
                suppress_tokens=others,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.cls_token_id,
                output_scores=True,
                return_dict_in_generate=True,
            )
        letters = tokenizer.convert_ids_to_tokens(output.sequences[0, asked.shape[1] :].tolist())
        best = [float(torch.softmax(step[0], -1).max()) for step in output.scores]
        return "".join(letters), best

    def fill_one(question: Question) -> Answer:
        sequence = question["sequence"]
        filled, probabilities, done = "", [], 0
        for gap in re.finditer("X+", sequence):
            filled += sequence[done : gap.start()]
            done = gap.end()
            prompt = infill_prompt(filled, sequence[done:], question["chain"], question["species"])
            letters, of_gap = infill(prompt, len(gap[0]))
            filled += letters
            probabilities += of_gap
        return "iglm", question["id"], filled + sequence[done:], probabilities

    return lambda questions: [fill_one(question) for question in questions]


if __name__ == "__main__":
    serve(load)
