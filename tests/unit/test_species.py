"""The species chosen for chains, and which choices were close calls."""

from pathlib import Path

import pytest

from chains import germline_chain
from conftest import Write
from lacuna.core.tables import CHAIN_TABLE, RESIDUE_TABLE, ChainRow, ResidueRow, Shares
from lacuna.results import species as species_of
from lacuna.results.counts import Counts
from lacuna.results.species import close_calls, species_in_words

CONSERVED = range(16, 90)  # without these, V segments of several species are alike


def tables(write: Write, chains: dict[str, tuple[str, range]]) -> tuple[Path, Path, Path]:
    """filled.fasta, chains.tsv and residues.tsv: each chain's species and its missing residues."""
    fasta, rows, residues = "", [], []
    for i, (name, (species, missing)) in enumerate(chains.items()):
        sequence = germline_chain("H", i, species=species)
        fasta += f">{name} of a test\n{sequence}\n"
        cells = (name, "H", species, "V", "J", "", len(sequence), *[0] * 7, "", 0, 0)
        rows.append(ChainRow(*cells))
        residues += [
            ResidueRow(name, at + 1, 1, sequence[at], 0.9, Shares(), "", "FR1", "", "", at, "")
            for at in missing
        ]
    return (
        write("filled.fasta", fasta),
        write("chains.tsv", CHAIN_TABLE.header + CHAIN_TABLE.text(rows)),
        write("residues.tsv", RESIDUE_TABLE.header + RESIDUE_TABLE.text(residues)),
    )


def test_a_species_that_fits_as_well_is_a_close_call_and_filled_residues_do_not_count(
    write: Write,
) -> None:
    files = tables(
        write,
        {"h": ("human", range(0)), "m": ("mouse", range(3, 6)), "few": ("human", CONSERVED)},
    )
    (call,) = close_calls(*files)
    assert (call.chain, call.chosen) == ("few", "human") and call.other not in ("", "human")
    counts = Counts(chains=3, species=(("human", 2), ("mouse", 1)))
    said = species_in_words(counts, *files)
    assert said == f"2 human, 1 mouse; 1 close call: few (human or {call.other})"


def test_close_calls_are_named_up_to_a_few_and_in_small_samples(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tables(write, {f"c{i}": ("human", CONSERVED) for i in range(16)})
    calls = list(close_calls(*files))
    assert len(calls) > 7
    counts = Counts(chains=16, species=(("human", 16),))
    said = species_in_words(counts, *files)
    assert said.startswith(f"16 human; {len(calls)} close calls: {calls[0].chain} (human or ")
    assert said.count(" or ") == 5 and said.endswith(f" and {len(calls) - 5} more")
    monkeypatch.setattr(species_of, "MAX_COMPARED", 15)
    assert species_in_words(counts, *files) == "16 human"
    assert species_in_words(Counts(), *files) == ""
