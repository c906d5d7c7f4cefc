"""The table of spectra, and gaps that are filled with it."""

from dataclasses import astuple, replace
from pathlib import Path

import numpy as np
import pytest

from chains import hidden
from conftest import Write
from gap_of_peptide import (
    FIRST,
    HEAVY,
    LAST,
    LIGHTER,
    PEPTIDE,
    READINGS,
    around,
    gapped,
    of_peptides,
    seen,
    unread,
)
from lacuna.core.masses import AMMONIA, OXIDATION, WATER
from lacuna.core.tables import CLEAVAGE, GAP_TABLE, MASS, SPECTRUM, SPECTRUM_TABLE
from lacuna.filling.search.cleavages import cut_where_shown
from lacuna.results.summary import spectra_note
from lacuna.scaffolds.json_lines import from_json, to_json
from lacuna.scaffolds.residue_masses import MassRules, Modifications
from lacuna.scaffolds.scaffold import Measured, SpectralEvidence
from lacuna.spectra.odds import look
from lacuna.spectra.table import with_spectra
from lacuna.steps.one_file import fill_file
from peaks import as_mgf, spectrum_of, weights


def test_the_table_holds_all_that_the_search_needs(tmp_path: Path) -> None:
    scaffold, gap = gapped(mass=False)
    found = look(scaffold, gap, seen(spectrum_of(PEPTIDE)), READINGS, 10.0)
    assert found is not None
    path = tmp_path / "spectra.tsv"
    SPECTRUM_TABLE.write(path, found.rows)
    (read,) = with_spectra([scaffold], path)
    (other,) = read.gaps
    assert other.spectra is not None and other.spectra.mass is not None
    assert found.evidence.mass is not None
    assert np.allclose(astuple(other.spectra.mass), astuple(found.evidence.mass), atol=1e-3)
    assert np.allclose(other.spectra.cleavages, found.evidence.cleavages, atol=1e-3)
    assert other.spectra.unseen == pytest.approx(found.evidence.unseen, abs=1e-3)
    assert from_json(to_json(read)) == read


def test_the_table_holds_every_mass_of_a_gap(tmp_path: Path) -> None:
    scaffold, gap = gapped(mass=False)
    spectra = seen(*of_peptides([PEPTIDE, PEPTIDE, LIGHTER]))
    found = look(scaffold, gap, spectra, READINGS, 10.0)
    assert found is not None and len(found.evidence.others) == 1
    SPECTRUM_TABLE.write(tmp_path / "spectra.tsv", found.rows)
    (read,) = with_spectra([scaffold], tmp_path / "spectra.tsv")
    spectral = read.gaps[0].spectra
    assert spectral is not None and len(spectral.others) == 1
    for one, other in ((spectral, found.evidence), (spectral.others[0], found.evidence.others[0])):
        assert one.mass is not None and other.mass is not None
        assert np.allclose(astuple(one.mass), astuple(other.mass), atol=1e-3)
        assert np.allclose(one.cleavages, other.cleavages, atol=1e-3)
        assert one.unseen == pytest.approx(other.unseen, abs=1e-3)
    assert from_json(to_json(read)) == read


def test_the_summary_counts_gaps_without_i_or_l(write: Write) -> None:
    """As it does not count J among the gaps."""
    columns = "chain\tstart\tend\trank\tambiguity\n"
    gaps = write(
        "gaps.tsv", columns + "a\t3\t4\t1\tJ\na\t9\t9\t1\t\na\t9\t9\t2\t\na\t20\t22\t1\t\n"
    )
    spectra = write("s.tsv", "chain\tstart\tend\na\t3\t4\na\t9\t9\na\t9\t9\n")
    assert spectra_note(spectra, gaps) == "; spectra span 1 of 2 gaps"
    assert "WARNING" in spectra_note(write("none.tsv", "chain\tstart\tend\n"), gaps)


