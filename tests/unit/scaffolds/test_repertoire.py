"""Tables of rearrangements, AIRR TSV and OAS units, read in place of a FASTA and written filled."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains import fasta, germline_chain, hidden
from conftest import Write
from lacuna.core.files import LacunaError
from lacuna.results.airr import FILLED, write_airr
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.records import count_records, is_repertoire, read_records
from lacuna.scaffolds.repertoire import REQUIRED, layout_of, read_rows
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from lacuna.steps.one_file import fill_file
from tsv import read_tsv

H, K = germline_chain("H", 1), germline_chain("K", 1)
CODONS = dict(
    zip(
        "ACDEFGHIKLMNPQRSTVWY",
        "GCT TGT GAT GAA TTT GGT CAT ATT AAA CTT ATG AAT CCT CAA CGT TCT ACT GTT TGG TAT".split(),
        strict=True,
    )
)


def airr(rows: Sequence[Mapping[str, str]]) -> str:
    """A TSV whose columns are the keys of the first row."""
    lines = ["\t".join(rows[0])] + ["\t".join(row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def oas(rows: Sequence[Mapping[str, str]]) -> str:
    """A data unit as OAS writes it: metadata in JSON as a cell of CSV, then a table."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow([json.dumps({"Run": "ERR1", "Species": "human", "Chain": "Heavy"})])
    write.writerow(rows[0])
    write.writerows(row.values() for row in rows)
    return out.getvalue()


def sequences(path: Path) -> list[tuple[str, str]]:
    return [(r.chain, r.body.decode()) for r in read_records(path, 1 << 20)]


def good(path: Path) -> list[Scaffold]:
    return [x for x in read_scaffolds(path) if isinstance(x, Scaffold)]


def reasons(path: Path) -> list[str]:
    return [x.reason for x in read_scaffolds(path) if isinstance(x, Rejected)]


def nucleotides(protein: str) -> str:
    return "".join(CODONS[residue] for residue in protein)


@pytest.mark.parametrize("name", ["a.tsv", "a.tsv.gz", "a.fasta"])
def test_a_table_reads_as_the_same_chains_in_a_fasta(write: Write, name: str) -> None:
    chains = {"one": hidden(H, [(0, 6)]), "two": K.lower()}
    rows = [
        {"sequence_id": f"{x} 1:N:0", "sequence_aa": s, "v_call": ""} for x, s in chains.items()
    ]
    path, plain = write(name, airr(rows)), write("plain.fa", fasta(chains))
    assert is_repertoire(path) and not is_repertoire(plain)
    assert count_records(path) == count_records(plain) == 2
    found = good(path)
    assert [(s.chain, s.sequence, s.gaps) for s in found] == [
        (s.chain, s.sequence, s.gaps) for s in good(plain)
    ]
    assert [(s.description, s.line) for s in found] == [("1:N:0", 2), ("1:N:0", 3)]


