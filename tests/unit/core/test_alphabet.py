"""The alphabet: tokens, letters and the residues that each token allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lacuna.core import alphabet
from lacuna.core.alphabet import ALLOWED, LETTERS, N_TOKENS, RESIDUES, decode, encode


def test_tokens_are_those_that_checkpoints_rely_on() -> None:
    assert RESIDUES == "ACDEFGHIKLMNPQRSTVWY"
    assert (alphabet.MISSING, alphabet.ABSENT, alphabet.N_TOKENS) == (20, 21, 25)
    assert [alphabet.TOKEN[letter] for letter in "AYX.BJZ"] == [0, 19, 20, 21, 22, 23, 24]


@given(st.text(alphabet=LETTERS))
def test_encode_and_decode_are_inverse(sequence: str) -> None:
    tokens = encode(sequence)
    assert tokens.dtype == np.uint8 and tokens.shape == (len(sequence),)
    assert decode(tokens) == sequence


def test_lower_case_reads_as_upper_case() -> None:
    assert np.array_equal(encode("acxjz"), encode("ACXJZ"))


@pytest.mark.parametrize("letter", ["O", "U", "-", "*", " ", "é", "\u4e2d"])
def test_encode_names_the_first_letter_outside_the_alphabet(letter: str) -> None:
    with pytest.raises(ValueError, match="at position 3 ") as error:
        encode(f"AC{letter}DE{letter}")
    assert repr(letter) in str(error.value)


def test_decode_names_the_first_number_that_is_no_token() -> None:
    with pytest.raises(ValueError, match="25 at position 2 "):
        decode(np.array([0, N_TOKENS, 99]))
    with pytest.raises(ValueError, match="-1 at position 1 "):
        decode(np.array([-1]))


def test_allowed_residues() -> None:
    def names(letter: str) -> str:
        mask = ALLOWED[alphabet.TOKEN[letter]]
        return "".join(residue for residue, may in zip(RESIDUES, mask, strict=True) if may)

    assert ALLOWED.shape == (N_TOKENS, len(RESIDUES)) and ALLOWED.dtype == bool
    assert all(names(residue) == residue for residue in RESIDUES)
    assert names("X") == RESIDUES
    assert names(".") == ""
    assert {letter: names(letter) for letter in "BJZ"} == {"B": "DN", "J": "IL", "Z": "EQ"}


def test_allowed_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="read-only"):
        ALLOWED[alphabet.MISSING][0] = False


def test_i_and_l_are_one_residue_for_a_mass() -> None:
    assert decode(alphabet.merge_il(encode("AILVIX"))) == "ALLVLX"
    shares = np.zeros((1, len(RESIDUES)))
    shares[0, [RESIDUES.index(residue) for residue in "ILV"]] = 0.2, 0.3, 0.5
    merged = alphabet.il_as_one(shares)
    assert [merged[0, RESIDUES.index(residue)] for residue in "ILV"] == [0.0, 0.5, 0.5]
    assert shares[0, RESIDUES.index("I")] == 0.2  # what was given is left as it is
