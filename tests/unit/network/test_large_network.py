"""The large network: AntiBERTy's weights and shape, the layers that read templates, its files."""

import io
import json
import math
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, linear

from antiberty import BERT, HEAD, INNER, LAYERS, WIDTH, checkpoint, write_wheel
from lacuna.antibody.imgt import N_CODES
from lacuna.core.alphabet import ABSENT, MISSING, N_TOKENS, RESIDUES, TOKEN
from lacuna.core.files import LacunaError
from lacuna.core.paths import LARGE_NETWORK
from lacuna.core.tensor_files import kinds_of, read_header, read_tensors, write_tensors
from lacuna.core.windows import check_window
from lacuna.network.model import Kmers, ModelConfig
from lacuna.network.packing import GROUP, pack, unpack
from lacuna.network.transformer import LargeNetwork, TransformerConfig, load_large
from lacuna.network.weights import load_weights, save_packed, save_weights
from lacuna.training.antiberty import CHECKPOINT, antiberty_tensors, large_network_from

K = 20


def as_published(weights: dict[str, Tensor], words: Tensor) -> Tensor:
    """Logits (n, length, 25) of a BERT made from torch's own transformer layer."""

    def norm(x: Tensor, name: str) -> Tensor:
        return layer_norm(x, (WIDTH,), weights[name + ".weight"], weights[name + ".bias"], 1e-12)

    x = weights[BERT + "word_embeddings.weight"][words]
    x = x + weights[BERT + "position_embeddings.weight"][: words.shape[1]]
    x = norm(x + weights[BERT + "token_type_embeddings.weight"][0], BERT + "LayerNorm")
    for i in range(LAYERS):
        layer = nn.TransformerEncoderLayer(
            WIDTH, 8, INNER, 0.0, gelu, layer_norm_eps=1e-12, batch_first=True
        ).eval()
        name = f"bert.encoder.layer.{i}."
        kinds = ("weight", "bias")
        pairs = {
            "self_attn.out_proj": "attention.output.dense",
            "linear1": "intermediate.dense",
            "linear2": "output.dense",
            "norm1": "attention.output.LayerNorm",
            "norm2": "output.LayerNorm",
        }
        state = {f"{a}.{k}": weights[f"{name}{b}.{k}"] for a, b in pairs.items() for k in kinds}
        for kind in kinds:
            parts = [weights[f"{name}attention.self.{q}.{kind}"] for q in ("query", "key", "value")]
            state[f"self_attn.in_proj_{kind}"] = torch.cat(parts)
        layer.load_state_dict(state)
        x = layer(x, src_key_padding_mask=words == 0)
    dense = HEAD + "transform.dense"
    x = gelu(linear(x, weights[dense + ".weight"], weights[dense + ".bias"]))
    x = norm(x, HEAD + "transform.LayerNorm")
    return linear(x, weights[HEAD + "decoder.weight"], weights[HEAD + "decoder.bias"])


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "antiberty-0.1.3-py3-none-any.whl"
    write_wheel(path)
    return path


def some_kmers(n: int = 3) -> Kmers:
    generator = torch.Generator().manual_seed(1)
    config = ModelConfig()

    def draw(stop: int, *shape: int) -> Tensor:
        return torch.randint(0, stop, shape, generator=generator, dtype=torch.uint8)

    tokens = draw(20, n, K)
    tokens[0, 4:9] = MISSING
    tokens[1, 3] = TOKEN["J"]
    tokens[2, 12:] = ABSENT
    profiles = torch.rand(n, K, config.profiles * 20, generator=generator)
    templates = draw(N_TOKENS, n, config.slots, K)
    return Kmers(tokens, draw(N_CODES, n, K), templates, profiles)