@pytest.mark.parametrize("header", [False, True])
def test_cells_of_a_table_may_be_in_quotes(write: Write, header: bool) -> None:
    chains = {"one": hidden(H, [(0, 6)]), "two": K}
    rows = [
        {"sequence_id": x, "v_call": 'IGHV1 "x"', "sequence_aa": s, "productive": "T"}
        for x, s in chains.items()
    ]
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if header else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter="\t", lineterminator="\n", quoting=quoting).writerow(rows[0])
    writer = csv.writer(out, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows(row.values() for row in rows)
    path = write("a.tsv", out.getvalue())
    layout = layout_of(path)
    assert layout is not None and count_records(path) == 2
    assert [row.cells for row in read_rows(path, layout, 1 << 20)] == [
        list(row.values()) for row in rows
    ]


def test_a_single_row_of_a_table_may_be_in_quotes(write: Write) -> None:
    rows = [{"sequence_id": x, "v_call": "IGHV1", "sequence_aa": H} for x in ("a", "b")]
    quoted = "\t".join(f'"{cell}"' for cell in ("c", 'IGHV1 ""x""', K))
    some = f'd\t"IGHV1"\t"{K}"'
    path = write("a.tsv", airr(rows) + f"{quoted}\n{some}\n")
    assert sequences(path) == [("a", H), ("b", H), ("c", K), ("d", K)]


def test_names_of_columns_may_be_in_capitals(write: Write, tmp_path: Path) -> None:
    row = {"SEQUENCE_ID": "a", "V_Call": "IGHV1", "Sequence_AA": H, "Redundancy": "7"}
    path = write("a.tsv", airr([row]))
    assert sequences(path) == [("a", H)]
    filled, gaps = write("f.fasta", f">a\n{H}\n"), write("gaps.tsv", "chain\n")
    write_airr(path, filled, gaps, tmp_path / "airr.tsv")
    [found] = read_tsv(tmp_path / "airr.tsv")
    assert list(found)[:4] == ["sequence_id", "v_call", "sequence_aa", "Redundancy"]
    assert found["v_call"] == "IGHV1" and found["sequence_aa"] == H
    light = {"SEQUENCE_ALIGNMENT_AA_HEAVY": H, "SEQUENCE_ALIGNMENT_AA_LIGHT": K}
    assert sequences(write("b.csv", oas([light]))) == [("row1_heavy", H), ("row1_light", K)]
    both = row | {"sequence_aa": K}
    assert sequences(write("c.tsv", airr([both]))) == [("a", K)]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_table_of_a_spreadsheet_may_have_commas_or_semicolons(
    write: Write, delimiter: str
) -> None:
    rows = [{"sequence_id": "a", "v_call": "IGHV1-2*01,IGHV1-3*01", "sequence_aa": H}]
    out = io.StringIO("\ufeff")
    out.seek(1)
    table = csv.writer(out, delimiter=delimiter)
    table.writerows([rows[0], rows[0].values()])
    path = write("a.csv", out.getvalue())
    assert is_repertoire(path) and sequences(path) == [("a", H)]
    layout = layout_of(path)
    assert layout is not None
    assert [row.cells for row in read_rows(path, layout, 1 << 20)] == [list(rows[0].values())]


def test_empty_columns_and_rows_of_a_spreadsheet_do_not_count(write: Write, tmp_path: Path) -> None:
    table = f"sequence_id;sequence_aa;productive;;\na;{H};T;;\n;;;;\nb;{K};T;;\n"
    path = write("a.csv", table)
    assert reasons(path) == [] and [x.chain for x in good(path)] == ["a", "b"]
    chains = write("filled.fasta", fasta({"a": H, "b": K}))
    write_airr(path, chains, write("gaps.tsv", "chain\n"), tmp_path / "airr.tsv")
    assert "" not in read_tsv(tmp_path / "airr.tsv")[0]
    assert "5 cells under 3 columns" in reasons(write("a.csv", table.replace("T;;", "T;;x", 1)))[0]


def test_a_quote_within_cells_belongs_to_them(write: Write) -> None:
    rows = [{"sequence_id": 'a"', "v_call": 'IGHV1 "x"', "sequence_aa": H}]
    assert sequences(write("a.tsv", airr(rows))) == [('a"', H)]


def test_the_chain_is_the_first_cell_that_holds_a_protein(write: Write) -> None:
    columns = ("sequence_id", "sequence_aa", "sequence_alignment_aa")
    cells = [
        ("both", H, "Q" * 60),
        ("gapped", "", f"{H[:9]}.{H[9:30]}--{H[30:]}"),
        ("leader", f"MDW*L{K}", K),
        ("end", K + "*", ""),
        ("R", "NA", K),
        ("pandas", "nan", K),
        ("Python", "None", K),
        ("SQL", "null", K),
        ("stop", "A*" + K, "A*" + K),
        ("none", "", ""),
        ("NA", "NA", "NA"),
    ]
    path = write("a.tsv", airr([dict(zip(columns, row, strict=True)) for row in cells]))
    assert [(s.chain, s.sequence) for s in good(path)] == [
        ("both", H),
        ("gapped", H),
        ("leader", K),
        ("end", K),
        *((name, K) for name in ("R", "pandas", "Python", "SQL")),
    ]
    stop, none, missing = reasons(path)
    assert stop.startswith(
        "a.tsv:10: 'stop' has a stop codon at residue 2 of sequence_alignment_aa;"
    )
    assert none.startswith("a.tsv:11: 'none' has no sequence; give one in sequence_aa")
    assert missing.startswith("a.tsv:12: 'NA' has no sequence; give one in sequence_aa")


@pytest.mark.parametrize("cut", [0, 1, 2, 17])
def test_aligned_nucleotides_are_translated_in_the_frame_of_the_junction(
    write: Write, cut: int
) -> None:
    bases = nucleotides(H)
    junction = bases[3 * H.rindex("C") : -33]
    gapped = "." * cut + bases[cut:24] + "..." + bases[24:]
    row = {"sequence_id": "a", "sequence_alignment": gapped, "junction": junction, "v_call": "V"}
    [found] = good(write("a.tsv", airr([row])))
    assert found.sequence == H[-(-cut // 3) :]
    unknown = row | {"sequence_alignment": gapped.replace(bases[60:63], "NNN", 1)}
    assert "X" in good(write("n.tsv", airr([unknown])))[0].sequence


@pytest.mark.parametrize(
    ("junction", "fault"),
    [
        ("", "no junction"),
        ("NA", "no junction"),
        ("TGTGCTA", "a junction of 7 bases, which are no whole codons"),
        ("TGTTGTTGT", "a junction that is not in it"),
    ],
)
def test_nucleotides_without_a_reading_frame_are_named(
    write: Write, junction: str, fault: str
) -> None:
    row = {"sequence_id": "a", "sequence_alignment": nucleotides(H), "junction": junction}
    (said,) = reasons(write("a.tsv", airr([row])))
    assert said.startswith(
        f"a.tsv:2: 'a' has nucleotides in sequence_alignment and {fault}, so that their reading "
        "frame is not known; correct the junction, give sequence_aa, or remove the row"
    )


def test_a_letter_that_is_no_base_rejects_its_row_alone(write: Write) -> None:
    bases = nucleotides(H)
    row = {"junction": bases[3 * H.rindex("C") : -33], "v_call": "V", "sequence_alignment": bases}
    odd = row | {"sequence_alignment": f"{bases[:30]}?{bases[31:]}"}
    path = write("a.tsv", airr([{"sequence_id": "a"} | odd, {"sequence_id": "b"} | row]))
    assert [s.chain for s in good(path)] == ["b"]
    assert reasons(path) == [
        "a.tsv:2: 'a' has nucleotides in sequence_alignment that cannot be translated (Codon "
        f"'?{bases[31:33]}' is invalid); write N for an unknown base"
    ]


def test_a_unit_of_oas_is_a_table_below_a_line_of_json(write: Write) -> None:
    numbers = json.dumps({"fwh1": {"1 ": "E", "2 ": "V"}})
    rows = [
        {"sequence": "ACGT", "locus": "H", "sequence_alignment_aa": x, "ANARCI_numbering": numbers}
        for x in (H[7:], H)
    ]
    path = write("unit.csv.gz", oas(rows))
    assert count_records(path) == 2
    assert sequences(path) == [("row1", H[7:]), ("row2", H)]
    assert [s.line for s in good(path)] == [3, 4]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\x0c"])
def test_a_line_ends_in_the_header_where_it_does_below(write: Write, odd: str, end: str) -> None:
    text = f'{{"Author": "A{odd}B"}}{end}sequence_id,sequence_alignment_aa{end}a,{H}{end}'
    assert sequences(write("unit.csv", text)) == [("a", H)]


@pytest.mark.parametrize("text", ["{", "{\n", "x", "x\r"])
def test_a_line_or_two_are_no_table_of_rearrangements(write: Write, text: str) -> None:
    assert not is_repertoire(write("a.fasta", text))


def test_a_paired_unit_has_two_chains_a_row(write: Write) -> None:
    row = {"sequence_id_heavy": "h", "sequence_alignment_aa_heavy": H}
    row |= {"sequence_id_light": "l", "sequence_alignment_aa_light": K, "locus_light": "K"}
    path = write("paired.csv", oas([row]))
    assert count_records(path) == 2 and sequences(path) == [("h", H), ("l", K)]


def test_a_paired_unit_need_not_have_ids(write: Write) -> None:
    row = {"sequence_alignment_aa_heavy": H, "sequence_alignment_aa_light": K}
    path = write("paired.csv", oas([row]))
    assert sequences(path) == [("row1_heavy", H), ("row1_light", K)]


def test_a_row_of_a_paired_unit_may_lack_a_chain(write: Write, tmp_path: Path) -> None:
    row = {"sequence_id_heavy": "h", "sequence_alignment_aa_heavy": H, "locus_heavy": "H"}
    row |= {"sequence_id_light": "l", "sequence_alignment_aa_light": K, "locus_light": "K"}
    alone = {x: cell if x.endswith("_heavy") else "" for x, cell in row.items()}
    alone |= {"sequence_id_heavy": "alone"}
    lost = row | {
        "sequence_id_heavy": "",
        "sequence_id_light": "",
        "sequence_alignment_aa_light": "",
    }
    path = write("paired.csv", oas([alone, row, lost]))
    assert [s.chain for s in good(path)] == ["alone", "h", "l"]
    assert reasons(path) == [
        f"paired.csv:5: '' has no id; give one in the column sequence_id{suffix}"
        for suffix in ("_heavy", "_light")
    ]
    filled = write("filled.fasta", fasta({"alone": H, "h": H, "l": K}))
    write_airr(path, filled, write("gaps.tsv", "chain\n"), tmp_path / "airr.tsv")
    found = read_tsv(tmp_path / "airr.tsv")
    assert [(r["sequence_id"], r["cell_id"]) for r in found] == [
        ("alone", "row1"),
        ("h", "row2"),
        ("l", "row2"),
    ]


@pytest.mark.parametrize("no", ["F", "FALSE", "false", "False", "0", "no"])
def test_a_row_that_is_not_productive_is_rejected(write: Write, no: str) -> None:
    cells = [
        ("a", "T", "F"),
        ("b", no, "T"),
        ("c", "", no),
        ("d", "NA", ""),
        ("e", "None", "T"),
        ("f", no, no),
        ("g", no, "T"),
    ]
    columns = ("sequence_id", "productive", "vj_in_frame", "sequence_aa")
    rows = [dict(zip(columns, (*row, H), strict=True)) for row in cells]
    rows[-1]["sequence_aa"] = f"{H[:20]}*{H[21:]}"
    path = write("a.tsv", airr(rows))
    assert [s.chain for s in good(path)] == ["a", "d", "e"]
    remedy = "remove the row, or empty that cell if the chain is real"
    assert reasons(path) == [
        f"a.tsv:3: 'b' codes for no chain (productive is {no}); {remedy}",
        f"a.tsv:4: 'c' codes for no chain (vj_in_frame is {no}); {remedy}",
        f"a.tsv:7: 'f' codes for no chain (productive is {no}); {remedy}",
        f"a.tsv:8: 'g' codes for no chain (productive is {no}); {remedy}",
    ]


def test_one_chain_of_a_paired_row_may_not_be_productive(write: Write) -> None:
    row = {"sequence_alignment_aa_heavy": H, "productive_heavy": "T"}
    row |= {"sequence_alignment_aa_light": K, "productive_light": "F"}
    path = write("paired.csv", oas([row]))
    assert [s.sequence for s in good(path)] == [H]
    [said] = reasons(path)
    assert said.startswith("paired.csv:3: 'row1_light' codes for no chain (productive_light is F);")


def test_chains_of_a_paired_row_with_one_id_are_told(write: Write) -> None:
    row = {"sequence_id_heavy": "a", "sequence_alignment_aa_heavy": H}
    row |= {"sequence_id_light": "a", "sequence_alignment_aa_light": K}
    path = write("paired.csv", oas([row]))
    assert [s.sequence for s in good(path)] == [H]
    assert reasons(path) == [
        "paired.csv:3: 'a' is a second record of this id (first: line 3); rename it"
    ]


def test_a_bad_row_is_rejected_and_the_others_stand(write: Write) -> None:
    head = "sequence_id\tsequence_aa\tlocus\n"
    bad = ["a\tEVQ", "\t" + H + "\tIGH", "c\t" + H[:20] + "O" + H + "\tIGH", f"e\t{H}\tIGH\tIGH"]
    path = write("a.tsv", head + "\n".join([*bad, "d\t" + H + "\tIGH"]) + "\n")
    assert [s.chain for s in good(path)] == ["d"]
    assert reasons(path) == [
        "a.tsv:2: '' has 2 cells under 3 columns; add what is missing",
        "a.tsv:3: '' has no id; give one in the column sequence_id",
        "a.tsv:4: 'c' has 'O' at column 21; write X for an unknown residue",
        "a.tsv:5: '' has 4 cells under 3 columns; if the first are row names, write the table "
        "with row.names=FALSE; otherwise remove what is too much",
    ]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("sequence_id\tsequence_aa\tlocus", [f"1\ta\t{H}\tIGH", f"2\tb\t{K}\tIGK"]),
        ('"sequence_id"\t"sequence_aa"', [f'"one"\t"a"\t"{H}"', f'"two"\t"b"\t"{K}"']),
        # As with na="": by its names the chain would be the cell beside, and the id the number.
        (
            "sequence_id\tsequence_alignment_aa\tsequence_aa\tnp2",
            [f"4\ta\t{H}\t{H}\t", f"9\tb\t{K}\t{K}\t"],
        ),
        ("sequence_id,sequence_aa,locus", [f"1,a,{H},IGH", f"2,b,{K},"]),
    ],
)
def test_row_names_of_r_stop_the_run(write: Write, header: str, rows: Sequence[str]) -> None:
    path = write("a.tsv", "\n".join([header, *rows]) + "\n")
    for reads in (count_records, lambda path: list(read_scaffolds(path))):
        with pytest.raises(LacunaError, match=r"a.tsv:2: .* cells under .*row.names=FALSE"):
            reads(path)


@pytest.mark.parametrize("separator", [" ", "|", "  "])
def test_a_table_with_another_separator_is_told(write: Write, separator: str) -> None:
    path = write("a.tsv", airr([{"sequence_id": "a", "sequence_aa": H}]).replace("\t", separator))
    with pytest.raises(LacunaError, match=r"a.tsv:1: .* not separated by tabs, .*; save it as TSV"):
        count_records(path)


def test_separators_that_end_every_row_are_no_row_names(write: Write) -> None:
    rows = [f"a\t{H}\tIGH\t", f"b\t{K}\tIGK\t"]
    path = write("a.tsv", "\n".join(["sequence_id\tsequence_aa\tlocus", *rows]) + "\n")
    assert [s.chain for s in good(path)] == ["a", "b"]


def test_a_bad_row_is_not_taken_for_the_chain_of_another(write: Write) -> None:
    """Ids like these are in the tables that are written of units without ids."""
    rows = [f"row2\t{H}\tIGH\n", "row3\n", f"row1\t{K}\tIGK\n"]
    path = write("a.tsv", "sequence_id\tsequence_aa\tlocus\n" + "".join(rows))
    assert [s.chain for s in good(path)] == ["row2", "row1"]
    assert reasons(path) == ["a.tsv:3: '' has 1 cell under 3 columns; add what is missing"]
    unit = f"sequence_alignment_aa,locus\n{H}\n{K},K\n"
    path = write("b.csv", unit)
    assert reasons(path) == ["b.csv:2: 'row1' has 1 cell under 2 columns; add what is missing"]


def test_a_mass_in_an_alignment_is_told(write: Write) -> None:
    """Its point would be taken for a gap of the alignment."""
    row = {"sequence_id": "a", "sequence_alignment_aa": f"{H[:30]}X[+300.15]{H[33:]}", "locus": "H"}
    path = write("a.tsv", airr([row, row | {"sequence_id": "b", "sequence_alignment_aa": H}]))
    assert [s.chain for s in good(path)] == ["b"]
    assert reasons(path) == [
        "a.tsv:2: 'a' has a mass or a modification in sequence_alignment_aa, where points are gaps "
        "of the alignment; give the chain in sequence_aa"
    ]
    row |= {"sequence_aa": row["sequence_alignment_aa"]}
    assert good(write("b.tsv", airr([row])))[0].gaps[0].mass == 300.15


def test_a_row_that_is_not_utf8_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    rows = [f"{name}\t{H}\tIGH\n" for name in ("caf\xe9", "caf\xe8")]
    head = b"sequence_id\tsequence_aa\tlocus\n"
    path.write_bytes(head + rows[0].encode("latin-1") + rows[1].encode())
    assert [s.chain for s in good(path)] == ["caf\xe8"]
    assert reasons(path) == ["a.tsv:2: '' has bytes that are not UTF-8; save the file as UTF-8"]


def test_a_letter_of_several_bytes_in_the_first_chain_rejects_it_alone(write: Write) -> None:
    odd = H[:29] + "é" + H[29:]
    rows = [{"sequence_id": name, "sequence_aa": s} for name, s in (("odd", odd), ("even", H))]
    path = write("a.tsv", airr(rows))
    assert [scaffold.chain for scaffold in good(path)] == ["even"]
    assert "'odd'" in reasons(path)[0]


def test_single_rows_without_a_chain_do_not_condemn_their_column(write: Write) -> None:
    cells = ["CARDRGYYFDYW", nucleotides(H), H]
    rows = [f"r{i}\t{cell}\tIGH\n" for i, cell in enumerate(cells)]
    path = write("a.tsv", "sequence_id\tsequence_aa\tlocus\n" + "".join(rows))
    assert [s.chain for s in good(path)] == ["r0", "r2"]
    (said,) = reasons(path)
    assert "looks like DNA" in said


def test_a_single_known_column_makes_no_table_of_rearrangements(write: Write) -> None:
    text = "name\tsequence_aa\na\t" + H + "\n"
    assert not is_repertoire(write("a.tsv", text))
    assert is_repertoire(write("b.tsv", text.replace("name", "sequence_id")))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("IGH", r"a.tsv:2: sequence_aa holds no chains \('IGH'; none of the first 50 has 40 resid"),
        ("CARDRGYYFDYW", "holds no chains"),
        (nucleotides(H), r"sequence_aa holds nucleotides \('"),
    ],
)
def test_a_column_that_holds_no_chains_is_refused_in_a_line(
    write: Write, value: str, words: str
) -> None:
    rows = [{"sequence_id": f"c{i}", "sequence_aa": value, "v_call": "V"} for i in range(50)]
    with pytest.raises(LacunaError, match=words) as error:
        list(read_records(write("a.tsv", airr(rows)), 1 << 20))
    assert "\n" not in str(error.value)


