"""`seed_lstm`: the network of the tutorial that the project started from, as a baseline.

One small network learns one chain: each k-mer of the chain predicts the residue after it. Two
protocols define what the network may see:

`true_context`
    The tutorial's own. A window whose *target* is missing is a test window, every other window is
    a training window, even if its k-mer covers missing residues: their truth is shown, in
    training and in test. Its figures are next-residue accuracy with true neighbours, not the
    accuracy to expect for a real gap. The first k residues have no k-mer and are not predicted.

`scaffold`
    Nothing hidden is ever seen: missing residues are removed before the first window is cut, and
    windows with one of them, in k-mer or target, are left out. One network learns the chain and
    another the reversed chain. The one that is more certain of a residue at the edge of a gap
    fills it, and that residue becomes part of the next k-mers. Every missing residue is filled.

A letter that is not a residue counts as missing. If no stretch of known residues has k + 1 of
them, k shrinks to the longest stretch less one (the network has the same weights for any k of 5
or more). If even that is below 5, the residues are filled with the commonest observed one.
"""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from lacuna.core.alphabet import N_RESIDUES, RESIDUES
from lacuna.core.files import atomic_write
from lacuna.tutorial.kernel import (
    CHANNELS,
    CONV_WIDTH,
    DENSE,
    HIDDEN,
    LAYERS,
    N_PARAMETERS,
    CurveRow,
    Floats,
    fit,
    init_parameters,
    logits,
)

UNKNOWN = -1
GAP = "-"

LOG = logging.getLogger(__name__)

Protocol = Literal["true_context", "scaffold"]
Codes = NDArray[np.int64]
P = ParamSpec("P")
T = TypeVar("T")
Progress = Callable[[str, CurveRow], None]


@dataclass(frozen=True)
class Windows:
    """k-mers, the residues after them, and the positions of those in the chain (0-based)."""

    kmers: Codes  # (n, k)
    targets: Codes  # (n,)
    positions: Codes  # (n,)

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def inputs(self) -> Floats:
        """The network's inputs: (n, k)."""
        return scale_codes(self.kmers)


