"""The tutorial network and its training step for a batch of one, written by hand.

Conv1D(128, 5) -> LSTM(256, last state) -> Dense 128 relu -> Dense 64 relu -> Dense 20 softmax.
With a batch of one, autograd spends most of its time on bookkeeping, so the backward pass is
written out in full. Matrix products and Adam run in torch, on one thread; everything between them
runs in numpy on views of the same memory, because a numpy call on a few hundred floats costs a
third of a torch call. All parameters are in one flat vector, so that Adam is one pass over memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log, nan, sqrt
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from lacuna.core.alphabet import N_RESIDUES

CONV_WIDTH = 5
CHANNELS = 128
HIDDEN = 256
DENSE = (128, 64)
GATES = 4 * HIDDEN  # input, forget, cell, output: the order of Keras

Floats = NDArray[np.float32]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """A layer's arrays, stacked in memory as rows of equal width; a bias is one row."""

    name: str
    kind: str
    rows: dict[str, int]
    width: int
    padding: int = 0  # unused floats after every row: always zero, without gradient

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(self.rows.values()) * self.width

    @property
    def n_floats(self) -> int:
        """Number of floats in the flat vector, including padding."""
        return sum(self.rows.values()) * (self.width + self.padding)


# Each bias follows its kernel, so that one product with [x, 1] applies both; the LSTM's recurrent
# kernel comes first, so that one product with [h, x, 1] gives the gradients of all three. Rows
# of 1024 floats, 4 KiB apart, would map to the same few cache sets; the padding prevents this.
LAYERS = (
    Layer("conv1d", "Conv1D", {"kernel": CONV_WIDTH, "bias": 1}, CHANNELS),
    Layer("lstm", "LSTM", {"recurrent_kernel": HIDDEN, "kernel": CHANNELS, "bias": 1}, GATES, 16),
    Layer("dense", "Dense", {"kernel": HIDDEN, "bias": 1}, DENSE[0]),
    Layer("dense_1", "Dense", {"kernel": DENSE[0], "bias": 1}, DENSE[1]),
    Layer("dense_2", "Dense", {"kernel": DENSE[1], "bias": 1}, N_RESIDUES),
)
N_PARAMETERS = sum(layer.n_parameters for layer in LAYERS)
N_FLOATS = sum(layer.n_floats for layer in LAYERS)


def stack(flat: torch.Tensor, name: str) -> torch.Tensor:
    """View of all arrays of one layer in the flat vector, bias last: (rows, width).

    Raises KeyError if there is no such layer.
    """
    start = 0
    for layer in LAYERS:
        if layer.name == name:
            rows = flat[start : start + layer.n_floats].view(-1, layer.width + layer.padding)
            return rows[:, : layer.width]
        start += layer.n_floats
    raise KeyError(name)


def split_parameters(flat: torch.Tensor) -> dict[str, torch.Tensor]:
    """Views of the flat vector as the arrays of the network, (rows, width), by 'layer.array'."""
    return {
        f"{layer.name}.{array}": part
        for layer in LAYERS
        for array, part in zip(
            layer.rows, stack(flat, layer.name).split(list(layer.rows.values())), strict=True
        )
    }


def init_parameters(rng: np.random.Generator) -> torch.Tensor:
    """New parameters, a flat vector (N_FLOATS,), with the defaults of Keras.

    These are Glorot uniform, an orthogonal recurrent kernel, zero biases, and forget bias 1.
    """
    flat = torch.zeros(N_FLOATS)
    for key, view in split_parameters(flat).items():
        array = view.numpy()
        if key == "lstm.bias":
            array[0, HIDDEN : 2 * HIDDEN] = 1.0
        elif key == "lstm.recurrent_kernel":
            normal = torch.from_numpy(rng.standard_normal((GATES, HIDDEN)))
            q, r = torch.linalg.qr(normal)
            view[:] = (q * r.diagonal().sign()).t()  # (1024, 256) -> (256, 1024)
        elif key.endswith("kernel"):
            fan_in, fan_out = array.shape
            if key == "conv1d.kernel":  # (width, 1 channel, filters): both fans count the width
                fan_out *= CONV_WIDTH
            limit = sqrt(6.0 / (fan_in + fan_out))
            array[:] = rng.uniform(-limit, limit, array.shape)
    return flat


