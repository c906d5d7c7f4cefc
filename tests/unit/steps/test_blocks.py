"""The steps of the workflow on files, in one process: from a FASTA to every table."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from Bio import SeqIO

from chains import fasta, germline_chain, hidden, mutated, random_protein
from conftest import Write
from lacuna.core.config import check_config
from lacuna.core.device import set_precision
from lacuna.core.files import LacunaError
from lacuna.core.paths import bundled_weights
from lacuna.core.tables import (
    ACCURACY_TABLE,
    CHAIN_TABLE,
    GAP_TABLE,
    PLACED_TABLE,
    REJECTED_TABLE,
    RESEMBLES_SPECIES,
    TABLES,
)
from lacuna.results.join import HEADERS, join_parts, write_alternatives
from lacuna.results.scores import measure
from lacuna.results.summary import SummaryFiles, join_accuracy
from lacuna.scaffolds.alkylation import Alkylation
from lacuna.scaffolds.json_lines import block_path, read_scaffold_block
from lacuna.steps.encode_block import encode_block
from lacuna.steps.fill_block import fill_block_files
from lacuna.steps.find_alkylation import find_alkylation
from lacuna.steps.load import load_predictor
from lacuna.steps.reader_files import ReaderFiles
from lacuna.steps.split_scaffolds import ChainFiles, split_scaffolds
from lacuna.templates.homologs import read_homologs
from tsv import read_tsv, row_of

ROOT = Path(__file__).parents[3]
WEIGHTS = ROOT / "resources" / "weights" / "open"
CONFIG = check_config({"samples": "-"})
PROBABILITIES = "chain\tposition\tresidue\tprobability\n"
Rows = list[dict[str, str]]


@pytest.fixture(autouse=True)
def precision() -> Iterator[None]:
    """Restore the precision of the process, which the steps set."""
    yield
    set_precision("fast")


def split(
    fasta: Path,
    folder: Path,
    gaps: Path | None = None,
    unread: Path | None = None,
    settled: Path | None = None,
    truth: Path | None = None,
    **options: object,
) -> Path:
    settings = {
        "block_size": 1000,
        "n_blocks": 1,
        "tolerance_ppm": 10.0,
        "on_bad_record": "reject",
    }
    given = ChainFiles(fasta, gaps, truth, unread=unread, settled=settled)
    split_scaffolds(given, folder / "scaffolds", folder / "rejected.tsv", **settings | options)
    return folder / "scaffolds"


def run(
    folder: Path,
    chains: Path,
    gaps: Path,
    homologs: Path | None,
    block_size: int,
    n: int,
    precision: str = "fast",
) -> dict[str, bytes]:
    """Make every file of a sample of n chains, as the rules do."""
    n_blocks = -(-n // block_size)
    scaffolds = split(chains, folder, gaps, block_size=block_size, n_blocks=n_blocks)
    parts: dict[str, list[Path]] = {name: [] for name in TABLES}
    library, weights = WEIGHTS / "library.safetensors", WEIGHTS / "lacuna.safetensors"
    alkylation = folder / "alkylation.json"
    reader = ReaderFiles(
        *(weights, library, homologs, "auto"),
        **CONFIG["kmer"],
        max_identity=CONFIG["accuracy"]["max_identity"],
        precision=precision,
    )
    of_run = {"reader": reader, "modifications": CONFIG["modifications"]}
    given = {"alkylation": CONFIG["alkylation"], "tolerance_ppm": 10.0}
    find_alkylation(scaffolds, alkylation, **given, **of_run)
    for block in range(n_blocks):
        at = folder / f"{block:05d}"
        encode_block(
            block_path(scaffolds, block),
            alkylation,
            at / "kmers.safetensors",
            at / "scaffolds.jsonl",
            **of_run,
            complete_ends=False,
        )
        fill_block_files(
            at / "scaffolds.jsonl",
            at / "kmers.safetensors",
            alkylation,
            {name: at / name for name in TABLES},
            **of_run,
            candidates=3,
            device=torch.device("cpu"),
        )
        for name in TABLES:
            parts[name].append(at / name)
    for name in TABLES[:-1]:
        join_parts(name, parts[name], folder / name)
    measure(parts["scored"], [], folder / "accuracy")
    return {name: (folder / name).read_bytes() for name in (*TABLES[:-1], "accuracy")}


@pytest.fixture
def batch(write: Write) -> tuple[dict[str, str], Path, Path, Path]:
    """Fifteen chains of every kind, their gap table (half of it with truth), and homologs."""
    chains = {
        f"{locus}{i}": mutated(germline_chain(locus, i, constant=i == 3), 6, i)
        for i in range(4)
        for locus in "HKL"
    }
    chains["protein"] = random_protein(120, 1)
    table = ["chain\tstart\tend\tmass\tmin_length\tmax_length"]
    for i, (name, sequence) in enumerate(chains.items()):
        start = 5 + 7 * i % 80
        table.append(f"{name}\t{start}\t{start + 9}\t\t\t")
        if i % 4 == 0:
            chains[name] = hidden(sequence, [(start, start + 9)])
    chains["mass"] = germline_chain("H", 9)[:30] + "{410.2 Da}" + germline_chain("H", 9)[34:]
    chains["nothing"] = "-" * 40
    homologs = {
        f"h{i}": mutated(germline_chain("HKL"[i % 3], i // 3), 15, 50 + i) for i in range(9)
    }
    homologs["protein"] = mutated(random_protein(120, 1), 20, 7)
    return (
        chains,
        write("chains.fasta", fasta(chains)),
        write("gaps.tsv", "\n".join(table) + "\n"),
        write("homologs.fasta", fasta(homologs)),
    )


def test_every_file_is_the_same_with_blocks_of_1_7_and_1000(batch: tuple, tmp_path: Path) -> None:
    chains, *files = batch
    assert len(chains) == 15
    found = {size: run(tmp_path / str(size), *files, size, 15) for size in (1, 7, 1000)}
    assert found[1] == found[1000]
    assert found[7] == found[1000]
    whole = tmp_path / "1000"
    names = [line[1:] for line in (whole / "filled").read_text().splitlines()[::2]]
    assert names == list(chains)
    assert list(dict.fromkeys(r["chain"] for r in read_tsv(whole / "gaps"))) == list(chains)
    overall = [r for r in read_tsv(whole / "accuracy") if r["scope"] == "overall"]
    methods = [r["method"] for r in overall]
    assert methods == ["lacuna", "germline_copy", "nearest_homolog", "column_majority"]
    assert {r["n_residues"] for r in overall} == {str(9 * 9)}
    filled = {r["chain"]: (r["missing"], r["filled"]) for r in read_tsv(whole / "chains")}
    assert filled["nothing"] == ("40", "0") and filled["H0"] == filled["protein"] == ("9", "9")
    assert filled["mass"][0] == filled["mass"][1] != "1"  # its length was found


@pytest.mark.parametrize(
    ("precision", "products"),
    [("fast", torch.bfloat16), ("float32", torch.float32), ("float64", torch.float64)],
)
def test_a_block_is_multiplied_in_the_precision_that_is_asked_for(
    batch: tuple,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    precision: str,
    products: torch.dtype,
) -> None:
    """Whatever the processor supports."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    half = []
    real = torch.autocast.__init__

    def watched(self: torch.autocast, *arguments: object, **options: bool) -> None:
        half.append(options["enabled"])
        real(self, *arguments, **options)

    monkeypatch.setattr(torch.autocast, "__init__", watched)
    run(tmp_path, *batch[1:], 1000, 15, precision)
    assert set(half) == {products is torch.bfloat16}
    assert read_homologs(batch[3]).one_hot.dtype == products
    files = WEIGHTS / "lacuna.safetensors", WEIGHTS / "library.safetensors"
    model = load_predictor(*files, precision, torch.device("cpu")).model
    assert model.mix.weight.dtype == (torch.float64 if precision == "float64" else torch.float32)


