"""What holds for any text."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.reads.peptide import parse_peptide
from lacuna.reads.readers import read_peptides
from read_tables import PEAKS_X, mztab

MARKS = st.sampled_from(["", "(+57.02)", "[UNIMOD:35]", "(Deamidated)", "[+15.9949]"])


@given(st.lists(st.tuples(st.sampled_from(RESIDUES), MARKS), min_size=1, max_size=40))
def test_residues_survive_their_modifications(parts: list[tuple[str, str]]) -> None:
    peptide = parse_peptide("".join(residue + mark for residue, mark in parts))
    assert peptide.residues == "".join(residue for residue, _ in parts)
    assert [at for at, _ in peptide.modifications] == [i for i, (_, m) in enumerate(parts) if m]
    assert peptide.tokens == tuple(range(len(parts)))


@given(st.text(max_size=60))
def test_any_text_is_a_peptide_or_a_value_error(text: str) -> None:
    try:
        peptide = parse_peptide(text)
    except ValueError as error:
        assert str(error)
    else:
        assert peptide.residues and set(peptide.residues) <= set(RESIDUES)
        assert all(-1 <= at <= len(peptide.residues) for at, _ in peptide.modifications)


@given(st.text(max_size=300))
def test_any_text_is_reads_or_a_clear_line(tmp_path_factory: Any, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "a.csv"
    for start in ("", "peptide,confidence\n", PEAKS_X + "\n", mztab()):
        path.write_text(start + text, encoding="utf-8", errors="surrogatepass")
        try:
            found = read_peptides([path])
        except LacunaError as error:
            assert "\n" not in str(error)
        else:
            assert all(len(r.residues) == len(r.confidences or r.residues) for r in found.reads)