_NO_WINDOWS = Windows(np.empty((0, 0), np.int64), np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class SeedModel:
    """A trained network, its training data and its training curve."""

    protocol: Protocol
    reverse: bool
    k: int
    parameters: torch.Tensor = field(repr=False)
    train: Windows = field(repr=False)
    test: Windows = field(repr=False)
    curve: pd.DataFrame = field(repr=False)

    def distributions(self, kmers: Codes) -> Floats:
        """Distributions of the residue after each k-mer: (n, k) -> (n, 20)."""
        outputs = logits(self.parameters, scale_codes(kmers))
        return torch.softmax(outputs, dim=1).numpy()


@dataclass(frozen=True)
class SeedPredictions:
    """Predictions of one protocol, by position (0-based, rising)."""

    protocol: Protocol
    positions: Codes  # (n,)
    distributions: Floats = field(repr=False)  # (n, 20)

    @property
    def residues(self) -> NDArray[np.str_]:
        """The most probable residue at each position: (n,)."""
        return np.array(list(RESIDUES))[self.distributions.argmax(axis=1)]

    @property
    def probabilities(self) -> Floats:
        """Its probability: (n,)."""
        return self.distributions.max(axis=1)


@dataclass(frozen=True)
class SeedResult:
    """One chain, the models trained on it and their predictions, by protocol."""

    sequence: str  # as given, upper case: it may contain the truth of missing residues
    missing: Codes = field(repr=False)  # positions, 0-based, rising
    models: tuple[SeedModel, ...]
    predictions: dict[Protocol, SeedPredictions]

    @property
    def scaffold(self) -> str:
        """The chain with `-` at missing residues."""
        return decode(encode(self.sequence, self.missing))

    def filled(self, protocol: Protocol = "scaffold") -> str:
        """The chain with the residues predicted by a protocol; `-` where it predicts none."""
        letters = np.array(list(self.scaffold), dtype="U1")
        letters[self.predictions[protocol].positions] = self.predictions[protocol].residues
        return "".join(letters)


def encode(sequence: str, hidden: Iterable[int] = ()) -> Codes:
    """Alphabet indices (length,); -1 at hidden positions and letters that are not residues."""
    codes = np.array([RESIDUES.find(letter) for letter in sequence.upper()], dtype=np.int64)
    codes[np.fromiter(hidden, dtype=np.int64)] = UNKNOWN
    return codes


def decode(codes: Codes) -> str:
    """Sequence of alphabet indices (length,); `-` for unknown residues."""
    return "".join(RESIDUES[code] if code != UNKNOWN else GAP for code in codes)


def scale_codes(codes: Codes) -> Floats:
    """The network's input: residue indices (any shape) divided by the size of the alphabet."""
    return (codes / N_RESIDUES).astype(np.float32)


def missing_positions(sequence: str, missing: Iterable[int]) -> Codes:
    """The given positions and those of letters that are not residues: (n,), rising, each once.

    Positions are 0-based. Raises ValueError if one of them is outside the chain.
    """
    given = np.unique(np.fromiter(missing, dtype=np.int64))
    if given.size and (given[0] < 0 or given[-1] >= len(sequence)):
        raise ValueError(
            f"missing position {given[0] if given[0] < 0 else given[-1]} lies outside a chain of "
            f"{len(sequence)} residues; positions are 0-based"
        )
    return np.union1d(given, np.flatnonzero(encode(sequence) == UNKNOWN))


def usable_k(codes: Codes, k: int) -> int:
    """k, or less if no stretch of known residues is longer than k; 0 if none is longer than 5.

    Raises ValueError if k is less than the width of the convolution.
    """
    if k < CONV_WIDTH:
        raise ValueError(f"k is {k}; the convolution needs a k of at least {CONV_WIDTH}")
    known = "".join("." if code == UNKNOWN else "r" for code in codes)
    longest = max(map(len, known.split(".")))
    return min(k, longest - 1) if longest > CONV_WIDTH else 0


def make_windows(
    codes: Codes, missing: Codes, k: int, reverse: bool = False
) -> tuple[Windows, Windows]:
    """Training and test windows: a window whose target is missing is a test window.

    Windows with an unknown residue, in k-mer or target, are left out. So codes that show the truth
    of the missing residues give the windows of `true_context`, and codes that hide it those of
    `scaffold` (which has no test windows). With `reverse` the k-mer consists of the residues after
    the target, read backwards; positions are always those of the chain as given.
    """
    if reverse:
        codes = codes[::-1]
    if len(codes) > k:
        cut = np.lib.stride_tricks.sliding_window_view(codes, k + 1)  # (length - k, k + 1)
    else:
        cut = np.empty((0, k + 1), np.int64)
    positions = np.arange(k, k + len(cut))
    if reverse:
        positions = len(codes) - 1 - positions
    known = (cut != UNKNOWN).all(axis=1)
    is_test = np.isin(positions, missing)
    train, test = (
        Windows(cut[keep, :k].copy(), cut[keep, k].copy(), positions[keep])
        for keep in (known & ~is_test, known & is_test)
    )
    return train, test


def _on_one_thread(work: Callable[P, T]) -> Callable[P, T]:
    """Run a function on a thread of its own, in which torch is single-threaded.

    Results then do not depend on the number of cores; at this size a second thread only waits.
    Moments of Adam that decay forever are flushed to zero there: arithmetic on denormals is many
    times slower. Both settings end with the thread.
    """

    def settle() -> None:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)

    @wraps(work)
    def alone(*args: P.args, **kwargs: P.kwargs) -> T:
        count = torch.get_num_threads()
        try:
            with ThreadPoolExecutor(1, "seed_lstm", settle) as pool:
                return pool.submit(work, *args, **kwargs).result()
        finally:
            torch.set_num_threads(count)  # the default of threads that are started later

    return alone


@_on_one_thread
def train_seed(
    sequence: str,
    missing: Iterable[int],
    *,
    protocol: Protocol = "true_context",
    k: int = 10,
    epochs: int = 100,
    seed: int = 0,
    reverse: bool = False,
    progress: Progress | None = None,
) -> SeedModel | None:
    """Train one network on one chain (with `reverse`, on the reversed chain).

    `missing` are 0-based positions. `progress` is called after each epoch with the model's label
    and a row of the training curve. Returns None if the chain has no training window.
    """
    positions = missing_positions(sequence, missing)
    codes = encode(sequence, positions if protocol == "scaffold" else ())
    k = usable_k(codes, k)
    train, test = make_windows(codes, positions, k, reverse) if k else (_NO_WINDOWS, _NO_WINDOWS)
    if not len(train):
        return None
    rng = np.random.default_rng([seed, int(reverse)])
    parameters = init_parameters(rng)
    label = f"{protocol}, {'reverse' if reverse else 'forward'}"
    curve = []
    for row in fit(
        parameters, (train.inputs, train.targets), (test.inputs, test.targets), epochs, rng
    ):
        curve.append(row)
        if progress:
            progress(label, row)
        if row.epoch % 10 == 0 or row.epoch == epochs:
            LOG.info(
                "seed_lstm (%s): epoch %d of %d, loss %.4f, accuracy %.3f",
                label,
                row.epoch,
                epochs,
                row.loss,
                row.accuracy,
            )
    table = pd.DataFrame(curve, columns=CurveRow._fields)
    return SeedModel(protocol, reverse, k, parameters, train, test, table)


