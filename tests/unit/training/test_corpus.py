"""Corpora: files of every kind are read, chains cleaned and separated from what is held out."""

import gzip
import hashlib
import json
import os
import random
import zipfile
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Write
from lacuna.antibody.germlines import LOCI, constants, v_segments
from lacuna.antibody.imgt import N_CODES, N_IMGT
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES, decode
from lacuna.core.alphabet import encode as tokens_of
from lacuna.core.files import LacunaError
from lacuna.templates.alignment import lay_template
from lacuna.templates.nearest import unpack_frequencies
from lacuna.training import chains as chains_module
from lacuna.training import encode as encode_module
from lacuna.training.batches import read_encoded
from lacuna.training.chains import (
    Chains,
    cdr3s,
    held_out_share,
    like_held_out,
    near_duplicates,
    number_all,
)
from lacuna.training.constant_regions import constant_tensors, letters_in_common
from lacuna.training.corpora import Corpus, fetch_wheel, read_sequences
from lacuna.training.encode import EncodeConfig, encode_corpora
from lacuna.training.germline_use import germline_library
from lacuna.training.simulate import grid_to_chain, mutate, recombine, simulate_chains

SEEDS = st.integers(0, 2**31)


def make_chains(n: int, seed: int, rate: float = 0.03) -> Chains:
    rng = np.random.default_rng(seed)
    kinds = [("human", "H"), ("human", "K"), ("mouse", "H"), ("human", "L")]
    grids = [mutate(recombine(*kinds[i % 4], rng, []), rate, rng) for i in range(n)]
    return Chains(np.stack(grids), np.array([LOCI.index(kinds[i % 4][1]) for i in range(n)]))


def sequences_of(chains: Chains) -> list[str]:
    return [decode(grid_to_chain(grid)[0]) for grid in chains.grids]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.fasta", ">x\nQV\nql\n>y z\nDI-Q*\n", ["QVQL", "DIQ"]),
        ("a.fasta.gz", ">x\nQVQL\n", ["QVQL"]),
        ("a.tsv", "sequence_id\tsequence\tsequence_alignment_aa\nx\tACGT\tQV..QL\n", ["QVQL"]),
        ("a.csv", "id,vdomain_aa,sequence\nx,QVQL,ACGT\ny,,ACGT\n", ["QVQL"]),
        ("oas.csv.gz", '{"Run": "x"}\nsequence,sequence_alignment_aa\nACGT,QVQL\n', ["QVQL"]),
        (
            "oas.csv",
            '"{""Run"": ""x"", ""n"": 2}"\nsequence_alignment_aa_heavy,b,'
            "sequence_alignment_aa_light\nQVQL,1,DIQM\n",
            ["QVQL", "DIQM"],
        ),
        ("crlf.csv", "aa_seq,b\r\nQVQL,1\r\n", ["QVQL"]),
        ("short.csv", "b,aa_seq\n1,QVQL\n2\n", ["QVQL"]),
        ("stop.csv", "aa_seq\nQVQL**\n", ["QVQL"]),
    ],
)
def test_files_of_every_kind(write: Write, name: str, text: str, expected: list[str]) -> None:
    assert list(read_sequences(write(name, text))) == expected


def test_a_row_that_cannot_be_read_is_named(write: Write) -> None:
    long = "x" * (1 << 18)
    for at, text in (
        (1, f"{long},aa_seq\n1,EVQL\n"),
        (3, f"b,aa_seq\n1,EVQL\n{long},QVQL\n"),
        (4, f'{{"Run": "x"}}\nb,aa_seq\n1,EVQL\n{long},QVQL\n'),
    ):
        path = write("long.csv", text)
        with pytest.raises(LacunaError, match=f"long.csv: .*, near line {at}; correct the line"):
            list(read_sequences(path))


