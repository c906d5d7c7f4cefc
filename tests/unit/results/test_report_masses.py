"""Masses on the report: of chains and their forms, of the antibody, and measured ones."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from pyteomics import mass as pyteomics_mass

from lacuna.core.alphabet import RESIDUES
from lacuna.core.masses import chain_masses
from lacuna.core.tables import GAP_TABLE, MASS_TABLE, MassRow
from lacuna.results.report.chain import Chain
from lacuna.results.report.masses import antibody_of, chain_mass, forms_of
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.scaffold import ResidueModification
from report_chains import GAPS, HEAVY, LIGHT, antibody_in, chains_of, decoded, report_on, unpacked
from report_tables import write_tables


@pytest.fixture
def antibody(tmp_path: Path) -> list[Chain]:
    return antibody_in(tmp_path)


def test_masses_of_a_chain_are_those_of_pyteomics() -> None:
    for sequence in (RESIDUES, HEAVY, LIGHT, "G"):
        found = chain_mass(sequence)
        assert found is not None
        for value, average in ((found.monoisotopic, False), (found.average, True)):
            wanted = pyteomics_mass.calculate_mass(sequence=sequence, average=average)
            assert value == pytest.approx(wanted, abs=0.001)
    assert chain_mass("ACX") is None and chain_mass("") is None


def test_forms_of_a_chain(antibody: list[Chain]) -> None:
    heavy = replace(antibody[1], sequence="Q" + HEAVY[1:-1] + "K")
    forms = {form.name: form.mass for form in forms_of(heavy, None)}
    assert list(forms) == [
        "reduced",
        "N-terminal pyroglutamate",
        "no C-terminal lysine",
        "N-terminal pyroglutamate, no C-terminal lysine",
    ]
    plain = forms["reduced"]
    both = forms["N-terminal pyroglutamate, no C-terminal lysine"]
    assert plain.monoisotopic - both.monoisotopic == pytest.approx(17.02655 + 128.09496, abs=1e-4)
    assert plain.average - both.average == pytest.approx(17.0305 + 128.1723, abs=1e-3)

    state = Alkylation((("carbamidomethyl", 1.0),), "stated", 2)
    at = HEAVY.index("C") + 1
    modified = replace(antibody[1], modifications=(ResidueModification(at, 57.0215, ""),))
    forms = {form.name: form.mass for form in forms_of(modified, state)}
    written, alkylated = (
        forms["with the modifications written"],
        forms["every C carbamidomethylated"],
    )
    left = (HEAVY.count("C") - 1) * 57.02146
    assert alkylated.monoisotopic - written.monoisotopic == pytest.approx(left, abs=1e-3)
    assert forms_of(replace(heavy, sequence="X" + HEAVY), None) == ()
    unknown = Alkylation((("none", 0.6), ("nem", 0.4)), "open", 1)
    assert len(forms_of(antibody[1], unknown)) == len(forms_of(antibody[1], None))


def test_masses_of_the_antibody(antibody: list[Chain]) -> None:
    """Against its formula: 2 heavy and 2 light chains, less 2 H a disulfide, with the glycans."""
    light, heavy = antibody
    heavy = replace(heavy, sequence="E" + HEAVY[1:-1] + "K")
    light = replace(light, sequence="D" + LIGHT[1:])
    found = antibody_of([light, heavy])
    assert found is not None
    pairs = heavy.sequence.count("C") + light.sequence.count("C")
    assert found.disulfides == pairs and found.pyroglutamates == 0 and found.lysine
    whole = sum(
        2 * pyteomics_mass.calculate_mass(sequence=s, average=True)
        for s in (heavy.sequence, light.sequence)
    )
    rows = dict(found.rows)
    hydrogen = pyteomics_mass.calculate_mass(formula="H2", average=True)
    bare = whole - pairs * hydrogen
    assert rows["no glycan"][0].average == pytest.approx(bare, abs=0.01)
    # G0F as it is attached: C56H92N4O39.
    g0f = pyteomics_mass.calculate_mass(formula="C56H92N4O39", average=True)
    assert rows["G0F / G0F"][0].average == pytest.approx(bare + 2 * g0f, abs=0.01)
    assert rows["G0F / G0F"][2].average == pytest.approx(bare + 2 * g0f - 2 * 128.1723, abs=0.01)
    galactose = rows["G2F / G2F"][1].average - rows["G0F / G0F"][1].average
    assert galactose == pytest.approx(4 * 162.1406, abs=0.01)
    pyro = antibody_of([replace(heavy, sequence="Q" + HEAVY[1:]), light])
    assert pyro is not None and pyro.pyroglutamates == 2


def test_no_antibody_of_other_chains(antibody: list[Chain]) -> None:
    light, heavy = antibody
    domain = replace(heavy, row=heavy.row._replace(c_segment=""))
    unsure = replace(heavy, sequence=HEAVY[:50] + "X" + HEAVY[51:])
    fab = replace(heavy, sequence=HEAVY.replace("NST", "QST"))
    for chains in ([light], [light, light], [heavy, heavy], [domain, light], [unsure, light]):
        assert antibody_of(chains) is None
    assert antibody_of([fab, light]) is None and antibody_of([light, heavy, light]) is None


def test_a_measured_mass_is_on_the_page(tmp_path: Path) -> None:
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, [])])
    masses = tmp_path / "masses.tsv"
    rows = [
        MassRow("c000000", 1.0, 1.0, 49123.4, "average", 2.5, 0.1),
        MassRow("c000001", 1.0, 1.0, None, "", None, None),
    ]
    MASS_TABLE.write(masses, rows)
    page = report_on(tmp_path, paths, masses=masses)
    assert page.count("Measured: ") == 1 and "Measured: 49,123.40 Da (average, ±2.5)." in page
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    assert block and sorted(decoded(unpacked(block[1])["measured"])) == [[], [49123.4, "average"]]


def test_a_mass_that_is_met_by_the_masses_of_gaps_is_so_on_the_page(tmp_path: Path) -> None:
    """The chain has a form that weighs as much; its mass is one of those that are met."""
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY])])
    ((mass, average),) = [chain_masses(chain.sequence) for chain in chains_of(paths)]
    masses = tmp_path / "masses.tsv"
    of_mass = mass, average, mass + 15.9949, "monoisotopic", 0.505, 0.0
    row = MassRow("c000000", *of_mass, "gaps by their own masses", 15.9949)
    MASS_TABLE.write(masses, [row])
    page = report_on(tmp_path, paths, masses=masses)
    cells = re.search(r"gaps by their own masses</th>(.*?)</tr>", page)
    assert (
        cells and f"{mass + 15.9949:,.2f}" in cells[1] and f"{average + 16.0029:,.2f}" in cells[1]
    )
    assert "; 1 of 1 intact mass met." in page
    block = re.search(r'<script type="application/gzip"[^>]*>([^<]*)<', page)
    (measured,) = decoded(unpacked(block[1])["measured"]) if block else ((),)
    assert measured == [pytest.approx(mass + 15.9949, abs=1e-3), "monoisotopic", 15.9949]


def test_every_form_of_a_chain_has_the_modifications_that_were_written(tmp_path: Path) -> None:
    """But for the first, which is the bare chain; a written pyroglutamate is not one more."""
    heavy = "Q" + HEAVY[1:]
    paths = write_tables(tmp_path, [(heavy, GAPS[HEAVY])])
    (chain,) = chains_of(paths)
    plain = chain_mass(chain.sequence)
    assert plain is not None
    glycan = ResidueModification(60, 1444.53)
    forms = {
        form.name: form.mass for form in forms_of(replace(chain, modifications=(glycan,)), None)
    }
    assert forms["reduced"] == plain
    pyro = forms["N-terminal pyroglutamate"].monoisotopic
    assert pyro == pytest.approx(plain.monoisotopic + 1444.53 - 17.0265, abs=1e-3)
    first = ResidueModification(1, -17.0265)
    names = [form.name for form in forms_of(replace(chain, modifications=(first,)), None)]
    assert names == ["reduced", "with the modifications written"]


def test_how_many_intact_masses_are_met_is_on_the_page(tmp_path: Path) -> None:
    """One is met, one is not, and a chain that stays open meets none."""
    paths = write_tables(tmp_path, [(HEAVY, GAPS[HEAVY]), (LIGHT, []), (LIGHT, [])])
    masses = tmp_path / "masses.tsv"
    rows = [
        MassRow("c000000", 1.0, 1.0, 49123.4, "average", 2.5, 2.4),
        MassRow("c000001", 1.0, 1.0, 23123.4, "average", 1.0, -1.1),
        MassRow("c000002", None, None, 23123.4, "average", 1.0, None),
    ]
    MASS_TABLE.write(masses, rows)
    assert "; 1 of 3 intact masses met." in report_on(tmp_path, paths, masses=masses)
    unweighed = [row._replace(cysteine=None) for row in GAP_TABLE.read(paths["gaps"])]
    GAP_TABLE.write(paths["gaps"], unweighed)
    assert "<b>1 of 3 met</b>" in report_on(tmp_path, paths, masses=masses)
    unmeasured = [row._replace(measured=None) for row in rows]
    MASS_TABLE.write(masses, unmeasured)
    assert "<b>none given</b>" in report_on(tmp_path, paths, masses=masses)
