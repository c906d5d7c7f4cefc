"""Mistakes of users: each ends in one line, the last, which says what to do.

The table of mistakes has three parts: those that end a run before its first job; those found by a
job (its reader is called here, since a run of the workflow takes ten seconds); and bad records,
which are listed in rejected.tsv while the run continues. Then come names and paths that a shell,
Snakemake or a terminal could misinterpret.
"""

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
import yaml
from runs import Run, Workspace

from chains import fasta, germline_chain, hidden
from lacuna.core.files import LacunaError
from lacuna.network.weights import load_weights
from lacuna.scaffolds.read import read_scaffolds, unusable_homologs
from lacuna.scaffolds.scaffold import Rejected
from lacuna.steps.outdir import LOCK, RunLock
from lacuna.templates.homologs import read_homologs
from lacuna.templates.library import load_library

pytestmark = pytest.mark.workflow

CHAIN = germline_chain("H", 1)
GAPPED = hidden(CHAIN, [(66, 80)])
GOOD = fasta({"a": GAPPED})
GAPS = "chain\tstart\tend\na\t3\t6\n"
SHEET = "sample\tfasta\ns1\tgood.fasta\n"
SAMPLES = "samples: samples.tsv\n"
CONFIG = SAMPLES + "outdir: out\n"
MOST = 40  # lines that Snakemake may print before


@dataclass(frozen=True)
class Mistake:
    """Files of a folder, and words that must be in the last line of a run in it."""

    name: str
    words: tuple[str, ...]
    sheet: str | bytes | None = SHEET
    config: str | None = CONFIG
    files: dict[str, str | bytes] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    def run(self, folder: Path) -> Run:
        space = Workspace(folder)
        files = {"good.fasta": GOOD, "gaps.tsv": GAPS} | self.files
        files |= {"samples.tsv": self.sheet} if self.sheet is not None else {}
        files |= {"config.yaml": self.config} if self.config is not None else {}
        for name, content in files.items():
            space.write(name, content)
        named = [argument.replace("HERE", str(folder)) for argument in self.arguments]
        return space.run(*named, cores=1, status=1)


def sheet(row: str, columns: str = "sample\tfasta") -> str:
    return f"{columns}\n{row}\n"


