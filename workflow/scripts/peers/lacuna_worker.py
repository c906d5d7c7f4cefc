"""Lacuna as in a run of its workflow: numbering, templates, network and decoding.

Answers of two of its baselines are included, as in every accuracy table.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lacuna.benchmark.peer_worker import Answer, Fill, Question, serve, with_residues
from lacuna.filling.fill import FilledChain, fill_chains
from lacuna.filling.second_opinion import with_second_opinion
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.steps.load import load_large_predictor, load_reader
from lacuna.steps.reader_files import ReaderFiles

BASELINES = ("germline_copy", "nearest_homolog")


def as_scaffold(question: Question) -> Scaffold:
    """The scaffold of a question; no model sees the truth in its gaps."""
    sequence = question["sequence"]
    gaps = []
    for run in re.finditer("X+", sequence):
        start, end = run.span()
        length = end - start
        gaps.append(Gap(start, end, length, length, truth=question["truth"][start:end]))
    return Scaffold(question["id"], "", sequence, tuple(gaps), 1)


def answers_of(mode: str, question: Question, chain: FilledChain) -> Iterator[Answer]:
    """The answers of Lacuna and, once, its baselines to a question with known truth."""
    shares = [float(f"{row.probability:.4f}") for row in chain.scored]
    for column in ("lacuna", *BASELINES) if mode == "lacuna" else ("lacuna",):
        filled = with_residues(question["sequence"], [getattr(row, column) for row in chain.scored])
        if column == "lacuna":
            yield mode, question["id"], filled, shares
        else:
            yield column, question["id"], filled, None


def load(settings: dict[str, Any]) -> Fill:
    """settings: method (one of OURS), weights, library, homologs and large_network (paths or
    None), and keys of the configuration."""
    asked = settings["large_network"]
    files = ReaderFiles(
        weights=Path(settings["weights"]),
        library=Path(settings["library"]),
        homologs=Path(settings["homologs"]) if settings["homologs"] else None,
        species="auto",
        length=settings["k"],
        stride=settings["stride"],
        max_identity=settings["max_identity"],
        precision=settings["precision"],
        large_network=Path(asked) if asked else None,
    )
    reader = load_reader(files)
    predict = with_second_opinion(reader.predictor, load_large_predictor(files))

    def fill_questions(questions: Sequence[Question]) -> list[Answer]:
        scaffolds = [as_scaffold(question) for question in questions]
        kmers = reader.encoder.encode(scaffolds)
        chains = fill_chains(
            scaffolds, kmers, reader.encoder, predict, candidates=settings["candidates"]
        )
        return [
            answer
            for question, chain in zip(questions, chains, strict=True)
            for answer in answers_of(settings["method"], question, chain)
        ]

    def fill(questions: Sequence[Question]) -> list[Answer]:
        size = settings["block_size"]
        blocks = (questions[i : i + size] for i in range(0, len(questions), size))
        return [answer for block in blocks for answer in fill_questions(block)]

    return fill


if __name__ == "__main__":
    serve(load)
