"""Two chains of a locus for the tests of mixtures, and chains made from others."""

from lacuna.antibody.germlines import v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, decode
from lacuna.placing.place import Placed
from lacuna.placing.votes.draft import Draft
from reads import built, chain_with_cdr3, other_heavy, tiles

ONE = chain_with_cdr3("H", "ARWGGDGFYHMDY")
OTHER = other_heavy("AKHWPSSKYESSLDV")


def placed_two() -> Placed:
    """Both chains, as their reads give them."""
    placed = built([*tiles(ONE), *tiles(OTHER), *tiles(OTHER[2:])])
    assert len(placed.drafts) == 2
    return placed


def letters(drafts: list[Draft] | tuple[Draft, ...]) -> list[str]:
    return [decode(d.tokens)[:120] for d in drafts]


def variant(chain: str, **changes: str) -> str:
    """A chain with other residues at some positions, as p30="W"."""
    out = list(chain)
    for where, residue in changes.items():
        out[int(where[1:])] = residue
    return "".join(out)


def germline() -> str:
    """The residues of IGHV3-23*01 up to Cys104."""
    row = v_segments().tokens[v_segments().names.index("IGHV3-23*01"), : CYS104 + 1]
    return decode(row[row != ABSENT])


def mutated(every: int, first: int) -> str:
    """The same, mutated throughout."""
    letters = ["A" if i % every == first and r not in "CW" else r for i, r in enumerate(germline())]
    return "".join(letters)