def workbook() -> bytes:
    """A file as a spreadsheet saves it by default."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(part, "<xml/>" * 50)
    return buffer.getvalue()


def of_sheet(name: str, text: str | bytes | None, *words: str, **files: str | bytes) -> Mistake:
    """A mistake in the sheet, which the line names; files by name, with `_` for the dot."""
    named = {key.replace("_", "."): content for key, content in files.items()}
    return Mistake(name, ("samples.tsv", *words), sheet=text, files=named)


def of_config(name: str, text: str, *words: str) -> Mistake:
    return Mistake(name, ("config", *words), config=CONFIG + text)


BEFORE_THE_FIRST_JOB = [
    # --- the sheet
    of_sheet("no sheet", None, "no such file; check the path"),
    of_sheet("an empty sheet", "", "is empty; give a header with sample, fasta"),
    of_sheet("a header alone", "sample\tfasta\n", "no rows; give one per sample"),
    of_sheet("blanks for tabs", sheet("s1 good.fasta", "sample fasta"), ":1:", "by tabs"),
    of_sheet(
        "Excel's CSV with mark and quotes, and no such file",
        '\ufeff"sample";"fasta"\r\n"s1";"gone.fasta"\r\n',
        ":2:",
        "fasta 'gone.fasta' does not exist; correct it",
    ),
    of_sheet("a workbook", workbook(), "it is a workbook of a spreadsheet: save its sheet as CSV"),
    of_sheet("Unicode of Windows", SHEET.encode("utf-16"), "not a text file in UTF-8", "save it"),
    of_sheet("a misspelt column", sheet("s1\tx", "sample\tfatsa"), ":1:", "did you mean 'fasta'?"),
    of_sheet("a missing column", sheet("s1\tx", "sample\tgaps"), ":1:", "'fasta' is missing"),
    of_sheet("a cell too many", sheet("s1\tgood.fasta\tx"), ":2:", "3 cells", "remove"),
    of_sheet("a cell of 200,000 letters", sheet(f"s1\t{'x' * 200_000}"), ":2:", "correct the line"),
    of_sheet("a sample twice", SHEET + "s1\tgood.fasta\n", ":3:", "'s1'", "line 2", "rename"),
    of_sheet("a sample with a blank", sheet("s 1\tgood.fasta"), ":2:", "'s 1' is not a sample id"),
    of_sheet("a sample that climbs", sheet("../s1\tgood.fasta"), ":2:", "'../s1'", "use letters"),
    of_sheet("a sample of 250 letters", sheet(f"{'s' * 250}\tgood.fasta"), ":2:", "at most 100"),
    of_sheet("a sample named logs", sheet("logs\tgood.fasta"), ":2:", "'logs'", "rename it"),
    of_sheet(
        "an unknown species",
        sheet("s1\tgood.fasta\tHomo sapiens", "sample\tfasta\tspecies"),
        *(":2:", "'s1'", "'Homo sapiens'", "use one of auto, human"),
    ),
    # --- its paths
    of_sheet("no path", sheet("s1\t\tgaps.tsv", "sample\tfasta\tgaps"), ":2:", "has no fasta"),
    of_sheet("a path to nothing", sheet("s1\tgone.fasta"), "'gone.fasta' does not exist"),
    of_sheet("a folder", sheet("s1\t.."), "fasta '..' is a folder; correct it"),
    of_sheet("a URL", sheet("s1\thttps://lab.org/a.fasta"), "is a URL; download the file"),
    of_sheet("a path of Windows", sheet("s1\tC:\\data\\a.fasta"), "of Windows", "with '/'"),
    of_sheet("a path of a shell", sheet("s1\t~/a.fasta"), "'~'", "write the whole path"),
    of_sheet("braces", sheet("s1\t{sample}.fasta"), "holds braces", "rename"),
    # --- the files
    Mistake(
        "a table for the FASTA",
        ("gaps.tsv: not a FASTA file", "the first line must be '>' and an id"),
        sheet=sheet("s1\tgaps.tsv"),
    ),
    of_sheet(
        "swapped columns",
        sheet("s1\tgaps.tsv\tgood.fasta", "sample\tfasta\tgaps"),
        *(":2:", "gaps 'good.fasta' is a FASTA file; swap it"),
    ),
    Mistake(
        "a FASTA cut short",
        ("cut.fasta.gz: the gzip file is damaged or cut short; copy it again",),
        sheet=sheet("s1\tcut.fasta.gz"),
        files={"cut.fasta.gz": gzip.compress(GOOD.encode())[:-9]},
    ),
    # --- the configuration
    Mistake("no config", ("config.yaml: no such file here", "--configfile"), config=None),
    Mistake("tabs in YAML", ("config.yaml:2: begins with a tab",), config="kmer:\n\tlength: 64\n"),
    of_config("an open bracket", "kmer: {length: 64\nseed: 1\n", ".yaml:4: not YAML", "correct"),
    of_config("a key twice", "outdir: b\n", ".yaml:3: 'outdir' is there a second time", "remove"),
    of_config("a misspelt key", "block_sise: 5\n", "'block_sise'", "did you mean 'block_size'?"),
    of_config("a key in no section", "length: 64\n", "'length'", "did you mean 'kmer.length'?"),
    of_config("a key with a dot", "kmer.length: 64\n", "'kmer.length'", "kmer: {length: ...}"),
    of_config("a word for a number", "seed: seven\n", "'seed' is 'seven'; write a whole number"),
    of_config("a window of a million", "kmer: {length: 1000000}\n", "'kmer.length'", "most 4096"),
    of_config("no number", "tolerance_ppm: .nan\n", "'tolerance_ppm' is nan; write a finite"),
    of_config("blocks of 1e30", "block_size: 1.0e+30\n", "'block_size' is 1e+30; write at most"),
    of_config("a stride that skips", "kmer: {stride: 200}\n", "write at most 'kmer.length', 128"),
    of_config(
        "a window that the large network cannot read",
        "mode: thorough\nkmer: {length: 511}\n",
        *("'kmer.length' is 511; write at most 510", "large.safetensors", "or 'mode: fast'"),
    ),
    Mistake(
        "a damaged large network",
        ("cut.safetensors: damaged or not a safetensors file", "fetch it again"),
        config=CONFIG + "mode: thorough\nlarge_network: cut.safetensors\n",
        files={"cut.safetensors": b"\x10\0\0\0\0\0\0\0{}"},
    ),
    of_config("no weights at all", "train: {from: null}\n", "'train.from' is null", "set one"),
    of_config("no such weights", "train: {from: x.safetensors}\n", "is not a file; correct"),
    of_config(
        "a package that is an option",
        "pretrain: {teacher: {wheel: --index-url==1}}\n",
        *("'pretrain.teacher.wheel' '--index-url==1'", "write name==version"),
    ),
    Mistake(
        "a nested key on the command line",
        ("'kmer.length' is '64'", "set it in a config file"),
        arguments=("--config", "kmer={length: 64}"),
    ),
    # --- the output folder
    Mistake("an outdir of Windows", ("'outdir' is", "Windows"), config=SAMPLES + "outdir: C:\\o\n"),
    Mistake(
        "an outdir that is a file", ("which is a file",), config=SAMPLES + "outdir: gaps.tsv\n"
    ),
    Mistake(
        "an outdir below a file",
        ("'outdir' is 'gaps.tsv/out', which is below the file", "give a folder"),
        config=SAMPLES + "outdir: gaps.tsv/out\n",
    ),
    Mistake(
        "an input in a folder of results",
        (
            "samples.tsv: fasta of sample 's1': ",
            "'data/s1/scaffolds/a.fasta' is in 'data/s1'",
            "move",
        ),
        sheet=sheet("s1\tdata/s1/scaffolds/a.fasta"),
        config=SAMPLES + "outdir: data\n",
        files={"data/s1/scaffolds/a.fasta": GOOD},
    ),
    Mistake(
        "a result as input",
        ("samples.tsv: fasta of sample 's1': 'out/s1/filled.fasta' is in 'out/s1'", "outdir"),
        sheet=sheet("s1\tout/s1/filled.fasta"),
        files={"out/s1/filled.fasta": GOOD},
    ),
    Mistake(
        "a file in a folder that is made anew",
        ("out/s1/scaffolds/mine.txt: Lacuna did not write this", "move it"),
        files={"out/s1/scaffolds/mine.txt": "mine"},
    ),
    Mistake(
        "a folder of another program",
        ("out/s1: holds files, though Lacuna never ran in 'out'; move them",),
        files={"out/s1/gaps.tsv": "mine"},
    ),
]
# Snakemake reads the command line, and the files named there, before any of Lacuna's code runs.
OF_SNAKEMAKE = [
    Mistake(
        "a dotted key on the command line",
        ("Invalid config definition: Config entry must start with a valid identifier.",),
        arguments=("--config", "kmer.length=64"),
    ),
    Mistake(
        "tabs in another config file",
        ("make sure to not mix whitespace and tab indentation.",),
        files={"my.yaml": "kmer:\n\tlength: 64\n"},
        arguments=("--configfile", "HERE/my.yaml"),
    ),
    Mistake("no such config file", ("/gone.yaml'",), arguments=("--configfile", "HERE/gone.yaml")),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a subfolder for every mistake."""
    return tmp_path_factory.mktemp("mistakes")


