"""Weights, germline library and homologs, read once by a process that fills many blocks.

These inputs do not change during a job; a process that lives longer calls `forget`.
"""

from functools import lru_cache
from pathlib import Path

import torch

from lacuna.core.device import set_precision
from lacuna.filling.reader import Reader
from lacuna.network.encode import Encoder
from lacuna.network.model import GapNetwork
from lacuna.network.predict import Predictor
from lacuna.network.transformer import LargeNetwork, load_large
from lacuna.network.weights import load_weights
from lacuna.steps.reader_files import ReaderFiles
from lacuna.templates.homologs import Homologs, read_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import Library

CPU = torch.device("cpu")


def load_reader(files: ReaderFiles, device: torch.device = CPU) -> Reader:
    """Load everything needed to read the chains of a sample, the network on a device.

    Raises LacunaError if a file cannot be used.
    """
    predictor = load_predictor(files.weights, files.library, files.precision, device)
    encoder = Encoder(
        of_species(predictor.library, files.species),
        _homologs(files.homologs, files.precision) if files.homologs else None,
        files.length,
        files.stride,
        files.max_identity,
    )
    return Reader(encoder, predictor)


def load_predictor(weights: Path, library: Path, precision: str, device: torch.device) -> Predictor:
    """Load the network on a device; from here on this process computes with one thread.

    Sums are then in the same order on any number of cores. Raises LacunaError if a file cannot be
    used.
    """
    torch.set_num_threads(1)
    set_precision(precision)
    return Predictor(_network(weights), _library(library), device)


@lru_cache(maxsize=1)
def load_large_network(weights: Path) -> LargeNetwork:
    """Load the large network; LacunaError if the file cannot be used."""
    return load_large(weights)


def load_large_predictor(files: ReaderFiles, device: torch.device = CPU) -> Predictor | None:
    """Load the large network on a device, None if it is not to be asked.

    Raises LacunaError if a file cannot be used.
    """
    if files.large_network is None:
        return None
    return Predictor(load_large_network(files.large_network), _library(files.library), device)


def forget(network: bool) -> None:
    """Read homologs and the large network again at their next use, with `network` all files."""
    _homologs.cache_clear()
    load_large_network.cache_clear()
    if network:
        _network.cache_clear()
        _library.cache_clear()


@lru_cache(maxsize=1)
def _network(weights: Path) -> GapNetwork:
    return load_weights(weights)


@lru_cache(maxsize=1)
def _library(path: Path) -> Library:
    return load_library(path)


@lru_cache(maxsize=1)
def _homologs(path: Path, _precision: str) -> Homologs | None:
    """_precision: that in which they are indexed; part of the cache's key."""
    return read_homologs(path)
