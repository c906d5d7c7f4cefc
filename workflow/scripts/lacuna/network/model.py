"""The network: Conv1D and bidirectional LSTM over k-mers with their templates.

At every position of a k-mer it reads the residue (or that it is missing or ambiguous), its IMGT
column, the residues of aligned templates and residue frequencies, and predicts a distribution over
the 20 residues.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, embedding_bag, gelu

from lacuna.antibody.imgt import N_CODES
from lacuna.core.alphabet import ABSENT, ALLOWED, MISSING, N_RESIDUES, N_TOKENS
from lacuna.core.sizes import share, size
from lacuna.templates.nearest import N_PROFILES, N_SLOTS

PLACES_AT_ONCE = 256  # places predicted at once; fixed, so that results do not depend on the batch
_PROFILE_FLOOR = 1e-3  # frequency assumed for a residue that was never seen


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of the network; stored in every checkpoint and compared when it is loaded."""

    channels: int = size(128, range(1, 4097))
    hidden: int = size(128, range(1, 4097))
    layers: int = size(1, range(1, 65))
    kernel: int = size(5, range(1, 128, 2))
    dropout: float = share(0.1)
    slots: int = size(N_SLOTS)
    profiles: int = size(N_PROFILES)
    tokens: int = size(N_TOKENS)
    codes: int = size(N_CODES)


@dataclass(frozen=True, slots=True)
class Kmers:
    """n k-mers, the input of the network.

    tokens (n, k) and columns (n, k) uint8; templates (n, slots, k) uint8; profiles
    (n, k, profiles * 20) frequencies, zero where nothing is known.
    """

    tokens: Tensor
    columns: Tensor
    templates: Tensor
    profiles: Tensor


class Evidence(NamedTuple):
    """Input features of a network at each place.

    x (n, k, d); templates (n, k, slots) tokens; profiles (n, k, profiles * 20).
    """

    x: Tensor
    templates: Tensor
    profiles: Tensor


def _agreement_table() -> Tensor:
    """(N_TOKENS * N_TOKENS,): 1 if a template residue fits what is observed, -1 if not.

    0 if either is unknown. The row is the chain's token, the column the template's.
    """
    allowed = torch.from_numpy(ALLOWED.copy())
    table = torch.zeros(N_TOKENS, N_TOKENS)
    table[:, :N_RESIDUES] = torch.where(allowed, 1.0, -1.0)
    table[[MISSING, ABSENT]] = 0.0
    return table.flatten()


class TemplateReader(nn.Module):
    """Input and output layers that all networks here share: k-mers with templates to logits.

    A subclass adds the network between `read` and `logits`; both are d wide.
    """

    FORMAT: ClassVar[str]  # name of the format of its weights files
    # k-mers per forward pass in use; fixed, so that results do not depend on the batch
    AT_ONCE: ClassVar[int]

    def __init__(self, config: ModelConfig, d: int) -> None:
        super().__init__()
        self.config = config
        self.record: dict[str, Any] = {}  # of the training that produced the weights
        self.temperatures: dict[str, float] = {}  # of probabilities, by species; else 1
        # One table for everything that is looked up at a position: the residue, its column
        # and the residue of each template slot.
        n = config.tokens + config.codes + config.slots * config.tokens
        self.lookup = nn.Parameter(torch.empty(n, d))
        if not self.lookup.is_meta:  # where this would do nothing, and import torch's compiler
            nn.init.normal_(self.lookup, std=0.3)
        self.features = nn.Linear(2 * config.slots + config.profiles * N_RESIDUES, d)
        self.residue_logits = nn.Linear(d, N_RESIDUES)
        # How much each template slot and each profile is trusted, by position.
        self.template_trust = nn.Linear(d, config.slots)
        self.profile_trust = nn.Linear(d, config.profiles)
        starts = [0, config.tokens]
        starts += [config.tokens + config.codes + i * config.tokens for i in range(config.slots)]
        self.register_buffer("starts", torch.tensor(starts), persistent=False)
        self.register_buffer("agreement", _agreement_table(), persistent=False)

    def settings(self) -> dict[str, object]:
        """Settings from which such a network is built; stored with its weights."""
        return asdict(self.config)

    def answer(self, kmers: Kmers, kmer: Tensor, place: Tensor) -> Tensor:
        """Logits (t, 20) of only some places, given by k-mer and place: (t,) long."""
        return self(kmers)[kmer, place]

    def _look_up(self, tokens: Tensor, columns: Tensor, templates: Tensor) -> Tensor:
        """Sum of the table's rows at each position: (n, k), (n, k), (n, k, slots) -> (n, k, d)."""
        rows = torch.cat((tokens[..., None], columns[..., None], templates), -1)
        rows += self.get_buffer("starts")  # (n, k, 2 + slots)
        if self.training:
            # The backward pass of a lookup adds row by row; that of a product is one product.
            hot = torch.zeros(
                *rows.shape[:2], len(self.lookup), device=rows.device, dtype=torch.bfloat16
            )
            hot.scatter_(2, rows, 1.0)
            if not torch.is_autocast_enabled(hot.device.type):
                hot = hot.to(self.lookup.dtype)
            return hot @ self.lookup
        flat = embedding_bag(rows.flatten(0, 1), self.lookup, mode="sum")
        return flat.unflatten(0, rows.shape[:2])

    def read(self, kmers: Kmers) -> Evidence:
        """Features of n k-mers at each place."""
        tokens = kmers.tokens.long()
        templates = kmers.templates.transpose(1, 2).contiguous().long()  # (n, k, slots)
        pairs = tokens[..., None] * self.config.tokens + templates
        match = self.get_buffer("agreement")[pairs]  # (n, k, slots): 1, -1, or 0
        compared = match.abs().sum(1, keepdim=True).clamp(min=1.0)
        identity = match.clamp(min=0.0).sum(1, keepdim=True) / compared  # (n, 1, slots)
        features = torch.cat(
            (match, identity.expand_as(match), kmers.profiles.to(match.dtype)), -1
        )  # (n, k, 2 * slots + profiles * 20)
        embedded = self.features(features)  # in the type of products
        x = self._look_up(tokens, kmers.columns.long(), templates).to(embedded.dtype) + embedded
        return Evidence(x, templates, kmers.profiles)

    def logits(self, y: Tensor, templates: Tensor, profiles: Tensor) -> Tensor:
        """Logits from features and copied templates and profiles.

        y (..., d), templates (..., slots), profiles (..., profiles * 20) -> (..., 20).
        """
        wide = torch.promote_types(y.dtype, torch.float32)  # products are never summed in bfloat16
        copied = torch.zeros(*y.shape[:-1], self.config.tokens, device=y.device, dtype=wide)
        copied.scatter_add_(-1, templates, self.template_trust(y).to(wide))
        logits = copied[..., :N_RESIDUES] + self.residue_logits(y).to(wide)  # (..., 20)
        shares = profiles.to(wide).unflatten(-1, (self.config.profiles, N_RESIDUES))
        weight = self.profile_trust(y).to(wide) * (shares.sum(-1) > 0)  # (..., profiles)
        return logits + (weight[..., None] * torch.log(shares + _PROFILE_FLOOR)).sum(-2)


