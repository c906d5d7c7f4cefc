"""Training: few imports, the same bytes after a kill, checkpoints that do not fit, records."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lacuna.antibody.germlines import LOCI
from lacuna.core.alphabet import RESIDUES
from lacuna.core.device import pick_device, product_dtype, set_precision
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import read_tensors, write_tensors
from lacuna.network.model import GapNetwork, ModelConfig
from lacuna.network.transformer import LargeNetwork, TransformerConfig, load_large
from lacuna.network.weights import load_weights, save_weights
from lacuna.training.batches import Ranks, TrainConfig, read_encoded
from lacuna.training.chains import Chains
from lacuna.training.encode import write_encoded
from lacuna.training.germline_use import germline_library
from lacuna.training.masking import MaskingConfig
from lacuna.training.run import pretrain, starting_network
from lacuna.training.simulate import mutate, recombine
from lacuna.training.temperatures import fit_temperature
from lacuna.training.trainer import CpuDropout, Trainer, learning_rate_at, loss_and_hits

pytestmark = pytest.mark.slow  # hundreds of steps, and processes of their own

SCRIPTS = Path(__file__).resolve().parents[3] / "workflow" / "scripts"
MODEL = {"channels": 8, "hidden": 8}
TRAIN = {
    **{"steps": 12, "batch_size": 16, "warmup": 3, "pool": 32},
    **{"checkpoint_every": 2, "validate_every": 5, "validation_chains": 8},
}
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    kinds = [("human", "H"), ("mouse", "K"), ("human", "L")]
    grids = [mutate(recombine(*kinds[i % 3], rng, []), 0.05, rng) for i in range(60)]
    locus = np.array([LOCI.index(kinds[i % 3][1]) for i in range(60)])
    chains = Chains(np.stack(grids), locus)
    path = tmp_path_factory.mktemp("encoded") / "chains.safetensors"
    sets = {"natural": np.arange(8), "none": np.arange(0)}
    record = {"corpora": [{"name": "made"}]}
    write_encoded(path, chains, np.ones(60), sets, germline_library(chains), record)
    return path


def trainer(encoded: Path, model: dict | None = None, **train: object) -> Trainer:
    config = TrainConfig(**{**TRAIN, **train})
    network = starting_network(ModelConfig(**(model or MODEL)), config.seed)
    return Trainer(read_encoded(encoded), network, config, MaskingConfig(), CPU)


def run(encoded: Path, folder: Path, **more: object) -> dict[str, Path]:
    out = {name: folder / f"{name}.safetensors" for name in ("weights", "library")}
    out["curve"] = folder / "curve.tsv"
    pretrain(encoded, **out, **{"model": MODEL, "train": TRAIN, "masking": {}, "threads": 1} | more)
    return out


def test_training_needs_torch_numpy_and_safetensors_alone() -> None:
    allowed = {"torch", "numpy", "safetensors"}
    blocked = ["Bio", "immunum", "pandas", "snakemake", "jsonschema", "yaml", "pyteomics"]
    code = f"""
import sys
for name in {blocked}: sys.modules[name] = None
before = set(sys.modules)
import torch, safetensors.torch
known = set(sys.modules)
import lacuna.training.run
new = {{m.split('.')[0] for m in set(sys.modules) - known}} - set(sys.stdlib_module_names)
print(sorted(new - {{'lacuna'}} - {allowed}))
print(sorted(m for m in sys.modules if m.startswith('lacuna.')))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode == 0, done.stderr
    foreign, modules = done.stdout.splitlines()
    assert foreign == "[]"
    assert "lacuna.antibody.numbering" not in modules and "lacuna.training.chains" not in modules


def test_an_unbroken_run_writes_weights_library_and_curve(encoded: Path, tmp_path: Path) -> None:
    out = run(encoded, tmp_path)
    assert load_weights(out["weights"]).config == ModelConfig(**MODEL)
    library = read_encoded(encoded).library
    assert torch.equal(load_file(out["library"])["v"], library.v)
    lines = out["curve"].read_text().splitlines()
    assert lines[0] == "step\tchains_seen\tloss\tnatural_loss\tnatural_accuracy"
    assert [line.split("\t")[:2] for line in lines[1:]] == [
        ["5", "80"],
        ["10", "160"],
        ["12", "192"],
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("curve.tsv", "library.safetensors", "weights.safetensors")
    ]
    losses = [float(line.split("\t")[2]) for line in lines[1:]]
    assert losses[-1] < losses[0]


