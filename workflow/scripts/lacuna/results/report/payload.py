"""The chains of a sample as the page's script reads them: columns of JSON, compressed, in base64.

The columns are flat: those of gaps follow each other for all chains, `gaps` counts them. Text is
joined by line ends, names that recur are indices into a list of them. Chains are in `order` of
their segments and sequences, which halves the size, as compression finds likenesses nearby; `name`
alone is in the order of the sample. The first candidate of a gap is what its chain has there.
"""

import base64
import gzip
import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lacuna.core.tables import MassRow
from lacuna.results.report.chain import MILLE, Chain, bands_of
from lacuna.results.report.listing import Listing


class Detail(NamedTuple):
    """How much of each chain is packed: candidates of a gap at most, and the step, per mille, to
    which probabilities are rounded down."""

    candidates: int
    step: int


LEVEL = 7  # of compression: 9 saves 2 % more and takes four times as long
FULL = Detail(100, 1)  # more candidates are never written
BRIEF = Detail(3, 10)


def encode_chains(listing: Listing, step: int, chains: Sequence[Chain] = ()) -> str:
    """The data block of a listing, read with so many candidates as its detail has.

    chains: the same in full, for their modifications and evidence; none if they are listed.
    """
    text = json.dumps(columns_of(listing, step, chains), ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), LEVEL, mtime=0)).decode("ascii")


def columns_of(listing: Listing, step: int, chains: Sequence[Chain]) -> dict[str, Any]:
    """Columns by name. Probabilities of residues are multiples of the step; those of candidates
    are shares, of four digits if the step is one."""
    known = listing.chains
    order = known.sort_values(
        ["v_segment", "j_segment", "sequence"], kind="stable"
    ).index.to_numpy()
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))

    def sorted_rows(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.iloc[np.argsort(place[rows["at"].to_numpy()], kind="stable")]

    def counted(rows: pd.DataFrame) -> list[int]:
        return np.bincount(rows["at"], minlength=len(order))[order].tolist()

    known = known.iloc[order]
    gaps, candidates, residues = map(
        sorted_rows, (listing.gaps, listing.candidates, listing.residues)
    )
    bands = _coded(known["regions"])
    bands["values"] = [[(b.region, b.first, b.last) for b in bands_of(t)] for t in bands["values"]]
    return {
        "step": step,
        "order": order.tolist(),
        "name": _joined("\n", listing.chains["chain"]),
        "description": _joined("\n", known["description"]),
        "sequence": _joined("\n", known["sequence"]),
        "locus": _coded(known["locus"]),
        "v": _coded(known["v_segment"]),
        "j": _coded(known["j_segment"]),
        "c": _coded(known["c_segment"]),
        "bands": bands,
        **_extras([chains[i] for i in order] if chains else [], len(order)),
        "gaps": counted(gaps),
        "residues": counted(residues),
        "first": gaps["first"].tolist(),
        "length": gaps["length"].tolist(),
        "code": _coded(gaps["code"]),
        "region": _coded(gaps["region"]),
        "imgt": _coded(gaps["imgt"]),
        "open": _coded(gaps["open"]),
        "candidates": gaps["candidates"].tolist(),
        "candidate": _joined("\n", candidates["candidate"][candidates["rank"] > 1]),
        "status": _coded(candidates["status"]),
        "p": _shares(candidates["p"].to_numpy(), step),
        "ppm": [None if np.isnan(ppm) else ppm for ppm in candidates["ppm"].tolist()],
        "letter_p": (residues["p"] // step).tolist(),
        "second": _joined("", residues["second"]),
        "second_p": (residues["second_p"] // step).tolist(),
        "germline": _joined("", residues["germline"]),
        "truth": _joined("", residues["truth"]),
    }


def _extras(chains: Sequence[Chain], n: int) -> dict[str, Any]:
    """What only chains that are drawn have; n: how many chains there are."""
    none: list[tuple[Any, ...]] = [()] * n
    return {
        "modifications": _listed(
            [tuple((m.position, m.name, m.mass) for m in c.modifications) for c in chains] or none
        ),
        "measured": _listed([_measured(c.measured) for c in chains] or none),
        "others": _listed([_others(c) for c in chains] or none),
        "spectra": _listed([_spectra(c) for c in chains] or none),
        "depths": _listed([c.evidence.depths for c in chains] or none),
        "doubts": _listed(
            [tuple((d.position, d.text, d.strong) for d in c.evidence.doubts) for c in chains]
            or none
        ),
    }


def _measured(row: MassRow | None) -> tuple[float | str | None, ...]:
    """An intact mass, its kind and, if it holds that, what gaps hold besides their residues."""
    if row is None:
        return ()
    held = () if row.in_gaps is None else (row.in_gaps,)
    return (row.measured, row.kind, *held)


def _others(chain: Chain) -> tuple[tuple[str | int, ...], ...]:
    """For each missing residue the choices after the second: `("F", 60, "V", 51)`."""
    return tuple(tuple(cell for pair in r.others for cell in pair) for r in chain.residues)


def _spectra(chain: Chain) -> tuple[tuple[str | tuple[str, ...], ...], ...]:
    """For each gap its spectra in words, and its candidates as they are cleaved in these; () for a
    chain without any."""
    if not any(gap.spectra for gap in chain.gaps):
        return ()
    return tuple(
        (gap.spectra_in_words, tuple(row.cleavages for row in gap.candidates)) for gap in chain.gaps
    )


def _shares(p: np.ndarray, step: int) -> list[float]:
    """Probabilities to four digits, or rounded down to the step."""
    if step == 1:
        return [float(f"{share:.4g}") for share in p]
    return (np.floor(p * MILLE / step + 1e-6) * step / MILLE).round(3).tolist()


def _joined(between: str, texts: pd.Series) -> str:
    return between.join(texts.to_numpy(dtype=object))  # iterating over a series takes far longer


def _coded(values: pd.Series) -> dict[str, list[Any]]:
    """Texts as indices into a list of the distinct ones, in the order in which they first occur."""
    index, found = pd.factorize(values)
    return {"values": [str(text) for text in found], "index": index.tolist()}


def _listed(values: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    """The same for tuples."""
    numbers: dict[tuple[Any, ...], int] = {}
    index = [numbers.setdefault(value, len(numbers)) for value in values]
    return {"values": list(numbers), "index": index}
