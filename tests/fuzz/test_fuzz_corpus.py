"""The corpus of `make fuzz` (valid files and earlier findings) keeps its contract."""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz_grammar import CORPUS, seeds
from fuzz_judge import judge, limit_memory
from fuzz_targets import TARGETS

FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
VALID = ("plain", "nothing")  # names of files that every target takes


@pytest.fixture(scope="module", autouse=True)
def limited() -> Iterator[None]:
    """Load first what is loaded once, so that it does not count for an input; limit memory."""
    for name, target in TARGETS.items():
        judge(target, seeds(name)[-1])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit_memory()
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_input_of_the_corpus_keeps_its_contract(path: Path) -> None:
    found = judge(TARGETS[path.parent.name], path.read_bytes())
    assert found is None, found


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_takes_a_valid_file(target: str) -> None:
    valid = [
        path.read_bytes() for path in FILES if path.match(f"{target}/*") and path.stem in VALID
    ]
    for data in valid or seeds(target)[-1:]:
        TARGETS[target](data)