def conv_patches(inputs: Floats) -> Floats:
    """Input of the convolution at each step, with a 1 for its bias: (n, k) -> (n, k - 4, 6)."""
    patches = np.lib.stride_tricks.sliding_window_view(inputs, CONV_WIDTH, axis=1)  # (n, k - 4, 5)
    ones = np.ones((*patches.shape[:2], 1), np.float32)
    return np.concatenate([patches, ones], axis=2)


def logits(flat: torch.Tensor, inputs: Floats) -> torch.Tensor:
    """Forward pass of many windows at once, in plain operations: (n, k) -> (n, 20)."""
    p = split_parameters(flat)
    patches = torch.from_numpy(conv_patches(inputs))  # (n, k - 4, 6)
    x = patches @ stack(flat, "conv1d")  # (n, k - 4, 128)
    projected = x @ p["lstm.kernel"] + p["lstm.bias"]  # (n, k - 4, 1024)
    h = c = projected.new_zeros(len(inputs), HIDDEN)
    for step in range(projected.shape[1]):
        z = projected[:, step] + h @ p["lstm.recurrent_kernel"]  # (n, 1024)
        i, f, g, o = z.chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    h = (h @ p["dense.kernel"] + p["dense.bias"]).relu()  # (n, 128)
    h = (h @ p["dense_1.kernel"] + p["dense_1.bias"]).relu()  # (n, 64)
    return h @ p["dense_2.kernel"] + p["dense_2.bias"]  # (n, 20)


class Adam:
    """Adam, in place on one flat vector, with epsilon as Keras defines it.

    Keras adds epsilon to the root of the *uncorrected* second moment, torch to that of the
    corrected one; dividing epsilon by the correction makes torch's fused kernel compute the update
    of Keras.
    """

    LEARNING_RATE, BETAS, EPSILON = 1e-3, (0.9, 0.999), 1e-7  # Keras's defaults

    def __init__(self, flat: torch.Tensor, gradient: torch.Tensor) -> None:
        self.tensors: tuple[list[torch.Tensor], ...] = (
            [flat],
            [gradient],
            [torch.zeros_like(flat)],  # first moment
            [torch.zeros_like(flat)],  # second moment
            [],  # largest second moment: AMSGrad only
            [torch.zeros(())],  # steps taken
        )
        self.count = 0

    def step(self) -> None:
        """Update the parameters from the current gradient."""
        self.count += 1
        self.tensors[-1][0].fill_(self.count)
        # torch.optim.Adam(fused=True) calls this too, after 40 us of checks per step.
        torch._fused_adam_(
            *self.tensors,
            lr=self.LEARNING_RATE,
            beta1=self.BETAS[0],
            beta2=self.BETAS[1],
            weight_decay=0.0,
            eps=self.EPSILON / sqrt(1.0 - self.BETAS[1] ** self.count),
            amsgrad=False,
            maximize=False,
        )


class CurveRow(NamedTuple):
    """One epoch: training loss and accuracy averaged over its steps, validation at its end."""

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float