@_on_one_thread
def predict_true_context(model: SeedModel) -> SeedPredictions:
    """Predict each missing residue from the true k-mer before it: the tutorial's test windows."""
    order = np.argsort(model.test.positions)  # a reverse model's positions fall
    distributions = model.distributions(model.test.kmers[order])
    return SeedPredictions("true_context", model.test.positions[order], distributions)


@_on_one_thread
def fill_scaffold(
    sequence: str, missing: Iterable[int], forward: SeedModel, backward: SeedModel
) -> SeedPredictions:
    """Fill every missing residue from observed residues and those filled before it.

    Candidates are the missing residues with k known ones before them (for the forward model) or
    after them (for the reverse model). The most certain is filled, which makes new candidates,
    until none is missing. Ties go to the lower position, then to the forward model.
    """
    positions = missing_positions(sequence, missing)
    codes = encode(sequence, positions)
    filled = np.zeros((len(codes), N_RESIDUES), np.float32)
    queue: list[tuple[float, int, int, Floats]] = []

    def add_candidates(near: Iterable[int], model: SeedModel) -> None:
        contexts = {}
        for position in near:
            if 0 <= position < len(codes) and codes[position] == UNKNOWN:
                kmer = _kmer_towards(codes, position, model)
                if len(kmer) == model.k and (kmer != UNKNOWN).all():
                    contexts[position] = kmer
        if contexts:
            rows = model.distributions(np.stack(list(contexts.values())))
            for position, row in zip(contexts, rows, strict=True):
                heapq.heappush(queue, (-float(row.max()), position, int(model.reverse), row))

    add_candidates(positions.tolist(), forward)
    add_candidates(positions.tolist(), backward)
    while queue:
        _, position, _, row = heapq.heappop(queue)
        if codes[position] != UNKNOWN:
            continue  # the other model was more certain
        codes[position] = int(row.argmax())
        filled[position] = row
        # A complete k-mer never changes, so only those that include this residue are new.
        add_candidates(range(position + 1, position + forward.k + 1), forward)
        add_candidates(range(position - backward.k, position), backward)
    return SeedPredictions("scaffold", positions, filled[positions])


def _kmer_towards(codes: Codes, position: int, model: SeedModel) -> Codes:
    """Up to k residues that the model reads before it predicts `position`, in reading order."""
    if model.reverse:
        return codes[position + 1 : position + 1 + model.k][::-1]
    return codes[max(0, position - model.k) : position]


def fill_by_composition(sequence: str, missing: Iterable[int]) -> SeedPredictions:
    """Fill all with the commonest observed residue, with its share (add-one smoothed)."""
    positions = missing_positions(sequence, missing)
    codes = encode(sequence, positions)
    counts = np.bincount(codes[codes != UNKNOWN], minlength=N_RESIDUES) + 1
    shares = (counts / counts.sum()).astype(np.float32)  # (20,)
    return SeedPredictions("scaffold", positions, np.tile(shares, (len(positions), 1)))


@_on_one_thread
def run_seed(
    sequence: str,
    missing: Iterable[int],
    *,
    k: int = 10,
    epochs: int = 100,
    seed: int = 0,
) -> SeedResult:
    """Run both protocols on one chain, on one core.

    `true_context` is in the result only if `sequence` has the truth of a missing residue and of the
    k residues before it; `scaffold` always is.
    """
    sequence = sequence.upper()
    positions = missing_positions(sequence, missing)

    def train(protocol: Protocol, reverse: bool = False) -> SeedModel | None:
        return train_seed(
            sequence,
            positions,
            protocol=protocol,
            k=k,
            epochs=epochs,
            seed=seed,
            reverse=reverse,
        )

    predictions: dict[Protocol, SeedPredictions] = {}
    truth_is_known = bool((encode(sequence)[positions] != UNKNOWN).any())
    shown = train("true_context") if truth_is_known else None
    if shown and len(shown.test):
        predictions["true_context"] = predict_true_context(shown)
    forward, backward = train("scaffold"), train("scaffold", reverse=True)
    if forward and backward:
        predictions["scaffold"] = fill_scaffold(sequence, positions, forward, backward)
    else:
        predictions["scaffold"] = fill_by_composition(sequence, positions)
    models = tuple(model for model in (shown, forward, backward) if model)
    return SeedResult(sequence, positions, models, predictions)