class GapNetwork(TemplateReader):
    """The network in use: logits of the 20 residues at every position of a k-mer."""

    FORMAT = "lacuna-1"
    AT_ONCE = 64

    def __init__(self, config: ModelConfig) -> None:
        d, h = config.channels, config.hidden
        super().__init__(config, d)
        self.conv = nn.Conv1d(d, d, config.kernel, padding=config.kernel // 2)
        self.lstm = nn.LSTM(
            d,
            h,
            num_layers=config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.mix = nn.Linear(2 * h + d, d)

    def forward(self, kmers: Kmers) -> Tensor:
        """Kmers of n windows -> (n, k, 20) logits."""
        read = self.read(kmers)
        x = self._convolved(read.x)
        states, _ = self.lstm(self.dropout(x))
        y = self._mixed(torch.cat((states, x), -1))
        return self.logits(y, read.templates, read.profiles)

    def answer(self, kmers: Kmers, kmer: Tensor, place: Tensor) -> Tensor:
        """Logits (t, 20) of only some places, as in `TemplateReader`.

        t is a multiple of PLACES_AT_ONCE. The last layer runs forward only to the last of these
        places and backward only to the first, which halves the time for k-mers with similar places.
        """
        read = self.read(kmers)
        x = self._convolved(read.x)
        below = x.transpose(0, 1).contiguous()  # (k, n, d)
        for layer in range(self.config.layers - 1):
            below = torch.cat((self._onward(below, layer), self._back(below, layer)), -1)
        layer = self.config.layers - 1
        first, last = int(place.min()), int(place.max())
        onward = self._onward(below[: last + 1], layer)
        back = self._back(below[first:], layer)
        parts = []
        for i in range(0, len(kmer), PLACES_AT_ONCE):
            rows, at = kmer[i : i + PLACES_AT_ONCE], place[i : i + PLACES_AT_ONCE]
            states = torch.cat((onward[at, rows], back[at - first, rows], x[rows, at]), -1)
            y = self._mixed(states)
            parts.append(self.logits(y, read.templates[rows, at], read.profiles[rows, at]))
        return torch.cat(parts)

    def _convolved(self, x: Tensor) -> Tensor:
        """(n, k, d) -> (n, k, d), in the type of products."""
        # As an image of height 1 with channels last: conv1d would transpose the result in memory.
        image = x.transpose(1, 2)[:, :, None]
        half = self.config.kernel // 2
        added = conv2d(image, self.conv.weight[:, :, None], self.conv.bias, padding=(0, half))
        added = gelu(added[:, :, 0].transpose(1, 2))  # (n, k, d)
        return x.to(added.dtype) + added

    def _onward(self, x: Tensor, layer: int, suffix: str = "") -> Tensor:
        """States of one layer of the LSTM in one direction: (k, n, ...) -> (k, n, hidden)."""
        names = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
        weights = [getattr(self.lstm, f"{name}{layer}{suffix}") for name in names]
        zeros = x.new_zeros(1, x.shape[1], self.config.hidden)
        state = (zeros, zeros)
        states, _, _ = torch.lstm(x, state, weights, True, 1, 0.0, False, False, False)
        return states

    def _back(self, x: Tensor, layer: int) -> Tensor:
        """As `_onward`, from the last place to the first."""
        return self._onward(x.flip(0), layer, "_reverse").flip(0)

    def _mixed(self, states: Tensor) -> Tensor:
        """(..., 2 * hidden + d) -> (..., d)."""
        return gelu(self.mix(self.dropout(states)))