def fit(
    flat: torch.Tensor,
    train: tuple[Floats, Codes],
    test: tuple[Floats, Codes],
    epochs: int,
    rng: np.random.Generator,
) -> Iterator[CurveRow]:
    """Train `flat` in place with batch size 1, reshuffled every epoch; yield the curve by epoch.

    `train` and `test` are inputs (n, k) and target codes (n,); without test windows the
    validation columns are NaN. Use one torch thread: at this size a second one only waits.
    """
    inputs, targets = train[0], train[1].tolist()
    gradient_of = SingleStep(flat, inputs.shape[1])
    adam = Adam(flat, gradient_of.gradient)
    # Cloned into torch's memory: its alignment is always the same, hence also the last bits.
    patches = torch.from_numpy(conv_patches(inputs)).clone().unbind()  # n x (k - 4, 6)
    for epoch in range(1, epochs + 1):
        losses, hits = 0.0, 0
        for window in rng.permutation(len(targets)).tolist():
            loss, hit = gradient_of(patches[window], targets[window])
            adam.step()
            losses += loss
            hits += hit
        yield CurveRow(epoch, losses / len(targets), hits / len(targets), *evaluate(flat, *test))


def evaluate(flat: torch.Tensor, inputs: Floats, targets: Codes) -> tuple[float, float]:
    """Mean cross-entropy and accuracy of windows (n, k) with targets (n,); NaN without windows."""
    if not len(targets):
        return nan, nan
    outputs, truth = logits(flat, inputs), torch.from_numpy(targets)
    loss = torch.nn.functional.cross_entropy(outputs, truth)
    return loss.item(), (outputs.argmax(1) == truth).float().mean().item()


class SingleStep:
    """Loss and gradient of one window, in buffers allocated once.

    `flat` (N_FLOATS,) holds the parameters and is read in place; `gradient` has the same layout and
    is overwritten by every call.
    """

    def __init__(self, flat: torch.Tensor, k: int) -> None:
        self.gradient = torch.zeros_like(flat)
        self.conv = stack(flat, "conv1d")  # (6, 128)
        self.d_conv = stack(self.gradient, "conv1d")
        self.lstm = _Lstm(stack(flat, "lstm"), stack(self.gradient, "lstm"), k - CONV_WIDTH + 1)
        self.dense: list[_Dense] = []
        inputs = torch.ones(1, HIDDEN + 1)  # [last h, 1]
        self.dense_in = inputs[0, :-1].numpy()
        for layer in ("dense", "dense_1", "dense_2"):
            arrays = stack(flat, layer), stack(self.gradient, layer)
            self.dense.append(_Dense(*arrays, inputs, relu=layer != "dense_2"))
            inputs = self.dense[-1].outputs
        self.logits = self.dense[-1].out
        self.d_logits = np.empty((1, N_RESIDUES), np.float32)

    def __call__(self, patches: torch.Tensor, target: int) -> tuple[float, bool]:
        """Set `gradient` from one window (k - 4, 6); return its loss and whether it was right."""
        torch.mm(patches, self.conv, out=self.lstm.x)  # (steps, 6) -> (steps, 128)
        self.dense_in[:] = self.lstm.forward()
        for layer in self.dense:
            layer.forward()
        outcome = self._cross_entropy(target)
        d_outputs = self.d_logits
        for layer in reversed(self.dense):
            d_outputs = layer.backward(d_outputs)
        d_x = self.lstm.backward(d_outputs[0])
        torch.mm(patches.t(), d_x, out=self.d_conv)  # (6, steps) (steps, 128) -> (6, 128)
        return outcome

    def _cross_entropy(self, target: int) -> tuple[float, bool]:
        logits, p = self.logits[0], self.d_logits[0]
        best = int(logits.argmax())
        np.subtract(logits, logits[best], out=p)
        shifted = float(p[target])
        np.exp(p, out=p)
        total = float(p.sum())
        np.divide(p, total, out=p)
        p[target] -= 1.0  # the gradient of softmax and cross-entropy together
        return log(total) - shifted, best == target


