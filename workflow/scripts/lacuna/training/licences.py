"""The licence check of `make lint`: open weights are made from data that are free for every use.

    python -m lacuna.training.licences CONFIG FOLDER

CONFIG is a pretraining config, FOLDER holds the network and the library that were made with it.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lacuna.core.config import check_yaml
from lacuna.core.files import LacunaError
from lacuna.core.licences import FREE, not_free, read_record, recorded_corpora
from lacuna.core.paths import LIBRARY_FILE, NETWORK_FILE
from lacuna.training.settings import SECTION, check_pretrain


def check_open(config: Path, folder: Path) -> None:
    """Check the corpora of a config and those in the records of a network and its library.

    Raises LacunaError that names each corpus whose licence is not one of FREE, or a file whose
    record names no corpus.
    """
    check_yaml(config)
    given = yaml.safe_load(config.read_text(encoding="utf-8-sig"))
    section = check_pretrain(given.get(SECTION))
    _check(config, section["corpora"])
    for path in (folder / NETWORK_FILE, folder / LIBRARY_FILE):
        _check(path, recorded_corpora(read_record(path)))


def _check(path: Path, corpora: Iterable[Mapping[str, Any]]) -> None:
    named = list(corpora)
    if not named:
        raise LacunaError(f"{path}: no corpus is recorded; make the file by the pretrain target")
    if limited := not_free(named):
        raise LacunaError(
            f"{path}: not free for every use: {', '.join(limited)}; leave out what is not under "
            f"one of {', '.join(FREE)}"
        )


def main(arguments: Sequence[str]) -> int:
    """Check a config and a folder; returns the exit status and prints a fault as one line."""
    try:
        config, folder = map(Path, arguments)
        check_open(config, folder)
    except LacunaError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
