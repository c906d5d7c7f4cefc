"""The judge of `make fuzz` recognises each way in which a target can break its contract."""

import operator
import os
import subprocess
import sys
from random import Random
from typing import Any

import fuzz_judge
import numpy as np
import pytest
from fuzz_grammar import draw
from fuzz_judge import judge
from fuzz_runner import SHARES, table, traced_without_leak
from fuzz_targets import TARGETS

from lacuna.core.files import LacunaError


class _Forged(LacunaError):
    def __str__(self) -> str:
        return "a fault\non two lines"


def _fail(error: BaseException) -> None:
    raise error


def _wait(data: bytes) -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("traceback", ValueError("x")),
        ("law", AssertionError()),
        ("memory", MemoryError()),
        ("message", _Forged("x")),
        ("traceback", RecursionError()),
    ],
)
def test_what_a_target_raises_is_a_finding(kind: str, error: Exception) -> None:
    found = judge(lambda data: _fail(error), b"")
    assert found is not None and found.kind == kind and "_fail" in found.where


def test_a_fault_that_the_user_is_told_is_none() -> None:
    assert judge(lambda data: _fail(LacunaError("a.fasta:1: a fault; a remedy")), b"") is None
    assert judge(lambda data: None, b"") is None


def test_memory_beyond_the_input_is_a_finding() -> None:
    # In a process of its own: this one may reuse memory that was freed.
    code = "from fuzz_judge import MAX_GROWTH, judge\n"
    code += "print(judge(lambda data: bytearray(MAX_GROWTH + (20 << 20)), b'').kind)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "memory\n"


def test_an_input_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_judge, "MAX_SECONDS", 0.05)
    found = judge(_wait, b"")
    assert found is not None and found.kind == "hang"


def test_the_tracer_of_comparisons_keeps_no_array() -> None:
    kept: list[Any] = []

    def losing(left: Any, right: Any, argument: int, counter: int, is_constant: bool) -> Any:
        kept.append((left, right))
        return left < right

    compare = traced_without_leak(losing, 4)
    order = (operator.lt, operator.le, operator.eq, operator.ne, operator.gt, operator.ge)
    numbers = np.arange(5)
    for number, same in enumerate(order):
        for right in (2, 2.5, numbers[::-1]):
            result = compare(numbers, right, number << 4, 0, False)
            assert np.array_equal(result, same(numbers, right))
    assert not kept
    assert compare(1, 2, 0, 0, True) is True and compare("b", "a", 0, 0, False) is False
    assert kept == [(1, 2), ("b", "a")]


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_are_the_same_for_one_seed(target: str) -> None:
    first, again = ([draw(rng, target) for _ in range(20)] for rng in (Random(3), Random(3)))
    assert first == again and len(set(first)) > 10


def test_the_table_adds_up() -> None:
    assert SHARES.keys() == TARGETS.keys()
    one = {"inputs": 1200, "seconds": 2.0, "findings": {"law: x": 3, "traceback: y": 1}}
    lines = table({("fasta", "grammar"): one, ("config", "coverage"): one}).splitlines()
    assert lines[1].split() == ["fasta", "grammar", "1,200", "600", "0", "0", "1", "0", "3", "0"]
    assert lines[-1].split() == ["all", "2,400", "0", "0", "2", "0", "6", "0"]
