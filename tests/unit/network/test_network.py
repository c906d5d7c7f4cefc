"""The network: shapes, size, two ways of lookup, and strict loading of weights."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from lacuna.antibody.imgt import N_CODES
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, N_TOKENS, TOKEN
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import digest_of
from lacuna.network.model import PLACES_AT_ONCE, GapNetwork, Kmers, ModelConfig
from lacuna.network.weights import load_weights, save_weights
from lacuna.templates.nearest import N_PROFILES, N_SLOTS

SMALL = ModelConfig(channels=12, hidden=10)


def random_kmers(n: int, k: int, seed: int) -> Kmers:
    """k-mers with every token and column, some positions without profiles."""
    generator = torch.Generator().manual_seed(seed)

    def tokens(*shape: int) -> Tensor:
        return torch.randint(0, N_TOKENS, shape, generator=generator).to(torch.uint8)

    profiles = torch.rand(n, k, N_PROFILES, N_RESIDUES, generator=generator)
    profiles = profiles / profiles.sum(-1, keepdim=True)
    profiles *= torch.rand(n, k, N_PROFILES, 1, generator=generator) < 0.7
    columns = torch.randint(0, N_CODES, (n, k), generator=generator).to(torch.uint8)
    return Kmers(tokens(n, k), columns, tokens(n, N_SLOTS, k), profiles.flatten(2))


def make(config: ModelConfig = SMALL, seed: int = 0) -> GapNetwork:
    torch.manual_seed(seed)
    return GapNetwork(config).eval()


@pytest.mark.parametrize(("n", "k", "layers"), [(1, 1, 1), (3, 17, 1), (2, 128, 2)])
def test_logits_of_20_residues_at_every_position(n: int, k: int, layers: int) -> None:
    logits = make(replace(SMALL, layers=layers))(random_kmers(n, k, 0))
    assert logits.shape == (n, k, N_RESIDUES) and logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


def test_the_heart_is_a_convolution_and_a_bidirectional_lstm() -> None:
    model = make(ModelConfig())
    assert isinstance(model.conv, torch.nn.Conv1d) and model.conv.kernel_size == (5,)
    assert isinstance(model.lstm, torch.nn.LSTM) and model.lstm.bidirectional


@pytest.mark.parametrize("config", [SMALL, ModelConfig(), ModelConfig(channels=8, layers=2)])
def test_number_of_parameters(config: ModelConfig) -> None:
    d, h = config.channels, config.hidden
    rows = N_TOKENS + N_CODES + N_SLOTS * N_TOKENS
    lstm = sum(
        2 * (4 * h * (d if layer == 0 else 2 * h) + 4 * h * h + 8 * h)
        for layer in range(config.layers)
    )
    linear = {
        "features": (2 * N_SLOTS + N_PROFILES * N_RESIDUES, d),
        "mix": (2 * h + d, d),
        "residue_logits": (d, N_RESIDUES),
        "template_trust": (d, N_SLOTS),
        "profile_trust": (d, N_PROFILES),
    }
    expected = rows * d + (config.kernel * d + 1) * d + lstm
    expected += sum(a * b + b for a, b in linear.values())
    assert sum(p.numel() for p in GapNetwork(config).parameters()) == expected


def looked_up_by(model: GapNetwork, kmers: Kmers) -> Tensor:
    templates = kmers.templates.long().transpose(1, 2)
    return model._look_up(kmers.tokens.long(), kmers.columns.long(), templates)


@settings(max_examples=25)
@given(st.integers(0, 2**31), st.integers(1, 5), st.integers(1, 40))
def test_training_and_use_look_the_same_rows_up(seed: int, n: int, k: int) -> None:
    model, kmers = make(), random_kmers(n, k, seed)
    looked_up = []
    for training in (True, False):
        model.train(training)
        looked_up.append(looked_up_by(model, kmers))
    torch.testing.assert_close(*looked_up, rtol=1e-5, atol=1e-5)


def test_gradients_of_the_lookup_are_those_of_its_rows() -> None:
    model, kmers = make(), random_kmers(2, 9, 3)
    gradients = []
    for training in (True, False):
        model.train(training)
        model.zero_grad()
        found = looked_up_by(model, kmers)
        (found**2).sum().backward()
        assert model.lookup.grad is not None
        gradients.append(model.lookup.grad.clone())
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


def test_a_chain_is_filled_alike_whatever_stands_beside_it_in_the_batch() -> None:
    model, kmers = make(), random_kmers(4, 20, 1)
    alone = Kmers(kmers.tokens[:1], kmers.columns[:1], kmers.templates[:1], kmers.profiles[:1])
    with torch.inference_mode():
        torch.testing.assert_close(model(kmers)[:1], model(alone), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("token", "template", "agreement"),
    [("A", "A", 1), ("A", "C", -1), ("J", "L", 1), ("J", "V", -1), ("B", "N", 1), ("Z", "D", -1)],
)
def test_a_template_agrees_with_what_is_observed(token: str, template: str, agreement: int) -> None:
    table = make().get_buffer("agreement").unflatten(0, (N_TOKENS, N_TOKENS))
    assert table[TOKEN[token], TOKEN[template]] == agreement
    assert not table[MISSING].any() and not table[ABSENT].any()
    assert not table[:, N_RESIDUES:].any()


def test_weights_come_back_with_their_config_and_the_same_bytes(tmp_path: Path) -> None:
    model, record = make(), {"seed": 3, "data": "tiny"}
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        save_weights(path, model, record)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    loaded = load_weights(paths[0])
    assert loaded.config == SMALL and not loaded.training
    kmers = random_kmers(2, 12, 5)
    assert torch.equal(model(kmers), loaded(kmers))


def write(path: Path, tensors: dict[str, Tensor], **metadata: str) -> Path:
    base = {"format": "lacuna-1", "model": json.dumps(asdict(SMALL))}
    save_file(tensors, path, base | {"sha256": digest_of(tensors)} | metadata)
    return path


def test_weights_are_loaded_strictly(tmp_path: Path) -> None:
    state = dict(make().state_dict())
    path = tmp_path / "w.safetensors"
    less = {k: v for k, v in state.items() if k != "mix.bias"}
    wrong = {**state, "mix.bias": torch.zeros(3)}
    more = {**state, "surplus": torch.zeros(1)}
    for tensors in (less, wrong, more):
        with pytest.raises(LacunaError, match="do not fit their own model config") as error:
            load_weights(write(path, tensors))
        assert "\n" not in str(error.value)
    strange = json.dumps(asdict(SMALL) | {"heads": 4})
    with pytest.raises(LacunaError, match="do not fit their own model config"):
        load_weights(write(path, state, model=strange))
    with pytest.raises(LacunaError, match="format 'other-1', not 'lacuna-1'"):
        load_weights(write(path, state, format="other-1"))


def fault_of(path: Path) -> str:
    """The message of loading, after the file name: one line that ends with a remedy."""
    with pytest.raises(LacunaError) as error:
        load_weights(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ") and "\n" not in said
    assert said.endswith("; train or fetch it again")
    return said.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("model", "fault"),
    [
        ("{", "'model' in its metadata is not JSON"),
        ("[" * 100_000, "'model' in its metadata is not JSON"),
        ("[1]", "'model' in its metadata is not a JSON object"),
        ('{"layers": 10000000}', "('layers' is 10000000, not a whole number from 1 to 64)"),
        ('{"layers": 1.0}', "('layers' is 1.0, not a whole number from 1 to 64)"),
        ('{"channels": -1}', "('channels' is -1, not a whole number from 1 to 4096)"),
        ('{"channels": true}', "('channels' is True, not a whole number from 1 to 4096)"),
        ('{"hidden": "8"}', "('hidden' is '8', not a whole number from 1 to 4096)"),
        ('{"kernel": 4}', "('kernel' is 4, not an odd number from 1 to 127)"),
        ('{"slots": 9}', "('slots' is 9, not 8)"),
        ('{"dropout": NaN}', "('dropout' is nan, not a number from 0 to less than 1)"),
        ('{"heads": 4}', "('heads' is 4, which is not a size of a network)"),
        ('{"channels": 4096, "hidden": 4096, "layers": 64}', "not float32 of"),
    ],
)
def test_sizes_that_no_network_has_are_refused_before_one_is_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, fault: str
) -> None:
    path = write(tmp_path / "w.safetensors", dict(make().state_dict()), model=model)

    def no_memory(*_: object, **__: object) -> None:
        raise AssertionError("its tensors were read")

    monkeypatch.setattr("lacuna.network.weights.read_tensors", no_memory)
    assert fault in fault_of(path)


@pytest.mark.parametrize(
    "stored", ['{"ape": 2}', '{"alpaca": 0}', '{"alpaca": "1"}', '{"alpaca": 1e999}', "[1]"]
)
def test_temperatures_are_positive_numbers_by_species(tmp_path: Path, stored: str) -> None:
    path, state = tmp_path / "w.safetensors", dict(make().state_dict())
    write(path, state, record=f'{{"temperatures": {stored}}}')
    assert fault_of(path).startswith("the temperatures of the weights are not positive numbers by")
    write(path, state, record='{"temperatures": {"alpaca": 1.25}}')
    assert load_weights(path).temperatures == {"alpaca": 1.25}
    write(path, state)
    assert load_weights(path).temperatures == {}


def test_weights_without_model_settings_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    save_file(dict(make().state_dict()), path, {"format": "lacuna-1"})
    assert fault_of(path).startswith("its metadata lack 'model'; ")
    with pytest.raises(LacunaError, match="format None, not 'lacuna-1'; give a file of that"):
        save_file(dict(make().state_dict()), path)
        load_weights(path)
    write(path, dict(make().state_dict()), record="[")
    assert fault_of(path).startswith("'record' in its metadata is not JSON; ")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path: Path, value: float) -> None:
    state = {k: v.clone() for k, v in make().state_dict().items()}
    state["mix.bias"][1] = value
    path = write(tmp_path / "w.safetensors", state)
    told = "the weights are damaged (mix.bias holds values that are not finite); "
    assert fault_of(path).startswith(told)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.int64, torch.bool])
def test_weights_of_another_type_are_refused(tmp_path: Path, dtype: torch.dtype) -> None:
    state = dict(make().state_dict())
    path = write(tmp_path / "w.safetensors", {**state, "mix.bias": state["mix.bias"].to(dtype)})
    name = str(dtype).removeprefix("torch.")
    assert f"(mix.bias is {name} of 12, not float32 of 12)" in fault_of(path)


@pytest.mark.parametrize(
    "shape", [[10**12, 8], [2**62, 2**62], [0, 2**60], [-1], [8.5], "8", [2**70]]
)
def test_a_header_that_claims_a_huge_shape_is_refused_unread(tmp_path: Path, shape: object) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(path, make(), {})
    blob = path.read_bytes()
    size = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8 : 8 + size])
    header["mix.bias"]["shape"] = shape
    if shape == [0, 2**60]:  # it takes no space in the file, so its offsets are right
        header["nothing"] = {**header.pop("mix.bias"), "data_offsets": [0, 0]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + blob[8 + size :])
    fault_of(path)
    path.write_bytes((2**63).to_bytes(8, "little") + blob[8:])
    assert fault_of(path).startswith("damaged or not a safetensors file (")


def test_damaged_and_missing_weights_are_one_line(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(LacunaError, match="no such file"):
        load_weights(path)
    save_weights(path, make(), {})
    whole = path.read_bytes()
    flipped = whole[:-5] + bytes([whole[-5] ^ 1]) + whole[-4:]
    for damaged in (b"", b"pickle", whole[: len(whole) // 2], flipped):
        path.write_bytes(damaged)
        with pytest.raises(LacunaError, match="damaged.*train or fetch it again") as error:
            load_weights(path)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize(("first", "stop"), [(0, 12), (4, 9), (11, 12), (0, 1)])
def test_asked_places_are_answered_as_among_all(layers: int, first: int, stop: int) -> None:
    model = make(ModelConfig(channels=8, hidden=8, layers=layers))
    kmers = random_kmers(3, 12, 5)
    each = torch.arange(PLACES_AT_ONCE)
    kmer, place = each % 3, first + each % (stop - first)
    with torch.inference_mode():
        torch.testing.assert_close(model.answer(kmers, kmer, place), model(kmers)[kmer, place])
