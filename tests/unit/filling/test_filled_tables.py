"""The tables of a filled block: candidates, residues, places, regions and notes."""

from dataclasses import replace

import numpy as np
import pytest

import bundled
from chains import germline_chain, mutated, random_protein
from filler import Filler, evenly, read
from gaps import mass_of, scaffold
from lacuna.antibody.germlines import LOCI
from lacuna.antibody.imgt import CYS104, OTHER_INSERTION
from lacuna.core.alphabet import RESIDUES
from lacuna.core.tables import ALTERNATIVES, GAP_TABLE, RESIDUE_TABLE
from lacuna.filling.baselines import column_majorities
from lacuna.filling.fill import Tables, fill_chains
from lacuna.filling.rows import regions_as_text
from lacuna.network.encode import encode_scaffolds
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
from lacuna.scaffolds.resizing import with_lengths
from lacuna.scaffolds.scaffold import Gap, Piece, Scaffold


@pytest.fixture(scope="module")
def fill() -> Filler:
    return Filler(bundled.predictor().model, bundled.predictor().library)


def test_columns_keep_their_order() -> None:
    """A new one is put at the end, since users may read columns by number."""
    residues = (
        "chain position gap residue probability alternatives germline region truth "
        "imgt scaffold_position ambiguity"
    ).split()
    gaps = (
        "chain gap start end rank candidate probability length mass mass_error_ppm status "
        "first last imgt_first imgt_last ambiguity cysteine cleavages"
    ).split()
    assert list(RESIDUE_TABLE.names[: len(residues)]) == residues
    assert list(GAP_TABLE.names[: len(gaps)]) == gaps


