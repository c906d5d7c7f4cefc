"""IMGT columns of antibody chains as small integers.

Every residue of a chain has a column. The columns of a V domain follow the IMGT scheme (Lefranc
et al. 2003, Dev Comp Immunol 27:55-77): 1 to 128, with insertions 111A, 111B, ... and ..., 112B,
112A in long CDR3s. Each column has a code, which is its index in tensors of germline segments,
profiles and embeddings.
"""

import numpy as np

PADDING = 0  # beyond the end of a chain
N_IMGT = 128  # codes 1..128 are IMGT positions 1..128
INSERTION_111 = 129  # codes 129..144 are 111A..111P
INSERTION_112 = 145  # codes 145..160 are 112A..112P
N_INSERTIONS = 16
OTHER_INSERTION = 161  # an insertion outside CDR3
CONSTANT = 162  # a residue of a constant region
OUTSIDE = 163  # any other residue: leader, linker, a protein that is not an antibody
N_CODES = 164

# Insertions of CDR1 and CDR2, like those of CDR3, lie on both sides of the middle of the loop:
# 32A, 33A and 60A, 61A. If their number is odd, IMGT puts the extra one on the right.
_MIDDLES = ((32, 33), (60, 61))

TRP41, CYS104 = 41, 104
CYSTEINES = (23, CYS104)  # whose bond nearly every V domain has
CDR3_START = 105
FR4_START = 118
FR4_LAST = {"H": 128, "K": 127, "L": 127}

CONSTANT_REGION = "C"
REGIONS = ("FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4", CONSTANT_REGION)
REGION_STARTS = {
    "FR1": 1,
    "CDR1": 27,
    "FR2": 39,
    "CDR2": 56,
    "FR3": 66,
    "CDR3": CDR3_START,
    "FR4": FR4_START,
}

# Columns 1..104 that germline V segments of a locus normally occupy outside CDR1 and CDR2:
# heavy and lambda chains skip 10, all skip 73, light chains skip 81 and 82.
_SKIPPED = {"H": {10, 73}, "K": {73, 81, 82}, "L": {10, 73, 81, 82}}
OCCUPIED = {
    locus: tuple(c for c in range(1, CYS104 + 1) if c not in skipped)
    for locus, skipped in _SKIPPED.items()
}

# Order of the columns along a chain: 111A.. follow 111, ..112A precede 112.
CHAIN_ORDER = np.array(
    [*range(1, 112), *range(INSERTION_111, INSERTION_112)]
    + [*reversed(range(INSERTION_112, OTHER_INSERTION)), *range(112, N_IMGT + 1)]
)


def column_code(position: str) -> int:
    """Code of an IMGT position given as text, such as '27', '111A' or '112C'."""
    if position.isdigit():
        return int(position)
    number, letter = position[:-1], ord(position[-1]) - ord("A")
    if number == "111" and letter < N_INSERTIONS:
        return INSERTION_111 + letter
    if number == "112" and letter < N_INSERTIONS:
        return INSERTION_112 + letter
    return OTHER_INSERTION


def _region_table() -> np.ndarray:
    table = np.full(N_CODES, "", dtype=object)
    for region, start in REGION_STARTS.items():
        table[start : N_IMGT + 1] = region
    table[INSERTION_111:OTHER_INSERTION] = "CDR3"
    table[CONSTANT] = CONSTANT_REGION
    return table


_REGION = _region_table()
CDR_COLUMNS = np.isin(_REGION, ("CDR1", "CDR2", "CDR3"))  # (N_CODES,)


def in_v_domain(columns: np.ndarray) -> np.ndarray:
    """Which residues, by their codes, are of a V domain, insertions outside CDR3 included."""
    return (columns > PADDING) & (columns <= OTHER_INSERTION)


def on_v_columns(columns: np.ndarray) -> np.ndarray:
    """Which residues, by their codes, are of a V domain and have a column of their own."""
    return (columns > PADDING) & (columns < OTHER_INSERTION)


def cdr3_length(columns: np.ndarray) -> int:
    """Number of residues of CDR3, by the codes of a chain with one V domain."""
    within = (columns >= CDR3_START) & (columns < FR4_START)
    return int((within | (columns >= INSERTION_111) & (columns < OTHER_INSERTION)).sum())


def regions_of(columns: np.ndarray) -> np.ndarray:
    """Region of each residue, '' outside; an insertion has the region of its left neighbour.

    columns: (n,) codes -> (n,) array of str.
    """
    regions = _REGION[columns]
    for i in np.flatnonzero(columns == OTHER_INSERTION):
        regions[i] = regions[i - 1] if i else ""
    return regions


def _number_table() -> np.ndarray:
    table = np.full(N_CODES, "", dtype=object)
    table[1 : N_IMGT + 1] = [str(number) for number in range(1, N_IMGT + 1)]
    for i in range(N_INSERTIONS):
        table[INSERTION_111 + i] = f"111{_letter(i)}"
        table[INSERTION_112 + i] = f"112{_letter(i)}"
    return table


def _letter(i: int) -> str:
    """Letter of insertion number i (from 0) after a position: A, B, ..., Z, AA, BB, ..."""
    return chr(ord("A") + i % 26) * (1 + i // 26)


_NUMBER = _number_table()


def imgt_numbers(columns: np.ndarray) -> np.ndarray:
    """IMGT number of each residue, such as '57', '111A' or '112B'; '' outside a V domain.

    columns: (n,) codes -> (n,) array of str. The inverse of `column_code`; in addition, an
    insertion without a code of its own is named after its neighbours.
    """
    numbers = _NUMBER[columns]
    inserted = np.flatnonzero(columns == OTHER_INSERTION)
    for run in np.split(inserted, np.flatnonzero(np.diff(inserted) > 1) + 1):
        if len(run) and run[0]:
            right = int(columns[run[-1] + 1]) if run[-1] + 1 < len(columns) else PADDING
            numbers[run] = _inserted(int(columns[run[0] - 1]), right, len(run))
    return numbers


def _inserted(left: int, right: int, n: int) -> list[str]:
    """Numbers of n consecutive insertions between the columns `left` and `right`."""
    if INSERTION_111 <= left < OTHER_INSERTION:
        return _around("111", "112", N_INSERTIONS, n)
    if (left, right) in _MIDDLES:
        return _around(str(left), str(right), 0, n)
    return [f"{left}{_letter(i)}" if 1 <= left <= N_IMGT else "" for i in range(n)]


def _around(left: str, right: str, first: int, n: int) -> list[str]:
    """Numbers of n insertions on both sides of the middle of a loop, lettered from `first` on."""
    at_right = (n + 1) // 2
    numbers = [f"{left}{_letter(first + i)}" for i in range(n - at_right)]
    return numbers + [f"{right}{_letter(first + i)}" for i in reversed(range(at_right))]


def cdr3_codes(length: int) -> list[int]:
    """Codes of a CDR3 of `length` residues: gaps in the middle, insertions at 111 and 112."""
    if length <= 13:
        left = (length + 1) // 2
        right = length - left
        return [*range(CDR3_START, CDR3_START + left), *range(FR4_START - right, FR4_START)]
    extra = min(length - 13, 2 * N_INSERTIONS)
    at_112 = (extra + 1) // 2  # IMGT puts the first insertion at 112
    codes = list(range(CDR3_START, 112)) + [INSERTION_111 + i for i in range(extra - at_112)]
    codes += [OTHER_INSERTION] * (length - 13 - extra)
    return (
        codes + [INSERTION_112 + i for i in reversed(range(at_112))] + list(range(112, FR4_START))
    )
