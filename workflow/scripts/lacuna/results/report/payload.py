"""The chains of a sample as the page's script reads them: columns of JSON, compressed, in base64.

The columns are flat: those of gaps follow each other for all chains, `gaps` counts them. Text is
joined by line ends, names that recur are numbers into a list of them. Chains are in `order` of
their segments and sequences, which halves the size, as compression finds likenesses nearby; `name`
alone is in the order of the sample. The first candidate of a gap is what its chain has there.
"""

import base64
import gzip
import json
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple

from lacuna.results.report.chains import MILLE, Chain, per_mille

NONE = "."  # no letter


class Detail(NamedTuple):
    """How much of each chain is packed: candidates of a gap at most, the step, per mille, to which
    probabilities are rounded down, and whether reads are counted at every position."""

    candidates: int
    step: int
    evidence: bool


FULL = Detail(100, 1, True)  # more candidates are never written
BRIEF = Detail(3, 10, False)


def encode_chains(chains: Sequence[Chain], detail: Detail) -> str:
    """The data block of `chains`."""
    order = sorted(range(len(chains)), key=lambda i: _likeness(chains[i]))
    text = json.dumps(
        columns_of([chains[i] for i in order], detail)
        | {"order": order, "name": "\n".join(chain.name for chain in chains)},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode("ascii")


def _likeness(chain: Chain) -> tuple[str, str, str]:
    return chain.row.v_segment, chain.row.j_segment, chain.sequence


def columns_of(chains: Sequence[Chain], detail: Detail) -> dict[str, Any]:
    """Columns by name. Probabilities of residues are multiples of the step; those of candidates
    are shares, of four digits if the step is one."""
    gaps = [gap for chain in chains for gap in chain.gaps]
    shown = [gap.candidates[: detail.candidates] for gap in gaps]
    listed = [row for rows in shown for row in rows]
    residues = [r for chain in chains for r in chain.residues]
    return {
        "step": detail.step,
        "description": _lines(c.description for c in chains),
        "sequence": _lines(c.sequence for c in chains),
        "locus": _coded(c.row.locus for c in chains),
        "v": _coded(c.row.v_segment for c in chains),
        "j": _coded(c.row.j_segment for c in chains),
        "c": _coded(c.row.c_segment for c in chains),
        "bands": _coded(
            tuple((b.region, b.first, b.last, b.imgt) for b in c.bands) for c in chains
        ),
        "modifications": _coded(
            tuple((m.position, m.name, m.mass) for m in c.modifications) for c in chains
        ),
        "depths": _coded(c.evidence.depths if detail.evidence else () for c in chains),
        "doubts": _coded(
            tuple((d.position, d.text, d.strong) for d in c.evidence.doubts) for c in chains
        ),
        "gaps": [len(c.gaps) for c in chains],
        "residues": [len(c.residues) for c in chains],
        "first": [gap.first for gap in gaps],
        "length": [gap.last - gap.first + 1 for gap in gaps],
        "code": _coded(gap.code for gap in gaps),
        "region": _coded(gap.region for gap in gaps),
        "imgt": _coded(gap.imgt for gap in gaps),
        "open": _coded("" if gap.candidates else gap.status for gap in gaps),
        "candidates": [len(rows) for rows in shown],
        "candidate": _lines(row.candidate for rows in shown for row in rows[1:]),
        "status": _coded(row.status for row in listed),
        "p": [_share(row.probability or 0.0, detail.step) for row in listed],
        "ppm": [None if row.mass_error_ppm is None else row.mass_error_ppm for row in listed],
        "letter_p": [r.probability // detail.step for r in residues],
        "second": "".join(r.second or NONE for r in residues),
        "second_p": [r.second_probability // detail.step for r in residues],
        "germline": "".join(r.germline or NONE for r in residues),
        "truth": "".join(r.truth or NONE for r in residues),
    }


def _share(probability: float, step: int) -> float:
    """A probability to four digits, or rounded down to the step."""
    if step == 1:
        return float(f"{probability:.4g}")
    return per_mille(probability) // step * step / MILLE


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(texts)


def _coded(values: Iterable[Hashable]) -> dict[str, list[Any]]:
    """Values as numbers into a list of them, in the order in which they are met."""
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(value, len(numbers)) for value in values]
    return {"values": list(numbers), "index": index}