def test_clones_of_their_cdr3_alone_are_refused_in_a_line(write: Write) -> None:
    """As MiXCR exports them by default; a remedy names a column of residues."""
    bases = nucleotides("CARDRGYYFDYW")
    row = {"sequence_id": "clone.0", "sequence_alignment": bases, "junction": bases}
    words = "sequence_alignment holds no chains .*; put the residues of each chain into sequence_aa"
    with pytest.raises(LacunaError, match=words):
        list(read_records(write("a.tsv", airr([row])), 1 << 20))


def test_a_table_without_a_column_of_chains_is_refused(write: Write) -> None:
    path = write("a.tsv", "sequence_id\tsequence\tv_call\na\tACGT\tV\n")
    with pytest.raises(
        LacunaError, match=r"a.tsv:1: .* without a column of chains; add sequence_aa"
    ):
        count_records(path)
    other = write("b.csv", "id,chain,vdomain_aa\na,H,EVQ\n")
    words = "not a FASTA file .* .a table must have the columns of AIRR, such as sequence_id and"
    with pytest.raises(LacunaError, match=words):
        count_records(other)


def test_a_table_with_two_columns_of_one_name_is_refused(write: Write) -> None:
    path = write("a.tsv", f"sequence_id\tsequence_aa\tsequence_aa\t\t\na\t{H}\t{K}\t\t\n")
    with pytest.raises(LacunaError, match="a.tsv:1: column 'sequence_aa' is there twice; keep one"):
        count_records(path)


