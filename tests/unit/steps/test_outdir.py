"""The output folder: whose files it holds, one run at a time, and the last line of a failure."""

import inspect
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from snakemake.scheduling import job_scheduler

from lacuna.core.files import LacunaError
from lacuna.core.paths import SCRIPTS
from lacuna.steps import outdir as module
from lacuna.steps.outdir import LOCK, RunLock, check_outdir, last_words


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An output folder that does not exist yet, for a run started in another folder."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "out"


def place(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_results_of_another_folder_are_refused_even_if_nothing_is_to_be_done(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / ".snakemake").mkdir()
    lock = RunLock(out)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    # That run may end while this one is planned.
    with pytest.raises(LacunaError, match=r"started in .*work, one of which is going or was"):
        check_outdir(out, ["s1"], {})
    lock.release()
    with pytest.raises(LacunaError, match=r"holds results of runs that were started in .*work;"):
        check_outdir(out, ["s1"], {})
    monkeypatch.chdir(tmp_path / "work")
    check_outdir(out, ["s1"], {})
    monkeypatch.chdir(tmp_path / "other")
    shutil.rmtree(tmp_path / "work")  # moved here, for all that is known
    check_outdir(out, ["s1"], {})


# --- whose files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["s1/filled.fasta", "s1/scaffolds/a.fasta", "s1/blocks/00000/a", "logs/a", "report.html"],
)
def test_an_input_among_the_results_is_refused(out: Path, name: str) -> None:
    path = place(out / name)
    with pytest.raises(LacunaError, match=r"fasta of s1: '.*' is in '.*'.*; move the file, or"):
        check_outdir(out, ["s1"], {"fasta of s1": path})
    assert path.exists()


def test_an_input_is_known_under_any_of_its_names(out: Path, tmp_path: Path) -> None:
    kept = place(tmp_path / "kept" / "a.fasta")
    place(out / "s1" / "own.fasta")
    (tmp_path / "link").symlink_to(out)  # a folder by another name
    (tmp_path / "one.fasta").symlink_to(out / "s1" / "own.fasta")
    (out / "s1" / "link.fasta").symlink_to(kept)  # Snakemake would remove it
    for name in ("link/s1/own.fasta", "one.fasta", "out/s1/link.fasta", "work/../out/s1/own.fasta"):
        with pytest.raises(LacunaError, match="where Lacuna writes its results"):
            check_outdir(out, ["s1"], {"gaps": tmp_path / name})
    relative = Path("..") / "out" / "s1" / "own.fasta"
    with pytest.raises(LacunaError, match="where Lacuna writes its results"):
        check_outdir(Path("../out"), ["s1"], {"gaps": relative})


def test_inputs_elsewhere_pass(out: Path, tmp_path: Path) -> None:
    names = ("a.fasta", "out/b.fasta", "out/s10/c.fasta", "out/pretrain/lacuna.safetensors")
    inputs: dict[str, Path | None] = {name: place(tmp_path / name) for name in names}
    (out / "s1").mkdir()
    check_outdir(out, ["s1", "s2"], {**inputs, "gone": tmp_path / "gone", "none": None})


@pytest.mark.parametrize("name", ["scaffolds/notes.txt", "seed_lstm/mine/a", "scaffolds/1.jsonl"])
def test_no_folder_with_a_strangers_file_is_removed(out: Path, name: str) -> None:
    for known in (
        "scaffolds/00000.jsonl",
        "scaffolds/masses.jsonl",
        "scaffolds/truth.fasta",
        "scaffolds/.snakemake_timestamp",
        "seed_lstm/00001/a",
    ):
        place(out / "s1" / known)
    place(out / "logs" / "read_scaffolds" / "s1.log")
    check_outdir(out, ["s1"], {})
    stranger = place(out / "s1" / name)
    with pytest.raises(LacunaError, match="Lacuna did not write this and would remove it"):
        check_outdir(out, ["s1"], {})
    assert stranger.exists()


def test_a_folder_that_lacuna_did_not_make_is_left_as_it_is(out: Path) -> None:
    place(out / "s1" / "gaps.tsv", "mine")
    check_outdir(out, ["s2"], {})
    with pytest.raises(LacunaError, match="s1: holds files, though Lacuna never ran in '.*/out'"):
        check_outdir(out, ["s1"], {})
    place(out / "s1" / "rejected.tsv")  # results whose logs were deleted
    check_outdir(out, ["s1"], {})


def test_an_outdir_is_a_folder(out: Path) -> None:
    with pytest.raises(LacunaError, match="'outdir' is '.*', which is a file; give a folder"):
        check_outdir(place(out), [], {})
    with pytest.raises(LacunaError, match="which is below the file '.*/out'; give a folder"):
        check_outdir(out / "a" / "b", [], {})


def test_an_outdir_that_is_a_link_to_nothing_is_said(out: Path, tmp_path: Path) -> None:
    """As a link to a disk that is not mounted now."""
    out.symlink_to(tmp_path / "disk")
    with pytest.raises(LacunaError, match="out', which is a link to '.*/disk', where nothing is; "):
        check_outdir(out, [], {})
    with pytest.raises(LacunaError, match="which is below '.*/out', a link to '.*/disk', where"):
        check_outdir(out / "a", [], {})
    (tmp_path / "disk").mkdir()
    check_outdir(out / "a", [], {})


def test_a_name_that_is_too_long_is_said(out: Path) -> None:
    with pytest.raises(
        LacunaError, match=r"cannot be written \(File name too long\); choose short"
    ):
        check_outdir(out.with_name("o" * 300), [], {})