def test_columns_can_be_named(write: Write) -> None:
    path = write("a.csv", "vdomain_aa,mine,other\nQ,QVQL,DIQM\n")
    assert list(read_sequences(path, ["mine"])) == ["QVQL"]
    assert list(read_sequences(path, ["other", "mine"])) == ["DIQM", "QVQL"]
    with pytest.raises(LacunaError, match=r"no column of sequences \(mine, gone\); found vdomain"):
        list(read_sequences(path, ["mine", "gone"]))


def test_rows_can_be_chosen_by_the_cells_of_their_columns(write: Write) -> None:
    table = "id,species,aa_seq\n12|a,human,QVQL\n13|b,mouse,DIQM\n123|c,human,EVQL\n12|d\n"
    path = write("a.csv", table)
    assert list(read_sequences(path, rows={"species": ["human"]})) == ["QVQL", "EVQL"]
    assert list(read_sequences(path, rows={"id": ["1[23]|*"]})) == ["QVQL", "DIQM"]
    assert list(read_sequences(path, rows={"id": ["12|*"], "species": ["mouse", "h*"]})) == ["QVQL"]
    assert list(read_sequences(path, rows={"species": ["Human"]})) == []
    with pytest.raises(
        LacunaError, match="a.csv: no column 'kind'; found id, species, aa_seq; .*'rows'"
    ):
        list(read_sequences(path, rows={"kind": ["human"]}))
    with pytest.raises(LacunaError, match="a.fasta: a FASTA has no columns; remove 'rows'"):
        list(read_sequences(write("a.fasta", ">x\nQVQL\n"), rows={"species": ["human"]}))


def test_an_empty_file_is_named(write: Write) -> None:
    with pytest.raises(LacunaError, match="a.fasta: the file is empty"):
        list(read_sequences(write("a.fasta", "")))


@pytest.mark.parametrize("text", ["a,b\n1,2\n", '{"Run": "x"}\n'])
def test_a_table_without_sequences_names_what_it_has(write: Write, text: str) -> None:
    with pytest.raises(LacunaError, match="no column of sequences.*'columns'"):
        list(read_sequences(write("a.csv", text)))


