"""The settings of filling, for all who take every step with a sample in one process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lacuna.core.words import AUTO


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of filling in a configuration, as the functions of the steps take them."""

    tolerance_ppm: float
    on_bad_record: str
    kmer: Mapping[str, int]
    max_identity: float
    modifications: Mapping[str, bool]
    candidates: int
    precision: str
    complete_ends: bool


def settings_of(config: Mapping[str, Any], repertoire: bool = False) -> Settings:
    """The settings of filling in a complete configuration.

    repertoire: whether the chains are those of one.
    """
    complete_ends = config["complete_ends"]
    return Settings(
        tolerance_ppm=config["tolerance_ppm"],
        on_bad_record=config["on_bad_record"],
        kmer=config["kmer"],
        max_identity=config["accuracy"]["max_identity"],
        modifications=config["modifications"],
        candidates=config["candidates"],
        precision=config["precision"],
        complete_ends=repertoire if complete_ends == AUTO else complete_ends,
    )
