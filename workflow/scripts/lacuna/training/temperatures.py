"""Temperatures of probabilities for species of which natural repertoires hold few chains.

A network that learned a species mostly from simulated chains is too sure of natural ones, which
differ more from their germline. Its logits are divided by the temperature that makes chains
simulated apart from the training chains most probable (Guo et al. 2017, arXiv:1706.04599).
"""

from torch import Tensor

SIMULATED = "simulated_"  # names of the held-out sets of such chains begin so, then the species
_HALVINGS = 30  # of the interval of inverse temperatures from 1/4 to 4


def set_of(species: str) -> str:
    """Name of the held-out set of simulated chains of a species."""
    return SIMULATED + species


def species_of(name: str) -> str | None:
    """Species of a held-out set of simulated chains; None for another set."""
    return name.removeprefix(SIMULATED) if name.startswith(SIMULATED) else None


def fit_temperature(logits: Tensor, truth: Tensor) -> float:
    """The temperature from 1/4 to 4, in thousandths, at which the truth is most probable.

    logits (n, 20); truth (n,) long. The likelihood has one maximum: where the logit of the truth is
    on average the one that is expected.
    """
    logits = logits.double()
    own = logits.gather(1, truth[:, None]).mean()
    low, high = 0.25, 4.0
    for _ in range(_HALVINGS):
        inverse = (low + high) / 2
        expected = ((logits * inverse).softmax(1) * logits).sum(1).mean()
        low, high = (low, inverse) if expected > own else (inverse, high)
    return round(2 / (low + high), 3)