def test_a_table_may_be_truth_and_homologs_too(write: Write) -> None:
    chains = write("chains.fa", fasta({"a": hidden(H, [(30, 33)])}))
    rows = [{"sequence_id": "a", "sequence_aa": H, "v_call": ""}]
    table = write("true.tsv", airr(rows))
    [found] = [x for x in read_scaffolds(chains, truth=table) if isinstance(x, Scaffold)]
    assert found.gaps[0].truth == H[30:33]


LINES = st.lists(
    st.text(st.characters(codec="utf-8") | st.sampled_from('\t\n\r",*XACDEFGHIK\0'), max_size=60)
    | st.just(f"a\t{H}\tIGH"),
    max_size=6,
)


@pytest.mark.parametrize("comma", [False, True])
@given(lines=LINES)
def test_any_text_below_a_header_is_read_or_refused(
    write: Write, comma: bool, lines: list[str]
) -> None:
    text = "\n".join(["sequence_id\tsequence_aa\tlocus", *lines])
    path = write("any.tsv", text.replace("\t", ",") if comma else text)
    try:
        found = list(read_scaffolds(path))
    except LacunaError as error:
        assert "\n" not in str(error)
    else:
        assert count_records(path) >= sum(1 for x in found)
        assert all(isinstance(x, Scaffold) or x.reason.startswith("any.tsv:") for x in found)