class _Dense:
    """One dense layer for a single row; the last row of its kernel is the bias."""

    def __init__(
        self, kernel: torch.Tensor, d_kernel: torch.Tensor, inputs: torch.Tensor, relu: bool
    ) -> None:
        fan_in, width = kernel.shape[0] - 1, kernel.shape[1]
        self.kernel, self.inputs, self.relu = kernel, inputs, relu  # inputs: (1, fan_in + 1)
        self.kernel_t = kernel[:-1].t()  # (width, fan_in)
        self.d_kernel = d_kernel
        self.column = inputs.t()  # (fan_in + 1, 1)
        self.outputs = torch.ones(1, width + 1)  # [outputs, 1], as the next layer reads them
        self.out_row = self.outputs[:, :-1]
        self.out = self.out_row.numpy()
        self.d_out_row = torch.empty(1, width)
        self.d_out = self.d_out_row.numpy()
        self.d_in_row = torch.empty(1, fan_in)
        self.d_in = self.d_in_row.numpy()

    def forward(self) -> None:
        """Compute `out` (1, width) from `inputs`."""
        torch.mm(self.inputs, self.kernel, out=self.out_row)  # (1, fan_in + 1) -> (1, width)
        if self.relu:
            np.maximum(self.out, 0.0, out=self.out)

    def backward(self, d_outputs: Floats) -> Floats:
        """Set `d_kernel` from the gradient of `out` (1, width); return that of `inputs`."""
        np.multiply(d_outputs, self.out > 0 if self.relu else 1.0, out=self.d_out)  # (1, width)
        torch.mm(self.column, self.d_out_row, out=self.d_kernel)  # (fan_in + 1, width)
        torch.mm(self.d_out_row, self.kernel_t, out=self.d_in_row)  # (1, width) -> (1, fan_in)
        return self.d_in