def test_before_training_it_answers_as_antiberty(wheel: Path) -> None:
    kmers = some_kmers()
    words = torch.zeros(3, K + 2, dtype=torch.long)
    words[:, 0] = 2  # [CLS]
    for row, tokens in enumerate(kmers.tokens.long()):
        there = tokens[tokens != ABSENT]
        words[row, 1 : len(there) + 1] = torch.where(there < 20, there + 5, 4)  # 4 is [MASK]
        words[row, len(there) + 1] = 3  # [SEP]
    with torch.inference_mode():
        ours = large_network_from(wheel, ModelConfig()).eval()(kmers)
        theirs = as_published(checkpoint(), words)[:, 1:-1, 5:]
    there = kmers.tokens != ABSENT
    assert torch.allclose(ours[there], theirs[there], atol=1e-4)


def test_every_weight_of_it_can_learn(wheel: Path) -> None:
    network = large_network_from(wheel, ModelConfig()).train()
    for name in ("template_trust", "profile_trust"):  # while zero they block the others' gradients
        nn.init.normal_(network.get_submodule(name).weight)
    network(some_kmers()).square().sum().backward()
    still = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == []


def test_templates_reach_the_answer(wheel: Path) -> None:
    network = large_network_from(wheel, ModelConfig()).eval()
    kmers = some_kmers()
    other = Kmers(kmers.tokens, kmers.columns, kmers.templates.flip(0), kmers.profiles)
    with torch.inference_mode():
        assert torch.equal(network(kmers), network(other))
        network.template_trust.bias.fill_(1.0)
        copied = network(kmers) - network(other)
        network.template_trust.bias.zero_()
        network.lookup.normal_()
        read = network(kmers) - network(other)
    assert copied.abs().max() >= 1 and read.abs().max() > 0


def test_padding_changes_nothing(wheel: Path) -> None:
    network = large_network_from(wheel, ModelConfig()).eval()
    kmers = some_kmers()
    longer = Kmers(
        nn.functional.pad(kmers.tokens, (0, 6), value=ABSENT),
        nn.functional.pad(kmers.columns, (0, 6)),
        nn.functional.pad(kmers.templates, (0, 6), value=ABSENT),
        nn.functional.pad(kmers.profiles, (0, 0, 0, 6)),
    )
    with torch.inference_mode():
        there = kmers.tokens != ABSENT
        assert torch.allclose(network(longer)[:, :K][there], network(kmers)[there], atol=1e-4)


def test_its_weights_are_written_and_read(wheel: Path, tmp_path: Path) -> None:
    network = large_network_from(wheel, ModelConfig())
    path = tmp_path / "large.safetensors"
    save_weights(path, network, {"step": 7})
    loaded = load_large(path)
    assert (loaded.sizes, loaded.record) == (network.sizes, {"step": 7})
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor), name
    with pytest.raises(LacunaError, match="format 'lacuna-1-large'"):
        load_weights(path)


def test_its_vocabulary_is_in_our_order() -> None:
    assert RESIDUES == "ACDEFGHIKLMNPQRSTVWY"  # as AntiBERTy's vocab.txt, after five marks


def test_what_is_no_wheel_of_antiberty(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_text("no archive")
    with zipfile.ZipFile(tmp_path / "b.whl", "w") as file:
        file.writestr("other/weights.bin", b"")
    for name in ("a.whl", "b.whl"):
        with pytest.raises(LacunaError, match=f"{name}: not a wheel with.*antiberty 0.1.3"):
            antiberty_tensors(tmp_path / name)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    torch.save({"a": math.sqrt, "b": Path("x")}, content)
    with zipfile.ZipFile(tmp_path / "c.whl", "w") as file:
        file.writestr(CHECKPOINT, content.getvalue())
    with pytest.raises(LacunaError, match=r"c\.whl: its weights cannot be read"):
        antiberty_tensors(tmp_path / "c.whl")


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"transformer": {"layers": 10**7}}, "'layers' is 10000000, not a whole number from 1 to"),
        ({"transformer": [512]}, "'transformer' is not a JSON object"),
        ({"transformer": {"heads": 7, "width": 8}}, "'width' is 8, not a multiple of 'heads', 7"),
        ({"transformer": {"width": 16}}, "not float32 of"),
    ],
)
def test_one_of_other_sizes_is_refused_before_it_is_built(
    wheel: Path, tmp_path: Path, settings: dict[str, object], fault: str
) -> None:
    network = large_network_from(wheel, ModelConfig())
    path = tmp_path / "large.safetensors"
    model = json.dumps(network.settings() | settings)
    write_tensors(path, network.state_dict(), {"format": "lacuna-1-large", "model": model})
    with pytest.raises(LacunaError) as error:
        load_large(path)
    said = str(error.value)
    assert said.startswith(f"{path}: ") and fault in said and "\n" not in said
    assert said.endswith("; train or fetch it again")