def test_spectra_fill_a_gap_and_noise_does_not_change_it(write: Write, tmp_path: Path) -> None:
    """The chain has residues in the gap that germlines do not hold likely."""
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    peptide = around(chain, FIRST, LAST)
    fasta = write("c.fasta", f">c\n{hidden(chain, [(FIRST, LAST)])}\n")
    good = write("good.mgf", as_mgf([spectrum_of(peptide, noise=30)]))
    bad = write("bad.mgf", as_mgf([spectrum_of(peptide, series=(), noise=200)]))
    options = {"alkylation": "none"}
    filled = {}
    for name, spectra in (("none", []), ("good", [good]), ("bad", [bad])):
        made = fill_file({"fasta": fasta}, tmp_path / name, options, spectra=spectra)
        assert ("spectra" in made) == bool(spectra)
        filled[name] = list(GAP_TABLE.read(tmp_path / name / "gaps.tsv"))
    assert filled["none"][0].candidate != "GHWPE"
    assert filled["good"][0].candidate == "GHWPE"
    assert (filled["good"][0].probability or 0) > 0.9
    assert "by spectra" in filled["good"][0].status
    assert filled["good"][0].cleavages == "G/H/W/P/E"
    assert all(row.cleavages.count("/") < 4 for row in filled["good"][1:])
    assert filled["bad"] == filled["none"]
    kinds = [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "good" / "spectra.tsv")]
    assert kinds.count(SPECTRUM) == kinds.count(MASS) == 1 and kinds.count(CLEAVAGE) >= 4


def cut(
    sequence: str,
    evidence: SpectralEvidence,
    mass: str,
    rules: MassRules | None = None,
    by: float = 0.0,
) -> str:
    """A candidate as spectra show it; mass: that of these residues, and `by` Da."""
    whole = float(weights(mass).sum()) + by
    return cut_where_shown(sequence, evidence, Measured(whole, 0.01), rules or MassRules())


def test_a_candidate_is_marked_where_spectra_show_its_cleavages() -> None:
    """After AG and AGS; the masses of permutations and of other residues do not have both."""
    behind = [float(weights(part).sum()) for part in ("AG", "AGS")]
    evidence = SpectralEvidence(tuple((mass, 0.01, 5.0) for mass in behind), -1.0)
    assert cut("AGSYV", evidence, "AGSYV") == "AG/S/YV"
    assert cut("GASYV", evidence, "AGSYV") == "GA/S/YV"
    assert cut("AYSGV", evidence, "AGSYV") == "AYSGV"
    assert cut("QSYV", evidence, "AGSYV") == "Q/S/YV"
    assert cut("AGSYW", evidence, "AGSYV") == ""
    faint = replace(evidence, cleavages=((behind[0], 0.01, 1.9), (behind[1], 0.01, 2.1)))
    assert cut("AGSYV", faint, "AGSYV") == "AGS/YV"


def test_a_candidate_is_marked_at_the_masses_that_its_residues_carry() -> None:
    carried, oxygen = 57.02146, 15.99491
    behind = float(weights("AC").sum()) + carried
    evidence = SpectralEvidence(((behind, 0.01, 5.0),), -1.0)
    alkylated = MassRules(Modifications(((carried, 1.0),)))
    assert cut("ACY", evidence, "ACY", alkylated, by=carried) == "AC/Y"
    assert cut("ACY", evidence, "ACY", by=carried) == ""
    oxidised = MassRules(Modifications(oxidised_methionine=True))
    evidence = SpectralEvidence(((float(weights("MA").sum()) + oxygen, 0.01, 5.0),), -1.0)
    assert cut("MAY", evidence, "MAY", oxidised, by=oxygen) == "MA/Y"
    assert cut("MAY", evidence, "MAY", oxidised) == "MAY"  # not the oxidised one


