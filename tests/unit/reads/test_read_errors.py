"""How often residues of reads are right: judging them, fitting models, and the bundled ones."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Write
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.paths import READ_ERRORS
from lacuna.core.statistics import error_of_residues
from lacuna.reads.errors.fit import CALIBRATION_TABLE, Judged, calibrate, fit_all
from lacuna.reads.errors.judging import index_chains, judge
from lacuna.reads.errors.model import (
    DEFAULT,
    FEATURES,
    FLOOR,
    PEPTIDE,
    PLACE,
    RESIDUE,
    ErrorModels,
    Model,
    features,
    load_error_models,
    predict,
    read_records,
    write_records,
)
from lacuna.reads.known import files_of, known_reads
from lacuna.reads.read import Modification, Read
from lacuna.steps.read_errors import fit_read_errors

CHAIN = "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVK"


def made(
    residues: str,
    confidences: tuple[float, ...] | None = None,
    *,
    tool: str = "peaks",
    score: float | None = None,
    modifications: tuple[Modification, ...] = (),
) -> Read:
    return Read(
        name=residues,
        tool=tool,
        residues=residues,
        confidences=confidences,
        score=score,
        modifications=modifications,
        file="",
    )


def verdict(residues: str, *modifications: Modification, chain: str = CHAIN) -> str:
    """What is judged of each residue: + right, - wrong, . not judged."""
    labels = judge(made(residues, modifications=modifications), index_chains([chain]))
    assert labels is not None
    return "".join("-+."[label] for label in labels)


# --- judging -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("residues", "expected"),
    [
        ("LVESGGGLVQ", "++++++++++"),
        ("IVESGGGIVQ", "++++++++++"),  # I is L
        ("LVESGGGLVK", "+++++++++-"),  # Q as K
        ("VLESGGGLVQ", "--++++++++"),  # another order at one end
        ("LVESGNLVQPGGS", "+++++-+++++++"),  # GG as N: one residue less
        ("LVESGGGLVAGPGGS", "+++++++++--++++"),  # Q as AG: one more
        ("GLVQPGGSLRLMTW", "+++++++++++---"),
    ],
)
def test_what_differs_from_the_chain_is_wrong(residues: str, expected: str) -> None:
    assert verdict(residues) == expected


@pytest.mark.parametrize(
    ("chain", "read", "expected"),
    [
        # QM(ox) weighs what GMS weighs: behind the block the read is one residue longer.
        ("DIVQMTQSPSSL", made("DIVGMSTQSPSSL"), "+++---+++++++"),
        # So does QN, one of them deamidated, and DGA.
        ("DIVQNTQSPSSL", made("DIVDGATQSPSSL"), "+++---+++++++"),
        # The other way round, M being oxidised in the read.
        ("DIVGMSTQSPSSL", made("DIVQMTQSPSSL", modifications=((4, 15.994915),)), "+++--+++++++"),
        # A residue that stays in its place within a block is wrong with it.
        ("DIVELTQSPSSL", made("DILEVTQSPSSL"), "++---+++++++"),
    ],
)
def test_blocks_of_equal_mass_are_followed(chain: str, read: Read, expected: str) -> None:
    assert verdict(read.residues, *read.modifications, chain=chain) == expected


def test_deamidation_and_what_lies_beyond_the_chain_are_not_judged() -> None:
    assert verdict("GFDIKDTYIHW") == "++.++++++++"
    assert verdict("KKEVQLVESG") == "..++++++++"
    assert verdict("RYADSVKGRF") == "+++++++..."


def test_a_read_of_something_else_is_not_judged() -> None:
    assert judge(made("WWWWWWWWWW"), index_chains([CHAIN])) is None
    assert judge(made("EVQLV"), index_chains([CHAIN])) is None  # too short


def test_the_longest_run_anchors() -> None:
    chains = index_chains(["AAAAAAGGGG", "AAAAAAGVVV"])
    labels = judge(made("AAAAAAGVVV"), chains)
    assert labels is not None and labels.tolist() == [1] * 10


@given(st.text(RESIDUES, min_size=6, max_size=30), st.text(RESIDUES, min_size=6, max_size=60))
def test_a_piece_of_the_chain_is_right(piece: str, chain: str) -> None:
    labels = judge(made(piece), index_chains([chain + piece + chain[:5]]))
    assert labels is not None and (labels == 1).all()


# --- models --------------------------------------------------------------------------------------


def test_features_of_each_residue() -> None:
    reads = [made("EVK", (0.5, 0.9, 1.0)), made("A", (0.5,))]
    found = features(reads, RESIDUE)
    column = dict(zip(FEATURES[RESIDUE], found.T, strict=True))
    nine, one = np.log(9), np.log(0.995 / 0.005)
    assert column["confidence"] == pytest.approx([0, nine, one, 0])
    assert column["neighbour"] == pytest.approx([nine, 0, nine, 0])
    assert column["read"] == pytest.approx([(nine + one) / 3] * 3 + [0])
    assert column["n_end"] == pytest.approx(np.exp([0, -1 / 1.5, -2 / 1.5, 0]))
    assert column["c_end"] == pytest.approx(np.exp([-2 / 1.5, -1 / 1.5, 0, 0]))
    assert features([made("EVK", score=0.9)], PEPTIDE)[:, 1] == pytest.approx([nine] * 3)
    assert features(reads, PLACE).shape == (4, 3)


def simulated(
    protein: str, seed: int, *, tool: str = "peaks", promise: float = 0.0, n: int = 600
) -> Judged:
    """Reads whose residues are right as their confidences say, less `promise` in log odds."""
    generator = np.random.default_rng(seed)
    reads, labels = [], []
    for _ in range(n):
        length = int(generator.integers(6, 15))
        stated = generator.uniform(0.05, 0.99, length)
        odds = np.log(stated / (1 - stated)) - promise
        labels.append((generator.random(length) < 1 / (1 + np.exp(-odds))).astype(np.int8))
        residues = "".join(generator.choice(list(RESIDUES), length))
        reads.append(made(residues, tuple(stated.tolist()), tool=tool, score=0.5))
    return Judged(protein, protein, reads, labels)


def right_and_stated(models: ErrorModels, one: Judged) -> tuple[float, float]:
    right = np.concatenate(one.labels).astype(float)
    stated = np.concatenate([np.array(r.confidences) for r in one.reads])
    found = np.concatenate(models.probabilities(one.reads))
    return error_of_residues(right, found), error_of_residues(right, stated)


def test_a_model_mends_what_a_tool_promises() -> None:
    records = fit_all([simulated("one", 1, promise=1.5), simulated("two", 2, promise=1.5)])
    models = ErrorModels({(r.tool, r.kind): r.model for r in records if not r.left_out})
    new, stated = right_and_stated(models, simulated("three", 3, promise=1.5))
    assert stated > 0.15
    assert new < 0.05


def test_models_without_a_protein_never_saw_it() -> None:
    sets = [simulated("one", 1), simulated("two", 2), simulated("liar", 3, promise=4.0)]
    records = fit_all(sets)
    assert {r.left_out for r in records} == {"", "one", "two", "liar"}
    without = [r for r in records if r.left_out == "liar"]
    assert all("liar" not in r.fitted_on for r in without)
    assert without == [r for r in fit_all(sets[:2]) if r.left_out == ""] or [
        r._replace(left_out="") for r in without
    ] == [r for r in fit_all(sets[:2]) if r.left_out == ""]
    rows = {row.set: row for row in calibrate(sets, records)}
    assert rows["liar"].probability > rows["liar"].right + 0.2  # it is measured on what it is


def test_a_probability_is_between_the_floor_and_the_ceiling() -> None:
    odds = np.array([[-100.0], [math.log(4.0)], [100.0]])
    assert predict(Model((1.0,), 0.9), odds) == pytest.approx([FLOOR, 0.8, 0.9])


def test_a_ceiling_is_what_another_protein_shows() -> None:
    alike = fit_all([simulated("one", 1), simulated("two", 2)])
    apart = fit_all([simulated("one", 1), simulated("two", 2, promise=3.0)])

    def ceiling(records: list) -> float:
        return next(r.model.ceiling for r in records if not r.left_out and r.tool == "peaks")

    assert ceiling(alike) > ceiling(apart) + 0.02
    (lone,) = [r for r in fit_all([simulated("one", 1)]) if r.tool == "peaks"]
    assert lone.model.ceiling == 0.95  # nothing shows how it carries over


def test_the_default_is_less_sure_and_for_other_tools() -> None:
    records = fit_all([simulated("one", 1), simulated("two", 2)])
    models = ErrorModels({(r.tool, r.kind): r.model for r in records if not r.left_out})
    known = made("EVQLK", (0.6,) * 5)
    other = dataclasses.replace(known, tool="other")
    own, default = models.probabilities([known, other])
    assert (default < own).all()
    bare = dataclasses.replace(other, confidences=None)
    scored = dataclasses.replace(bare, score=0.9)
    assert [models.model_of(r)[0] for r in (other, scored, bare)] == [RESIDUE, PEPTIDE, PLACE]


def test_few_reads_are_not_fitted_on() -> None:
    records = fit_all([simulated("one", 1), simulated("two", 2, tool="rare", n=100)])
    assert {r.tool for r in records} == {"peaks", DEFAULT}


def test_equal_reads_count_little_more_than_one() -> None:
    one = simulated("one", 1)
    lie = made("EVQLKEVQLK", (0.9,) * 10)
    many = Judged(
        "one", "one", [*one.reads, *[lie] * 500], [*one.labels, *[np.zeros(10, np.int8)] * 500]
    )
    sure = made("EVQLK", (0.9,) * 5)
    few, swamped = (
        ErrorModels({(r.tool, r.kind): r.model for r in fit_all([s])}).probabilities([sure])[0]
        for s in (one, many)
    )
    assert np.abs(few - swamped).max() < 0.2


def test_proteins_count_alike_however_many_their_reads() -> None:
    def chance(n: int) -> float:
        records = fit_all([simulated("one", 1), simulated("two", 2, promise=2.5, n=n)])
        models = ErrorModels({(r.tool, r.kind): r.model for r in records if not r.left_out})
        return float(models.probabilities([made("EVQLK", (0.7,) * 5)])[0][2])

    assert chance(600) == pytest.approx(chance(3000), abs=0.05)


def test_probabilities_follow_their_reads_and_stay_within_bounds() -> None:
    models = load_error_models()
    reads = [
        made("EVQLK", (0.0, 1.0, 1.0, 1.0, 1.0)),
        made("EVK", tool="maxnovo"),
        made("LLLL", tool="instanovo", score=0.7),
        made("EVQLK", (0.0, 1.0, 1.0, 1.0, 1.0), tool="casanovo"),
    ]
    found = models.probabilities(reads)
    assert [len(one) for one in found] == [5, 3, 4, 5]
    for read, one in zip(reads, found, strict=True):
        assert (one == models.probabilities([read])[0]).all()
        assert ((one >= FLOOR) & (one < 0.99)).all()
    assert models.probabilities([]) == []


# --- tables of models ----------------------------------------------------------------------------


def test_models_are_written_and_read_as_they_were(tmp_path: Path) -> None:
    records = fit_all([simulated("one", 1), simulated("two", 2)])
    write_records(tmp_path / "models.tsv", records)
    found = read_records(tmp_path / "models.tsv")
    write_records(tmp_path / "again.tsv", found)
    assert (tmp_path / "again.tsv").read_bytes() == (tmp_path / "models.tsv").read_bytes()
    assert [r._replace(model=None) for r in found] == [r._replace(model=None) for r in records]


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.9", "x"), ("\t0.9", "\t1.9"), ("intercept=", "other="), ("residue\t", "word\t")],
)
def test_a_spoilt_table_names_its_line(write: Write, old: str, new: str) -> None:
    text = READ_ERRORS.read_text(encoding="utf-8")
    with pytest.raises(LacunaError, match="models.tsv:2: not an error model"):
        load_error_models(write("models.tsv", text.replace(old, new, 1)))


def test_a_table_that_is_none_or_has_no_default_is_refused(write: Write) -> None:
    with pytest.raises(LacunaError, match=":1: not a table"):
        load_error_models(write("models.tsv", "a\tb\n"))
    lines = READ_ERRORS.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("default\tplace\t\t")]
    with pytest.raises(LacunaError, match="no default model of kind 'place'"):
        load_error_models(write("models.tsv", "\n".join(kept) + "\n"))


def test_bundled_models_can_be_taken_without_a_protein() -> None:
    proteins = {p for r in read_records(READ_ERRORS) for p in r.fitted_on}
    assert {"trastuzumab", "2489", "NB6"} <= proteins
    for protein in proteins:
        for record in read_records(READ_ERRORS):
            assert record.left_out != protein or protein not in record.fitted_on
        assert load_error_models(left_out=protein) != load_error_models()
    assert load_error_models(left_out="never fitted") == load_error_models()
    # InstaNovo is known of NB6 alone: without it the default judges.
    assert ("instanovo", PEPTIDE) in load_error_models().models
    assert ("instanovo", PEPTIDE) not in load_error_models(left_out="NB6").models


def test_bundled_models_say_what_is_known_of_reads() -> None:
    models = load_error_models()

    def middle(confidence: float, tool: str = "peaks") -> float:
        return float(models.probabilities([made("E" * 13, (confidence,) * 13, tool=tool)])[0][6])

    steps = [middle(c) for c in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99)]
    assert steps == sorted(steps)
    assert 0.8 < middle(0.92) < 0.95 and 0.9 < middle(1.0) < 0.97
    assert middle(0.9, "never seen") < middle(0.9)
    found = models.probabilities([made("E" * 13, (0.9,) * 13)])[0]
    assert found[0] < found[1] < found[6] > found[11] > found[12]


# --- the target ----------------------------------------------------------------------------------


def test_sets_of_known_reads(write: Write) -> None:
    write("a.csv", "peptide\nEVK\n")
    write("t.fasta", f">c\n{CHAIN}\n")
    path = write("sets.tsv", "set\tprotein\treads\ttruth\nx\tp\ta.csv; a.csv\tt.fasta\n")
    (one,) = known_reads(path)
    assert [p.name for p in files_of([one])] == ["a.csv", "t.fasta"]
    for text, fault in (
        ("set\tprotein\treads\nx\tp\ta.csv\n", "sets.tsv:1: column 'truth' is missing"),
        ("set\tprotein\treads\ttruth\nx\t\ta.csv\tt.fasta\n", "sets.tsv:2: 'protein' is empty"),
        ("set\tprotein\treads\ttruth\nx\tp\tb.csv\tt.fasta\n", "sets.tsv:2: .*b.csv is no file"),
        ("set\tprotein\treads\ttruth\n", "no rows"),
        (f"set\tprotein\treads\ttruth\n{'x' * 200_000}\n", "sets.tsv: cannot be read as a table"),
    ):
        with pytest.raises(LacunaError, match=fault):
            known_reads(write("sets.tsv", text))
    with pytest.raises(LacunaError, match="'read_errors.sets' is null"):
        known_reads(None, "read_errors.sets")


def test_models_are_fitted_from_files(write: Write, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = ["peptide,confidence"]
    for _ in range(600):
        at, length = int(generator.integers(0, len(CHAIN) - 14)), int(generator.integers(8, 14))
        piece = CHAIN[at : at + length]
        stated = generator.uniform(0.3, 1, length)
        wrong = generator.random() < 0.4
        rows.append(f"{'W' if wrong else piece[0]}{piece[1:]},{' '.join(map(str, stated))}")
    write("a.csv", "\n".join(rows) + "\n")
    write("t.fasta", f">c\n{CHAIN}\n")
    sets = write("sets.tsv", "set\tprotein\treads\ttruth\nx\tp\ta.csv\tt.fasta\n")
    out, table = tmp_path / "models.tsv", tmp_path / "calibration.tsv"
    fit_read_errors(sets, out, table)
    first = load_error_models(out).probabilities([made("EVQLVESG", (0.9,) * 8, tool="table")])[0]
    assert first[0] < 0.75 < first[4]
    assert list(CALIBRATION_TABLE.read(table)) == []  # no other protein to test on
    write("t.fasta", f">c\n{'W' * 30}\n")
    with pytest.raises(LacunaError, match="no read shares a run with its truth"):
        fit_read_errors(sets, out, table)
    write("t.fasta", ">c\nEVX\n")
    with pytest.raises(LacunaError, match="t.fasta:1: 'c' is no chain of the 20 residues"):
        fit_read_errors(sets, out, table)
