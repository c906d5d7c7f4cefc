"""The command `lacuna`: its options are those of the configuration, its errors one line."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from chains import fasta, germline_chain, hidden
from conftest import Write
from lacuna import __version__, cli
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.paths import CONFIG_SCHEMA, WEIGHT_SETS
from lacuna.steps import one_file, outputs

CHAINS = {f"c{i}": hidden(germline_chain("H", i), [(20, 23)]) for i in range(5)}


@pytest.fixture
def chains(write: Write) -> Path:
    return write("chains.fasta", fasta(CHAINS))


def fault_of(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The single line on stderr of a command that fails."""
    assert cli.main(list(map(str, arguments))) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("Error: ") and said.err.count("\n") == 1
    return said.err


def test_it_fills_a_file_and_says_so(
    chains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["fill", str(chains), "--out", str(tmp_path / "new" / "out")]) == 0
    said = capsys.readouterr()
    assert said.out == (
        "chains.fasta: 5 chains, 15 of 15 missing residues filled; "
        "accuracy unknown (no truth given); "
        "species of the nearest germlines: 5 human\n"
        "weights: open (licence: CC BY 4.0)\n"
        f"results: {tmp_path / 'new' / 'out'}\n"
    )
    assert said.err == ""
    files = {path.name for path in (tmp_path / "new" / "out").iterdir()}
    assert files == set(outputs.OUTPUTS.values())


