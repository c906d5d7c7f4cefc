"""The tutorial model: its numbers, its hand-written gradient, and what each protocol sees."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from lacuna.tutorial import kernel as seed_kernel
from lacuna.tutorial import model as seed
from lacuna.tutorial.model import encode, fill_scaffold, make_windows, run_seed, train_seed

EXAMPLE = Path(__file__).parents[3] / "resources" / "examples" / "alemtuzumab_light"
CHAIN = "".join((EXAMPLE / "alemtuzumab_light.fasta").read_text().splitlines()[1:])
GAPS = [
    (int(start), int(end))
    for _, start, end in (
        line.split("\t") for line in (EXAMPLE / "gaps.bed").read_text().splitlines()
    )
]
MISSING = [position for start, end in GAPS for position in range(start, end)]


class Reference(nn.Module):
    """The same network from torch's own layers; autograd differentiates it."""

    def __init__(self, flat: torch.Tensor) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 128, 5)
        self.lstm = nn.LSTM(128, 256, batch_first=True)
        self.dense = nn.ModuleList([nn.Linear(256, 128), nn.Linear(128, 64), nn.Linear(64, 20)])
        p = seed_kernel.split_parameters(flat)
        with torch.no_grad():
            self.conv.weight[:, 0] = p["conv1d.kernel"].t()
            self.conv.bias[:] = p["conv1d.bias"][0]
            self.lstm.weight_ih_l0[:] = p["lstm.kernel"].t()
            self.lstm.weight_hh_l0[:] = p["lstm.recurrent_kernel"].t()
            self.lstm.bias_ih_l0[:] = p["lstm.bias"][0]
            self.lstm.bias_hh_l0[:] = 0.0
            for layer, name in zip(self.dense, ("dense", "dense_1", "dense_2"), strict=True):
                layer.weight[:] = p[f"{name}.kernel"].t()
                layer.bias[:] = p[f"{name}.bias"][0]
        self.lstm.bias_hh_l0.requires_grad_(False)  # one bias vector per gate

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        x = self.conv(inputs[:, None]).transpose(1, 2)  # (n, k) -> (n, k - 4, 128)
        x = self.lstm(x)[0][:, -1]  # (n, 256)
        return self.dense[2](self.dense[1](self.dense[0](x).relu()).relu())  # (n, 20)

    def arrays(self, of_gradient: bool) -> dict[str, torch.Tensor]:
        """Parameters or gradients under the names and in the shapes of the kernel."""
        named = {
            "conv1d.kernel": (self.conv.weight, (5, 128)),
            "conv1d.bias": (self.conv.bias, (1, 128)),
            "lstm.recurrent_kernel": (self.lstm.weight_hh_l0, (256, 1024)),
            "lstm.kernel": (self.lstm.weight_ih_l0, (128, 1024)),
            "lstm.bias": (self.lstm.bias_ih_l0, (1, 1024)),
        }
        for layer, name in zip(self.dense, ("dense", "dense_1", "dense_2"), strict=True):
            named[f"{name}.kernel"] = (layer.weight, layer.weight.shape[::-1])
            named[f"{name}.bias"] = (layer.bias, (1, layer.bias.shape[0]))
        return {
            name: (array.grad if of_gradient else array.detach()).reshape(shape[1], -1).t()
            for name, (array, shape) in named.items()
        }


def parameters(random: int = 0) -> torch.Tensor:
    return seed_kernel.init_parameters(np.random.default_rng(random))


def one_window(k: int = 10, random: int = 0) -> tuple[np.ndarray, int]:
    rng = np.random.default_rng(random)
    return seed.scale_codes(rng.integers(0, 20, (1, k))), int(rng.integers(0, 20))


def gradient_step(flat: torch.Tensor, inputs: np.ndarray, target: int):
    step = seed_kernel.SingleStep(flat, inputs.shape[1])
    outcome = step(torch.from_numpy(seed_kernel.conv_patches(inputs))[0], target)
    return step, outcome


def known(protocol: str = "true_context"):
    codes = encode(CHAIN, MISSING if protocol == "scaffold" else ())
    return make_windows(codes, np.array(MISSING), 10)


# The network