def test_every_file_is_the_same_in_another_order_of_the_chains(
    batch: tuple, write: Write, tmp_path: Path
) -> None:
    chains, path, gaps, homologs = batch
    turned = write("turned.fasta", fasta(dict(reversed(chains.items()))))
    one = run(tmp_path / "one", path, gaps, homologs, 1000, 15)
    other = run(tmp_path / "other", turned, gaps, homologs, 1000, 15)
    assert one["accuracy"] == other["accuracy"]
    for name in ("residues", "gaps", "chains"):
        mine, theirs = read_tsv(tmp_path / "one" / name), read_tsv(tmp_path / "other" / name)
        by_chain = [r for chain in chains for r in theirs if r["chain"] == chain]
        assert mine == by_chain


def test_chains_are_cut_into_blocks_in_order(write: Write, tmp_path: Path) -> None:
    names = [f"m{i}" for i in range(7)]
    path = write("c.fasta", fasta(dict.fromkeys(names, "QVQLX")))
    folder = split(path, tmp_path, block_size=3, n_blocks=3)
    blocks = [[s.chain for s in read_scaffold_block(block_path(folder, i))] for i in range(3)]
    assert blocks == [names[:3], names[3:6], names[6:]]
    assert sorted(p.name for p in folder.iterdir()) == [f"0000{i}.jsonl" for i in range(3)]