@pytest.fixture(scope="module")
def run_of(folder: Path) -> Callable[[str], Run]:
    """The run of a mistake, by its name; made once."""
    mistakes = {mistake.name: mistake for mistake in (*BEFORE_THE_FIRST_JOB, *OF_SNAKEMAKE)}
    numbers = {name: str(number) for number, name in enumerate(mistakes)}
    return cache(lambda name: mistakes[name].run(folder / numbers[name]))


@pytest.mark.parametrize("mistake", BEFORE_THE_FIRST_JOB, ids=lambda m: m.name)
def test_a_mistake_ends_in_one_line(mistake: Mistake, run_of: Callable[[str], Run]) -> None:
    run = run_of(mistake.name)
    lines = run.output.splitlines()
    assert lines[-1].startswith("Error: ") and lines[-1] == run.error()
    assert [word for word in mistake.words if word not in lines[-1]] == []
    assert len(lines) <= MOST and "Traceback" not in run.output
    assert len(lines[-1]) < 700


@pytest.mark.parametrize("mistake", OF_SNAKEMAKE, ids=lambda m: m.name)
def test_what_snakemake_says_itself_names_the_fault_last(
    mistake: Mistake, run_of: Callable[[str], Run]
) -> None:
    lines = run_of(mistake.name).output.strip().splitlines()
    assert [word for word in mistake.words if word not in lines[-1]] == []
    assert len(lines) <= MOST