def test_what_is_too_sure_gets_a_temperature_at_which_it_is_right() -> None:
    rng = torch.Generator().manual_seed(1)
    logits = 2 * torch.randn(40_000, 20, generator=rng)
    truth = torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0]
    for temperature in (0.5, 1.0, 1.3):
        assert fit_temperature(logits * temperature, truth) == pytest.approx(temperature, rel=0.02)
    assert fit_temperature(logits * 100, truth) == 4.0
    assert fit_temperature(logits / 100, truth) == 0.25


def test_simulated_chains_held_out_give_their_species_a_temperature(
    encoded: Path, tmp_path: Path
) -> None:
    tensors, metadata = read_tensors(encoded, "")
    tensors["validation.simulated_alpaca"] = tensors["validation.natural"].clone()
    write_tensors(tmp_path / "e", tensors, {"record": metadata["record"]})
    out, plain = run(tmp_path / "e", tmp_path / "a"), run(encoded, tmp_path / "b")
    model, without = load_weights(out["weights"]), load_weights(plain["weights"])
    assert set(model.temperatures) == {"alpaca"} and without.temperatures == {}
    assert 0.25 < model.temperatures["alpaca"] != 1
    assert torch.equal(model.lookup, without.lookup)
    assert out["curve"].read_text().splitlines()[0].endswith("\tsimulated_alpaca_accuracy")
    again = run(encoded, tmp_path / "c", start=out["weights"])
    assert load_weights(again["weights"]).temperatures == model.temperatures


def test_the_same_run_gives_the_same_bytes(encoded: Path, tmp_path: Path) -> None:
    first, again = run(encoded, tmp_path / "a"), run(encoded, tmp_path / "b")
    other = run(encoded, tmp_path / "c", train={**TRAIN, "seed": 1})
    for name in first:
        assert first[name].read_bytes() == again[name].read_bytes(), name
    assert first["weights"].read_bytes() != other["weights"].read_bytes()


@pytest.mark.parametrize("stops", [[1], [2, 3], [5, 6, 11]])
def test_a_stopped_run_ends_with_the_bytes_of_an_unbroken_one(
    encoded: Path, tmp_path: Path, stops: list[int]
) -> None:
    unbroken = run(encoded, tmp_path / "unbroken")
    path = tmp_path / "stopped" / "weights.safetensors"
    for stop in stops:
        killed = trainer(encoded)
        killed.resume(path)
        while killed.step < stop:  # as in `run` until it is killed
            killed._loss_sum += killed.train_step()
            killed._loss_steps += 1
            if killed.step % 5 == 0:
                loss = float(killed._loss_sum) / killed._loss_steps
                killed._loss_sum, killed._loss_steps = torch.zeros(()), 0
                killed.curve.append({"step": killed.step, "loss": loss, **killed.validate()})
            if killed.step % 2 == 0:
                killed.save(path)
    broken = run(encoded, tmp_path / "stopped")
    for name in unbroken:
        assert unbroken[name].read_bytes() == broken[name].read_bytes(), name


def bare_settings(encoded: Path, weights: Path, train: dict, **more: object) -> Path:
    """A file of settings, as used on a machine without Snakemake."""
    settings = {
        **{"chains": str(encoded), "weights": f"{weights}.safetensors", "curve": f"{weights}.tsv"},
        **{"model": MODEL, "train": train, "masking": {}, "threads": 1},
    }
    path = weights.with_suffix(".json")
    path.write_text(json.dumps(settings | more))
    return path