def test_spectra_say_more_of_a_gap_than_the_mass_of_its_chain(write: Write, tmp_path: Path) -> None:
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    fasta = write("c.fasta", f">c\n{hidden(chain, [(FIRST, LAST)])}\n")
    whole = float(weights(chain).sum()) + WATER
    masses = write("m.tsv", f"chain\tmass\ttolerance_da\tkind\nc\t{whole:.3f}\t1\tmonoisotopic\n")
    good = write("good.mgf", as_mgf([spectrum_of(around(chain, FIRST, LAST))]))
    inputs = {"fasta": fasta, "masses": masses}
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"}, spectra=[good])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert first.candidate == "GHWPE" and "by spectra" in first.status


@pytest.mark.parametrize("inserted", [False, True])
def test_spectra_choose_a_length(write: Write, tmp_path: Path, inserted: bool) -> None:
    """A gap of known mass, written inline, or as a row of the gap table between two residues."""
    chain = HEAVY[:FIRST] + "GHWPE" + HEAVY[LAST:]
    mass = float(weights("GHWPE").sum())
    good = write("good.mgf", as_mgf([spectrum_of(around(chain, FIRST, LAST))]))
    inline = "" if inserted else f"X[+{mass:.4f}]"
    inputs = {"fasta": write("c.fasta", f">c\n{chain[:FIRST]}{inline}{chain[LAST:]}\n")}
    if inserted:
        row = f"c\t{FIRST}\t{FIRST}\t{mass:.4f}"
        inputs["gaps"] = write("gaps.tsv", f"chain\tstart\tend\tmass\n{row}\n")
    fill_file(inputs, tmp_path / "out", {"alkylation": "none"}, spectra=[good])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert first.candidate == "GHWPE" and (first.probability or 0) > 0.9
    kinds = [row.kind for row in SPECTRUM_TABLE.read(tmp_path / "out" / "spectra.tsv")]
    assert kinds.count(CLEAVAGE) >= 4


@pytest.mark.parametrize("place", ["loop", "start"])
@pytest.mark.parametrize("noisy", [False, True])
def test_spectra_give_a_gap_its_length(
    write: Write, tmp_path: Path, place: str, noisy: bool
) -> None:
    """Germline has other lengths there: a CDR1 has two residues more, the start two less."""
    cdr1 = HEAVY.index("C") + 4
    chain = HEAVY[:cdr1] + "NW" + HEAVY[cdr1:] if place == "loop" else "DV" + HEAVY[4:]
    start, end = (cdr1 - 2, cdr1 + 4) if place == "loop" else (0, 3)
    fasta = write("c.fasta", f">c\n{chain[:start]}{chain[end:]}\n")
    table = write("gaps.tsv", f"chain\tstart\tend\nc\t{start}\t{start}\n")
    series = () if noisy else ("b", "y")
    made = spectrum_of(around(chain, start, end), series=series, noise=40)
    inputs = {"fasta": fasta, "gaps": table}
    options = {"complete_ends": False, "alkylation": "none"}
    fill_file(inputs, tmp_path / "out", options, spectra=[write("s.mgf", as_mgf([made]))])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    right_length = len(first.candidate) == end - start
    assert right_length == (not noisy)
    if not noisy:
        assert "Da by spectra" in first.status and (first.probability or 0.0) > 0.9
        assert first.candidate.replace("I", "L") == chain[start:end].replace("I", "L")