def test_each_layer_has_the_parameters_of_the_tutorial() -> None:
    counts = {layer.name: layer.n_parameters for layer in seed_kernel.LAYERS}
    assert counts == {
        "conv1d": 768,
        "lstm": 394_240,
        "dense": 32_896,
        "dense_1": 8_256,
        "dense_2": 1_300,
    }
    assert seed_kernel.N_PARAMETERS == 437_460
    assert sum(a.numel() for a in seed_kernel.split_parameters(parameters()).values()) == 437_460


def test_initialisation_is_that_of_keras() -> None:
    p = seed_kernel.split_parameters(parameters())
    recurrent = p["lstm.recurrent_kernel"].double()
    torch.testing.assert_close(
        recurrent @ recurrent.t(), torch.eye(256).double(), rtol=0, atol=1e-5
    )
    for name, fans in {
        "conv1d.kernel": 5 + 5 * 128,
        "lstm.kernel": 128 + 1024,
        "dense.kernel": 256 + 128,
        "dense_2.kernel": 64 + 20,
    }.items():
        limit = math.sqrt(6 / fans)
        assert 0.97 * limit < p[name].abs().max() <= limit
    assert p["lstm.bias"][0].tolist() == [0.0] * 256 + [1.0] * 256 + [0.0] * 512
    for name in ("conv1d", "dense", "dense_1", "dense_2"):
        assert not p[f"{name}.bias"].any()


@pytest.mark.parametrize("k", [5, 6, 10, 17])
def test_forward_pass_equals_torch_layers(k: int) -> None:
    inputs = seed.scale_codes(np.random.default_rng(3).integers(0, 20, (7, k)))
    flat = parameters()
    expected = Reference(flat)(torch.from_numpy(inputs))
    torch.testing.assert_close(seed_kernel.logits(flat, inputs), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("k", [5, 6, 10, 17])
def test_gradient_equals_autograd(k: int) -> None:
    flat = parameters()
    inputs, target = one_window(k)
    step, (loss, correct) = gradient_step(flat, inputs, target)
    reference = Reference(flat)
    logits = reference(torch.from_numpy(inputs))
    expected = nn.functional.cross_entropy(logits, torch.tensor([target]))
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-5)
    assert correct == (logits.argmax().item() == target)
    ours = seed_kernel.split_parameters(step.gradient)
    theirs = reference.arrays(of_gradient=True)
    assert ours.keys() == theirs.keys()
    for name, gradient in theirs.items():
        scale = gradient.abs().max().item()
        torch.testing.assert_close(ours[name], gradient, rtol=1e-3, atol=1e-5 * scale + 1e-9)


def test_training_steps_equal_autograd_and_the_adam_of_keras() -> None:
    """Several steps on different windows: no buffer may carry over from one to the next."""
    flat = parameters()
    reference = Reference(flat)
    trained = [p for p in reference.parameters() if p.requires_grad]
    moments = [(torch.zeros_like(p), torch.zeros_like(p)) for p in trained]
    step = seed_kernel.SingleStep(flat, 10)
    adam = seed_kernel.Adam(flat, step.gradient)
    for count in range(1, 6):
        inputs, target = one_window(random=count)
        step(torch.from_numpy(seed_kernel.conv_patches(inputs))[0], target)
        adam.step()
        reference.zero_grad()
        logits = reference(torch.from_numpy(inputs))
        nn.functional.cross_entropy(logits, torch.tensor([target])).backward()
        alpha = 1e-3 * math.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        with torch.no_grad():
            for p, (m, v) in zip(trained, moments, strict=True):
                m += (p.grad - m) * 0.1
                v += (p.grad**2 - v) * 0.001
                p -= alpha * m / (v.sqrt() + 1e-7)
    ours = seed_kernel.split_parameters(flat)
    for name, expected in reference.arrays(of_gradient=False).items():
        # In the first steps, Adam turns the sign of a gradient near zero into a full step.
        wrong = ((ours[name] - expected).abs() > 1e-5).float().mean()
        assert wrong < 1e-3, name


