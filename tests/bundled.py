"""The bundled weights and germline library, read once for all tests of a process."""

from functools import cache

import torch

from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.filling.reader import Reader
from lacuna.network.encode import Encoder
from lacuna.network.predict import Predictor
from lacuna.network.weights import load_weights
from lacuna.templates.homologs import Homologs
from lacuna.templates.library import load_library


@cache
def predictor() -> Predictor:
    """The network on the CPU."""
    return Predictor(load_weights(WEIGHTS), load_library(LIBRARY), torch.device("cpu"))


def reader(homologs: Homologs | None = None) -> Reader:
    """What the chains of a sample are read with by default."""
    return Reader(Encoder(predictor().library, homologs, 128, 64, 0.95), predictor())
