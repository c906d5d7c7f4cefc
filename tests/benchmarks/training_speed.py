"""Training speed in chains/s, and its share of the speed of the matrix products alone.

    python tests/benchmarks/training_speed.py

A single run on the same cores: training steps (batches, forward, backward, optimiser) before and
after the bare products of such a step, in the same shapes, types and numbers, so that a changing
load of the machine does not affect the share. Chains are simulated.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from common import options_of

from lacuna.antibody.imgt import N_CODES, N_IMGT
from lacuna.core.device import keep_memory
from lacuna.network.model import ModelConfig
from lacuna.training.batches import Encoded, TrainConfig, read_encoded
from lacuna.training.chains import Chains
from lacuna.training.encode import write_encoded
from lacuna.training.germline_use import germline_library
from lacuna.training.masking import MaskingConfig
from lacuna.training.run import starting_network
from lacuna.training.simulate import simulate_chains
from lacuna.training.trainer import Trainer

COUNTS = {"human:H": 3000, "human:K": 1500, "human:L": 1500, "mouse:H": 1000, "mouse:K": 1000}


class Product(NamedTuple):
    """`times` products (m, k) x (k, n) of a step."""

    name: str
    m: int
    k: int
    n: int
    times: int
    dtype: torch.dtype

    @property
    def flop(self) -> float:
        return 2.0 * self.m * self.k * self.n * self.times


def products(trainer: Trainer) -> list[Product]:
    """Every matrix product of a training step."""
    model, config = trainer.model.config, trainer.config
    b, d, h = config.batch_size, model.channels, model.hidden
    p = b * config.k  # positions
    rows, inputs = trainer.model.lookup.shape[0], trainer.model.features.in_features
    matched = N_IMGT * 21
    masking = trainer.masking
    asked = round(b * (1 - (1 - masking.homologs) * (1 - masking.generic)))
    exact = trainer.batches.one_hots[0].dtype
    found = [
        Product("germline search", b, matched, len(trainer.batches.library.v), 2, exact),
        Product("germline search", b, matched, len(trainer.batches.library.j), 1, exact),
        Product("homolog search", asked, matched, config.pool, 1, trainer.dtype),
    ]

    def layer(name: str, wide: int, out: int, times: int = 1, inward: bool = True) -> None:
        """Forward, gradient of the weights and, unless it is the first layer, of the input."""
        found.append(Product(name, p, wide, out, times, trainer.dtype))
        found.append(Product(name, wide, p, out, times, trainer.dtype))
        if inward:
            found.append(Product(name, p, out, wide, times, trainer.dtype))

    layer("lookup", rows, d, inward=False)
    layer("features", inputs, d, inward=False)
    layer("convolution", model.kernel * d, d)
    for i in range(model.layers):
        layer("LSTM", d if i == 0 else 2 * h, 4 * h, times=2)
        found.append(Product("LSTM", b, h, 4 * h, 2 * config.k, trainer.dtype))
        found.append(Product("LSTM", b, 4 * h, h, 2 * config.k, trainer.dtype))
        found.append(Product("LSTM", h, p, 4 * h, 2, trainer.dtype))
    layer("output", 2 * h + d, d)
    layer("output", d, 20 + model.slots + model.profiles)
    return found


def seconds_of(action: Callable[[], object], repeats: int) -> list[float]:
    found = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return found


def alone(product: Product) -> float:
    """Seconds of a product's `times` repetitions; each counts the best of a few runs."""
    left = torch.randn(product.m, product.k).to(product.dtype)
    right = torch.randn(product.n, product.k).to(product.dtype).T
    bunch = min(product.times, 16)

    def run() -> None:
        for _ in range(bunch):
            torch.mm(left, right)

    run()
    return min(seconds_of(run, 4)) / bunch * product.times


def simulated() -> Encoded:
    """Chains to train on; their number hardly affects the speed."""
    nothing = Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64))
    chains, _ = simulate_chains(nothing, COUNTS, 0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chains.safetensors"
        library = germline_library(chains)
        write_encoded(path, chains, np.ones(len(chains)), {}, library, {})
        return read_encoded(path)


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=8, help="timed before and after each")
    parser.add_argument("--chains", type=Path, help="encoded chains instead of simulated ones")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    torch.set_num_threads(options.threads)
    keep_memory()
    encoded = simulated() if options.chains is None else read_encoded(options.chains)
    config = TrainConfig(batch_size=options.batch_size)
    model = starting_network(ModelConfig(), config.seed)
    trainer = Trainer(encoded, model, config, MaskingConfig(), torch.device("cpu"))
    print(f"{options.threads} threads, batch {config.batch_size}, {trainer.dtype}")

    def step() -> None:
        trainer.train_step()

    seconds_of(step, 3)
    steps = seconds_of(step, options.steps)
    listed = products(trainer)
    times = [alone(product) for product in listed]
    steps += seconds_of(step, options.steps)
    batches = seconds_of(lambda: trainer.batches.draw(trainer.step), 5)

    names = list(dict.fromkeys(product.name for product in listed))
    print(f"{'products alone':<18}{'GFLOP':>8}{'ms':>8}{'GFLOP/s':>9}")
    for name in names:
        some = [(x, t) for x, t in zip(listed, times, strict=True) if x.name == name]
        flop, spent = sum(x.flop for x, _ in some) / 1e9, sum(t for _, t in some)
        print(f"{name:<18}{flop:>8.1f}{1e3 * spent:>8.0f}{flop / spent:>9.0f}")
    flop, spent = sum(x.flop for x in listed) / 1e9, sum(times)
    median = statistics.median(steps)
    print(f"{'all products':<18}{flop:>8.1f}{1e3 * spent:>8.0f}{flop / spent:>9.0f}")
    print(f"{'a training step':<18}{flop:>8.1f}{1e3 * median:>8.0f}{flop / median:>9.0f}")
    print(f"of which making the batch: {1e3 * statistics.median(batches):.0f} ms")
    print(f"training: {config.batch_size / median:.0f} chains/s, {100 * spent / median:.0f} %")
    print("(share of what the same products reach alone)")


if __name__ == "__main__":
    main()