def test_adam_has_the_epsilon_of_keras() -> None:
    """With a gradient the size of epsilon, torch's own definition moves 30 times as far."""
    flat, gradient = torch.zeros(3), torch.tensor([1e-7, -3e-6, 1.0])
    seed_kernel.Adam(flat, gradient).step()
    m, v = 0.1 * gradient.double(), 0.001 * gradient.double() ** 2
    expected = -1e-3 * math.sqrt(0.001) / 0.1 * m / (v.sqrt() + 1e-7)
    torch.testing.assert_close(flat.double(), expected, rtol=1e-5, atol=0)


def test_padding_between_rows_stays_zero() -> None:
    model = train_seed(CHAIN, MISSING, epochs=1)
    lstm = seed_kernel.LAYERS[1]
    start = seed_kernel.LAYERS[0].n_floats
    rows = model.parameters[start : start + lstm.n_floats].view(-1, lstm.width + lstm.padding)
    assert lstm.padding and not rows[:, lstm.width :].any()


# Windows and training


def test_windows_of_the_tutorial() -> None:
    train, test = known()
    assert (len(train), len(test)) == (178, 26)
    assert test.positions.tolist() == [p for p in MISSING if p >= 10]
    for windows in (train, test):
        for kmer, target, at in zip(windows.kmers, windows.targets, windows.positions, strict=True):
            assert seed.decode(kmer) == CHAIN[at - 10 : at]
            assert seed.RESIDUES[target] == CHAIN[at]
    assert train.inputs.shape == (178, 10) and train.inputs.dtype == np.float32
    assert train.inputs[0, 0] == np.float32(2 / 20)  # D, the third of ACDEFGHIKLMNPQRSTVWY


def test_scaffold_windows_hold_nothing_hidden() -> None:
    train, test = known("scaffold")
    assert len(test) == 0
    covered = {p for at in train.positions for p in range(at - 10, at + 1)}
    assert covered.isdisjoint(MISSING)
    expected = [p for p in range(10, 214) if {*range(p - 10, p + 1)}.isdisjoint(MISSING)]
    assert train.positions.tolist() == expected


def test_reverse_windows_are_those_of_the_reversed_chain() -> None:
    mirrored = np.array([213 - p for p in MISSING])
    for ours, theirs in zip(
        make_windows(encode(CHAIN), np.array(MISSING), 10, reverse=True),
        make_windows(encode(CHAIN[::-1]), mirrored, 10),
        strict=True,
    ):
        assert np.array_equal(ours.kmers, theirs.kmers)
        assert np.array_equal(ours.targets, theirs.targets)
        assert np.array_equal(ours.positions, 213 - theirs.positions)


def test_training_learns_a_chain_with_a_rule() -> None:
    chain = "ACDEFGHIKLMNPQRSTVWY" * 3
    model = train_seed(chain, [], epochs=25, seed=1)
    assert model.curve["loss"].iloc[-1] < 0.6 * model.curve["loss"].iloc[0]
    assert model.curve["accuracy"].iloc[-1] > 0.4
    assert model.curve["epoch"].tolist() == list(range(1, 26))


def test_validation_is_that_of_the_test_windows() -> None:
    model = train_seed(CHAIN, MISSING, epochs=1)
    chosen = model.distributions(model.test.kmers)[np.arange(26), model.test.targets]
    row = model.curve.iloc[-1]
    assert row["validation_loss"] == pytest.approx(-np.log(chosen).mean(), rel=1e-4)
    hits = seed.predict_true_context(model).distributions.argmax(1) == model.test.targets
    assert row["validation_accuracy"] == pytest.approx(hits.mean())


def test_same_seed_same_bits_whatever_the_number_of_threads() -> None:
    before = torch.get_num_threads()
    try:
        models = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            models.append(train_seed(CHAIN[:80], [40], epochs=2, seed=5))
            assert torch.get_num_threads() == threads
            with ThreadPoolExecutor(1) as pool:  # a thread started later takes the default
                assert pool.submit(torch.get_num_threads).result() == threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(models[0].parameters, models[1].parameters)
    assert models[0].curve.equals(models[1].curve)
    other = train_seed(CHAIN[:80], [40], epochs=2, seed=6)
    assert not torch.equal(models[0].parameters, other.parameters)
    assert float(torch.tensor(1e-40) * 1.0) != 0.0  # denormals are still kept on this thread