def test_a_fault_of_a_bare_run_is_one_line(encoded: Path, tmp_path: Path) -> None:
    settings = bare_settings(encoded, tmp_path / "w", TRAIN, chains="absent.safetensors")
    done = subprocess.run(
        [sys.executable, "-m", "lacuna.training.run", str(settings)],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and done.stderr == ""
    assert done.stdout.startswith("Error: absent.safetensors: no such file")


def test_processes_that_train_together_make_the_mean_step(encoded: Path, tmp_path: Path) -> None:
    model, train = {**MODEL, "dropout": 0.0}, TRAIN | {"steps": 3}
    settings = bare_settings(encoded, tmp_path / "w", train, model=model)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", "-m", "lacuna.training.run", str(settings)),
        ],
        env={**os.environ, "PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 3/3") == 1  # only the first process reports
    one, other = (trainer(encoded, model, steps=3) for _ in range(2))
    for rank, part in enumerate((one, other)):
        part.ranks = part.batches.ranks = Ranks(rank, 2)
    assert not torch.equal(one.batches.draw(0).truth, other.batches.draw(0).truth)
    assert len(one.batches.draw(0).truth) == TRAIN["batch_size"] / 2

    def together(step: int) -> None:
        for rank in (one, other):
            rank.model.train()
            rank.optimizer.zero_grad()
            with rank.autocast():
                loss, _, _ = loss_and_hits(rank.model, rank.batches.draw(step))
            loss.backward()
        for rank in (one, other):
            for group in rank.optimizer.param_groups:
                group["lr"] = learning_rate_at(step, rank.config)
        pairs = list(zip(one.model.parameters(), other.model.parameters(), strict=True))
        for a, b in pairs:
            a.grad = b.grad = (a.grad + b.grad) / 2
        torch.nn.utils.clip_grad_norm_(one.model.parameters(), 1.0)
        for rank in (one, other):
            rank.optimizer.step()
        decay = min(one.config.average, (step + 1) / (step + 11))
        with torch.no_grad():
            torch._foreach_lerp_(list(one.averaged.parameters()), [p for p, _ in pairs], 1 - decay)

    for step in range(3):
        together(step)
    weights = load_weights(tmp_path / "w.safetensors").state_dict()
    before = starting_network(ModelConfig(**model), 0).state_dict()
    for name, tensor in one.averaged.state_dict().items():
        # Adam makes a full step if rounding alone moves a gradient from zero.
        error, moved = (weights[name] - tensor).abs().mean(), (tensor - before[name]).abs().mean()
        assert error < 0.05 * moved, name


def test_a_batch_is_shared_evenly(encoded: Path) -> None:
    config = TrainConfig(batch_size=16)
    with pytest.raises(LacunaError, match="batch of 16 cannot be shared by 3 GPUs"):
        Trainer(
            *(read_encoded(encoded), GapNetwork(ModelConfig(**MODEL)), config, MaskingConfig()),
            *(CPU, None, Ranks(0, 3)),
        )


def test_a_network_learns_from_its_teacher(encoded: Path, tmp_path: Path) -> None:
    """A teacher that always predicts W makes a network predict W, in proportion to its share."""
    sizes = TransformerConfig(width=16, layers=1, heads=2, inner=16, positions=256)
    teacher = LargeNetwork(ModelConfig(), sizes)
    with torch.no_grad():
        teacher.residue_logits.bias[RESIDUES.index("W")] = 100.0
    save_weights(tmp_path / "teacher.safetensors", teacher, {"step": 5})
    train = TRAIN | {"steps": 60, "learning_rate": 0.03}
    said = {}
    for share in (0.0, 1.0):
        out = run(
            *(encoded, tmp_path / str(share)),
            train={**train, "teacher_share": share},
            teacher=tmp_path / "teacher.safetensors",
        )
        batch = trainer(encoded).batches.draw(0)
        with torch.inference_mode():
            logits = load_weights(out["weights"])(batch.kmers)[batch.scored]
        said[share] = float((logits.argmax(-1) == RESIDUES.index("W")).float().mean())
        with safe_open(out["weights"], "pt") as handle:
            assert json.loads(handle.metadata()["record"])["teacher"] == {"step": 5}
    assert said[0.0] < 0.2 and said[1.0] > 0.9