def test_gaps_list_their_candidates_best_first(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    found = fill(scaffold(whole, (48, 56), (98, 104)), candidates=4)
    for number, start, end in (("1", "48", "56"), ("2", "98", "104")):
        rows = [r for r in found.rows["gaps"] if r["gap"] == number]
        assert [r["rank"] for r in rows] == ["1", "2", "3", "4"]
        assert {(r["start"], r["end"]) for r in rows} == {(start, end)}
        assert rows[0]["status"] == "filled"
        assert {r["status"] for r in rows[1:]} <= {"alternative", "isobaric"}
        assert rows[0]["candidate"] == found.chains["m"][int(start) : int(end)]
        assert len({r["candidate"] for r in rows}) == 4
        chances = [float(r["probability"]) for r in rows]
        assert chances == sorted(chances, reverse=True) and 0 < chances[0] <= 1
        for r in rows:
            assert int(r["length"]) == len(r["candidate"]) == int(end) - int(start)
            mass = mass_of(r["candidate"])
            assert float(r["mass"]) == pytest.approx(mass, abs=1e-5)
            assert r["mass_error_ppm"] == ""


def test_the_probability_of_a_candidate_is_that_of_its_residues(fill: Filler) -> None:
    found = fill(scaffold(germline_chain("H", 1), (50, 54)), candidates=1)
    product = np.prod([float(r["probability"]) for r in found.rows["residues"]])
    assert float(found.rows["gaps"][0]["probability"]) == pytest.approx(product, rel=1e-3)


def test_alternatives_are_the_next_best_and_leave_out_the_chosen(fill: Filler) -> None:
    found = fill(scaffold(germline_chain("H", 1), (98, 106)))
    several = 0
    for row in found.rows["residues"]:
        pairs = [a.split(":") for a in row["alternatives"].split(",") if a]
        assert len(pairs) <= ALTERNATIVES and row["residue"] not in [r for r, _ in pairs]
        chances = [float(row["probability"]), *(float(p) for _, p in pairs)]
        assert chances == sorted(chances, reverse=True) and sum(chances) <= 1.01
        assert all(p >= 0.01 for p in chances[1:])
        several += len(pairs) > 1
    assert several


def test_a_sum_of_pieces_with_an_interval_has_no_error_in_ppm(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chain = scaffold(whole, (70, 74))
    first, last = (mass_of(whole[a:b]) for a, b in ((70, 72), (72, 74)))
    pieces = Piece(1, None, first, 0.002), Piece(1, None, last + 0.3, 0.5, interval=True)
    gap = replace(
        chain.gaps[0], mass=first + last + 0.3, tolerance_da=0.502, pieces=pieces, interval=False
    )
    found = fill(replace(chain, gaps=(gap,)))
    assert found.rows["gaps"][0]["status"].startswith("filled")
    assert {row["mass_error_ppm"] for row in found.rows["gaps"]} == {""}


def test_a_gap_of_a_mass_that_nothing_has_stays_missing_and_says_why(fill: Filler) -> None:
    chain = scaffold(germline_chain("H", 1), (30, 32), (70, 74))
    off = replace(chain.gaps[1], mass=1000.0, tolerance_da=0.01)
    found = fill(replace(chain, gaps=(chain.gaps[0], off)))
    assert found.chains["m"][70:74] == "XXXX" and "X" not in found.chains["m"][:70]
    row = next(r for r in found.rows["gaps"] if r["gap"] == "2")
    assert row["status"].startswith("no_sequence_fits_mass") and row["candidate"] == ""
    assert (found.rows["chains"][0]["missing"], found.rows["chains"][0]["filled"]) == ("6", "2")


def test_a_prefix_that_contradicts_is_left_out_and_named(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chain = scaffold(whole, (70, 74))
    weights = [float(RESIDUE_MASSES[RESIDUES.index(x)]) for x in whole[70:74]]
    mass, prefix = sum(weights), sum(weights[:2])

    def row(*prefixes: float) -> dict[str, str]:
        known = tuple((p, p * 1e-5) for p in prefixes)
        piece = Piece(4, 4, mass, mass * 1e-5, False, known)
        gap = replace(chain.gaps[0], mass=mass, tolerance_da=mass * 1e-5, pieces=(piece,))
        return fill(replace(chain, gaps=(gap,))).rows["gaps"][0]

    assert row(prefix)["candidate"].replace("I", "L") == whole[70:74].replace("I", "L")
    wrong = row(prefix, prefix + 60.0)
    assert wrong["candidate"] == row(prefix)["candidate"]
    named = f"without the prefix mass {prefix + 60.0:.4f} Da, which none fits"
    assert wrong["status"] == f"filled ({named})"
    slipped = row(prefix + 1.00336)["status"]
    assert slipped.endswith("which none fits; fits at 1.0034 Da less: isotope slip)")


def test_sequences_of_one_mass_are_told_from_others(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    rows = fill(scaffold(whole[:50] + "II" + whole[52:], (50, 52)), candidates=30).rows["gaps"]
    best = float(rows[0]["mass"])
    for row in rows[1:]:
        same = abs(float(row["mass"]) - best) <= 1e-5 * best
        assert row["status"] == ("isobaric" if same else "alternative")
    assert {r["status"] for r in rows[1:]} == {"isobaric", "alternative"}


def test_truth_stands_beside_what_was_filled_and_changes_nothing(fill: Filler) -> None:
    whole = mutated(germline_chain("H", 1), 10, 1)
    spans = ((10, 14), (100, 103))
    shown, unknown = fill(scaffold(whole, *spans, truth=True)), fill(scaffold(whole, *spans))
    assert shown.chains == unknown.chains and shown.rows["gaps"] == unknown.rows["gaps"]
    assert "".join(r["truth"] for r in shown.rows["residues"]) == whole[10:14] + whole[100:103]
    stripped = [r | {"truth": ""} for r in shown.rows["residues"]]
    assert stripped == unknown.rows["residues"]
    assert len(shown.rows["scored"]) == 7 and unknown.rows["scored"] == []


def test_scored_rows_tell_what_each_method_answers(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    relative = mutated(whole[:70], 10, 5) + "WWWWW" + whole[75:]
    target = whole[:70] + "CCCCC" + whole[75:]
    rows = fill(scaffold(target, (70, 75), truth=True), homologs=[relative]).rows["scored"]
    assert [r["position"] for r in rows] == ["71", "72", "73", "74", "75"]
    assert {(r["gap"], r["gap_length"], r["locus"], r["region"]) for r in rows} == {
        ("1", "5", "H", "FR3")
    }
    answers = {
        m: "".join(r[m] for r in rows) for m in ("truth", "germline_copy", "nearest_homolog")
    }
    assert answers == {
        "truth": "CCCCC",
        "germline_copy": whole[70:75],
        "nearest_homolog": "WWWWW",
    }
    assert "".join(r["column_majority"] for r in rows) == "WWWWW"  # of homologs, if there are any
    rows = fill(scaffold(target, (70, 75), truth=True)).rows["scored"]
    assert "".join(r["nearest_homolog"] for r in rows) == "XXXXX"
    assert set("".join(r["column_majority"] for r in rows)) <= set(RESIDUES)


def test_a_protein_without_templates_has_no_germline_and_no_region(fill: Filler) -> None:
    found = fill(scaffold(random_protein(80, 1), (30, 33), truth=True))
    assert {(r["germline"], r["region"]) for r in found.rows["residues"]} == {("", "")}
    assert {(r["germline_copy"], r["column_majority"]) for r in found.rows["scored"]} == {
        ("X", "X")
    }
    assert "X" not in found.chains["m"]


def test_both_tables_name_the_same_places(fill: Filler) -> None:
    """Before, between and after gaps of unknown length, one of which stays open."""
    whole = germline_chain("H", 1, cdr3=16)
    scaffold_text = (
        f"{whole[:10]}X{whole[14:30]}X{whole[33:50]}XX{whole[52:60]}{whole[60:98]}XX{whole[100:]}"
    )
    a, b = 10, 27  # starts of the gaps of unknown length in the scaffold
    c, d, e = 45, 55, 93  # of gaps of known, no and known length
    gaps = (
        Gap(a, a + 1, 4, 4),
        Gap(b, b + 1, 1, None, mass=30.0, tolerance_da=0.1),  # stays open
        Gap(c, c + 2, 2, 2),
        Gap(d, d, 0, 0),
        Gap(e, e + 2, 2, 2),
    )
    unsettled = Scaffold("m", "", scaffold_text, gaps, 1)
    found = fill(with_lengths(unsettled, [4, None, 2, 0, 2]))
    filled = found.chains["m"]
    assert len(filled) == len(whole) - 2 and filled[30] == "X"
    of_gaps = [r for r in found.rows["gaps"] if r["rank"] == "1"]
    assert [(r["start"], r["end"]) for r in of_gaps] == [
        ("10", "11"),
        ("27", "28"),
        ("45", "47"),
        ("55", "55"),
        ("93", "95"),
    ]
    places = [(r["first"], r["last"]) for r in of_gaps]
    assert places == [("11", "14"), ("31", "31"), ("49", "50"), ("", ""), ("97", "98")]
    for row in of_gaps:
        residues = [r for r in found.rows["residues"] if r["gap"] == row["gap"]]
        if not row["first"]:
            assert residues == [] and row["imgt_first"] == row["imgt_last"] == ""
            continue
        positions = [int(r["position"]) for r in residues]
        assert positions == list(range(int(row["first"]), int(row["last"]) + 1))
        assert "".join(r["residue"] for r in residues) == filled[positions[0] - 1 : positions[-1]]
        assert (residues[0]["imgt"], residues[-1]["imgt"]) == (row["imgt_first"], row["imgt_last"])
        inside = [int(r["scaffold_position"]) for r in residues]
        start, end = int(row["start"]), int(row["end"])
        assert inside == (list(range(start, end)) if end - start == len(residues) else [start] * 4)
    # The numbers are those of the true residues: column 10 is empty in heavy chains.
    number = {r["position"]: r["imgt"] for r in found.rows["residues"]}
    assert [number[p] for p in ("11", "12", "14")] == ["12", "13", "15"]
    assert (number["97"], number["98"]) == ("107", "108")


def test_imgt_numbers_of_an_insertion_and_beyond_the_domain(fill: Filler) -> None:
    whole = germline_chain("H", 1, cdr3=17, constant=True)
    domain = whole.index("ASTKG")
    found = fill(scaffold(whole, (domain - 22, domain - 17), (domain + 40, domain + 42)))
    numbers = [r["imgt"] for r in found.rows["residues"]]
    assert numbers == ["111", "111A", "111B", "112B", "112A", "", ""]
    assert {(r["imgt_first"], r["imgt_last"]) for r in found.rows["gaps"] if r["gap"] == "2"} == {
        ("", "")
    }


def test_codes_that_stand_alone_are_told_from_gaps(fill: Filler) -> None:
    """`XXJ` is a gap, `JB` is not."""
    whole = germline_chain("K", 1)
    at = next(i for i in range(30, 80) if whole[i] in "IL" and whole[i + 1] not in "ILDNEQ")
    pair = next(i for i in range(at + 3, 100) if whole[i] in "IL" and whole[i + 1] in "DNEQ")
    second = "B" if whole[pair + 1] in "DN" else "Z"
    letters = list(whole)
    letters[at], letters[at + 1 : at + 3] = "J", "XX"
    letters[pair : pair + 2] = "J", second
    sequence = "".join(letters)
    spans = ((at, at + 3), (pair, pair + 2))
    gaps = tuple(Gap(i, j, j - i, j - i, truth=whole[i:j]) for i, j in spans)
    found = fill(Scaffold("m", "", sequence, gaps, 1))
    codes = [(r["gap"], r["ambiguity"]) for r in found.rows["residues"]]
    assert codes == [*[("1", "")] * 3, ("2", "J"), ("2", second)]
    assert [(r["gap"], r["ambiguity"]) for r in found.rows["scored"]] == codes
    assert {(r["gap"], r["ambiguity"]) for r in found.rows["gaps"]} == {
        ("1", ""),
        ("2", f"J{second}"),
    }
    names = "missing filled gaps open ambiguous resolved without_template".split()
    assert [found.rows["chains"][0][name] for name in names] == list("3310220")


def test_a_gap_of_which_a_part_has_no_template_says_so(fill: Filler) -> None:
    heavy = germline_chain("H", 1)
    end = len(heavy)
    found = fill(scaffold(heavy + "GGGGSGGGGSGGGGS", (end - 3, end + 4)))
    assert found.rows["gaps"][0]["status"] == "filled (no template for 4 of 7 residues)"
    assert found.rows["chains"][0]["without_template"] == "0"


def test_what_is_filled_without_a_template_says_so(fill: Filler) -> None:
    protein, heavy = random_protein(80, 1), germline_chain("H", 1)
    relative = mutated(protein, 8, 3)
    found = fill(scaffold(protein, (30, 33)), scaffold(heavy, (98, 104), name="h"))
    status = {r["chain"]: r["status"] for r in found.rows["gaps"] if r["rank"] == "1"}
    assert status == {"m": "filled (no template)", "h": "filled"}
    counts = [(r["chain"], r["gaps"], r["without_template"]) for r in found.rows["chains"]]
    assert counts == [("m", "1", "1"), ("h", "1", "0")]
    guided = fill(scaffold(protein, (30, 33)), homologs=[relative])
    assert guided.rows["gaps"][0]["status"] == "filled"
    assert guided.rows["chains"][0]["without_template"] == "0"


def test_regions_follow_the_chain(fill: Filler) -> None:
    whole = germline_chain("K", 1, constant=True)
    found = fill(scaffold(whole, *((i, i + 1) for i in (*range(0, 108, 5), 150, 180))))
    regions = list(dict.fromkeys(r["region"] for r in found.rows["residues"]))
    assert regions == ["FR1", "CDR1", "FR2", "CDR2", "FR3", "CDR3", "FR4", "C"]
    # chains.tsv has them with their places, which hold every residue.
    runs = [run.partition(":") for run in found.rows["chains"][0]["regions"].split(",")]
    places = {region: tuple(map(int, place.split("-"))) for region, _, place in runs}
    assert list(places) == regions and places["FR1"][0] == 1 and places["C"][1] == len(whole)
    for row in found.rows["residues"]:
        first, last = places[row["region"]]
        assert first <= int(row["position"]) <= last


def test_regions_of_residues_outside_of_domains_are_left_out() -> None:
    regions = ["", "", "FR1", "FR1", "CDR1", "", "FR1", ""]
    assert regions_as_text(regions) == "FR1:3-4,CDR1:5-5,FR1:7-7"
    assert regions_as_text(["", ""]) == regions_as_text([]) == ""


def test_a_region_does_not_go_over_into_the_next_chain(fill: Filler) -> None:
    whole = germline_chain("H", 1)
    chains = [scaffold(whole, (5, 7), name="a"), scaffold(whole, (0, 2), name="b")]
    kmers = encode_scaffolds(chains, fill.library)
    columns = kmers.chain_columns.clone()
    columns[len(whole) : len(whole) + 2] = OTHER_INSERTION
    tables = Tables(
        fill_chains(
            chains, replace(kmers, chain_columns=columns), fill.encoder(), evenly, candidates=1
        )
    )
    regions = [(r["chain"], r["region"]) for r in read(tables).rows["residues"]]
    assert regions == [("a", "FR1")] * 2 + [("b", "")] * 2


def test_the_commonest_residue_of_a_conserved_column_is_it() -> None:
    table = column_majorities()
    for locus in range(len(LOCI)):
        assert RESIDUES[table[locus, 23]] == RESIDUES[table[locus, CYS104]] == "C"
        assert RESIDUES[table[locus, 41]] == "W"
        assert RESIDUES[table[locus, 118]] == ("W" if LOCI[locus] == "H" else "F")