def test_every_epoch_is_shuffled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    class Recorder(seed_kernel.SingleStep):
        def __call__(self, patches, target):
            seen.append(target)
            return super().__call__(patches, target)

    seen: list[int] = []
    monkeypatch.setattr(seed_kernel, "SingleStep", Recorder)
    model = train_seed(CHAIN, MISSING, epochs=2)
    first, second = seen[:178], seen[178:]
    targets = model.train.targets.tolist()
    assert sorted(first) == sorted(second) == sorted(targets)
    assert first != second and targets not in (first, second)


# Filling


def test_both_protocols_cover_what_they_should() -> None:
    result = run_seed(CHAIN, MISSING, epochs=1)
    shown, scaffold = result.predictions["true_context"], result.predictions["scaffold"]
    assert shown.positions.tolist() == [p for p in MISSING if p >= 10]  # 26
    assert scaffold.positions.tolist() == MISSING  # 29
    for predicted in (shown, scaffold):
        np.testing.assert_allclose(predicted.distributions.sum(1), 1, atol=1e-5)
        rows = range(len(predicted.positions))
        chosen = [seed.RESIDUES.index(residue) for residue in predicted.residues]
        assert np.array_equal(predicted.probabilities, predicted.distributions[rows, chosen])
    for protocol in ("true_context", "scaffold"):
        filled = result.filled(protocol)
        assert all(filled[p] == CHAIN[p] for p in range(214) if p not in MISSING)
    assert set(result.filled()) <= set(seed.RESIDUES)
    assert result.filled("true_context")[:3] == "---"


def test_scaffold_does_not_depend_on_what_is_hidden() -> None:
    other = "".join("W" if p in MISSING else letter for p, letter in enumerate(CHAIN))
    blank = "".join("x" if p in MISSING else letter for p, letter in enumerate(CHAIN))
    results = [run_seed(chain, MISSING, epochs=1) for chain in (CHAIN, other, blank)]
    first = results[0].predictions["scaffold"].distributions
    for result in results[1:]:
        assert np.array_equal(result.predictions["scaffold"].distributions, first)
    assert "true_context" not in results[2].predictions
    assert results[2].missing.tolist() == MISSING


class Fixed(seed.SeedModel):
    """A model with a rule: the residue after (or before) the nearest, with probability p."""

    def distributions(self, kmers):
        rows = np.full((len(kmers), 20), 0.0, np.float32)
        for row, kmer in zip(rows, kmers, strict=True):
            row[(kmer[-1] + (-1 if self.reverse else 1)) % 20] = self.sure
        return rows


def fixed(reverse: bool, sure: float) -> Fixed:
    empty = seed._NO_WINDOWS
    model = Fixed("scaffold", reverse, 5, torch.zeros(0), empty, empty, pd.DataFrame())
    object.__setattr__(model, "sure", sure)
    return model


def fill(scaffold: str, forward: float, backward: float) -> str:
    """Fill with a forward model that counts up the alphabet and a reverse one that counts down."""
    predicted = fill_scaffold(scaffold, [], fixed(False, forward), fixed(True, backward))
    assert predicted.positions.tolist() == [p for p, x in enumerate(scaffold) if x == "-"]
    letters = list(scaffold)
    for position, residue in zip(predicted.positions, predicted.residues, strict=True):
        letters[position] = residue
    return "".join(letters)


def test_the_surer_direction_fills_and_feeds_the_next_kmers() -> None:
    assert fill("ACDEF---ACDEF", 0.9, 0.1) == "ACDEFGHIACDEF"
    assert fill("ACDEF---ACDEF", 0.1, 0.9) == "ACDEFVWYACDEF"


def test_before_the_first_kmer_the_reverse_model_fills_and_after_the_last_the_forward_one() -> None:
    assert fill("---DEFGH---", 0.9, 0.1) == "WYACDEFGHIKL"[1:]  # Y A C before D


def test_a_gap_behind_a_stretch_shorter_than_k_waits_for_what_lies_before_it() -> None:
    assert fill("ACDEF-HI-L", 0.5, 0.5) == "ACDEFGHIKL"