def test_sigkill_at_any_moment_of_a_bare_run(encoded: Path, tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        settings = bare_settings(encoded, tmp_path / name, TRAIN | {"steps": 60})
        return [sys.executable, "-m", "lacuna.training.run", str(settings)]

    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    whole = subprocess.run(command("whole"), env=environment, capture_output=True, text=True)
    assert whole.returncode == 0, whole.stderr
    assert "step 60/60" in whole.stdout and "natural" in whole.stdout
    for wait in (0.0, 0.15):
        job = subprocess.Popen(command("killed"), env=environment, stdout=subprocess.DEVNULL)
        state = tmp_path / "killed.state"
        known = state.stat().st_mtime_ns if state.exists() else 0
        deadline = time.monotonic() + 60
        while job.poll() is None and time.monotonic() < deadline:
            if state.exists() and state.stat().st_mtime_ns != known:
                break
            time.sleep(0.005)
        time.sleep(wait)
        job.send_signal(signal.SIGKILL)
        job.wait()
    subprocess.run(command("killed"), env=environment, check=True, capture_output=True)
    files = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("whole", "killed")]
    assert files[0] == files[1]


def test_a_kill_between_the_last_checkpoint_and_the_weights(encoded: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    first = trainer(encoded)
    first.run(path, lambda _: None)
    whole = path.read_bytes()
    path.unlink()
    again = trainer(encoded)
    assert again.resume(path) and again.step == 12
    again.run(path, lambda _: None)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("model", "train", "words"),
    [
        ({"channels": 8, "hidden": 9}, {}, "model.hidden was 8 and is now 9"),
        ({"channels": 8, "hidden": 8, "kernel": 3}, {}, "model.kernel was 5 and is now 3"),
        (MODEL, {"batch_size": 17}, "train.batch_size was 16 and is now 17"),
        (MODEL, {"seed": 4}, "train.seed was 0 and is now 4"),
    ],
)
def test_changed_settings_are_named(
    encoded: Path, tmp_path: Path, model: dict, train: dict, words: str
) -> None:
    path = tmp_path / "weights.safetensors"
    before = trainer(encoded)
    before.train_step()
    before.save(path)
    with pytest.raises(LacunaError, match=words) as error:
        trainer(encoded, model, **train).resume(path)
    assert "restore it, or delete the checkpoint" in str(error.value)
    assert "\n" not in str(error.value)