def test_a_full_disk_is_said_before_snakemake_needs_it(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FULL", 1 << 62)
    with pytest.raises(LacunaError, match="work: the disk is full; free some space and run again"):
        check_outdir(out, [], {})


# --- one run at a time ---------------------------------------------------------------------------


def test_a_second_run_is_refused_until_the_first_ends(out: Path) -> None:
    first = RunLock(out)
    with pytest.raises(LacunaError, match=rf"is in use by another run \(process {os.getpid()} on"):
        RunLock(out)
    first.release()
    first.release()  # again at exit: no effect
    RunLock(out).release()


def test_a_killed_run_leaves_no_lock(out: Path) -> None:
    code = (
        f"import time\nfrom pathlib import Path\nfrom lacuna.steps.outdir import RunLock\n"
        f"lock = RunLock(Path({str(out)!r}))\nprint('held', flush=True)\ntime.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
    )
    assert other.stdout is not None and other.stdout.readline() == b"held\n"
    with pytest.raises(LacunaError, match=rf"process {other.pid} on .*; wait for its end"):
        RunLock(out)
    other.send_signal(signal.SIGKILL)
    other.communicate()
    assert json.loads((out / LOCK).read_text())["running"]
    RunLock(out).release()


def record(out: Path, **changes: object) -> None:
    """Leave a lock file like that of another run, with changes to its record."""
    RunLock(out).release()
    told = json.loads((out / LOCK).read_text())
    (out / LOCK).write_text(json.dumps(told | changes))


def test_a_lock_of_another_machine_is_never_broken(out: Path) -> None:
    record(out, host="elsewhere", running=True)
    with pytest.raises(LacunaError, match=r"on another machine.*elsewhere.*remove '.*\.lock'"):
        RunLock(out)
    record_path = out / LOCK
    record_path.unlink()
    RunLock(out).release()
    record(out, host="elsewhere")  # of a run that ended normally
    RunLock(out).release()


def test_a_file_system_without_locks_goes_by_the_process(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", unsupported)
    record(out, process=os.getppid(), running=True)
    with pytest.raises(LacunaError, match="is in use by another run"):
        RunLock(out)
    (out / LOCK).unlink()
    record(out, process=2**22 + 1, running=True)  # above the highest process id
    RunLock(out).release()


def test_results_of_another_folder_are_not_taken_for_this_runs(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    RunLock(out).release()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    RunLock(out).release()  # there is no record of Snakemake's in the first folder
    (tmp_path / "other" / ".snakemake").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(LacunaError, match="holds results of runs that were started in .*/other;"):
        RunLock(out)
    shutil.copytree(out, tmp_path / "work" / "copy")
    RunLock(tmp_path / "work" / "copy").release()  # the copy of a whole project is another one
    (tmp_path / "other").rename(tmp_path / "moved")
    RunLock(out).release()


def test_a_damaged_lock_is_nobodys(out: Path) -> None:
    place(out / LOCK, '{"host": "a"')
    RunLock(out).release()


def test_an_outdir_that_cannot_be_written_is_one_line(out: Path, tmp_path: Path) -> None:
    place(tmp_path / "file")
    with pytest.raises(LacunaError, match=r"cannot be written \(.*\); .* choose another outdir"):
        RunLock(tmp_path / "file" / "out")


# --- the last line -------------------------------------------------------------------------------


def test_a_failed_run_ends_with_the_fault_of_its_job(out: Path) -> None:
    lock = RunLock(out)
    old = place(out / "logs" / "read" / "a.log", "words\nError: of an earlier run\n")
    os.utime(old, (time.time() - 60, time.time() - 60))
    place(out / "logs" / "read" / "b.log", "Error: not at its end\nwords\n")
    place(out / "logs" / "read" / "c.log", "words\nError: a.fasta:3: a fault; a remedy\n")
    assert last_words(out, lock.start, []) == "a.fasta:3: a fault; a remedy"
    place(out / "logs" / "read" / "d.log", "Error: a.fasta:3: a fault; a remedy\n")  # the same
    later = place(out / "logs" / "check" / "e.log", "Error: another\n")
    os.utime(later, (time.time() + 60, time.time() + 60))
    assert last_words(out, lock.start, []) == (
        f"a.fasta:3: a fault; a remedy (and 1 more faults in {out / 'logs'})"
    )
    lock.release()


def test_a_job_that_was_killed_is_named(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = RunLock(out)
    log = place(out / "snakemake.log", "words\nError in rule fill_gaps:\n    jobid: 3\n")
    said = last_words(out, lock.start, [str(log)])
    assert said.startswith("rule fill_gaps: its job ended silently, as if killed for")
    assert "give it more" in said and str(log) in said
    for words in module._INTERRUPTED:
        stopped = place(out / "2.log", f"{words}.\nError in rule fill_gaps:\n")
        said = last_words(out, lock.start, [str(stopped)])
        assert said.startswith("the run was interrupted; ") and "--rerun-incomplete" in said
    quiet = place(out / "3.log", "")
    said = last_words(out, lock.start, [str(quiet)])
    assert said.startswith("the run was interrupted") and "or a job ended silently" in said
    monkeypatch.setattr(module, "_FULL", 1 << 62)
    assert last_words(out, lock.start, [str(log)]) == (
        f"{out}: the disk is full; free some space and run again"
    )
    lock.release()


def test_snakemake_says_of_an_interrupt_what_is_looked_for() -> None:
    source = inspect.getsource(job_scheduler)
    assert all(words in source for words in module._INTERRUPTED)