@pytest.mark.parametrize(
    ("chain", "k"),
    [
        ("ACDEFGHIKL-----MNPQ", 9),  # ten in a row make one window of nine
        ("ACDEFG--ACDEFG--", 5),
        ("ACDEF--GHIKL---MNP", 0),  # five in a row are not enough for a window of five
        ("-----", 0),
        ("A-C", 0),
    ],
)
def test_short_stretches_shorten_k_and_everything_is_filled(chain: str, k: int) -> None:
    assert seed.usable_k(encode(chain), 10) == k
    result = run_seed(chain, [], epochs=1)
    assert {model.k for model in result.models} == ({k} if k else set())
    assert result.predictions["scaffold"].positions.tolist() == [
        p for p, letter in enumerate(chain) if letter == "-"
    ]
    assert set(result.filled()) <= set(seed.RESIDUES)


def test_without_a_window_the_commonest_residue_fills() -> None:
    predicted = run_seed("GGA-G-", []).predictions["scaffold"]
    assert predicted.residues.tolist() == ["G", "G"]
    np.testing.assert_allclose(predicted.probabilities, 4 / 24)  # (3 + 1) of (4 + 20)


def test_every_residue_missing_with_truth_shown_is_no_training_set() -> None:
    assert train_seed(CHAIN, range(214), epochs=1) is None


@pytest.mark.parametrize("position", [-1, 214])
def test_a_position_outside_the_chain_is_an_error(position: int) -> None:
    with pytest.raises(ValueError, match=f"{position} lies outside a chain of 214"):
        train_seed(CHAIN, [3, position], epochs=1)


def test_a_k_too_small_for_the_convolution_is_an_error() -> None:
    with pytest.raises(ValueError, match="k is 4"):
        train_seed(CHAIN, MISSING, k=4)


# The report


def test_sequence_is_printed_in_tens_and_fifties() -> None:
    assert seed.format_sequence("A" * 50 + "C" * 13) == (
        "AAAAAAAAAA AAAAAAAAAA AAAAAAAAAA AAAAAAAAAA AAAAAAAAAA\nCCCCCCCCCC CCC\n"
    )


def test_report_holds_what_the_tutorial_prints(tmp_path: Path) -> None:
    result = run_seed(CHAIN, MISSING, epochs=2)
    seed.write_seed_report(result, tmp_path)
    tables = {path.name: pd.read_csv(path, sep="\t") for path in tmp_path.glob("*.tsv")}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "after.txt",
        "after_true_context.txt",
        "alphabet.tsv",
        "before.txt",
        "kmers_test.tsv",
        "kmers_train.tsv",
        "model_summary.txt",
        "predictions.tsv",
        "training_curve.tsv",
    ]
    assert "".join(tables["alphabet.tsv"]["residue"]) == "ACDEFGHIKLMNPQRSTVWY"
    assert (len(tables["kmers_train.tsv"]), len(tables["kmers_test.tsv"])) == (178, 26)
    first = tables["kmers_test.tsv"].iloc[0]
    assert (first["position"], first["residue"], first["kmer"]) == (25, "A", CHAIN[14:24])
    before = (tmp_path / "before.txt").read_text()
    assert before.startswith("---MTQSPSS LSASVGDRVT ITCK---NID KYLNWYQQKP GKAPKLLIYN\n")
    assert (tmp_path / "after.txt").read_text() == seed.format_sequence(result.filled())
    curve = tables["training_curve.tsv"]
    assert curve.columns.tolist()[2:] == [
        *("epoch", "loss", "accuracy", "validation_loss", "validation_accuracy")
    ]
    assert len(curve) == 6  # three models of two epochs
    assert curve.groupby("protocol")["validation_loss"].count().to_dict() == {
        "scaffold": 0,
        "true_context": 2,
    }
    assert len(tables["predictions.tsv"]) == 26 + 29
    summary = (tmp_path / "model_summary.txt").read_text()
    for text in ("(windows, 6, 128)", "394,240", "437,460"):
        assert text in summary


def test_report_of_a_chain_that_trains_nothing(tmp_path: Path) -> None:
    seed.write_seed_report(run_seed("AC-", []), tmp_path)
    assert (tmp_path / "after.txt").read_text() == "ACA\n"
    assert (tmp_path / "model_summary.txt").read_text() == "no model was trained\n"
