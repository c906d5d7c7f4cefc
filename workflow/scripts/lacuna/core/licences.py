"""Licences of training data, and of the weights that are made from them."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from lacuna.core.paths import NETWORK_FILE, WEIGHT_SETS
from lacuna.core.tensor_metadata import read_metadata

# Terms under which data may be used for every purpose, if the source is named.
FREE = ("CC BY 4.0", "CC0 1.0", "public domain", "published sequences")
OF_FREE_DATA = "CC BY 4.0"  # licence of weights made from such data alone
UNKNOWN = "not recorded"


def not_free(corpora: Iterable[Mapping[str, Any]]) -> list[str]:
    """`name (licence)` of every corpus that may not be used for every purpose.

    corpora: of a `pretrain` section or of the record of weights. A licence must be one of FREE,
    letter for letter: one that is not known is not free.
    """
    return [
        f"{corpus['name']} ({corpus.get('licence') or 'no licence'})"
        for corpus in corpora
        if corpus.get("licence") not in FREE
    ]


def recorded_corpora(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every corpus behind weights, those of what they began with or learned from included."""
    data = record.get("data")
    corpora = data.get("corpora") if isinstance(data, Mapping) else None
    if isinstance(corpora, list):
        yield from (corpus for corpus in corpora if isinstance(corpus, Mapping))
    for part in ("start", "teacher"):
        if isinstance(before := record.get(part), Mapping):
            yield from recorded_corpora(before)


def licence_of(record: Mapping[str, Any]) -> str:
    """The licence of weights with this record.

    It is OF_FREE_DATA if their data are free, else what the data are under that are not; UNKNOWN if
    no corpus is recorded. A remark in brackets, as in `CC BY 4.0 (OAS)`, is no part of a licence.
    """
    found = {str(corpus.get("licence", UNKNOWN)) for corpus in recorded_corpora(record)}
    terms = {licence.partition(" (")[0] for licence in found}
    if not terms:
        return UNKNOWN
    limited = sorted(terms.difference(FREE))
    non_commercial = [licence for licence in limited if "-NC" in licence]  # the strictest
    return " and ".join(non_commercial or limited) or OF_FREE_DATA


def read_record(path: Path | str) -> dict[str, Any]:
    """The training record in a file of weights or in its library; {} if there is none.

    Raises LacunaError if the file cannot be read.
    """
    return read_metadata(path, "record")


def bundled_set(weights: Path) -> str:
    """The word for the bundled set that a network is of, '' for other weights."""
    words = {(folder / NETWORK_FILE).resolve(): name for name, folder in WEIGHT_SETS.items()}
    return words.get(weights.resolve(), "")


def weights_line(path: Path) -> str:
    """`weights: open (licence: CC BY 4.0)`: the bundled set, or the path of other weights."""
    licence = licence_of(read_record(path))
    return f"weights: {bundled_set(path) or path} (licence: {licence})"
