"""Records with arrays: what is written reads back, and the same record gives the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lacuna.core.files import LacunaError
from lacuna.core.records import read_record, write_record


class Inner(NamedTuple):
    name: str
    values: np.ndarray


@dataclass(frozen=True, slots=True)
class Outer:
    parts: tuple[Inner, ...]
    share: float
    none: Inner | None
    by_number: Mapping[int, Mapping[tuple[int, ...], float]]
    names: Sequence[str]
    known: bool
    pair: tuple[str, int]


RECORD = Outer(
    (Inner("a", np.arange(6, dtype=np.uint8).reshape(2, 3)[:, ::-1]), Inner("b", np.empty((0, 2)))),
    float("nan"),
    None,
    {3: {(1, 2): 0.5, (): 1.0}},
    ["x", ""],
    True,
    ("y", 7),
)


def test_a_record_reads_back(tmp_path: Path) -> None:
    write_record(tmp_path / "r", RECORD)
    back = read_record(tmp_path / "r", Outer)
    assert np.isnan(back.share) and back.none is None
    for one, other in zip(back.parts, RECORD.parts, strict=True):
        assert one.name == other.name and one.values.dtype == other.values.dtype
        assert np.array_equal(one.values, other.values)
    names = ("by_number", "names", "known", "pair")
    assert [getattr(back, name) for name in names] == [getattr(RECORD, name) for name in names]
    write_record(tmp_path / "again", back)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "r").read_bytes()


def test_an_empty_array_of_any_stride_reads_back(tmp_path: Path) -> None:
    """As those of a sample of which no read lies on any chain."""
    for values in (np.empty(0), np.lib.stride_tricks.as_strided(np.empty(0), (0,), (0,))):
        write_record(tmp_path / "r", Inner("none", values))
        assert read_record(tmp_path / "r", Inner).values.shape == (0,)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_record(tmp_path / "r", RECORD)
    (tmp_path / "r").write_bytes((tmp_path / "r").read_bytes()[:-3])
    with pytest.raises(LacunaError, match="remove the file and run again"):
        read_record(tmp_path / "r", Outer)