def test_other_chains_are_refused(encoded: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    before = trainer(encoded)
    before.save(path)
    after = trainer(encoded)
    after.encoded.record["corpora"] = [{"name": "other"}]
    with pytest.raises(LacunaError, match="data.corpora has changed"):
        after.resume(path)


@pytest.mark.parametrize("kind", ["start", "teacher"])
def test_other_weights_to_begin_with_or_to_learn_from_are_refused(
    encoded: Path, tmp_path: Path, kind: str
) -> None:
    """Weights of the same sizes; only their record distinguishes them."""
    sizes = TransformerConfig(width=16, layers=1, heads=2, inner=16, positions=256)

    def begun(name: str) -> Trainer:
        if kind == "start":
            save_weights(tmp_path / name, GapNetwork(ModelConfig(**MODEL)), {"data": name})
            network, teacher = starting_network(ModelConfig(), 0, tmp_path / name), None
        else:
            save_weights(tmp_path / name, LargeNetwork(ModelConfig(), sizes), {"data": name})
            network, teacher = (
                starting_network(ModelConfig(**MODEL), 0),
                load_large(tmp_path / name),
            )
        config = TrainConfig(**TRAIN)
        return Trainer(read_encoded(encoded), network, config, MaskingConfig(), CPU, teacher)

    path = tmp_path / "weights.safetensors"
    killed = begun("one")
    killed.train_step()
    killed.save(path)
    with pytest.raises(LacunaError, match=f"weights.{kind} has changed since the checkpoint"):
        begun("other").resume(path)
    with pytest.raises(LacunaError, match=f"weights.{kind} has changed"):
        trainer(encoded).resume(path)
    assert begun("one").resume(path)


Change = Callable[[dict[str, Tensor], dict[str, str]], tuple[dict[str, Tensor], dict[str, str]]]


def checkpoint_faults(record: str) -> list[tuple[Change, str]]:
    """Ways to damage a checkpoint, and a part of the message for each."""

    def tensor(name: str, value: Tensor | None) -> Change:
        def changed(tensors: dict[str, Tensor], about: dict[str, str]) -> tuple:
            kept = {k: v for k, v in tensors.items() if k != name}
            return kept | ({} if value is None else {name: value}), about

        return changed

    def metadata(**given: str) -> Change:
        return lambda tensors, about: (tensors, about | given)

    def recorded(**given: object) -> Change:
        return metadata(record=json.dumps(json.loads(record) | given))

    nan = torch.full((8,), float("nan"))
    return [
        (tensor("averaged.mix.bias", None), "it lacks averaged.mix.bias"),
        (tensor("loss_sum", None), "it lacks loss_sum"),
        (tensor("model.mix.bias", nan), "model.mix.bias holds values that are not finite"),
        (tensor("model.mix.bias", torch.zeros(9)), "model.mix.bias is float32 of 9, not "),
        (tensor("optimizer.mix.bias.exp_avg_sq", torch.zeros(8).double()), "is float64 of 8, not "),
        (tensor("optimizer.mix.bias.step", None), "it has 'optimizer.mix.bias.exp_avg' too"),
        (tensor("optimizer.other.step", torch.zeros(())), "it has 'optimizer.other.step' too"),
        (metadata(record="{"), "'record' in its metadata is not JSON"),
        (metadata(model="[]"), "'model' in its metadata is not a JSON object"),
        (metadata(loss_steps="many"), "its record"),
        (recorded(step="1"), "its record"),
        (recorded(step=-1), "its record"),
        (recorded(curve=[{"step": 1}]), "its record"),
        (recorded(curve=[{"step": 1, "loss": "low"}]), "its record"),
        (recorded(masking=None), "its record"),
        (recorded(step=13), "step 13 of 12"),
    ]


def test_a_damaged_checkpoint_is_refused_and_kept(encoded: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    before = trainer(encoded)
    before.train_step()
    before.save(path)
    state = path.with_suffix(".state")
    whole = state.read_bytes()
    flipped = whole[:-9] + bytes([whole[-9] ^ 4]) + whole[-8:]
    for damaged in (b"", b"x" * 100, whole[:-1], whole[:50], flipped):
        state.write_bytes(damaged)
        with pytest.raises(LacunaError, match="damaged.*delete the checkpoint") as error:
            trainer(encoded).resume(path)
        assert "\n" not in str(error.value)
        assert state.read_bytes() == damaged
    with safe_open(state, "pt") as handle:
        about = handle.metadata()
    for change, fault in checkpoint_faults(about["record"]):
        tensors, metadata = change(load_file(state), dict(about))
        write_tensors(state, tensors, metadata)
        damaged = state.read_bytes()
        with pytest.raises(LacunaError) as error:
            trainer(encoded).resume(path)
        said = str(error.value)
        assert said.startswith(f"{state}: ") and fault in said and "\n" not in said
        assert said.endswith("delete the checkpoint to start again")
        assert state.read_bytes() == damaged
        state.write_bytes(whole)
    shutil.copy(path, state)  # weights are not a checkpoint
    with pytest.raises(LacunaError, match="not a checkpoint"):
        trainer(encoded).resume(path)


def test_files_that_are_no_encoded_chains(encoded: Path, tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match="no such file"):
        read_encoded(tmp_path / "absent.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(LacunaError, match="not a file of encoded chains"):
        read_encoded(tmp_path / "a.safetensors")
    (tmp_path / "b.safetensors").write_bytes(encoded.read_bytes()[:-100])
    with pytest.raises(LacunaError, match="damaged.*encode the corpora again"):
        read_encoded(tmp_path / "b.safetensors")


def test_the_record_is_of_the_run_and_not_of_the_machine(encoded: Path, tmp_path: Path) -> None:
    out = run(encoded, tmp_path)
    with safe_open(out["weights"], "pt") as handle:
        metadata = handle.metadata()
    record = json.loads(metadata["record"])
    assert set(record) == {"data", "train", "masking", "step", "chains_seen", "curve"}
    assert record["data"] == {"corpora": [{"name": "made"}]}
    assert (record["step"], record["chains_seen"], record["train"]["seed"]) == (12, 192, 0)
    text = json.dumps(metadata)
    assert str(tmp_path) not in text and os.uname().nodename not in text


def test_a_time_budget_sets_the_steps_once(encoded: Path, tmp_path: Path) -> None:
    settings = {k: v for k, v in TRAIN.items() if k != "steps"} | {"checkpoint_every": 1}
    out = run(encoded, tmp_path, train=settings, minutes=0.02)
    with safe_open(out["weights"], "pt") as handle:
        steps = json.loads(handle.metadata()["record"])["train"]["steps"]
    assert 1 <= steps < 2000
    # A stopped run keeps its number of steps, whatever the speed now.
    config = TrainConfig(**settings, steps=7)
    begun = trainer(encoded, **{**settings, "steps": config.steps})
    begun.train_step()
    begun.save(out["weights"])
    out = run(encoded, tmp_path, train=settings, minutes=5.0)
    with safe_open(out["weights"], "pt") as handle:
        assert json.loads(handle.metadata()["record"])["step"] == 7


def test_validation_rows_are_never_drawn(encoded: Path) -> None:
    chains = read_encoded(encoded).chains
    draws = torch.rand(5000, dtype=torch.float64) * chains.cumulative[-1]
    assert torch.searchsorted(chains.cumulative, draws).min() >= 8
    held_out = chains.grids[:8]
    pool = trainer(encoded).batches.references(0).grids
    assert not (pool[:, None] == held_out[None]).all(2).any()


def test_the_learning_rate_rises_and_falls() -> None:
    config = TrainConfig(steps=1000, warmup=100, learning_rate=1.0)
    rates = [learning_rate_at(step, config) for step in range(1001)]
    assert rates[0] == pytest.approx(0.01) and max(rates) == rates[99] == pytest.approx(1.0)
    assert rates[99:] == sorted(rates[99:], reverse=True) and rates[1000] == pytest.approx(0.01)


def test_one_line_of_progress_per_validation(
    encoded: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "lacuna.training.run"):
        run(encoded, tmp_path)
    lines = [r.getMessage() for r in caplog.records if r.getMessage().startswith("step")]
    assert len(lines) == 3
    for word in ("step 5/12", "chains/s", "loss", "held-out accuracy natural 0.", "min left"):
        assert word in lines[0]


def test_devices_are_picked_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (pick_device(0).type, pick_device(1).type) == ("cpu", "cuda")
    assert product_dtype(torch.device("cuda")) == torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device(1).type == "cpu"
    for has, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(
            torch.cpu, "get_capabilities", lambda has=has: {"avx512_bf16": has}, raising=False
        )
        assert product_dtype(CPU) == dtype
        set_precision("float32")
        assert product_dtype(CPU) == product_dtype(torch.device("cuda")) == torch.float32
        set_precision("fast")
        assert product_dtype(CPU) == dtype
    with pytest.raises(ValueError, match="one of fast, float32, float64"):
        set_precision("half")


def test_dropout_zeroes_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropout, x = CpuDropout(0.1), torch.ones(7, 1001, 33, requires_grad=True)
    out = dropout(x)
    assert out.shape == x.shape and out.unique().tolist() == pytest.approx([0.0, 1 / 0.9])
    assert (out == 0).float().mean().item() == pytest.approx(0.1, abs=0.003)
    assert abs((out == 0).float().mean((0, 1)) - 0.1).max() < 0.02
    (gradient,) = torch.autograd.grad(out.sum(), x)
    assert torch.equal(gradient, out.detach())
    assert dropout(torch.ones(5).bfloat16()).dtype == torch.bfloat16
    assert dropout.eval()(x) is x and CpuDropout(0.0)(x) is x
    torch.manual_seed(0)
    assert torch.equal(CpuDropout(0.1)(x), out)


def test_the_searches_of_a_batch_do_not_depend_on_the_precision(encoded: Path) -> None:
    batches = []
    for dtype in (torch.float32, torch.bfloat16):
        one = trainer(encoded)
        one.dtype = dtype
        batches.append([one.batches.draw(step) for step in range(4)])
    for exact, coarse in zip(*batches, strict=True):
        assert torch.equal(exact.kmers.templates, coarse.kmers.templates)
        assert torch.equal(exact.kmers.profiles, coarse.kmers.profiles)


def test_tensor_files_are_the_same_bytes_and_not_taken_when_damaged(tmp_path: Path) -> None:
    tensors = {
        "half": torch.randn(3).bfloat16(),
        "empty": torch.zeros(0, 4),
        "scalar": torch.tensor(2.0),
        "flags": torch.tensor([True, False]),
    }
    metadata = {str(i): "ä" * i for i in range(9)}
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path in paths:
        write_tensors(path, tensors, metadata)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    back, about = read_tensors(paths[0], "remedy")
    assert metadata.items() <= about.items()
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert [p.name for p in sorted(tmp_path.iterdir())] == ["a.safetensors", "b.safetensors"]
    save_file(back, tmp_path / "c.safetensors")  # as written by another program
    assert set(read_tensors(tmp_path / "c.safetensors", "remedy")[0]) == set(tensors)


def test_a_log_takes_everything_and_gives_it_back(tmp_path: Path) -> None:
    code = f"""
import logging, os, subprocess, sys, warnings
from lacuna.core.files import LacunaError
from lacuna.core.logs import log_to
log = log_to({str(tmp_path / "logs" / "a.log")!r})
print("printed"); logging.getLogger("x").info("logged"); warnings.warn("warned")
subprocess.run(["echo", "child"]); sys.stderr.write("stderr\\n")
log.close()
print("after")
log_to({str(tmp_path / "b.log")!r})
print("hidden")
raise LacunaError("file.fasta:3: a fault; a remedy")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode == 1
    assert done.stdout == "after\n"
    assert done.stderr == "Error: file.fasta:3: a fault; a remedy\n"
    log = (tmp_path / "logs" / "a.log").read_text()
    assert all(word in log for word in ("printed", "INFO logged", "warned", "child", "stderr"))
    assert (tmp_path / "b.log").read_text().splitlines() == [
        *("hidden", "Error: file.fasta:3: a fault; a remedy")
    ]


@pytest.mark.parametrize(
    ("raised", "last"),
    [
        ("MemoryError()", "a.log: the job ran out of memory; lower 'block_size', or give it more"),
        (
            "ValueError('a\\nb')",
            "a.log: ValueError: a\\nb; this is a fault of Lacuna: please",
        ),
        ("KeyError", "a.log: KeyError; this is a fault of Lacuna"),
        ("KeyboardInterrupt", "a.log: the job was interrupted; run again to continue"),
        ("LacunaError('a\\nb\\x1b[31m')", r"Error: a\nb\x1b[31m"),
    ],
)
def test_any_error_that_ends_a_job_ends_its_log_with_one_line(
    tmp_path: Path, raised: str, last: str
) -> None:
    log = tmp_path / "a.log"
    code = f"""
from lacuna.core.files import LacunaError
from lacuna.core.logs import log_to
log_to({str(log)!r})
raise {raised}
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode and done.stderr == log.read_text()
    *before, line = done.stderr.splitlines()
    assert line.startswith("Error: ") and last in line
    assert any("Traceback" in one for one in before) != ("LacunaError" in raised)


def test_a_log_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code = f"from lacuna.core.logs import log_to; log_to({str(tmp_path / 'file' / 'a.log')!r})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("Error: ") and "a part of the path is a file" in done.stderr


def test_a_full_disk_takes_neither_log_nor_tensors(tmp_path: Path) -> None:
    log = tmp_path / "full.log"
    log.symlink_to("/dev/full")
    code = f"""
from lacuna.core.files import LacunaError
from lacuna.core.logs import log_to
log_to({str(log)!r})
print("words")
raise LacunaError("a fault")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
    )
    wanted = f"Error: {log}: cannot be written (No space left on device); free some space and run"
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(wanted)
    (tmp_path / ".w.safetensors.part").symlink_to("/dev/full")
    with pytest.raises(LacunaError, match=r"w.safetensors: cannot be written \(No space left"):
        write_tensors(tmp_path / "w.safetensors", {"a": torch.zeros(99_999)}, {})
    assert not list(tmp_path.glob("*w.safetensors*"))


def test_a_run_starts_from_given_weights(encoded: Path, tmp_path: Path) -> None:
    start = GapNetwork(ModelConfig(**MODEL))
    with torch.no_grad():
        start.mix.bias.fill_(0.5)
    path = tmp_path / "start.safetensors"
    save_weights(path, start, {"step": 3})
    other = {"channels": 4, "hidden": 4}  # given weights bring their own sizes
    out = run(
        *(encoded, tmp_path),
        **{"model": other, "start": path, "train": {**TRAIN, "steps": 1, "learning_rate": 1e-9}},
    )
    tuned = load_weights(out["weights"])
    assert torch.allclose(tuned.mix.bias, torch.full((8,), 0.5))
    assert tuned.record["start"] == {"step": 3} and tuned.record["step"] == 1