def test_no_file_of_a_user_is_touched(folder: Path, run_of: Callable[[str], Run]) -> None:
    for mistake in (*BEFORE_THE_FIRST_JOB, *OF_SNAKEMAKE):
        run_of(mistake.name)
    left = {
        "/".join(path.relative_to(folder).parts[1:])
        for name in ("data", "out")
        for path in folder.glob(f"*/{name}/**/*")
        if path.is_file()
    }
    of_out = ("filled.fasta", "scaffolds/mine.txt", "gaps.tsv")
    assert left == {"data/s1/scaffolds/a.fasta", *(f"out/s1/{name}" for name in of_out)}


# --- what a job finds ----------------------------------------------------------------------------


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def read(folder: Path) -> list[Rejected]:
    """The rejected records of the chains, gaps, truth and homologs in a folder."""
    given = [folder / name for name in ("gaps.tsv", "truth.fasta", "homologs.fasta")]
    *optional, homologs = (path if path.exists() else None for path in given)
    records = list(read_scaffolds(folder / "good.fasta", *optional, tolerance_ppm=10))
    records += unusable_homologs(homologs) if homologs else []
    return [record for record in records if isinstance(record, Rejected)]


TABLE_OF_BEGIN = "chain\tbegin\tend\na\t3\t6\n"
NO_TENSORS = "not a safetensors file"


@pytest.mark.parametrize(
    ("name", "content", "reader", "words"),
    [
        ("gaps.tsv", TABLE_OF_BEGIN, "records", [":1:", "'start' is missing", "begin"]),
        ("gaps.tsv", "a from 3 to 6\n", "records", [":1:", "begin with a line of chain, start"]),
        ("good.fasta", "", "records", ["the file is empty; give at least one FASTA record"]),
        ("good.fasta", "@r\nACGT\n+\nIIII\n", "records", ["not a FASTA file", "first line"]),
        ("good.fasta", "LOCUS a\n", "homologs", ["not a FASTA file", "first line must be '>'"]),
        ("good.fasta", GOOD, "weights", [NO_TENSORS]),
        ("good.fasta", GOOD, "library", [NO_TENSORS]),
    ],
)
def test_a_job_finds_a_file_that_is_another(
    tmp_path: Path, name: str, content: str, reader: str, words: list[str]
) -> None:
    write(tmp_path, {"good.fasta": GOOD, name: content})
    readers = {"homologs": read_homologs, "weights": load_weights, "library": load_library}
    with pytest.raises(LacunaError) as error:
        if reader == "records":
            read(tmp_path)
        else:
            readers[reader](tmp_path / name)
    assert [word for word in (name, *words) if word not in str(error.value)] == []
    assert "\n" not in str(error.value)


