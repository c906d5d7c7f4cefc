"""Lacuna as a run of its workflow fills chains: numbering, templates, network and decoding.

Two of its baselines come along, as they stand beside it in every accuracy table.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lacuna.benchmark.peer_worker import Answer, Fill, Question, serve, with_residues
from lacuna.filling.fill import FilledChain, fill_chains
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.steps.load import load_reader
from lacuna.steps.reader_files import ReaderFiles

BASELINES = ("germline_copy", "nearest_homolog")


def as_scaffold(question: Question) -> Scaffold:
    """The scaffold of a question; the truth in its gaps is seen by no model."""
    sequence = question["sequence"]
    gaps = []
    for run in re.finditer("X+", sequence):
        start, end = run.span()
        length = end - start
        gaps.append(Gap(start, end, length, length, truth=question["truth"][start:end]))
    return Scaffold(question["id"], "", sequence, tuple(gaps), 1)


def answers_of(question: Question, chain: FilledChain) -> Iterator[Answer]:
    """The answers of Lacuna and its baselines to a question, all of whose truth is known."""
    for method in ("lacuna", *BASELINES):
        filled = with_residues(question["sequence"], [getattr(row, method) for row in chain.scored])
        shares = [float(f"{row.probability:.4f}") for row in chain.scored]
        yield method, question["id"], filled, shares if method == "lacuna" else None


def load(settings: dict[str, Any]) -> Fill:
    """settings: weights, library and homologs (paths), and keys of the configuration."""
    reader = load_reader(
        ReaderFiles(
            weights=Path(settings["weights"]),
            library=Path(settings["library"]),
            homologs=Path(settings["homologs"]) if settings["homologs"] else None,
            species="auto",
            length=settings["k"],
            stride=settings["stride"],
            max_identity=settings["max_identity"],
            precision=settings["precision"],
        )
    )

    def fill_questions(questions: Sequence[Question]) -> list[Answer]:
        scaffolds = [as_scaffold(question) for question in questions]
        kmers = reader.encoder.encode(scaffolds)
        probabilities = reader.predictor.predict(kmers)
        chains = fill_chains(scaffolds, kmers, probabilities, candidates=settings["candidates"])
        return [
            answer
            for question, chain in zip(questions, chains, strict=True)
            for answer in answers_of(question, chain)
        ]

    def fill(questions: Sequence[Question]) -> list[Answer]:
        size = settings["block_size"]
        blocks = (questions[i : i + size] for i in range(0, len(questions), size))
        return [answer for block in blocks for answer in fill_questions(block)]

    return fill


if __name__ == "__main__":
    serve(load)