def make_wheel(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in files.items():
            wheel.writestr(name, data)
    return path


def test_tables_inside_a_wheel(tmp_path: Path) -> None:
    pairs = b"input_seq_vh,input_seq_vl\nQVQL,DIQM\n"
    single = gzip.compress(b"id,input_seq\n1,EVQL\n")
    files = {"p/b_pairs.csv": pairs, "p/a_single.csv.gz": single, "p/other.txt": b"x"}
    path = make_wheel(tmp_path / "tiny-1.0-py3-none-any.whl", files)
    assert list(read_sequences(path)) == ["EVQL", "QVQL", "DIQM"]
    assert list(read_sequences(path, files=["*pairs*"])) == ["QVQL", "DIQM"]
    with pytest.raises(LacunaError, match="holds no file like none"):
        list(read_sequences(path, files=["none*"]))
    with pytest.raises(LacunaError, match="p/b_pairs.csv: no column"):
        list(read_sequences(path, columns=["x"], files=["*pairs*"]))
    other = make_wheel(
        tmp_path / "b.whl", {"p/latin.csv": "name,aa_seq\nJosé,EVQL".encode("latin-1")}
    )
    with pytest.raises(LacunaError, match="b.whl/p/latin.csv: not a text file in UTF-8"):
        list(read_sequences(other))
    named = make_wheel(tmp_path / "c.whl", {"p/é.csv": b"aa_seq\nEVQL\n"})
    named.write_bytes(named.read_bytes().replace("é".encode(), b"\xff\xfe"))
    with pytest.raises(LacunaError, match="c.whl: the wheel is damaged"):
        list(read_sequences(named))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(LacunaError, match="the wheel is damaged"):
        list(read_sequences(path))


def test_wheels_are_fetched_by_pip_and_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    links = tmp_path / "links"
    links.mkdir()
    info = "tinycorpus-1.0.dist-info"
    wheel = make_wheel(
        links / "tinycorpus-1.0-py3-none-any.whl",
        {
            f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tinycorpus\nVersion: 1.0\n",
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
        },
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    out = tmp_path / "fetched" / "tinycorpus-1.0.whl"
    fetch_wheel("tinycorpus==1.0", out, digest)
    assert out.read_bytes() == wheel.read_bytes()
    with pytest.raises(LacunaError, match="sha256 is .*, config says 00"):
        fetch_wheel("tinycorpus==1.0", tmp_path / "x.whl", "00")
    with pytest.raises(LacunaError, match="tinycorpus==2.0: pip cannot download"):
        fetch_wheel("tinycorpus==2.0", tmp_path / "x.whl")
    assert sorted(os.listdir(tmp_path)) == ["fetched", "links"]


def test_only_whole_domains_of_the_20_residues_are_kept() -> None:
    chains = make_chains(6, 0)
    good = sequences_of(chains)
    bad = ["", good[0][:50], good[1][:40] + "X" + good[1][41:], "MKT" * 40, "A*" + good[2]]
    found, whose = number_all([*good[:3], *bad, *good[3:]], 1)
    assert whose.tolist() == [0, 1, 2, 8, 9, 10]
    assert found.locus.tolist() == chains.locus.tolist()
    assert (found.grids != chains.grids).mean() < 0.01
    empty, none = number_all(bad, 1)
    assert len(empty) == len(none) == 0 and empty.grids.shape == (0, N_CODES)


def test_processes_do_not_change_the_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains_module, "CHAINS_TOGETHER", 5)
    sequences = [*sequences_of(make_chains(13, 1)), "QQQ"]
    alone, together = number_all(sequences, 1), number_all(sequences, 2)
    assert np.array_equal(alone[0].grids, together[0].grids)
    assert np.array_equal(alone[1], together[1])


def identity(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a[1 : N_IMGT + 1], b[1 : N_IMGT + 1]
    same = int(((a == b) & (a < N_RESIDUES)).sum())
    return same / max(int((a < N_RESIDUES).sum()), int((b < N_RESIDUES).sum()))


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_near_is_what_counting_finds(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    held_out = make_chains(4, seed, 0.2)
    other = make_chains(4, seed + 1)
    relatives = Chains(np.stack([mutate(g, 0.04, rng) for g in held_out.grids]), held_out.locus)
    chains = Chains(
        np.concatenate([other.grids, relatives.grids, held_out.grids]),
        np.concatenate([other.locus, relatives.locus, held_out.locus]),
    )
    expected = [any(identity(a, b) >= limit for b in held_out.grids) for a in chains.grids]
    found = like_held_out(chains, held_out, limit)
    assert found.tolist() == expected and found[-4:].all()
    assert not like_held_out(chains, held_out.take(np.empty(0, int)), limit).any()


@settings(max_examples=20)
@given(SEEDS, st.sampled_from([0.9, 0.97, 1.0]))
def test_near_duplicates_are_dropped_within_a_cdr3(seed: int, limit: float) -> None:
    rng = np.random.default_rng(seed)
    first = make_chains(3, seed)
    copies = [mutate(first.grids[i % 3], rate, rng) for i, rate in enumerate([0, 0.01, 0.02] * 3)]
    chains = Chains(np.stack([*first.grids, *copies]), np.resize(first.locus, 12))
    dropped = near_duplicates(chains, limit)
    keys = list(zip(cdr3s(chains), chains.locus, strict=True))
    kept: list[int] = []
    for i in range(12):
        like = any(
            keys[i] == keys[j] and identity(chains.grids[i], chains.grids[j]) >= limit for j in kept
        )
        assert dropped[i] == like
        if not like:
            kept.append(i)


def test_relatives_stay_on_one_side_of_the_split() -> None:
    chains = make_chains(400, 3)
    twice = Chains(np.concatenate([chains.grids, chains.grids]), np.resize(chains.locus, 800))
    held_out = held_out_share(twice, 0.1)
    assert 20 < held_out[:400].sum() < 65
    assert np.array_equal(held_out[:400], held_out[400:])
    keys = list(zip(cdr3s(twice), twice.locus, strict=True))
    assert {k for k, h in zip(keys, held_out, strict=True) if h}.isdisjoint(
        k for k, h in zip(keys, held_out, strict=True) if not h
    )
    assert not held_out_share(chains, 0.0).any()


def test_profiles_hold_germline_and_use() -> None:
    chains = make_chains(80, 5, 0.0)
    library = germline_library(chains)
    v = v_segments()
    assert torch.equal(library.v, torch.from_numpy(v.tokens))
    profile = unpack_frequencies(library.v_profile)
    assert (profile.sum(-1)[:, 0] == 0).all()
    filled = profile.sum(-1) > 0
    assert ((profile.sum(-1)[filled] - 1).abs() < 0.1).all()
    # For most genes no chain was seen: their profile is the germline.
    rows, columns = np.nonzero(v.tokens[:, 1:105] < N_RESIDUES)
    own = profile[v.gene[rows], columns + 1, v.tokens[rows, columns + 1].astype(int)]
    assert (own > 0.99).float().mean() > 0.9
    assert library.v_prior.max() > 0 and (library.v_prior >= 0).all()


@pytest.mark.slow
def test_constant_regions_and_their_relatives() -> None:
    tensors = constant_tensors()
    tokens, templates = tensors["chains.constants"], tensors["chains.constant_templates"]
    assert len(tokens) == len(templates) == len(tensors["chains.constant_locus"])
    assert len(tokens) <= len(constants())
    there = tokens < N_RESIDUES
    same = ((templates[:, 0] == tokens) & there).sum(1) / there.sum(1)
    assert (same[1::2] == 1).all() and (same[::2] > 0.25).all()
    assert (templates.transpose(1, 2)[~there] == ABSENT).all()
    alleles = [c for c in constants() if set(c.sequence) <= set(RESIDUES)]
    for i in (0, 1, 150):  # as if every other one had been aligned
        own = alleles[i]
        rows = [
            lay_template(own.sequence, other.sequence)
            for other in alleles
            if other.locus == own.locus and other is not own
        ]
        rows.sort(key=lambda row: -int((row == tokens_of(own.sequence)).sum()))
        found = templates[i, i % 2 :, : len(own.sequence)].numpy()
        assert np.array_equal(found, rows[: len(found)])


def test_letters_in_common_are_those_of_the_longest_subsequence() -> None:
    rng = random.Random(1)
    for _ in range(50):
        one, other = ("".join(rng.choices("ACD", k=rng.randrange(9))) for _ in range(2))
        subsequences = (
            "".join(letters) for n in range(len(one) + 1) for letters in combinations(one, n)
        )
        longest = max(len(some) for some in subsequences if _is_within(some, other))
        assert letters_in_common(one, other) == letters_in_common(other, one) == longest


def _is_within(some: str, other: str) -> bool:
    rest = iter(other)
    return all(letter in rest for letter in some)


def test_simulated_chains_and_grafts_are_counted_and_reproducible() -> None:
    natural = make_chains(20, 0)
    counts = {"mouse:H": 3, "human:K": 2, "graft": 4}
    chains, grafted = simulate_chains(natural, counts, 1)
    again, _ = simulate_chains(natural, counts, 1)
    assert np.array_equal(chains.grids, again.grids)
    assert grafted.tolist() == [False] * 5 + [True] * 4
    assert chains.locus.tolist()[:5] == [0, 0, 0, 1, 1] and set(chains.locus[5:]) == {0}
    assert len(simulate_chains(natural, {}, 1)[0]) == 0
    with pytest.raises(LacunaError, match="'graft' needs chains of a species that is not human"):
        simulate_chains(natural, {"human:H": 1, "graft": 1}, 1)


def encode(folder: Path, corpora: dict[str, Chains], held_out: Chains, **config: object) -> dict:
    def fasta(name: str, chains: Chains) -> Path:
        path = folder / f"{name}.fasta"
        path.write_text("".join(f">x\n{s}\n" for s in sequences_of(chains)))
        return path

    encode_corpora(
        [
            Corpus(n, fasta(n, c), i + 1.0, "licence", "source")
            for i, (n, c) in enumerate(corpora.items())
        ],
        [fasta("held_out", held_out)],
        {},
        folder / "chains.safetensors",
        folder / "corpus.json",
        EncodeConfig(**{"validation_share": 0.1, **config}),
    )
    return json.loads((folder / "corpus.json").read_text())


def test_what_is_held_out_is_nowhere_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode_module, "constant_tensors", lambda: CONSTANTS)
    first, second = make_chains(40, 0), make_chains(40, 9)
    held_out = first.take(np.arange(5))
    both = Chains(
        np.concatenate([second.grids, first.grids[:20]]),
        np.concatenate([second.locus, first.locus[:20]]),
    )
    drawn = {"simulate": {"mouse:H": 5, "graft": 5}, "calibrate": {"alpaca:H": 4}}
    record = encode(tmp_path, {"a": first, "b": both}, held_out, **drawn)
    counts = {c["name"]: c for c in record["corpora"]}
    assert counts["a"]["read"] == 40 and counts["b"]["read"] == 60
    assert counts["b"]["different"] <= 40  # chains of `a` are not counted again
    assert counts["a"]["near_held_out"] >= 5
    encoded = read_encoded(tmp_path / "chains.safetensors")
    assert encoded.record == record and record["chains"] == len(encoded.chains.grids)
    chains = Chains(encoded.chains.grids.numpy(), encoded.chains.locus.numpy())
    assert not like_held_out(chains, held_out, 0.95).any()
    weights = np.diff(encoded.chains.cumulative.numpy(), prepend=0.0)
    assert set(weights.round(3)) == {0.0, 0.7, 1.0, 1.2, 2.0}
    assert {name: len(rows) for name, rows in encoded.validation.items()} == {
        "natural": record["validation"]["natural"]["kept"],
        "simulated_alpaca": 4,
    }
    never = sorted(torch.cat([*encoded.validation.values()]).tolist())
    assert np.flatnonzero(weights == 0).tolist() == never
    again = tmp_path / "again"
    again.mkdir()
    encode(again, {"a": first, "b": both}, held_out, **drawn)
    files = [p / "chains.safetensors" for p in (tmp_path, again)]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_nothing_left_to_train_on_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encode_module, "constant_tensors", lambda: CONSTANTS)
    chains = make_chains(4, 0)
    with pytest.raises(LacunaError, match="no natural chain is left to train on"):
        encode(tmp_path, {"a": chains}, chains)
    with pytest.raises(LacunaError, match="holds a V domain"):
        encode(tmp_path, {"a": Chains(chains.grids[:, ::-1], chains.locus)}, chains)


def test_a_file_must_have_the_digest_that_its_corpus_states(tmp_path: Path) -> None:
    path = tmp_path / "a.fasta"
    path.write_text(">x\nQVQL\n")
    for digest in ("00", hashlib.sha256(path.read_bytes()).hexdigest()):
        corpus = Corpus("mine", path, 1.0, "licence", "source", sha256=digest)
        # The right file is read; it has no V domain.
        says = "sha256 is .*'mine' says 00; get that file" if digest == "00" else "holds a V domain"
        with pytest.raises(LacunaError, match=says):
            encode_corpora([corpus], [], {}, tmp_path / "c", tmp_path / "r", EncodeConfig())


CONSTANTS = {
    "chains.constants": torch.zeros(3, 9, dtype=torch.uint8),
    "chains.constant_templates": torch.zeros(3, 5, 9, dtype=torch.uint8),
    "chains.constant_locus": torch.arange(3),
}
