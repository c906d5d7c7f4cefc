"""A process of a measured method: reads questions and writes answers as lines of JSON.

It imports only the standard library, so that it runs in the environment of any method.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, TypedDict


class Question(TypedDict, total=False):
    """A scaffold to fill: `sequence` has X for a missing residue, `chain` is H or L.

    Only Lacuna gets `truth`, the whole chain, in order to leave out homologs near it.
    """

    id: str
    sequence: str
    chain: str
    species: str
    truth: str


# Method, id, filled chain, and a probability per missing residue if the method gives them.
Answer = tuple[str, str, str, list[float] | None]
Fill = Callable[[Sequence[Question]], list[Answer]]


def peak_mb(who: int = resource.RUSAGE_SELF) -> float:
    """Peak memory of this process, or of any that it waited for, in MB (10^6 bytes)."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss * unit / 1e6


def serve(load: Callable[[dict[str, Any]], Fill]) -> None:
    """Answer questions until the input ends.

    The first line holds the settings for `load`, which returns the function that fills; every other
    line is a list of questions. Each answer line has `answers`, `seconds` (of filling alone) and
    `peak_mb` (MB).
    """
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # output of libraries must not get between the answers
    fill = load(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        questions = json.loads(line)
        began = time.perf_counter()
        found = fill(questions)
        seconds = time.perf_counter() - began
        reply = {"answers": found, "seconds": seconds, "peak_mb": peak_mb()}
        print(json.dumps(reply), file=answers, flush=True)


def with_residues(sequence: str, residues: Sequence[str]) -> str:
    """The sequence with its missing residues (X) replaced in order."""
    return sequence.replace("X", "{}").format(*residues)
