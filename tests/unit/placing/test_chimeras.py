"""Reads of two peptides at once tell nothing of what follows the first of them."""

import pytest

from chains import hidden
from lacuna.core.alphabet import decode
from lacuna.placing.aligning.readset import IN_REPEAT
from lacuna.placing.given import show
from lacuna.placing.votes.chimeras import with_one_place
from reads import built, chain_with_cdr3, draft_from, peptide, read_set, reads_of, tiles

HEAVY = chain_with_cdr3("H", "ARWGGDGFYHMDY", constant=False)
LIGHT = chain_with_cdr3("K", "QQHYTTPPT", constant=False)
AHEAD, BEHIND = "RSDDTAVYY", "KASGYTFTSYGIS"  # in front of Cys104, and behind Cys23


def believed(read: str) -> str:
    """A read of the two chains, in small letters what is not believed."""
    reads = read_set(read)
    found = with_one_place(reads, [draft_from(HEAVY), draft_from(LIGHT)], [])
    changed = found.right[0] != reads.right[0]
    assert (found.right[0][changed] <= IN_REPEAT).all()
    return "".join(r.lower() if c else r for r, c in zip(read, changed.tolist(), strict=True))


@pytest.mark.parametrize(
    "read",
    [
        f"{AHEAD.lower()}HNPW{BEHIND}",  # the longer one counts
        f"{HEAVY[80:95]}HNPW{BEHIND[:9].lower()}",
        f"{LIGHT[60:75]}MK{HEAVY[10:20].lower()}",  # of two chains
        f"{HEAVY[70:80].lower()}NHWM{LIGHT[5:20]}",
    ],
)
def test_the_second_place_of_a_read_is_not_believed(read: str) -> None:
    assert believed(read.upper()) == read


@pytest.mark.parametrize(
    "read",
    [
        HEAVY[80:112],  # over a CDR3
        HEAVY[80:97] + HEAVY[104:114],  # over a shorter one
        HEAVY[4:20] + HEAVY[60:75],  # what is between is lacking
        LIGHT[40:55] + "MK" + HEAVY[58:68],  # at the same place of another chain
        HEAVY[70:86] + "HNPWKM" + BEHIND[:4],  # too little to be of another place
        HEAVY[70:86] + "HNPWKMWHKPNM",
    ],
)
def test_a_read_that_goes_on_is_believed(read: str) -> None:
    assert believed(read) == read


def test_bonded_peptides_are_no_cdr3() -> None:
    """Tiles show all but CDR3, into which reads of the bond in this domain lead."""
    start = HEAVY.index("ARWGG")
    reads = [*tiles(HEAVY[:start]), *tiles(HEAVY[start + 13 :]), *tiles(LIGHT)]
    bonded = [peptide(f"{HEAVY[i:95]}CFLW{BEHIND[:n]}") for i in (82, 83, 84) for n in (7, 8, 9)]
    placed = built([*reads, *bonded])
    heavy = placed.drafts[placed.names.index("heavy")]
    loop = decode(heavy.tokens[slice(*heavy.cdr3())])
    assert loop == "FLW".ljust(len(loop), "X")


def test_bonded_peptides_are_not_shown_in_a_gap() -> None:
    """The gap is CDR3; nothing but reads of the bond lies on it."""
    start = HEAVY.index("ARWGG")
    bonded = [peptide(f"{HEAVY[i:95]}CFLW{BEHIND[:9]}") for i in (82, 83, 84)]
    (shown,), _ = show(reads_of(bonded), [hidden(HEAVY, [(start, start + 13)])], [])
    assert shown.seen[start : start + 3].all()
    assert not shown.seen[start + 3 : start + 13].any()
