"""Shared fixtures: files made in code, and property tests that are the same on every run."""

import gc
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

import bundled
from lacuna.core.device import set_precision
from lacuna.network.model import ModelConfig
from lacuna.network.transformer import LargeNetwork, TransformerConfig
from lacuna.network.weights import save_packed
from lacuna.reads.read import Peptides
from lacuna.reads.readers import read_peptides
from lacuna.templates.nearest import Library
from scaffold_reader import Reader

# The same examples every time, and no time limit per example: a busy machine must not fail a test.
settings.register_profile(
    "lacuna",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("lacuna")

# Threads do not speed up small tensors, and on busy cores they wait for each other.
torch.set_num_threads(1)

Write = Callable[[str, str | bytes], Path]
ReadLines = Callable[..., Peptides]


def pytest_collection() -> None:
    """Collect no garbage while tests are collected: a million objects are made, and all kept."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()  # so that no test goes through all of them again
    gc.enable()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write text or bytes to a file in the test's folder (gzipped if its name ends in .gz)."""

    def write_file(name: str, content: str | bytes) -> Path:
        data = content.encode("utf-8") if isinstance(content, str) else content
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
        return path

    return write_file


@pytest.fixture
def read(write: Write) -> Reader:
    """Read scaffolds from files that are made of text."""
    return Reader(write)


@pytest.fixture
def read_lines(write: Write) -> ReadLines:
    """Read peptides from a file of such lines, in a format that is named or recognised."""

    def read_file(*lines: str, name: str = "reads.csv", form: str | None = None) -> Peptides:
        return read_peptides([write(name, "\n".join(lines) + "\n")], form)

    return read_file


@pytest.fixture(scope="session")
def large_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a large network that is small and knows nothing."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("large") / "large.safetensors"
    network = LargeNetwork(ModelConfig(), TransformerConfig(width=32, layers=2, inner=48))
    save_packed(path, network, {})
    return path


@pytest.fixture(scope="session")
def library() -> Library:
    """The bundled germline library."""
    return bundled.predictor().library


@pytest.fixture
def exact() -> Iterator[None]:
    """Products in float32, so that results can be compared exactly."""
    set_precision("float32")
    yield
    set_precision("fast")