def test_a_wheel_whose_checkpoint_is_not_antibertys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = checkpoint()
    bias = "bert.encoder.layer.0.output.dense.bias"
    words = "bert.embeddings.word_embeddings.weight"
    kinds: list[tuple[object, str]] = [
        ([1, 2], "TypeError"),
        ({}, "KeyError"),
        ({k: v for k, v in whole.items() if k != bias}, bias),
        (whole | {bias: torch.zeros(3)}, "layers.0.down.bias is float32 of 3, not "),
        (whole | {bias: torch.full_like(whole[bias], math.nan)}, "layers.0.down.bias holds values"),
        (whole | {words: whole[words].double()}, "words.weight is float64 of"),
    ]
    path = tmp_path / "d.whl"
    for stored, fault in kinds:
        content = io.BytesIO()
        torch.save(stored, content)
        with zipfile.ZipFile(path, "w") as file:
            file.writestr(CHECKPOINT, content.getvalue())
        with pytest.raises(LacunaError) as error:
            large_network_from(path, ModelConfig())
        said = str(error.value)
        assert fault in said and said.endswith("; fetch antiberty 0.1.3 again")
    monkeypatch.setattr("lacuna.training.antiberty.MOST_BYTES", 1000)
    with pytest.raises(LacunaError, match="its weights are too large for AntiBERTy's"):
        antiberty_tensors(path)


def test_kmers_that_are_too_long_for_it_are_refused(wheel: Path) -> None:
    network = large_network_from(wheel, ModelConfig()).eval()
    kmers = some_kmers()

    def of_length(k: int) -> Kmers:
        more = k - K
        return Kmers(
            nn.functional.pad(kmers.tokens, (0, more), value=ABSENT),
            nn.functional.pad(kmers.columns, (0, more)),
            nn.functional.pad(kmers.templates, (0, more), value=ABSENT),
            nn.functional.pad(kmers.profiles, (0, 0, 0, more)),
        )

    with torch.inference_mode():
        assert network(of_length(254)).shape == (3, 254, 20)
        with pytest.raises(LacunaError, match="255 residues.* at most 254; lower 'kmer.length'"):
            network(of_length(255))


def test_windows_that_are_too_long_are_refused_by_the_file_alone(
    wheel: Path, tmp_path: Path
) -> None:
    path = tmp_path / "large.safetensors"
    save_weights(path, large_network_from(wheel, ModelConfig()), {})
    check_window(254, path)
    with pytest.raises(LacunaError, match="'kmer.length' is 255; write at most 254, which the"):
        check_window(255, path)
    with pytest.raises(LacunaError, match="'kmer.length' is 511; write at most 510, which the"):
        check_window(511, LARGE_NETWORK)
    check_window(510, LARGE_NETWORK)


@pytest.mark.parametrize("model", ["[]", "{}", '{"transformer": 1}', '{"transformer": {}}'])
def test_a_file_without_its_sizes_is_left_to_its_loader(tmp_path: Path, model: str) -> None:
    path = tmp_path / "large.safetensors"
    write_tensors(path, {}, {"format": LargeNetwork.FORMAT, "model": model})
    check_window(4096, path)
    with pytest.raises(LacunaError, match="train or fetch it again"):
        load_large(path)


