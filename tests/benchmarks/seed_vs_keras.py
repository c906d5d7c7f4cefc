"""Training time of the tutorial model in Keras 3 and in Lacuna, in seconds.

    python tests/benchmarks/seed_vs_keras.py --keras-python .venv-keras/bin/python

Both train the same network on the same windows of alemtuzumab's light chain: batch size 1, the 26
test windows evaluated after every epoch, on the same two cores. Lacuna runs before and after Keras,
so that a changing load of the machine does not affect the ratio. Building the model and tracing
its graph is not counted (for Keras, the first epoch counts as much as the median one).
"""

import argparse
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "resources" / "examples" / "alemtuzumab_light"
K = 10


def use_two_cores() -> str:
    if not hasattr(os, "sched_setaffinity"):
        return "the cores the system gives"
    cores = sorted(os.sched_getaffinity(0))[:2]
    os.sched_setaffinity(0, cores)
    return f"cores {', '.join(map(str, cores))}"


def example() -> tuple[str, list[int]]:
    lines = (EXAMPLE / "alemtuzumab_light.fasta").read_text().splitlines()
    ranges = [line.split()[1:] for line in (EXAMPLE / "gaps.bed").read_text().splitlines()]
    return "".join(lines[1:]), [p for start, end in ranges for p in range(int(start), int(end))]


def epoch_seconds(ends: list[float]) -> list[float]:
    return [after - before for before, after in zip(ends, ends[1:], strict=False)]


def run_lacuna(epochs: int) -> dict[str, object]:
    sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
    from lacuna.tutorial.model import train_seed

    ends = [time.perf_counter()]
    model = train_seed(
        *example(), k=K, epochs=epochs, progress=lambda *_: ends.append(time.perf_counter())
    )
    assert model is not None
    return {"seconds": epoch_seconds(ends), "accuracy": model.curve["accuracy"].iloc[-1]}


def run_keras(windows_path: str, epochs: int) -> dict[str, object]:
    os.environ.update(KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import keras
    from keras import layers

    windows = np.load(windows_path)
    one_hot = np.eye(20, dtype=np.float32)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            layers.Input((K, 1)),
            layers.Conv1D(128, 5),
            layers.LSTM(256),
            layers.Dense(128, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(20, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3),
        loss="categorical_crossentropy",
        metrics=["accuracy"],
    )
    ends = [time.perf_counter()]
    history = model.fit(
        windows["train_inputs"][..., None],
        one_hot[windows["train_targets"]],
        batch_size=1,
        epochs=epochs,
        verbose=0,
        validation_data=(windows["test_inputs"][..., None], one_hot[windows["test_targets"]]),
        validation_batch_size=len(windows["test_targets"]),
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
        ],
    )
    seconds = epoch_seconds(ends)
    seconds[0] = statistics.median(seconds)  # the first includes tracing the graph
    return {
        "seconds": seconds,
        "accuracy": history.history["accuracy"][-1],
        "parameters": model.count_params(),
        "version": keras.__version__,
    }


def save_windows(path: Path) -> None:
    sys.path.insert(0, str(ROOT / "workflow" / "scripts"))
    from lacuna.tutorial.model import encode, make_windows

    sequence, missing = example()
    train, test = make_windows(encode(sequence), np.array(missing), K)
    np.savez(
        path,
        train_inputs=train.inputs,
        train_targets=train.targets,
        test_inputs=test.inputs,
        test_targets=test.targets,
    )


def run_side(python: str, *arguments: str) -> dict:
    """Run one side in a separate process; it inherits the cores and prints one JSON line."""
    command = [python, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def compare(keras_python: str, epochs: int) -> None:
    print(f"seed_lstm, {epochs} epochs of batch size 1, {use_two_cores()}", flush=True)
    n = ["--epochs", str(epochs)]
    with tempfile.TemporaryDirectory() as folder:
        windows = Path(folder) / "windows.npz"
        save_windows(windows)
        ours = [run_side(sys.executable, "--side", "lacuna", *n)]
        print(f"lacuna   {sum(ours[0]['seconds']):8.1f} s", flush=True)
        keras = run_side(keras_python, "--side", "keras", "--windows", str(windows), *n)
        print(f"keras    {sum(keras['seconds']):8.1f} s  (Keras {keras['version']})", flush=True)
        ours.append(run_side(sys.executable, "--side", "lacuna", *n))
        print(f"lacuna   {sum(ours[1]['seconds']):8.1f} s", flush=True)
    mean = statistics.mean(sum(side["seconds"]) for side in ours)
    print(
        f"training accuracy: lacuna {ours[0]['accuracy']:.3f}, keras {keras['accuracy']:.3f}; "
        f"parameters in Keras: {keras['parameters']:,}"
    )
    print(f"ratio    {sum(keras['seconds']) / mean:8.1f} x faster than Keras")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras-python", default=str(ROOT / ".venv-keras" / "bin" / "python"))
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--side", choices=["lacuna", "keras"], help=argparse.SUPPRESS)
    parser.add_argument("--windows", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if options.side == "lacuna":
        print(json.dumps(run_lacuna(options.epochs)))
    elif options.side == "keras":
        print(json.dumps(run_keras(options.windows, options.epochs)))
    else:
        compare(options.keras_python, options.epochs)


if __name__ == "__main__":
    main()
