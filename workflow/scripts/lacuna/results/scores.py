"""The accuracy of a sample from the scored residues of its blocks."""

from collections.abc import Iterable, Iterator
from io import StringIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile

import pandas as pd

from lacuna.core.files import atomic_write
from lacuna.core.tables import ACCURACY_TABLE, TUTORIAL_TABLE
from lacuna.results.accuracy import (
    accuracy_table,
    add_up,
    natural_order,
    read_scored,
    sum_predictions,
    sum_scored,
)


def measure(scored: Iterable[Path], seed: Iterable[Path], out: Path) -> None:
    """Add up the scored residues of all blocks and write the accuracy table.

    seed: folders of the tutorial's models, if they were trained. Rows of single chains are kept in
    a temporary file: with a million chains, only their ids are in memory.
    """
    predictions = [
        pd.read_csv(folder / TUTORIAL_TABLE.name, sep="\t", dtype=str, keep_default_na=False)
        for folder in seed
    ]
    total = add_up([])
    places: list[tuple[float, str, int]] = []  # a chain's sort key, and where its rows begin
    with TemporaryFile() as waiting:
        for path in scored:
            sums = add_up(_sums(read_scored(path), predictions))
            total = add_up([total, sums[sums["scope"] != "chain"]])
            for number, chain, lines in _rows_of_chains(sums):
                places.append((number, chain, waiting.tell()))
                waiting.write(lines.encode() + b"\n")
        overall = accuracy_table([total])
        answered = set(zip(overall["method"], overall["protocol"], strict=True))
        which = itemgetter(*(ACCURACY_TABLE.names.index(name) for name in ("method", "protocol")))
        with atomic_write(out) as handle:
            overall.to_csv(handle, sep="\t", index=False, lineterminator="\n")
            for _, _, place in sorted(places):
                waiting.seek(place)
                for line in iter(waiting.readline, b"\n"):
                    text = line.decode()
                    if which(text.split("\t")) in answered:
                        handle.write(text)


def _rows_of_chains(sums: pd.DataFrame) -> Iterator[tuple[float, str, str]]:
    """Yield the sort key of each chain of a block, and its rows as lines of the accuracy table."""
    every = sums[["method", "protocol"]].itertuples(index=False, name=None)
    rows = accuracy_table([sums[sums["scope"] == "chain"]], every)
    lines = rows.to_csv(None, sep="\t", index=False, header=False, lineterminator="\n")
    keys = zip(natural_order(rows["value"]), rows["value"], strict=True)
    # Read as a file, whose lines end only at "\n": an id may contain Unicode line ends.
    numbered = zip(keys, StringIO(lines), strict=True)
    for key, group in groupby(numbered, key=itemgetter(0)):
        yield *key, "".join(line for _, line in group)


def _sums(table: pd.DataFrame, predictions: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield sums of one block's scored residues: of the methods that filled it, then the seed's."""
    yield sum_scored(table)
    for table_of_chain in predictions:
        for protocol, answers in table_of_chain.groupby("protocol"):
            rows = table.drop(columns="probability").merge(answers, on=["chain", "position"])
            yield sum_predictions(rows, str(protocol))