def alphabet_table() -> pd.DataFrame:
    """The network's input for each residue."""
    codes = np.arange(N_RESIDUES)
    return pd.DataFrame({"residue": list(RESIDUES), "index": codes, "input": codes / N_RESIDUES})


def format_sequence(sequence: str) -> str:
    """The sequence in groups of 10 and lines of 50."""
    lines = (sequence[start : start + 50] for start in range(0, len(sequence), 50))
    return "".join(
        " ".join(line[at : at + 10] for at in range(0, len(line), 10)) + "\n" for line in lines
    )


def kmer_table(windows: Windows) -> pd.DataFrame:
    """The k-mer of each residue of training or test; `position` is 1-based."""
    return pd.DataFrame(
        {
            "position": windows.positions + 1,
            "residue": [RESIDUES[code] for code in windows.targets],
            "kmer": [decode(kmer) for kmer in windows.kmers],
        }
    )


def curve_table(models: Iterable[SeedModel]) -> pd.DataFrame:
    """Loss and accuracy per model and epoch; `scaffold` has no validation."""
    tables = []
    for model in models:
        table = model.curve.copy()
        table.insert(0, "protocol", model.protocol)
        table.insert(1, "direction", "reverse" if model.reverse else "forward")
        tables.append(table)
    return pd.concat(tables) if tables else pd.DataFrame(columns=CurveRow._fields)


def prediction_table(result: SeedResult) -> pd.DataFrame:
    """One row per protocol and missing residue; `position` is 1-based, `truth` `-` if unknown."""
    truth = decode(encode(result.sequence))
    tables = [
        pd.DataFrame(
            {
                "protocol": predicted.protocol,
                "position": predicted.positions + 1,
                "residue": predicted.residues,
                "probability": predicted.probabilities,
                "truth": [truth[position] for position in predicted.positions],
            }
        )
        for predicted in result.predictions.values()
    ]
    return pd.concat(tables)


def model_summary(k: int) -> str:
    """Layers, output shapes and numbers of parameters, in the format of Keras."""
    steps = k - CONV_WIDTH + 1
    widths = ((steps, CHANNELS), (HIDDEN,), *((width,) for width in (*DENSE, N_RESIDUES)))
    rows = [("layer (type)", "output shape", "parameters")]
    for layer, shape in zip(LAYERS, widths, strict=True):
        shape_text = f"({', '.join(map(str, ('windows', *shape)))})"
        rows.append((f"{layer.name} ({layer.kind})", shape_text, f"{layer.n_parameters:,}"))
    rows.append(("total", "", f"{N_PARAMETERS:,}"))
    return "".join(f"{name:<20}{shape:<22}{count:>10}\n" for name, shape, count in rows)


def write_seed_report(result: SeedResult, folder: str | Path) -> None:
    """Write what the tutorial prints: the files of one chain, each whole or not at all.

    `before.txt` shows missing residues as `-`; `after.txt` is filled by `scaffold`, and
    `after_true_context.txt` by the tutorial's protocol as far as that predicts. The k-mers and the
    summary are those of the tutorial's model, or of the forward one if the former was not trained.
    """
    folder = Path(folder)
    texts = {
        "before.txt": format_sequence(result.scaffold),
        "after.txt": format_sequence(result.filled()),
    }
    tables = {"alphabet.tsv": alphabet_table(), "predictions.tsv": prediction_table(result)}
    if "true_context" in result.predictions:
        texts["after_true_context.txt"] = format_sequence(result.filled("true_context"))
    first = result.models[0] if result.models else None
    tables["kmers_train.tsv"] = kmer_table(first.train if first else _NO_WINDOWS)
    tables["kmers_test.tsv"] = kmer_table(first.test if first else _NO_WINDOWS)
    tables["training_curve.tsv"] = curve_table(result.models)
    texts["model_summary.txt"] = model_summary(first.k) if first else "no model was trained\n"
    for name, table in tables.items():
        texts[name] = table.to_csv(sep="\t", index=False, float_format="%.6g", lineterminator="\n")
    for name, text in texts.items():
        with atomic_write(folder / name) as out:
            out.write(text)