def test_a_file_that_cannot_be_read_is_named_before_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    with pytest.raises(LacunaError, match="no such file; check the path"):
        check_window(128, path)
    for content in (b"", bytes(8), LARGE_NETWORK.read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(LacunaError, match="damaged or not a safetensors file .*fetch it again"):
            check_window(128, path)
    write_tensors(path, {}, {"format": LargeNetwork.FORMAT, "model": "{" * 9})
    with pytest.raises(LacunaError, match="fetch it again"):
        check_window(128, path)


# --- four bits a number --------------------------------------------------------------------------


def test_numbers_are_rounded_to_one_of_sixteen_of_their_group() -> None:
    x = torch.randn(512, 256, generator=torch.Generator().manual_seed(1))
    x[0, :GROUP] = 0.25  # a group of equal numbers
    x[1, :GROUP] = 0.0
    x[2, :16] = torch.arange(16) * 0.5  # exact
    x[2, 16:GROUP] = 0.5
    stored = pack("x", x)
    assert set(stored) == {"x.codes", "x.low", "x.step"}
    assert sum(t.numel() * t.element_size() for t in stored.values()) < x.numel() * 0.57
    back = unpack(stored, kinds_of({"x": x}))["x"]
    groups, read = x.reshape(-1, GROUP), back.reshape(-1, GROUP)
    spread = groups.amax(1) - groups.amin(1)
    assert ((groups - read).abs().amax(1) <= spread / 30 + 2e-3).all()
    assert torch.equal(read[[0, 4, 8]], groups[[0, 4, 8]])
    assert (read - groups).abs().mean() > 0.01


def test_small_tensors_are_kept_as_they_are() -> None:
    for x in (torch.randn(512, 20), torch.randn(300, 333)):  # few; no whole number of groups
        stored = pack("x", x)
        assert set(stored) == {"x"} and stored["x"] is x
        assert unpack(stored, kinds_of({"x": x}))["x"] is x


@pytest.fixture
def wide() -> LargeNetwork:
    """A network with matrices large enough to be packed."""
    torch.manual_seed(1)
    sizes = TransformerConfig(width=256, layers=1, heads=4, inner=256, positions=40)
    return LargeNetwork(ModelConfig(), sizes).eval()


def test_packed_weights_are_written_and_read(wide: LargeNetwork, tmp_path: Path) -> None:
    whole, packed = tmp_path / "whole.safetensors", tmp_path / "packed.safetensors"
    save_weights(whole, wide, {"step": 7})
    save_packed(packed, wide, {"step": 7})
    assert packed.stat().st_size < 0.6 * whole.stat().st_size
    loaded = load_large(packed)
    assert (loaded.sizes, loaded.record) == (wide.sizes, {"step": 7})
    differ = set()
    for name, x in wide.state_dict().items():
        y = loaded.state_dict()[name]
        assert torch.allclose(x, y, atol=0.1), name
        differ |= set() if torch.equal(x, y) else {name}
    assert "layers.0.qkv.weight" in differ and "layers.0.qkv.bias" not in differ
    with torch.inference_mode():
        assert torch.allclose(loaded(some_kmers()), wide(some_kmers()), atol=1.0)
    save_packed(packed, loaded, loaded.record)  # what is read is written the same again
    again = load_large(packed).state_dict()
    assert all(torch.allclose(x, again[name], atol=1e-3) for name, x in loaded.state_dict().items())


def test_packed_weights_that_do_not_fit_are_refused(wide: LargeNetwork, tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    save_packed(path, wide, {})
    _, metadata = read_header(path, "")
    tensors, _ = read_tensors(path, "")
    name = "layers.0.qkv.weight"
    short = tensors[f"{name}.codes"][:-1]
    broken = tensors[f"{name}.step"].clone()
    broken[3] = math.nan
    for change, fault in (
        ({f"{name}.codes": short}, "qkv.weight.codes is uint8 of 98303, not uint8 of 98304"),
        ({f"{name}.low": None}, "it lacks layers.0.qkv.weight.low"),
        ({f"{name}.step": broken}, "layers.0.qkv.weight.step holds values that are not finite"),
        ({"norm.weight": None, "norm.weight.codes": short.clone()}, "it lacks norm.weight"),
    ):
        stored = {k: v for k, v in (tensors | change).items() if v is not None}
        write_tensors(path, stored, {k: v for k, v in metadata.items() if k != "sha256"})
        with pytest.raises(LacunaError, match=fault):
            load_large(path)
