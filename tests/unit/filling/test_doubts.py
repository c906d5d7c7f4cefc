"""Proofreading: what is hidden when, what counts as a doubt, and doubts.tsv of whole files."""

from pathlib import Path

import numpy as np
import pytest

from chains import fasta, germline_chain, hidden
from conftest import Write
from lacuna import cli
from lacuna.antibody.imgt import CYSTEINES
from lacuna.core.alphabet import MISSING, N_RESIDUES, RESIDUES
from lacuna.core.tables import DOUBT_TABLE, DoubtRow
from lacuna.filling.doubts import proofread
from lacuna.filling.doubts.observed import GERMLINE, find_doubts, hidden_in_turn
from lacuna.network.encode import encode_scaffolds
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import MASKS
from lacuna.scaffolds.scaffold import Gap, Scaffold
from lacuna.steps.one_file import fill_file
from lacuna.templates.nearest import Library

CHAIN = germline_chain("H", 4)


def scaffold(sequence: str, name: str = "c", *gaps: Gap) -> Scaffold:
    return Scaffold(name, "", sequence, gaps, 1)


def encoded(library: Library, *scaffolds: Scaffold, k: int = 128) -> KmerSet:
    return encode_scaffolds(scaffolds, library, k=k, stride=k // 2, observed=True)


def told(kmers: KmerSet, favoured: dict[tuple[int, int], tuple[str, float]]) -> np.ndarray:
    """Distributions that leave every residue alone, but for some (chain, position): the residue
    that is more probable there by so many nats."""
    targets, tokens = kmers.targets.numpy(), kmers.tokens.numpy()
    found = np.full((len(targets), N_RESIDUES), 1e-9)
    for row, (kmer, place, chain, position) in enumerate(targets.tolist()):
        own = int(tokens[kmer, place])
        if own < N_RESIDUES:
            found[row, own] = 0.9
            if (chain, position) in favoured:
                residue, nats = favoured[chain, position]
                found[row, own] = 0.9 / np.exp(nats)
                found[row, RESIDUES.index(residue)] = 0.9
    return found


# --- what is hidden ------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [128, 40])
def test_every_residue_is_read_once_with_its_neighbours_hidden(library: Library, k: int) -> None:
    chain = hidden(CHAIN, [(50, 53)])
    kmers = encoded(library, scaffold(chain, "c", Gap(50, 53, 3, 3)), scaffold(CHAIN), k=k)
    targets = kmers.targets.numpy()
    pairs = [(c, i) for c in range(2) for i in range(len(CHAIN))]
    assert [tuple(row) for row in targets[:, 2:].tolist()] == pairs
    read = []
    for rows, masked in hidden_in_turn(kmers):
        read += rows.tolist()
        tokens = masked.tokens.numpy()
        for kmer, place, _, position in masked.targets.tolist():
            near = tokens[kmer, max(place - 1, 0) : place + 2]
            assert (near >= N_RESIDUES).all()
            clear = [i for i in range(2, 7) if place + i < k and position + i < len(CHAIN)]
            observed = [tokens[kmer, place + i] < N_RESIDUES for i in clear]
            assert all(observed) or 43 <= position <= 52
        assert (masked.targets.numpy()[:, 2:] == targets[rows, 2:]).all()
    assert sorted(read) == list(range(len(targets)))
    assert MASKS == 8 and MISSING >= N_RESIDUES


# --- what is a doubt -----------------------------------------------------------------------------


def place_of(block: str, chain: str = CHAIN) -> int:
    assert block in chain
    return chain.index(block)


@pytest.mark.parametrize(
    ("chain", "block", "proposed", "reason", "nats"),
    [
        ("AAKAA", "K", "Q", "isobaric", 7.1),
        ("AAFAA", "F", "M", "isobaric", 7.1),
        ("AALAA", "L", "I", "isobaric", 7.1),
        ("AADAA", "D", "N", "deamidated", 6.1),
        ("AAEAA", "E", "Q", "deamidated", 6.1),
        ("AATLAA", "TL", "LT", "permuted", 7.6),
        ("AATLSAA", "TLS", "LST", "permuted", 9.6),
        ("AATLSAA", "TLS", "SLT", "permuted", 9.6),
        ("WWADWW", "AD", "EG", "isobaric", 7.1),
    ],
)
def test_what_is_far_more_probable_is_proposed_with_its_reason(
    library: Library, chain: str, block: str, proposed: str, reason: str, nats: float
) -> None:
    whole = "GSTPYHNWCR" * 4 + chain + "GSTPYHNWCR" * 4
    at = place_of(chain, whole) + chain.index(block)
    kmers = encoded(library, scaffold(whole))
    changed = [i for i, (a, b) in enumerate(zip(block, proposed, strict=True)) if a != b]

    def find(total: float) -> list[DoubtRow]:
        favoured = {(0, at + i): (proposed[i], total / len(changed)) for i in changed}
        return list(find_doubts([scaffold(whole)], kmers, told(kmers, favoured)))

    assert [(d.position, d.residue, d.proposed, d.reason) for d in find(nats)] == [
        (at + i + 1, block[i], proposed[i], reason) for i in changed
    ]
    assert find(nats - 0.2) == []
    [*_, row] = find(nats)
    assert row.probability == pytest.approx(1 / (1 + 99 / np.exp(nats)), abs=1e-6)


def test_cysteine_is_never_a_part_of_an_isobaric_pair(library: Library) -> None:
    whole = "GSTPYHNW" * 5 + "AM" + "GSTPYHNW" * 5  # CV weighs the same, if C is free
    kmers = encoded(library, scaffold(whole))
    favoured = {(0, 40): ("C", 9.0), (0, 41): ("V", 9.0)}
    assert list(find_doubts([scaffold(whole)], kmers, told(kmers, favoured))) == []


def test_the_germline_residue_is_proposed_where_masses_tell_nothing(library: Library) -> None:
    at = 38
    other = next(r for r in "WYHPG" if r != CHAIN[at])
    changed = CHAIN[:at] + other + CHAIN[at + 1 :]
    kmers = encoded(library, scaffold(changed, "m"))
    for nats, n in ((10.1, 1), (9.9, 0)):
        rows = list(
            find_doubts([scaffold(changed, "m")], kmers, told(kmers, {(0, at): (CHAIN[at], nats)}))
        )
        found = [(r.chain, r.position, r.residue, r.proposed, r.reason) for r in rows]
        assert found == [("m", at + 1, other, CHAIN[at], GERMLINE)] * n
    assert rows == [] and kmers.chain_columns[at] > 0


@pytest.mark.parametrize("column", CYSTEINES)
def test_less_is_enough_against_what_every_v_domain_has(library: Library, column: int) -> None:
    at = encoded(library, scaffold(CHAIN)).chain_columns.tolist().index(column)
    changed = CHAIN[:at] + "G" + CHAIN[at + 1 :]
    kmers = encoded(library, scaffold(changed))
    for nats, n in ((7.1, 1), (6.9, 0)):
        favoured = {(0, at): (CHAIN[at], nats)}
        rows = list(find_doubts([scaffold(changed)], kmers, told(kmers, favoured)))
        assert [(r.position, r.proposed, r.reason) for r in rows] == [
            (at + 1, CHAIN[at], GERMLINE)
        ] * n


def test_doubts_are_in_order_and_never_over_one_another(library: Library) -> None:
    whole = "GSTPYHNWCR" * 4 + "TLSAK" + "GSTPYHNWCR" * 4
    chains = [scaffold(whole, "a"), scaffold(whole, "b")]
    kmers = encoded(library, *chains)
    # LT for TL is worth 12 nats, SL for LS 16 with a residue of the same block.
    favoured = {(1, 40): ("L", 4.0), (1, 41): ("S", 8.0), (1, 42): ("L", 8.0), (1, 44): ("Q", 8.0)}
    favoured |= {(0, 44): ("Q", 8.0)}
    rows = list(find_doubts(chains, kmers, told(kmers, favoured)))
    assert [(r.chain, r.position, r.proposed) for r in rows] == [
        ("a", 45, "Q"),
        ("b", 42, "S"),
        ("b", 43, "L"),
        ("b", 45, "Q"),
    ]


def test_no_proposal_touches_what_is_explained(library: Library) -> None:
    whole = "GSTPYHNWCR" * 4 + "TLSAK" + "GSTPYHNWCR" * 4
    kmers = encoded(library, scaffold(whole))
    favoured = {(0, 40): ("L", 4.0), (0, 41): ("T", 4.0), (0, 44): ("Q", 8.0)}
    given = [scaffold(whole)], kmers, told(kmers, favoured)
    found = [[row.position for row in find_doubts(*given, [some])] for some in ((), {41}, {43})]
    # Of a permuted pair no half is left over.
    assert found == [[41, 42, 45], [45], [41, 42, 45]]


def test_blocks_neither_reach_over_a_gap_nor_into_the_next_chain(library: Library) -> None:
    one, two = "GSTPYHNWCR" * 5 + "T", "L" + "GSTPYHNWCR" * 5
    split = "GSTPYHNWCR" * 3 + "TXL" + "GSTPYHNWCR" * 3
    chains = [scaffold(one), scaffold(two), scaffold(split, "s", Gap(31, 32, 1, 1))]
    kmers = encoded(library, *chains)
    favoured = {(0, 50): ("L", 8.0), (1, 0): ("T", 8.0), (2, 30): ("L", 8.0), (2, 32): ("T", 8.0)}
    assert list(find_doubts(chains, kmers, told(kmers, favoured))) == []


# --- whole files ---------------------------------------------------------------------------------


def test_planted_errors_are_found_and_nothing_is_changed(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = CHAIN.index("WVRQ")
    swapped = CHAIN[:at] + "WRVQ" + CHAIN[at + 4 :]
    given = {"good": CHAIN, "swapped": hidden(swapped, [(0, 3)])}
    path = write("a.fasta", fasta(given))
    fill_file({"fasta": path}, tmp_path / "one", {"doubts": True})
    rows = list(DOUBT_TABLE.read(tmp_path / "one" / "doubts.tsv"))
    assert [(r.chain, r.position, r.residue, r.proposed, r.reason) for r in rows] == [
        ("swapped", at + 2, "R", "V", "permuted"),
        ("swapped", at + 3, "V", "R", "permuted"),
    ]
    assert [r.imgt for r in rows] == ["42", "43"]
    filled = (tmp_path / "one" / "filled.fasta").read_text().splitlines()
    assert filled[1] == CHAIN and filled[3][3:] == swapped[3:]
    monkeypatch.setattr(proofread, "READ_TOGETHER", 1)
    fill_file({"fasta": path}, tmp_path / "two", {"doubts": True})
    one, two = ((tmp_path / x / "doubts.tsv").read_bytes() for x in ("one", "two"))
    assert one == two
    fill_file({"fasta": path}, tmp_path / "off", {})
    assert not (tmp_path / "off" / "doubts.tsv").exists()


def test_whole_chains_may_be_proofread(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    at = CHAIN.index("WVRQ")
    path = write("w.fasta", fasta({"c": CHAIN[:at] + "WRVQ" + CHAIN[at + 4 :]}))
    command = ["fill", str(path), "--out", str(tmp_path / "out"), "--doubts", "true"]
    assert cli.main(command) == 0
    said = capsys.readouterr().out
    assert "; 2 observed residues look wrong (see " in said