# --- airr.tsv ------------------------------------------------------------------------------------


def test_every_row_of_a_usable_chain_is_written_filled(write: Write, tmp_path: Path) -> None:
    rows = [
        {"sequence_id": "a", "v_call": 'IGHV1 "x"', "sequence_aa": hidden(H, [(0, 5), (30, 32)])},
        {"sequence_id": "bad", "v_call": "", "sequence_aa": "O" * 50},
        {"sequence_id": "a", "v_call": "twice", "sequence_aa": H},
        {"sequence_id": "b", "v_call": "", "sequence_aa": K},
    ]
    path = write("a.tsv", airr(rows))
    out = tmp_path / "out"
    fill_file({"fasta": path}, out, {})
    first, second = read_tsv(out / "airr.tsv")
    assert list(first)[:3] == list(rows[0]) and set(REQUIRED) < set(first)
    assert (first["sequence_id"], first["v_call"]) == ("a", 'IGHV1 "x"')
    filled = (out / "filled.fasta").read_text().splitlines()
    assert [first["sequence_aa"], second["sequence_aa"]] == filled[1::2]
    assert "X" not in first["sequence_aa"] and second["sequence_aa"] == K
    assert (first[FILLED], second[FILLED]) == ("1-5;31-32", "")


def test_a_paired_unit_is_written_with_a_row_a_chain(write: Write, tmp_path: Path) -> None:
    row = {"sequence_id_heavy": "h", "sequence_alignment_aa_heavy": H, "v_call_heavy": "IGHV1"}
    row |= {"sequence_id_light": "l", "sequence_alignment_aa_light": K, "v_call_light": "IGKV1"}
    path = write("paired.csv", oas([row]))
    filled = write("filled.fasta", f">h\n{H}\n>l\n{K}\n")
    gaps = write("gaps.tsv", "chain\trank\tcandidate\tfirst\tlast\n")
    write_airr(path, filled, gaps, tmp_path / "airr.tsv")
    found = read_tsv(tmp_path / "airr.tsv")
    assert [r["sequence_id"] for r in found] == ["h", "l"]
    assert [r["v_call"] for r in found] == ["IGHV1", "IGKV1"]
    assert [r["sequence_aa"] for r in found] == [H, K]
    assert {r["cell_id"] for r in found} == {"row1"}
    assert len(set(found[0])) == len(found[0]) and set(REQUIRED) < set(found[0])