ROW = "chain\tstart\tend"
DNA = ">a\nGAGGTGCAGCTGGTGGAGTCTGGGGGANNNGGC\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"good.fasta": ">a\nEVQOVES\n"}, ["good.fasta:2: 'a' has 'O' at column 4; write X"]),
        ({"good.fasta": ">a\n1 EVQLVES 7\n"}, ["good.fasta:2: 'a' has '1' at column 1; remove it"]),
        (
            {"good.fasta": ">a\nGluValGln---\n"},
            ["'a' is in the three-letter code; write one letter"],
        ),
        ({"good.fasta": ">a\n>b\nEVQ-VES\n"}, ["'a' has no sequence; give one or remove"]),
        ({"good.fasta": GOOD + GOOD}, ["'a' is a second record of this id", "rename it"]),
        ({"good.fasta": ">a\nEVQX[-5]LVES\n"}, ["'a' has a gap mass of -5 Da", "correct the mass"]),
        ({"gaps.tsv": f"{ROW}\nb\t3\t6\n"}, ["gaps.tsv:2: 'b' is not a chain of good.fasta"]),
        ({"gaps.tsv": f"{ROW}\na\t6\t3\n"}, ["gaps.tsv:2: 'a' has a gap that starts at 6", "swap"]),
        ({"gaps.tsv": f"{ROW}\na\t-1\t3\n"}, ["gaps.tsv:2: 'a' has a gap with start -1; give 0"]),
        ({"gaps.tsv": f"{ROW}\na\t1.5\t3\n"}, ["gaps.tsv:2:", "start '1.5'; give a whole number"]),
        (
            {"gaps.tsv": f"{ROW}\na\t3\t{len(CHAIN) + 1}\n"},
            ["gaps.tsv:2:", "past its end"],
        ),
        ({"gaps.tsv": f"{ROW}\na\t3\t9\na\t6\t12\n"}, ["gaps.tsv:3:", "overlaps", "keep one"]),
        ({"gaps.tsv": f"{ROW}\na\t3\n"}, ["gaps.tsv:2: 'a' has a gap row without start or end"]),
        (
            {"gaps.tsv": f"{ROW}\tmin_length\tmax_length\na\t3\t6\t9\t2\n"},
            ["gaps.tsv:2: 'a' has a gap with min_length 9 and max_length 2; give"],
        ),
        (
            {"truth.fasta": fasta({"a": CHAIN[:50]})},
            ["truth.fasta:1: 'a' has 50 residues"],
        ),
        ({"truth.fasta": fasta({"b": CHAIN})}, ["truth.fasta:1: no id of the truth is one of"]),
        pytest.param({"good.fasta": DNA}, ["'a' looks like DNA", "translate it"], id="DNA"),
        pytest.param(
            {"gaps.tsv": f"{ROW}\tmass\na\t3\t6\t367,05\n"},
            ["gaps.tsv:2:", "mass '367,05'; write a decimal point: 367.05"],
            id="a decimal comma",
        ),
        pytest.param(
            {
                "good.fasta": GOOD + ">b\nEVQ-VESGGG\n",
                "truth.fasta": fasta({"a": CHAIN, "c": CHAIN}),
            },
            ["truth.fasta:1: ", "give both files the same ids"],
            id="truth of other ids in part",
        ),
        pytest.param(
            {"homologs.fasta": ">h\nEVQOVES\n"},
            ["homologs.fasta:2: 'h' has 'O' at column 4; write X"],
            id="a homolog that cannot be used",
        ),
    ],
    ids=lambda value: None if isinstance(value, list) else "+".join(value),
)
def test_a_record_that_cannot_be_used_is_listed(
    tmp_path: Path, files: dict[str, str], words: list[str]
) -> None:
    write(tmp_path, {"good.fasta": GOOD} | files)
    (fault,) = read(tmp_path)
    assert [word for word in words if word not in fault.reason] == []
    assert "\n" not in fault.reason


# --- what may not run or escape ------------------------------------------------------------------

ODD = 'it\'s "$(touch pwned)"; touch `pwned` & é'  # name of a folder, a file, the output folder


def test_two_runs_do_not_share_an_outdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second ends with one line and writes nothing; a dry run is allowed."""
    monkeypatch.chdir(tmp_path)
    space = Workspace(tmp_path)
    space.write("good.fasta", GOOD)
    space.write("samples.tsv", SHEET)
    space.config()
    lock = RunLock(tmp_path / "out")
    run = space.run(status=1)
    assert run.output.splitlines()[-1] == run.error()
    assert run.error().startswith("Error: outdir 'out' is in use by another run (process ")
    assert run.error().endswith("; wait for its end, or choose another outdir")
    assert len(run.output.splitlines()) <= MOST
    assert space.run("--dry-run").jobs()["read_scaffolds"] == 1
    assert [p for p in (tmp_path / "out").rglob("*") if p.is_file()] == [tmp_path / "out" / LOCK]
    lock.release()


def test_nothing_in_a_name_or_path_runs_or_escapes(tmp_path: Path) -> None:
    """A whole run with names that a shell would execute; its fault is the last line."""
    space = Workspace(tmp_path / ODD)
    ids = {"$(touch pwned)": GAPPED, "../../up": GAPPED, "{sample}": GAPPED, "-rf": "EVQO"}
    space.write(f"{ODD}.fasta", fasta(ids))
    space.write(f"{ODD}.bed", "$(touch\t3\t6\n-rf\t0\t1\n")
    row = {"sample": "-rf", "fasta": f"{ODD}.fasta", "gaps": f"{ODD}.bed"}
    space.sheet(row, name=f"{ODD}.tsv")
    settings = {"samples": f"{ODD}.tsv", "outdir": f"-o {ODD}", "alternatives": True}
    space.write("config.yaml", yaml.safe_dump(settings))
    run = space.run()
    out = tmp_path / ODD / f"-o {ODD}"
    headers = (out / "-rf" / "filled.fasta").read_text().splitlines()[::2]
    assert headers == [">$(touch pwned)", ">../../up", ">{sample}"]
    assert (out / "-rf" / "rejected.tsv").read_text().count("\n") == 2
    assert f"rejected (see {out.name}/-rf/rejected.tsv)" in run.output
    assert not [p for p in tmp_path.rglob("*pwned") if p.name == "pwned"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [ODD]
