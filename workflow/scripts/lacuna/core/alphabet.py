"""The alphabet: residues, missing residues, ambiguity codes, and their tokens in every tensor.

| token  | letter     | meaning                                                 |
|--------|------------|---------------------------------------------------------|
| 0..19  | `RESIDUES` | an observed residue                                     |
| 20     | X          | a missing residue, any of the 20                        |
| 21     | .          | no residue: no template residue, or padding             |
| 22..24 | B, J, Z    | a missing residue that can only be one of two residues  |
"""

import numpy as np
from numpy.typing import NDArray

RESIDUES = "ACDEFGHIKLMNPQRSTVWY"
AMBIGUOUS = {"B": "DN", "J": "IL", "Z": "EQ"}
MISSING_LETTER = "X"
MISSING_LETTERS = MISSING_LETTER + "".join(AMBIGUOUS)  # of every missing residue
ABSENT_LETTER = "."

N_RESIDUES = len(RESIDUES)
MISSING = N_RESIDUES
ABSENT = N_RESIDUES + 1
LETTERS = RESIDUES + MISSING_LETTER + ABSENT_LETTER + "".join(AMBIGUOUS)
N_TOKENS = len(LETTERS)
TOKEN = {letter: token for token, letter in enumerate(LETTERS)}
CYSTEINE, ISOLEUCINE, LEUCINE, PHENYLALANINE, TRYPTOPHAN, TYROSINE = (
    TOKEN[letter] for letter in "CILFWY"
)

_INVALID = 255


def _token_table() -> bytes:
    """(256,) bytes: the token of each byte, in either case; _INVALID for other bytes."""
    table = np.full(256, _INVALID, dtype=np.uint8)
    for token, letter in enumerate(LETTERS):
        table[[ord(letter), ord(letter.lower())]] = token
    return table.tobytes()


def _letter_table() -> NDArray[np.uint8]:
    """(256,) uint8: the ASCII code of each token's letter; 0 for numbers that are not tokens."""
    table = np.zeros(256, dtype=np.uint8)
    table[:N_TOKENS] = np.frombuffer(LETTERS.encode("ascii"), dtype=np.uint8)
    return table


def _allowed_table() -> NDArray[np.bool_]:
    """(N_TOKENS, 20) bool: which residues each token allows."""
    table = np.zeros((N_TOKENS, N_RESIDUES), dtype=bool)
    table[:N_RESIDUES] = np.eye(N_RESIDUES, dtype=bool)
    table[MISSING] = True
    for letter, choices in AMBIGUOUS.items():
        table[TOKEN[letter], [RESIDUES.index(residue) for residue in choices]] = True
    table.setflags(write=False)
    return table


_TO_TOKEN = _token_table()
_TO_LETTER = _letter_table()
ALLOWED = _allowed_table()


def encode(sequence: str) -> NDArray[np.uint8]:
    """Tokens (length,) uint8 of a sequence.

    Raises ValueError that names the first letter outside the alphabet.
    """
    # "replace" turns each non-ASCII character into a single '?', so positions do not shift.
    tokens = bytearray(sequence, "ascii", errors="replace").translate(_TO_TOKEN)
    at = tokens.find(_INVALID)
    if at >= 0:
        raise ValueError(f"{sequence[at]!r} at position {at + 1} is not a letter of the alphabet")
    return np.frombuffer(tokens, dtype=np.uint8)


def merge_il(tokens: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Tokens (any shape) with L for I: no mass tells them apart."""
    return np.where(tokens == ISOLEUCINE, LEUCINE, tokens).astype(np.uint8)


def l_for_i_or_l(letters: str) -> str:
    """Letters of a sequence with L for I and for J, which is I or L."""
    return letters.replace("I", "L").replace("J", "L")


def same_but_il(one: str, other: str) -> bool:
    """Whether two sequences are the same with L for I."""
    return one.replace("I", "L") == other.replace("I", "L")


def il_as_one(distributions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distributions (length, 20) with those of I added to L."""
    merged = distributions.copy()
    merged[:, LEUCINE] += merged[:, ISOLEUCINE]
    merged[:, ISOLEUCINE] = 0.0
    return merged


def decode(tokens: NDArray[np.integer]) -> str:
    """Sequence of tokens (length,).

    Raises ValueError that names the first number that is not a token.
    """
    tokens = np.asarray(tokens)
    wrong = np.flatnonzero((tokens < 0) | (tokens >= N_TOKENS))
    if wrong.size:
        at = int(wrong[0])
        raise ValueError(f"{int(tokens[at])} at position {at + 1} is not a token of the alphabet")
    letters: bytes = _TO_LETTER[tokens].tobytes()
    return letters.decode("ascii")