def test_a_row_of_a_pair_that_is_too_long_is_left_out(write: Write, tmp_path: Path) -> None:
    row = {"sequence_alignment_aa_heavy": H, "sequence_alignment_aa_light": K, "notes": "N" * 9}
    path = write("a.csv", oas([row, row | {"notes": "N" * 4_000_000}, row]))
    [said] = reasons(path)
    assert said.startswith("a.csv:4: 'row2' is too long to be one chain")
    chains = {f"row{i}_{name}": s for i in (1, 3) for name, s in (("heavy", H), ("light", K))}
    filled, gaps = write("filled.fasta", fasta(chains)), write("gaps.tsv", "chain\n")
    write_airr(path, filled, gaps, tmp_path / "airr.tsv")
    assert [r["sequence_id"] for r in read_tsv(tmp_path / "airr.tsv")] == list(chains)


def test_a_table_that_has_changed_since_is_not_written_in_part(
    write: Write, tmp_path: Path
) -> None:
    path = write("a.tsv", airr([{"sequence_id": x, "sequence_aa": H} for x in ("a", "c")]))
    filled = write("filled.fasta", fasta({"a": H, "b": H, "c": H}))
    gaps = write("gaps.tsv", "chain\n")
    with pytest.raises(LacunaError, match="a.tsv: changed since it was read; run again"):
        write_airr(path, filled, gaps, tmp_path / "airr.tsv")
    assert not (tmp_path / "airr.tsv").exists()


def test_rows_are_read_one_at_a_time(write: Write) -> None:
    rows = [{"sequence_id": f"c{i}", "sequence_aa": H, "v_call": "V"} for i in range(2_500)]
    path = write("a.tsv", airr(rows))
    layout = layout_of(path)
    assert layout is not None
    assert [row.line for row in read_rows(path, layout, 1 << 20)] == list(range(2, 2_502))
