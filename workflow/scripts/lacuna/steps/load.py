"""Weights, germline library, homologs and AntiBERTy, read once by a process that fills many blocks.

These inputs do not change during a job; a process that lives longer calls `forget`.
"""

from functools import lru_cache
from pathlib import Path

import torch

from lacuna.core.device import set_precision
from lacuna.filling.lengths import Reader
from lacuna.network.kmers import Encoder
from lacuna.network.language_model import LanguageModel, load_language_model
from lacuna.network.model import GapNetwork
from lacuna.network.predict import Predictor
from lacuna.network.weights import load_weights
from lacuna.steps.reader_files import ReaderFiles
from lacuna.templates.homologs import Homologs, read_homologs
from lacuna.templates.library import load_library, of_species
from lacuna.templates.nearest import Library

CPU = torch.device("cpu")


def load_reader(files: ReaderFiles) -> Reader:
    """Load everything needed to read the chains of a sample, on the CPU and on one thread.

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
    """Load the network on a device; from here on this process computes with one thread.

    Sums are then in the same order on any number of cores. Raises LacunaError if a file cannot be
    used.
    """
    torch.set_num_threads(1)
    set_precision(precision)
    return Predictor(*_network(weights, library), device)


@lru_cache(maxsize=1)
def load_antiberty(path: Path) -> LanguageModel:
    """AntiBERTy from a file that `convert_antiberty` wrote; LacunaError if it cannot be used."""
    return load_language_model(path)


def forget(network: bool) -> None:
    """Read homologs and AntiBERTy again at their next use, and with `network` also the others."""
    _homologs.cache_clear()
    load_antiberty.cache_clear()
    if network:
        _network.cache_clear()


@lru_cache(maxsize=1)
def _network(weights: Path, library: Path) -> tuple[GapNetwork, Library]:
    return load_weights(weights), load_library(library)


@lru_cache(maxsize=1)
def _homologs(path: Path | None, precision: str) -> Homologs | None:
    """precision: that in which they are indexed; part of the cache's key."""
    return read_homologs(path)
