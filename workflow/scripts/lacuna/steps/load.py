"""Weights, germline library and homologs, read once by a process that fills many blocks or samples.

They are inputs of its job, which nobody changes under it; `forget` is for a process that goes on.
"""

from functools import lru_cache
from pathlib import Path

import torch

from lacuna.core.device import set_precision
from lacuna.filling.lengths import Reader
from lacuna.network.kmers import Encoder
from lacuna.network.model import GapNetwork
from lacuna.network.predict import Predictor
from lacuna.network.weights import load_weights
from lacuna.steps.reader_files import ReaderFiles
from lacuna.templates.homologs import Homologs, read_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import Library

CPU = torch.device("cpu")


def load_reader(files: ReaderFiles) -> Reader:
    """What the chains of a sample are read with, on the CPU and on one thread.

    Raises LacunaError if a file cannot be used.
    """
    predictor = load_predictor(files.weights, files.library, files.precision, CPU)
    encoder = Encoder(
        of_species(predictor.library, files.species),
        _homologs(files.homologs, files.precision),
        files.length,
        files.stride,
        files.max_identity,
    )
    return Reader(encoder, predictor)


def load_predictor(weights: Path, library: Path, precision: str, device: torch.device) -> Predictor:
    """The network on a device; from here on this process computes with one thread.

    So sums are in one order, whatever the number of cores. Raises LacunaError if a file cannot be
    used.
    """
    torch.set_num_threads(1)
    set_precision(precision)
    return Predictor(*_network(weights, library), device)


def forget(network: bool) -> None:
    """Read homologs, and with `network` weights and library, again when they are next asked for."""
    _homologs.cache_clear()
    if network:
        _network.cache_clear()


@lru_cache(maxsize=1)
def _network(weights: Path, library: Path) -> tuple[GapNetwork, Library]:
    return load_weights(weights), load_library(library)


@lru_cache(maxsize=1)
def _homologs(path: Path | None, precision: str) -> Homologs | None:
    """precision: they are indexed in it."""
    return read_homologs(path)