class _Lstm:
    """The LSTM over the steps of one window; gates as in Keras: input, forget, cell, output."""

    def __init__(self, weights: torch.Tensor, d_weights: torch.Tensor, steps: int) -> None:
        self.d_weights = d_weights  # (385, 1024), like weights: recurrent, input, bias
        self.recurrent = weights[:HIDDEN]  # (256, 1024)
        self.kernel = weights[HIDDEN:]  # (129, 1024), its last row the bias
        self.kernel_t = weights[HIDDEN:-1].t()  # (1024, 128)
        # Row t is [h(t-1), x(t), 1]; the row after the last takes the last h.
        rows = torch.zeros(steps + 1, HIDDEN + CHANNELS + 1)
        rows[:, -1] = 1.0
        self.x = rows[:steps, HIDDEN:-1]  # (steps, 128), written by the convolution
        self.x_and_one = rows[:steps, HIDDEN:]  # (steps, 129)
        self.rows_t = rows[:steps].t()  # (385, steps)
        self.z = torch.empty(steps, GATES)  # gate inputs forward, their gradients backward
        self.d_x = torch.empty(steps, CHANNELS)
        self.d_h_row = torch.empty(HIDDEN)
        self.d_h = self.d_h_row.numpy()
        # sigmoid(z) = tanh(z / 2) / 2 + 1 / 2: one tanh serves all four gates.
        self.scale = np.full(GATES, 0.5, np.float32)
        self.scale[2 * HIDDEN : 3 * HIDDEN] = 1.0
        self.shift = 1.0 - self.scale
        self.slope = self.scale**2
        self.tanh_z = np.empty((steps, GATES), np.float32)  # backward: d gate inputs / d c or h
        self.gates = np.empty((steps, GATES), np.float32)
        self.cells = np.zeros((steps + 1, HIDDEN), np.float32)  # row t is c(t-1)
        self.tanh_c = np.empty((steps, HIDDEN), np.float32)
        self.d_tanh_c = np.empty((steps, HIDDEN), np.float32)
        self.d_c = np.empty(HIDDEN, np.float32)
        self.work = np.empty(HIDDEN, np.float32)
        self._make_views(rows, steps)

    def _make_views(self, rows: torch.Tensor, steps: int) -> None:
        """Make views for the loops over time: slicing there would cost as much as arithmetic."""
        z, h = self.z.numpy(), rows[:, :HIDDEN].numpy()
        self.last_h: Floats = h[steps]
        self.gates4 = self.gates.reshape(steps, 4, HIDDEN)
        self.factors = self.tanh_z.reshape(steps, 4, HIDDEN)
        self.forward_views = [
            (
                (rows[t : t + 1, :HIDDEN], self.z[t : t + 1]),
                (z[t], self.tanh_z[t], self.gates[t], *self.gates4[t]),
                (self.cells[t], self.cells[t + 1], self.tanh_c[t], h[t + 1]),
            )
            for t in range(steps)
        ]
        self.backward_views = [
            (
                (self.z[t], z[t, : 3 * HIDDEN].reshape(3, HIDDEN), z[t, 3 * HIDDEN :]),
                (self.factors[t, :3], self.factors[t, 3], self.d_tanh_c[t], self.gates4[t, 1]),
            )
            for t in range(steps)
        ]

    def forward(self) -> Floats:
        """From `x` (steps, 128) to the last state (256,)."""
        torch.mm(self.x_and_one, self.kernel, out=self.z)  # (steps, 129) -> (steps, 1024)
        for t, (row_views, gate_views, cell_views) in enumerate(self.forward_views):
            h_row, z_row = row_views
            z, tanh_z, gates, i, f, g, o = gate_views
            c_before, c, tanh_c, h = cell_views
            if t:  # h is zero before the first step
                torch.addmm(z_row, h_row, self.recurrent, out=z_row)  # (1, 256) -> (1, 1024)
            np.multiply(z, self.scale, out=z)
            np.tanh(z, out=tanh_z)
            np.multiply(tanh_z, self.scale, out=gates)
            np.add(gates, self.shift, out=gates)
            np.multiply(f, c_before, out=c)
            np.multiply(i, g, out=self.work)
            np.add(c, self.work, out=c)
            np.tanh(c, out=tanh_c)
            np.multiply(o, tanh_c, out=h)
        return self.last_h

    def backward(self, d_last_h: Floats) -> torch.Tensor:
        """Set `d_weights` and return the gradient of `x` (steps, 128)."""
        self._local_slopes()
        d_h, d_c, work = self.d_h, self.d_c, self.work
        d_h[:] = d_last_h
        d_c[:] = 0.0
        for t in reversed(range(len(self.backward_views))):
            (z_row, d_ifg, d_o), (factors, factor_o, d_tanh_c, f) = self.backward_views[t]
            np.multiply(d_h, d_tanh_c, out=work)
            np.add(d_c, work, out=d_c)
            np.multiply(factors, d_c, out=d_ifg)  # (3, 256)
            np.multiply(factor_o, d_h, out=d_o)
            if t:
                np.multiply(d_c, f, out=d_c)
                torch.mv(self.recurrent, z_row, out=self.d_h_row)  # (1024,) -> (256,)
        torch.mm(self.rows_t, self.z, out=self.d_weights)  # (385, steps) (steps, 1024)
        torch.mm(self.z, self.kernel_t, out=self.d_x)  # (steps, 1024) -> (steps, 128)
        return self.d_x

    def _local_slopes(self) -> None:
        """Compute all that the backward loop needs from the forward pass, for all steps at once."""
        gates, factors = self.gates4, self.factors
        np.multiply(self.tanh_z, self.tanh_z, out=self.tanh_z)
        np.subtract(1.0, self.tanh_z, out=self.tanh_z)
        np.multiply(self.tanh_z, self.slope, out=self.tanh_z)  # d gate / d gate input
        factors[:, 0] *= gates[:, 2]  # c = f * c(t-1) + i * g
        factors[:, 1] *= self.cells[:-1]
        factors[:, 2] *= gates[:, 0]
        factors[:, 3] *= self.tanh_c  # h = o * tanh(c)
        np.multiply(self.tanh_c, self.tanh_c, out=self.d_tanh_c)
        np.subtract(1.0, self.d_tanh_c, out=self.d_tanh_c)
        np.multiply(self.d_tanh_c, gates[:, 3], out=self.d_tanh_c)  # d h / d c