def test_what_is_rejected_leaves_the_last_blocks_short_or_empty(
    write: Write, tmp_path: Path
) -> None:
    path = write("c.fasta", ">a\nQVQO\n>b\nQVQX\n>c\nQ1\n>d\nEVQX\n")
    folder = split(path, tmp_path, block_size=1, n_blocks=4)
    blocks = [[s.chain for s in read_scaffold_block(block_path(folder, i))] for i in range(4)]
    assert blocks == [["b"], ["d"], [], []]
    faults = read_tsv(tmp_path / "rejected.tsv")
    assert tuple(faults[0]) == REJECTED_TABLE.names
    assert [(f["chain"], f["line"], f["column"]) for f in faults] == [
        ("a", "2", "4"),
        ("c", "6", "2"),
    ]
    assert (
        faults[0]["reason"] == "c.fasta:2: 'a' has 'O' at column 4; write X for an unknown residue"
    )


def test_a_batch_of_bad_records_alone_gives_empty_tables(write: Write, tmp_path: Path) -> None:
    path = write("c.fasta", ">a\nQVQO\n")
    found = run(tmp_path, path, write("g.bed", "a\t0\t1\n"), write("h.fasta", ">h\nQVQL\n"), 5, 1)
    assert found["filled"] == b""
    for name in ("residues", "gaps", "chains"):
        assert found[name].decode() == HEADERS[name]
    assert found["accuracy"].count(b"\n") == 1


