"""How a table in the documentation is compared with a run."""

import re

import pytest

NUMBER = re.compile(r"-?\d+\.\d+(?:e-\d+)?")
TOLERANCE = 0.05  # of probabilities, which depend a little on the processor


def alike(one: str, other: str) -> bool:
    """Whether two texts have the same words, and numbers that differ by TOLERANCE at most."""
    words = [re.sub(r"\s+", " ", NUMBER.sub("#", text)).strip() for text in (one, other)]
    first, second = (list(map(float, NUMBER.findall(text))) for text in (one, other))
    return words[0] == words[1] and first == pytest.approx(second, abs=TOLERANCE)
