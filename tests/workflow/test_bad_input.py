"""Bad input: one bad record never stops a batch; whatever stops a run is reported in one line."""

import gzip
from pathlib import Path

import pytest
from runs import Run, Workspace

from chains import fasta, germline_chain, hidden, random_protein
from lacuna.core.alphabet import RESIDUES

pytestmark = pytest.mark.workflow

CHAIN = germline_chain("H", 1)
GAPPED = hidden(CHAIN, [(66, 80)])
MODIFIED = "[Acetyl]-" + GAPPED.replace("C", "C[+57.0215]")
LONG = random_protein(20_000, 1)
ODD = "a\u2028b\xa0c"  # an id with a Unicode line end and blank, which are neither in FASTA
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0"

RECORDS = [
    ("first", GAPPED),
    ("pyl", CHAIN[:60] + "\n" + CHAIN[60:70] + "O" + CHAIN[70:]),
    ("empty", ""),
    ("twice", GAPPED),
    ("twice", GAPPED),
    ("past_end", CHAIN),
    ("overlap", CHAIN),
    ("nothing", "-" * 50),
    ("long", LONG),
    ("last", GAPPED),
]
GAPS = f"""chain\tstart\tend
past_end\t110\t{len(CHAIN) + 3}
overlap\t20\t30
overlap\t25\t35
unknown\t0\t5
long\t10000\t10005
last\t5\t8
"""
REJECTED = {
    "pyl": ("5", "11", "bad.fasta:5: 'pyl' has 'O' at column 11; write X for an unknown residue"),
    "empty": ("6", "", "bad.fasta:6: 'empty' has no sequence; give one or remove the record"),
    "twice": (
        "10",
        "",
        "bad.fasta:10: 'twice' is a second record of this id (first: line 8); rename it",
    ),
    "past_end": (
        "2",
        "",
        f"gaps.tsv:2: 'past_end' has a gap at 110..{len(CHAIN) + 3} past its end at {len(CHAIN)}; "
        "correct the positions",
    ),
    "overlap": (
        "4",
        "",
        "gaps.tsv:4: 'overlap' has a gap at 25..35 that overlaps the one at 20..30; "
        "keep one of them",
    ),
    "unknown": (
        "5",
        "",
        "gaps.tsv:5: 'unknown' is not a chain of bad.fasta; correct the id or remove the row",
    ),
}


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A sample of good and bad records, and one with Windows line ends, gzipped, in lower case."""
    space = Workspace(tmp_path_factory.mktemp("bad"))
    space.write("bad.fasta", "".join(f">{name}\n{sequence}\n" for name, sequence in RECORDS))
    space.write("gaps.tsv", GAPS)
    odd = fasta({"Crlf of\tWindows": GAPPED.lower(), "stop": GAPPED + "*"}).replace("\n", "\r\n")
    space.write("odd.fasta.gz", gzip.compress(b"\xef\xbb\xbf" + odd.encode()))
    space.write("odd.bed", "Crlf\t0\t3\r\n")
    space.write("ids.fasta", fasta({f"{ODD} some\rtext": GAPPED, "last": MODIFIED}))
    space.write("homologs.fasta", fasta({"dna": "GAGGTGCAGCTGGTGGAGTCTGGGGGAGGCTTGG"}))
    space.write("ids.bed", f"{ODD}\t0\t3\nlast\t0\t3\n")
    space.sheet(
        {"sample": "bad", "fasta": "bad.fasta", "gaps": "gaps.tsv"},
        {"sample": "odd", "fasta": "odd.fasta.gz", "gaps": "odd.bed"},
        {
            "sample": "ids",
            "fasta": "ids.fasta",
            "gaps": "ids.bed",
            "homologs": "homologs.fasta",
        },
    )
    space.config(block_size=6, alternatives=True)
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run()  # status 0


# --- records -------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", REJECTED)
def test_a_bad_record_is_listed_with_place_fault_and_remedy(
    space: Workspace, finished: Run, chain: str
) -> None:
    rows = [r for r in space.rows("bad/rejected.tsv") if r["chain"] == chain]
    assert [(r["line"], r["column"], r["reason"]) for r in rows] == [REJECTED[chain]]


def test_nothing_else_is_rejected(space: Workspace, finished: Run) -> None:
    assert [r["chain"] for r in space.rows("bad/rejected.tsv")] == list(REJECTED)
    assert space.rows("odd/rejected.tsv") == []
    assert "6 records rejected (see out/bad/rejected.tsv)" in finished.output


def test_a_homolog_that_cannot_be_used_is_listed(space: Workspace, finished: Run) -> None:
    (row,) = space.rows("ids/rejected.tsv")
    assert row["chain"] == "dna"
    assert row["reason"].startswith("homologs.fasta:1: 'dna' looks like DNA")


def test_the_rest_of_the_batch_is_filled_in_order(space: Workspace, finished: Run) -> None:
    filled = space.chains("bad")
    assert list(filled) == ["first", "twice", "nothing", "long", "last"]
    for name in ("first", "twice", "last"):
        assert filled[name] == CHAIN
    rows = [r for r in space.rows("bad/residues.tsv") if r["chain"] == "last"]
    assert [int(r["position"]) for r in rows] == [6, 7, 8, *range(67, 81)]


def test_a_chain_of_20000_residues_is_filled(space: Workspace, finished: Run) -> None:
    long = space.chains("bad")["long"]
    assert len(long) == 20_000 and set(long) <= set(RESIDUES)
    assert long[:10_000] + long[10_005:] == LONG[:10_000] + LONG[10_005:]
    rows = [r for r in space.rows("bad/residues.tsv") if r["chain"] == "long"]
    assert "".join(r["truth"] for r in rows) == LONG[10_000:10_005]


def test_a_chain_with_nothing_known_stays_missing_and_says_why(
    space: Workspace, finished: Run
) -> None:
    assert space.chains("bad")["nothing"] == "X" * 50
    rows = [r for r in space.rows("bad/gaps.tsv") if r["chain"] == "nothing"]
    assert [(r["start"], r["end"], r["candidate"], r["status"]) for r in rows] == [
        ("0", "50", "", "nothing_observed")
    ]
    rows = [r for r in space.rows("bad/residues.tsv") if r["chain"] == "nothing"]
    assert [r["residue"] for r in rows] == ["X"] * 50


def test_windows_line_ends_gzip_and_lower_case_make_no_difference(
    space: Workspace, finished: Run
) -> None:
    filled = space.chains("odd")
    assert list(filled) == ["Crlf of\tWindows", "stop"]
    assert filled["stop"] == CHAIN and filled["Crlf of\tWindows"][3:] == CHAIN[3:]
    raw = (space.folder / "out" / "odd" / "filled.fasta").read_bytes()
    assert b"\r" not in raw and raw.startswith(b">Crlf")
    truth = [r["truth"] for r in space.rows("odd/residues.tsv") if r["truth"]]
    assert "".join(truth) == CHAIN[:3]


def test_an_id_with_blanks_and_line_ends_of_unicode_stays_what_it_is(
    space: Workspace, finished: Run
) -> None:
    def lines(name: str) -> list[str]:
        return (space.folder / "out" / "ids" / name).read_bytes().decode().split("\n")

    first, chain, second, modified, end = lines("filled.fasta")
    assert (first, second, end) == (f">{ODD} some text", ">last", "")
    assert len(chain) == len(CHAIN) and chain[3:] == CHAIN[3:]
    # Only letters, whatever modifications were written on them.
    assert modified[3:] == CHAIN[3:] and len(modified) == len(CHAIN)
    for table in ("residues.tsv", "gaps.tsv", "chains.tsv"):
        assert list(dict.fromkeys(r["chain"] for r in space.rows(f"ids/{table}"))) == [ODD, "last"]
    of_chains = [r for r in space.rows("ids/accuracy.tsv") if r["scope"] == "chain"]
    assert {r["value"] for r in of_chains} == {ODD, "last"}
    others = [line for line in lines("alternatives.fasta") if line.startswith(">")]
    assert list(dict.fromkeys(x[1:].split("|")[0] for x in others)) == [ODD, "last"]


def test_no_bad_record_is_an_error_of_a_job(finished: Run) -> None:
    assert "Traceback" not in finished.output and finished.error() == ""


# --- what stops a run ----------------------------------------------------------------------------


def fails(space: Workspace, *arguments: str) -> str:
    """The last line of a run that cannot start."""
    run = space.run(*arguments, status=1)
    assert "Traceback" not in run.output and ", in <module>" not in run.output
    assert len(run.error().splitlines()) == 1, run.output
    assert not run.jobs()
    return run.error().removeprefix("Error: ")


@pytest.fixture
def fresh(tmp_path: Path) -> Workspace:
    space = Workspace(tmp_path)
    space.config()
    space.write("good.fasta", fasta({"a": GAPPED}))
    return space


def test_a_sheet_without_a_column(fresh: Workspace) -> None:
    fresh.sheet({"sample": "a", "gaps": "good.fasta"})
    wanted = "samples.tsv:1: column 'fasta' is missing (found: sample, gaps); add it"
    assert fails(fresh) == wanted


def test_a_path_that_does_not_exist(fresh: Workspace) -> None:
    fresh.sheet({"sample": "a", "fasta": "good.fasta"}, {"sample": "b", "fasta": "gone.fasta"})
    assert fails(fresh) == (
        "samples.tsv:3: sample 'b': fasta 'gone.fasta' does not exist; "
        "correct it (paths are relative to the sheet)"
    )


def test_a_fasta_that_is_a_picture(fresh: Workspace) -> None:
    fresh.write("photo.fasta", PNG)
    fresh.sheet({"sample": "a", "fasta": "good.fasta"}, {"sample": "b", "fasta": "photo.fasta"})
    said = fails(fresh)
    assert said.startswith("photo.fasta: not a FASTA file (it begins with ")
    assert said.endswith("; the first line must be '>' and an id")


def test_a_sheet_that_is_not_there(fresh: Workspace) -> None:
    assert fails(fresh) == "samples.tsv: no such file; check the path"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"block_sise": 3}, "config: unknown key 'block_sise'; did you mean 'block_size'?"),
        (
            {"kmer": {"lenght": 64}},
            "config: unknown key 'kmer.lenght'; did you mean 'kmer.length'?",
        ),
        ({"epochs": 3}, "config: unknown key 'epochs'; did you mean 'seed_lstm.epochs'?"),
        (
            {"train": {"from": None}},
            "config: 'train.from' is null and 'train.steps' is 0; set one of them",
        ),
        (
            {"train": {"from": "nowhere.safetensors"}},
            "config: 'train.from' is 'nowhere.safetensors', which is not a file; correct the path",
        ),
        (
            {"library": "nowhere.safetensors"},
            "config: 'library' is 'nowhere.safetensors', which is not a file; correct the path",
        ),
        (
            {"library": "resources"},
            "config: 'library' is 'resources', which is not a file; correct the path",
        ),
    ],
    ids=["unknown", "nested", "elsewhere", "weights", "from", "library", "folder"],
)
def test_a_config_with_a_fault(fresh: Workspace, settings: dict, said: str) -> None:
    fresh.sheet({"sample": "a", "fasta": "good.fasta"})
    fresh.config(**settings)
    assert fails(fresh) == said


def test_a_sample_named_for_the_tutorials_model_that_is_not_there_is_left_out(
    fresh: Workspace,
) -> None:
    """The bundled config names one, and another sheet may have a sample of a similar name."""
    fresh.sheet({"sample": "trastuzumab_light", "fasta": "good.fasta"})
    fresh.config(seed_lstm={"samples": ["alemtuzumab_light"]})
    planned = fresh.run("--dry-run")
    assert planned.jobs()["all"] == 1 and "train_seed" not in planned.jobs()
    assert (
        "seed_lstm: 'alemtuzumab_light' is not a sample of samples.tsv (which has "
        "'trastuzumab_light'); left out." in planned.output
    )


def test_a_library_that_is_none_ends_with_one_line(fresh: Workspace) -> None:
    fresh.sheet({"sample": "a", "fasta": "good.fasta"})
    fresh.config(library="good.fasta")
    run = fresh.run(status=1)
    assert "Traceback" not in run.output
    assert run.error().startswith("Error: good.fasta: damaged or not a safetensors file (")
    assert run.output.splitlines()[-1] == run.error()  # after all lines of Snakemake


def test_a_bad_record_stops_the_run_where_that_is_wanted(space: Workspace, finished: Run) -> None:
    wanted = "strict/bad/rejected.tsv"
    config = space.config("strict.yaml", outdir="strict", on_bad_record="fail")
    run = space.run(wanted, "--configfile", str(config), status=1)
    assert "Traceback" not in run.output
    listed = [REJECTED[chain][2] for chain in REJECTED]
    assert run.error() == f"Error: sample 'bad': {listed[0]} (1 of 6 bad records; all in the log)"
    assert run.output.splitlines()[-1] == run.error()
    log = (space.folder / "strict" / "logs" / "read_scaffolds" / "bad.log").read_text()
    assert [x for x in listed if x not in log] == []


def test_a_sheet_in_which_nothing_is_filled_is_a_fault_and_its_tables_stay(
    fresh: Workspace,
) -> None:
    """A FASTA made from the wrong column of a database, or a file whose records are all bad."""
    fresh.write("loci.fasta", fasta({f"c{i}": "IGH" for i in range(30)}))
    fresh.write("bad.fasta", fasta({"a": "QVO", "b": "QV1"}))
    fresh.sheet({"sample": "loci", "fasta": "loci.fasta"}, {"sample": "bad", "fasta": "bad.fasta"})
    for _ in range(2):  # the next run is not a success either
        run = fresh.run(status=1)
        assert "Traceback" not in run.output
        assert run.error() == (
            "Error: nothing was filled; loci: 30 chains without a gap, 30 chains of less than 10 "
            "residues; bad: 2 records rejected (see out/bad/rejected.tsv); check that the FASTA "
            "holds protein sequences, and mark missing residues with X or -, or give a gap table "
            "(column 'gaps', or --gaps); correct the records as rejected.tsv says"
        )
    assert run.jobs() == {"all": 1, "join_accuracy": 1}
    assert len(fresh.rows("bad/rejected.tsv")) == 2 and len(fresh.rows("loci/chains.tsv")) == 30
    page = (fresh.folder / "out" / "report.html").read_text()
    assert "no chain has a gap" in page and "every record was rejected" in page
    assert not (fresh.folder / "out" / "summary.txt").exists()