def test_bad_records_stop_the_run_where_that_is_wanted(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write("c.fasta", ">a\nQVQO\n>b\nQVQX\n>c\nQV1\n")
    with pytest.raises(LacunaError, match="^c.fasta:2: 'a' has 'O' .*1 of 2 bad records"):
        split(path, tmp_path, on_bad_record="fail")
    assert "c.fasta:2" in caplog.text and "c.fasta:6" in caplog.text
    split(write("good.fasta", ">b\nQVQX\n"), tmp_path / "good", on_bad_record="fail")
    assert read_tsv(tmp_path / "good" / "rejected.tsv") == []


def test_a_gap_in_which_reads_do_not_count_is_noted(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chains = {"a": "QVQX", "b": "QX[+300.1]QX[+400.2]V", "c": "QVQX[+300.1]"}
    path, unread = write("c.fasta", fasta(chains)), write("unread.tsv", REJECTED_TABLE.header)
    split(path, tmp_path, unread=unread)
    (note,) = read_tsv(tmp_path / "rejected.tsv")
    assert note["reason"] == (
        "Note: c.fasta:3: 'b' has a gap of unknown length at 2 and 1 other, which no read spans, "
        "so reads are not used there; if the length is known, write an X for each residue (as in 1 "
        "more chain)"
    )
    assert "which no read spans" in caplog.text
    # Without reads there is nothing to say, and chains that reads gave have no other reads.
    split(path, tmp_path / "alone")
    split(path, tmp_path / "of_reads", unread=unread, settled=write("e.tsv", PROBABILITIES))
    for folder in ("alone", "of_reads"):
        assert read_tsv(tmp_path / folder / "rejected.tsv") == []


@pytest.fixture
def of_reads(write: Write) -> dict[str, Path]:
    """What `split` takes of a sample of reads alone: a heavy and a light chain with a gap each."""
    chains = {"heavy": germline_chain("H", 1), "kappa": germline_chain("K", 2)}
    return {
        "fasta": write("found.fasta", fasta({n: hidden(c, [(40, 46)]) for n, c in chains.items()})),
        "unread": write("unread.tsv", REJECTED_TABLE.header),
        "settled": write("settled.tsv", PROBABILITIES),
    }


def truths_of(folder: Path) -> list[str | None]:
    """The truth of the first gap of each chain of a folder of blocks."""
    return [scaffold.gaps[0].truth for scaffold in read_scaffold_block(block_path(folder, 0))]


def test_a_truth_that_resembles_no_chain_of_reads_is_noted_and_not_used(
    of_reads: dict[str, Path], write: Write, tmp_path: Path
) -> None:
    others = {"b": random_protein(300, 1), "a": random_protein(300, 2)}
    scaffolds = split(**of_reads, folder=tmp_path, truth=write("mine.fasta", fasta(others)))
    assert truths_of(scaffolds) == [None, None]
    (note,) = read_tsv(tmp_path / "rejected.tsv")
    assert note["reason"] == (
        "Note: mine.fasta:1: no chain assembled from the reads resembles 'b', nor 1 other, of the "
        "truth; what resembles none does not count for accuracy: give the true chains of this "
        "sample"
    )
    others = {"a": germline_chain("H", 1), "c": random_protein(300, 1)}
    scaffolds = split(**of_reads, folder=tmp_path, truth=write("mine.fasta", fasta(others)))
    assert truths_of(scaffolds) == [germline_chain("H", 1)[40:46], None]
    no_chain, no_truth = (row["reason"] for row in read_tsv(tmp_path / "rejected.tsv"))
    assert "resembles 'c' of the truth; " in no_chain
    assert no_truth == (
        "Note: mine.fasta:1: no chain of the truth resembles 'kappa' of the chains with gaps that "
        "were assembled from the reads; what resembles none does not count for accuracy: add its "
        "true chain, if it is known"
    )


def test_a_truth_of_reads_that_cannot_be_read_is_noted(
    of_reads: dict[str, Path], write: Write, tmp_path: Path
) -> None:
    heavy, light = germline_chain("H", 1), germline_chain("K", 2)
    truth = write("mine.fasta", fasta({"h": heavy, "l": light[:9] + "1" + light[10:]}))
    scaffolds = split(**of_reads, folder=tmp_path, truth=truth, on_bad_record="fail")
    assert truths_of(scaffolds) == [heavy[40:46], None]
    bad, alone = (row["reason"] for row in read_tsv(tmp_path / "rejected.tsv"))
    assert bad.startswith("Note: mine.fasta:4: 'l' has '1' at column 10; ")
    assert bad.endswith("; until then it does not count for accuracy")
    assert "resembles 'kappa'" in alone


def test_a_gap_that_the_truth_of_reads_leaves_open_is_noted_of_the_chain(
    of_reads: dict[str, Path], write: Write, tmp_path: Path
) -> None:
    heavy, light = germline_chain("H", 1), germline_chain("K", 2)
    truth = write("mine.fasta", fasta({"h": heavy, "l": hidden(light, [(41, 42)])}))
    scaffolds = split(**of_reads, folder=tmp_path, truth=truth)
    assert truths_of(scaffolds) == [heavy[40:46], None]
    (note,) = read_tsv(tmp_path / "rejected.tsv")
    assert note["reason"].startswith(
        "Note: found.fasta:3: 'kappa' has a truth that leaves the gap at 41 open, so that"
    )


def test_a_file_that_grows_while_it_is_read_is_told(write: Write, tmp_path: Path) -> None:
    path = write("c.fasta", fasta({f"m{i}": "QVQX" for i in range(3)}))
    with pytest.raises(LacunaError, match="grew"):
        split(path, tmp_path, block_size=2, n_blocks=1)


def test_parts_are_joined_in_order_under_one_header(write: Write, tmp_path: Path) -> None:
    parts = [write("b", "1\n"), write("a", ""), write("c", "2\n3\n")]
    join_parts("masses", parts, tmp_path / "out.tsv")
    assert (tmp_path / "out.tsv").read_text() == f"{HEADERS['masses']}1\n2\n3\n"
    join_parts("filled", parts, tmp_path / "out.fasta")
    assert (tmp_path / "out.fasta").read_text() == "1\n2\n3\n"


def test_joining_parts_changes_no_byte(write: Write, tmp_path: Path) -> None:
    parts = [write("a", "\rx\r\n"), write("b", "\u2028\n")]
    join_parts("filled", parts, tmp_path / "out.fasta")
    assert (tmp_path / "out.fasta").read_bytes() == "\rx\r\n\u2028\n".encode()


def test_the_accuracy_of_ids_with_line_ends_of_unicode(write: Write, tmp_path: Path) -> None:
    names = sorted(
        f"a{character}b" for character in ("\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\xa0")
    )
    scored = (f"{name}\t1\t1\t5\tA\tFR1\tH\tA\t0.9000\tA\tX\tX\t\n" for name in names)
    measure([write("scored", "".join(scored))], [], tmp_path / "accuracy.tsv")
    of_chains = [r for r in read_tsv(tmp_path / "accuracy.tsv") if r["scope"] == "chain"]
    assert [(r["value"], r["method"], r["accuracy"]) for r in of_chains] == [
        (name, method, "1.0000") for name in names for method in ("lacuna", "germline_copy")
    ]


def test_alternatives_are_whole_chains_with_one_gap_filled_otherwise(tmp_path: Path) -> None:
    """A gap of unknown length shifts the rest of the filled chain."""
    odd = '"q\xa0\x85\u2028'  # Unicode blanks and line ends are ordinary characters of an id
    filled = {f"{odd} of it": "QVQLAAA", "none": "EVQL", "m": "QGGGLVV"}
    rows = [
        (odd, 1, 4, 7, 1, "AAA", 5, 7),
        (odd, 1, 4, 7, 2, "AAG", 5, 7),
        ("m", 1, 1, 2, 1, "GGG", 2, 4),  # one position became three
        ("m", 1, 1, 2, 2, "GGA", 2, 4),
        ("m", 2, 3, 3, 1, "", None, None),
        ("m", 3, 3, 5, 1, "VV", 6, 7),
        ("m", 3, 3, 5, 2, "IV", 6, 7),
        ("m", 3, 3, 5, 3, "LV", 6, 7),
    ]
    names = ("chain", "gap", "start", "end", "rank", "candidate", "first", "last")
    gaps = [
        row_of(GAP_TABLE, **dict(zip(names, row, strict=True)), probability=0.2) for row in rows
    ]
    GAP_TABLE.write(tmp_path / "gaps.tsv", gaps)
    (tmp_path / "filled.fasta").write_text(fasta(filled))
    write_alternatives(tmp_path / "gaps.tsv", tmp_path / "filled.fasta", tmp_path / "out.fasta")
    assert (tmp_path / "out.fasta").read_text() == fasta(
        {
            f"{odd}|gap1|rank2 probability=0.2": "QVQLAAG",
            "m|gap1|rank2 probability=0.2": "QGGALVV",
            "m|gap3|rank2 probability=0.2": "QGGGLIV",
            "m|gap3|rank3 probability=0.2": "QGGGLLV",
        }
    )


def test_samples_are_joined_and_summed_up(write: Write, tmp_path: Path) -> None:
    head = (
        "scope\tvalue\tmethod\tprotocol\tn_residues\tn_correct\taccuracy\tci_low\tci_high"
        "\tn_gaps\tn_exact\tmean_probability\tece\n"
    )
    end = "\t8\t6\t0.7500\t0.4\t0.9\t2\t1\t0.8\t0.1\n"
    keys = ["overall\tall\tlacuna\tscaffold", "chain\tm\tlacuna\tscaffold"]
    keys.append("overall\tall\tseed_lstm\ttrue_context")
    keys.append("ambiguity\tJ\tlacuna\tscaffold")
    accuracy = [write("a.tsv", head + "".join(k + end for k in keys)), write("b.tsv", head)]
    counts_of = {
        "m": {"length": 120, "missing": 8, "filled": 8, "gaps": 3, "n_terminal": 6}
        | {"ambiguous": 2, "resolved": 2, "without_template": 1},
        "n": {"length": 9, "missing": 5, "filled": 1, "gaps": 2, "open": 1, "c_terminal": 5}
        | {"ambiguous": 1, "without_template": 1},
        "NA": {"length": 120},
    }
    rows = [
        row_of(CHAIN_TABLE, chain=name, locus="H", species="human", **counts)
        for name, counts in counts_of.items()
    ]
    chains = [
        write("ac.tsv", CHAIN_TABLE.whole(rows)),
        write("bc.tsv", CHAIN_TABLE.header),
    ]
    title = REJECTED_TABLE.header
    rejected = [write("ar.tsv", title), write("br.tsv", title + "x\t1\t\tno\ny\t3\t\tno\n")]
    header, cells = "rank\tstatus\n", ("1\tfilled", "2\tisobaric")
    doubt = "1\tfilled (contradicts C: fits far better with unmodified C)"
    slip = "1\tfilled (fits far better at 0.9840 Da less: N or Q is deamidated)"
    gaps = [write("ag.tsv", header + "\n".join((*cells, slip)) + "\n")]
    gaps.append(write("bg.tsv", header + "\n".join((*cells, doubt, slip, slip)) + "\n"))
    states = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, masses in zip(states, (0, 12), strict=True):
        Alkylation((("carbamidomethyl", 1.0),), "found", masses, masses).write(path)
    out, summary = tmp_path / "accuracy.tsv", tmp_path / "summary.txt"
    multiqc = tmp_path / "lacuna_mqc.json"
    names, files = ["one", "two"], (accuracy, chains, rejected, gaps, states)
    samples = list(map(SummaryFiles, names, *files))
    join_accuracy(samples, out, summary, multiqc)
    found = read_tsv(out)
    assert list(found[0])[:3] == ["sample", "scope", "value"]
    assert [(r["sample"], r["scope"], r["method"]) for r in found] == [
        ("one", "overall", "lacuna"),
        ("one", "overall", "seed_lstm"),
        ("one", "ambiguity", "lacuna"),
    ]
    assert summary.read_text().splitlines() == [
        "one: 3 chains, 9 of 13 missing residues filled, 2 of 3 ambiguity codes resolved; "
        "1 gap left open; 2 gaps filled without a template (no antibody domain, no homolog); "
        "1 chain without a gap; 1 chain of less than 10 residues; of 3 chains, 1 lacked "
        "the N terminus, 1 lacked the C terminus and 1 lacked residues inside; "
        "right: lacuna 6/8 (0.750), seed_lstm (true_context) 6/8 (0.750); "
        "J (I or L) right: lacuna 6/8 (0.750); WARNING: "
        f"1 gap whose mass fits far better with an error, see status in {gaps[0]}",
        f"two: no chain; 2 records rejected (see {rejected[1]}); "
        "accuracy unknown (no truth given); C weighs 160.031 Da, carbamidomethylated: "
        "found from 12 masses; "
        "WARNING: 1 gap against it, 2 gaps whose mass fits far better with an error, see status in "
        f"{gaps[1]}",
    ]
    content = json.loads(multiqc.read_text())
    assert content["data"]["one"] == {
        **{"chains": 3, "gaps": 5, "open": 1, "missing": 13, "filled": 69.23, "resolved": 2},
        **{"right": 75.0, "rejected": 0},
    }
    assert content["data"]["two"] == {
        **{"chains": 0, "gaps": 0, "open": 0, "missing": 0, "rejected": 2}
    }
    known = summary.read_text()
    network, _ = bundled_weights("noncommercial")
    join_accuracy(samples, out, summary, multiqc, weights=network)
    says = "weights: noncommercial (licence: CC BY-NC-SA 4.0)"
    assert summary.read_text() == f"{known}{says}\n"
    join_accuracy([replace(s, auto_species=True) for s in samples], out, summary, multiqc)
    one, two = summary.read_text().splitlines()
    species = "; species of the nearest germlines: 3 human; WARNING"
    before = known.splitlines()[0].replace("; WARNING", species)
    assert one == before
    assert two == known.splitlines()[1]  # of no chain
    stray = row_of(PLACED_TABLE, placed_as=f"{RESEMBLES_SPECIES} mouse")
    reads = write("reads.tsv", PLACED_TABLE.whole([stray] * 30))
    join_accuracy([replace(samples[0], reads=reads)], out, summary, multiqc)
    lost = "0 of 30 reads placed; 1 gap left open; 2 gaps filled without a template (no antibody "
    lost += "domain, no homolog); 1 chain of less than 10 residues; WARNING: 30 reads that fit no "
    assert lost in summary.read_text()
    with pytest.raises(
        LacunaError, match="^nothing was filled; two: 2 records rejected .first: no; "
    ):
        join_accuracy(samples[1:], tmp_path / "no", summary, multiqc)
    assert not (tmp_path / "no").exists()


def test_the_summary_says_how_vhhs_are_filled_better(tmp_path: Path, write: Write) -> None:
    def summary_of(species: Sequence[str], weights: str, homologs: bool = False) -> str:
        n = len(species)
        counts = {"missing": 1, "filled": 1, "gaps": 1}
        rows = [
            row_of(CHAIN_TABLE, chain=f"c{i}", species=s, **counts) for i, s in enumerate(species)
        ]
        state, out = tmp_path / "state.json", tmp_path / "accuracy.tsv"
        Alkylation((("carbamidomethyl", 1.0),), "found", 0, 0).write(state)
        files = (
            write("acc.tsv", ACCURACY_TABLE.header),
            write("chains.tsv", CHAIN_TABLE.whole(rows)),
            write("rejected.tsv", REJECTED_TABLE.header),
            write("gaps.tsv", "rank\tstatus\n" + "1\tfilled\n" * n),
            state,
        )
        sample = SummaryFiles("s", *files, homologs=homologs)
        network, _ = bundled_weights(weights)
        join_accuracy([sample], out, tmp_path / "summary", tmp_path / "mqc", network)
        return (tmp_path / "summary").read_text().splitlines()[0]

    says = "; camelid VHHs, of which the open weights have seen few: give natural VHHs as homologs"
    camelid = ["alpaca", "alpaca", "human"]
    assert says in summary_of(camelid, "open")
    assert "take 'weights: noncommercial'" in summary_of(camelid, "open")
    assert says not in summary_of(camelid, "open", homologs=True)
    assert says not in summary_of(camelid, "noncommercial")
    assert says not in summary_of(["alpaca", "human"], "open")


# --- what others read ----------------------------------------------------------------------------

ODD_IDS = [
    *('"', 'a"b', "NA", "nan", "NULL", "007", "1e5", "=1+1", "-", "#x", "'", "<script>alert(1)"),
    *("\x1b[31mred", "a\xa0b", "c\x85d", "e\u2028f", "ünï", "track", "sp|P01857|IGHG1", "None"),
]


def test_every_table_reads_alike_by_pandas_csv_and_biopython(write: Write, tmp_path: Path) -> None:
    """With `keep_default_na=False`, pandas keeps ids such as NA, as the documentation says."""
    chains = {f"{name} of {i}": germline_chain("HKL"[i % 3], i) for i, name in enumerate(ODD_IDS)}
    chains = {name: f"{c[:30]}XXX{c[33:60]}J{c[61:]}" for name, c in chains.items()}
    path = write("chains.fasta", fasta(chains))
    run(tmp_path / "out", path, write("g.bed", "NA\t80\t85\n"), None, 7, len(chains))
    for name in ("residues", "gaps", "chains", "accuracy"):
        file = tmp_path / "out" / name
        read = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
        assert read.to_dict("records") == read_tsv(file)
    text = dict.fromkeys(["chain", "imgt", "imgt_first", "imgt_last"], str)
    residues, gaps, found = (
        pd.read_csv(tmp_path / "out" / name, sep="\t", dtype=text, keep_default_na=False)
        for name in ("residues", "gaps", "chains")
    )
    for read in (residues, gaps, found):
        assert list(dict.fromkeys(read["chain"])) == ODD_IDS
    records = list(SeqIO.parse(tmp_path / "out" / "filled", "fasta"))
    assert [r.description for r in records] == list(chains)
    filled = [line for line in (tmp_path / "out" / "filled").read_text().split("\n")[1::2]]
    assert [str(r.seq) for r in records] == filled
    assert residues["position"].dtype == residues["scaffold_position"].dtype == int
    whole = dict(zip(ODD_IDS, filled, strict=True))
    for row in residues.itertuples():
        assert whole[row.chain][row.position - 1] == row.residue
    for row in gaps.itertuples():
        if row.rank == 1:
            assert whole[row.chain][row.first - 1 : row.last] == row.candidate