@pytest.mark.parametrize(
    ("truth", "carried", "allowed", "said"),
    [
        ("AMHWV", "", (), ""),
        ("AMHWV", "M", (), "; its M as oxidised or W as oxidised"),
        ("AMHWV", "M", ("oxidised_methionine",), ""),
        ("AMHWV", "MW", (), "; several of its residues modified"),
        ("AMHWV", "MW", ("oxidised_methionine",), "; its W as oxidised"),
        ("W", "W", (), "; its W as oxidised"),  # no residue weighs as much otherwise
    ],
)
def test_residues_of_a_gap_may_carry_what_is_usual_if_spectra_weigh_it(
    truth: str,
    carried: str,
    allowed: tuple[str, ...],
    said: str,
    write: Write,
    tmp_path: Path,
) -> None:
    """carried: residues of the gap that are oxidised."""
    start = HEAVY.index(truth)
    end = start + len(truth)
    peptide = around(HEAVY, start, end)
    modified = {peptide.index(truth) + truth.index(r): OXIDATION for r in carried}
    mgf = write("c.mgf", as_mgf([spectrum_of(peptide, modified=modified, noise=30)]))
    fasta = write("c.fasta", f">c\n{hidden(HEAVY, [(start, end)])}\n")
    options = {"alkylation": "none", "modifications": dict.fromkeys(allowed, True)}
    fill_file({"fasta": fasta}, tmp_path / "out", options, spectra=[mgf])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert first.candidate == truth
    assert first.mass == pytest.approx(weights(truth).sum() + len(carried) * OXIDATION, abs=1e-3)
    _, behind = first.status.split(", probability ")
    assert behind[len("1.000") :] == f"{said})"


@pytest.mark.parametrize("lost", [0.0, AMMONIA])
def test_pyroglutamate_in_a_mass_of_spectra_is_told(
    lost: float, write: Write, tmp_path: Path
) -> None:
    mgf = write("c.mgf", as_mgf([spectrum_of(around(HEAVY, 0, 3), modified={0: -lost})]))
    fasta = write("c.fasta", f">c\n{hidden(HEAVY, [(0, 3)])}\n")
    fill_file({"fasta": fasta}, tmp_path / "out", {"alkylation": "none"}, spectra=[mgf])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    said = f"; its {first.candidate[0]} 1 as pyroglutamate" if lost else ""
    assert first.candidate[0] in "QE"
    assert first.status == f"filled (mass {first.mass:.4f} Da by spectra, probability 1.000{said})"


def test_no_modification_is_told_of_a_gap_without_the_mass_of_its_spectra(
    write: Write, tmp_path: Path
) -> None:
    """Its mass in the table is then that of bare residues, even if its C is alkylated."""
    start = HEAVY.index("VYYCA")
    chain = HEAVY[:start] + "GGGGG" + HEAVY[start + 5 :]
    peptide = around(chain, start, start + 5)
    within = peptide.index("GGGGG")
    spectrum = spectrum_of(peptide, missing=range(within + 1, within + 5))
    mgf = write("c.mgf", as_mgf([spectrum]))
    fasta = write("c.fasta", f">c\n{hidden(chain, [(start, start + 5)])}\n")
    options = {"alkylation": "carbamidomethyl"}
    fill_file({"fasta": fasta}, tmp_path / "out", options, spectra=[mgf])
    first = next(iter(GAP_TABLE.read(tmp_path / "out" / "gaps.tsv")))
    assert "C" in first.candidate
    assert first.status == "filled (spectra show another mass, 285.1073 Da)"


def test_a_peptide_that_carries_nothing_is_named_by_its_place() -> None:
    found = look(*gapped(), seen(spectrum_of(PEPTIDE)), READINGS, 10.0)
    assert found is not None
    assert [row.spectrum for row in found.rows if row.kind == SPECTRUM] == ["made:1 as 17..32"]


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("carried", [0.0, 57.02146])
def test_the_state_of_c_by_which_spectra_fit_best_is_used(first: int, carried: float) -> None:
    states = [0.0, 57.02146]
    several = MassRules(Modifications(tuple((mass, 0.5) for mass in states))).readings()
    order = [several[first], several[1 - first]]
    scaffold = unread("AKGLSDCEWVEADIPGHK", 12, 15)
    made = spectrum_of("GLSDCEWVEADIPGHK", carried=carried)
    found = look(scaffold, scaffold.gaps[0], seen(made), order, 10.0)
    assert found is not None and found.evidence.mass is not None
    assert found.evidence.mass.mass == pytest.approx(weights("DIP").sum(), abs=0.02)