def test_the_package_is_the_command() -> None:
    scripts = Path(cli.__file__).parents[1]
    call = [sys.executable, "-m", "lacuna", "--version"]
    assert subprocess.check_output(call, cwd=scripts, text=True) == f"lacuna {__version__}\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_behind(
    number: signal.Signals, status: int, chains: Path, tmp_path: Path
) -> None:
    """Nor does one that `timeout` or a cluster scheduler ends."""
    out = tmp_path / "out"
    os.mkfifo(tmp_path / "gaps.tsv")  # a run that waits for what it shall read
    call = [sys.executable, "-m", "lacuna", "fill", chains, "--out", out]
    scripts = Path(cli.__file__).parents[1]
    with subprocess.Popen(
        [*call, "--gaps", tmp_path / "gaps.tsv"],
        cwd=scripts,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores Ctrl-C, and so does all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as run:
        while not list(out.glob(".filling-*")) and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(number)
        _, said = run.communicate()
    assert (run.returncode, said) == (status, "Error: interrupted; run again\n")
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("asked", ["--out", "--help"])
def test_a_reader_that_goes_away_is_no_error(asked: str, chains: Path, tmp_path: Path) -> None:
    """As `| head` does: the results are complete, and the exit status is that of SIGPIPE."""
    out = tmp_path / "out"
    call = [sys.executable, "-m", "lacuna", "fill", str(chains), asked, str(out)]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        call,
        cwd=Path(cli.__file__).parents[1],
        env=buffered,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    if asked == "--out":
        assert {path.name for path in out.iterdir()} == set(outputs.OUTPUTS.values())


def test_other_weights_are_chosen_by_a_word(
    chains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, tables = [], []
    for name in WEIGHT_SETS:
        out = tmp_path / name
        assert cli.main(["fill", str(chains), "--out", str(out), "--weights", name]) == 0
        told.append(capsys.readouterr().out.splitlines()[1])
        tables.append((out / "residues.tsv").read_text())
    assert told[1] == "weights: noncommercial (licence: CC BY-NC-SA 4.0)"
    assert told[0] != told[1] and tables[0] != tables[1]


def test_evidence_fills_a_gap_and_has_a_table(chains: Path, tmp_path: Path, write: Write) -> None:
    known = write("known.tsv", "chain\tposition\tresidue\tprobability\nc2\t22\tW\t1\n")
    out = tmp_path / "out"
    assert cli.main(["fill", str(chains), "--out", str(out), "--evidence", str(known)]) == 0
    assert {path.name for path in out.iterdir()} == {*outputs.OUTPUTS.values(), "evidence.tsv"}
    sequences = (out / "filled.fasta").read_text().split("\n")[1::2]
    assert [sequence[21] == "W" for sequence in sequences] == [name == "c2" for name in CHAINS]
    assert len((out / "evidence.tsv").read_text().splitlines()) == 1 + sum(
        map(len, CHAINS.values())
    )


def test_it_says_whether_intact_masses_are_met(
    chains: Path, tmp_path: Path, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    masses = write("masses.tsv", "chain\tmass\ttolerance_da\tkind\nc2\t99999\t1\taverage\n")
    call = ["fill", str(chains), "--out", str(tmp_path / "out")]
    assert cli.main([*call, "--masses", str(masses)]) == 0
    assert "; 0 of 1 intact mass met, not that of 'c2' (" in capsys.readouterr().out
    assert cli.main(call) == 0
    assert "intact mass" not in capsys.readouterr().out


def test_reads_alone_give_chains(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of reads that an earlier call wrote go with a call without any."""
    handle = io.StringIO()
    chain = germline_chain("H", 1, constant=True)
    write_peaks(simulate_reads([("H", chain, 1.0)], 1200, 1), handle, "sim")
    reads = write("reads.csv", handle.getvalue())
    out = tmp_path / "out"
    assert cli.main(["fill", "--reads", str(reads), "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("reads.csv: 1 chain, ") and "reads placed" in said.out
    expected = outputs.OUTPUTS | outputs.EVIDENCE | outputs.READS
    assert {path.name for path in out.iterdir()} == set(expected.values())
    filled = (out / "filled.fasta").read_text().splitlines()[1]
    assert filled[:110].replace("I", "L") == chain[:110].replace("I", "L")
    scaffold = write("chains.fasta", fasta({"c": hidden(chain, [(20, 23)])}))
    assert cli.main(["fill", str(scaffold), "--reads", str(reads), "--out", str(out)]) == 0
    assert (out / "scaffolds.fasta").read_text() == scaffold.read_text()
    assert cli.main(["fill", str(scaffold), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == set(outputs.OUTPUTS.values())


def test_files_of_an_earlier_call_are_replaced_or_removed(
    chains: Path, tmp_path: Path, write: Write
) -> None:
    known = write("known.tsv", "chain\tposition\tresidue\tprobability\nc2\t22\tW\t1\n")
    rows = "".join(f"{name}\t{chain}\tV\n" for name, chain in CHAINS.items())
    table = write("airr.tsv", "sequence_id\tsequence_aa\tv_call\n" + rows)
    spectrum = "BEGIN IONS\nPEPMASS=500.1\nCHARGE=2+\n200.1 1\n300.1 1\nEND IONS\n"
    out, mgf = tmp_path / "out", write("s.mgf", spectrum)
    reads = write("r.tsv", "peptide\n" + "\n".join(CHAINS["c0"][i : i + 9] for i in range(9)))
    optional = ("--evidence", known, "--doubts", "true", "--spectra", mgf, "--reads", reads)
    assert cli.main(["fill", str(table), "--out", str(out), *map(str, optional)]) == 0
    own, everything = set(outputs.OUTPUTS.values()), outputs.OUTPUTS | one_file.OPTIONAL
    assert {path.name for path in out.iterdir()} == set(everything.values())
    mine = write("out/mine.tsv", "chain\n")
    assert cli.main(["fill", str(chains), "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == own | {mine.name}


def test_a_file_of_mine_that_is_called_as_one_of_lacunas_is_not_removed(
    chains: Path, write: Write, tmp_path: Path
) -> None:
    known = write("out/evidence.tsv", "chain\tposition\tresidue\tprobability\nc2\t22\tW\t1\n")
    scaffolds = write("out/scaffolds.fasta", ">mine\nEVQL\n")
    for reads in ("", "peptide\nEVQL\n"):
        table = write("out/reads.tsv", reads) if reads else None
        assert cli.main(["fill", str(chains), "--out", str(tmp_path / "out")]) == 0
        assert known.read_text().endswith("c2\t22\tW\t1\n")
        assert scaffolds.read_text() == ">mine\nEVQL\n"
        assert table is None or table.read_text() == reads
    known.write_text("chain\tposition\tstate\n")  # as Lacuna's has it
    assert cli.main(["fill", str(chains), "--out", str(tmp_path / "out")]) == 0
    assert not known.exists() and scaffolds.exists()


def test_progress_is_told_by_blocks(
    chains: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_file, "BLOCK", 2)
    said: list[tuple[int, int]] = []
    one_file.fill_file(
        {"fasta": chains}, tmp_path / "out", {}, progress=lambda *step: said.append(step)
    )
    assert said == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_a_terminal_gets_a_bar(
    chains: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert cli.main(["fill", str(chains), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert "0/5 [" in said and "5/5 [" in said and "chains/s" in said


def test_an_input_is_never_overwritten(
    chains: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "filled.fasta"
    chains.rename(mine)
    before = mine.read_bytes()
    assert "would be overwritten" in fault_of(capsys, "fill", mine, "--out", tmp_path)
    link = tmp_path / "link"
    link.symlink_to(mine)
    assert "would be overwritten" in fault_of(capsys, "fill", link, "--out", tmp_path)
    assert mine.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"filled.fasta", "link"}


def test_a_call_that_fails_leaves_earlier_results_as_they_were(
    chains: Path, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = write("out/filled.fasta", ">c\nA\n")
    out, gaps = tmp_path / "out", write("gaps.tsv", "chain\tbegin\n")
    fault = fault_of(capsys, "fill", chains, "--gaps", gaps, "--out", out)
    assert "gaps.tsv" in fault
    assert [path.name for path in out.iterdir()] == ["filled.fasta"]
    assert earlier.read_text() == ">c\nA\n"


def test_a_file_in_which_nothing_is_filled_is_an_error(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = write("whole.fasta", fasta({"c": germline_chain("K", 1)}))
    fault = fault_of(capsys, "fill", whole, "--out", tmp_path / "out")
    assert "nothing was filled; whole.fasta: 1 chain without a gap" in fault


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "COMMAND; see 'lacuna --help'"),
        (("fill", "chains.fasta"), "--out; see 'lacuna fill --help'"),
        (("fill", "--out", "out"), "the call has no fasta and no reads; give the path of one"),
        (("fill", "--reads", "r.csv", "--gaps", "g", "--out", "out"), "has gaps and no fasta"),
        (("fill", "--reads", "none.csv", "--out", "out"), "none.csv: no such file; check the"),
        (("fill", "chains.fasta", "--contaminants", "c", "--out", "out"), "and no reads; add"),
        (
            ("fill", "chains.fasta", "--reads-format", "peaks", "--out", "out"),
            "has reads_format and no reads; add",
        ),
        (("fill", "chains.fasta", "--out", "out", "--large-network", "n"), "ask for that mode"),
        (("fill", "none.fasta", "--out", "out"), "none.fasta: no such file; check the path"),
        (("fill", "chains.fasta", "--gaps", "", "--out", "out"), "it is empty; name a file"),
        (("fill", "", "--out", "out"), "it is empty; name a file"),
        (("fill", "chains.fasta", "--out", "chains.fasta"), "is a file; name a folder"),
        (("fill", "chains.fasta", "--out", "/proc/out"), "/proc/out: no folder can be made here"),
        (("fill", "chains.fasta", "--out", ""), "argument --out: it is empty; name a folder"),
        (("fill", "chains.fasta", "--out", "out", "--candidates", "0"), "write at least 1"),
        (("fill", "chains.fasta", "--out", "out", "--species", "frog"), "choose from"),
        (("fill", "chains.fasta", "--out", "out", "--gaps", "none.tsv"), "none.tsv: no such file"),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: tuple[str, ...],
    says: str,
    chains: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(chains.parent)
    assert says in fault_of(capsys, *arguments)


def test_options_are_keys_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    schema: dict[str, Any] = yaml.safe_load(CONFIG_SCHEMA.read_text())["properties"]
    parse: Callable[[list[str]], Any] = cli._parser().parse_args
    given = vars(parse(["fill", "a", "--out", "b"]))
    assert not set(given) & set(schema)  # options that are not given have the schema's defaults
    chosen = parse(["fill", "a", "--out", "b", "--alkylation", "none", "--tolerance-ppm", "5"])
    assert (chosen.alkylation, chosen.tolerance_ppm) == ("none", 5.0)


def test_help_shows_values_as_they_are_typed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["fill", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "--doubts {true,false}" in said and "(default: false)" in said
    assert "False" not in said and "True" not in said
