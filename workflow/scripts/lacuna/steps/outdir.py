"""The output folder: no foreign files, one run at a time, and the last line of a failed run."""

import atexit
import fcntl
import json
import os
import re
import shutil
import socket
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from lacuna.core.files import LacunaError, writing
from lacuna.core.logs import faults_since
from lacuna.scaffolds.alkylation import EVIDENCE
from lacuna.scaffolds.truth import TRUTH
from lacuna.steps.sheet import RESERVED

LOCK = Path("logs") / ".lock"
# Later runs may use weights from {outdir}/pretrain, and the settings of this one.
_MADE = [name for name in RESERVED if name not in ("pretrain", "config.yaml")]
# Files that Lacuna writes into those folders of a sample that Snakemake removes as a whole before
# it makes them again. Names with a dot are Snakemake's stamp and partial files.
_MAKES = {
    "scaffolds": rf"\d{{5}}\.jsonl|{re.escape(EVIDENCE)}|{re.escape(TRUTH)}|\..*",
    "seed_lstm": r"\d{5}|predictions\.tsv|\..*",
}
_FULL = 1 << 18  # bytes; if fewer are free, silent deaths of Snakemake or jobs mean a full disk
# Snakemake's own words, at Ctrl-C and at SIGTERM.
_INTERRUPTED = (
    "Terminating processes on user request",
    "Will exit after finishing currently running jobs (scheduler)",
)


# --- whose files ---------------------------------------------------------------------------------


def check_outdir(outdir: Path, samples: Sequence[str], inputs: Mapping[str, Path | None]) -> None:
    """Raise LacunaError if a run would overwrite or remove files that it did not make.

    Also if the disk of the working folder is full, since Snakemake writes there too.

    samples: names of the folders that the run makes in `outdir`.
    inputs: files that it reads, by description ("fasta of sample 'a'").
    """
    if shutil.disk_usage(os.getcwd()).free < _FULL:
        raise LacunaError(f"{os.getcwd()}: the disk is full; free some space and run again")
    with writing(outdir):  # a name may be too long even to be looked for
        places = (outdir, *outdir.absolute().parents)
        place = next(place for place in places if place.exists() or place.is_symlink())
    if not place.exists():
        which = "is" if place == outdir else f"is below '{place}',"
        raise LacunaError(
            f"config: 'outdir' is '{outdir}', which {which} a link to '{os.readlink(place)}', "
            "where nothing is; make that folder, or choose another outdir"
        )
    if not place.is_dir():
        where = "is a file" if place == outdir else f"is below the file '{place}'"
        raise LacunaError(f"config: 'outdir' is '{outdir}', which {where}; give a folder")
    _check_inputs([outdir / name for name in (*samples, *_MADE)], inputs)
    # Here too, since a run with nothing to do takes no lock. Even if the other run is still going:
    # it may end while this one is planned, which would then find its results up to date.
    with suppress(OSError), open(outdir / LOCK, "rb") as file:
        holder = _read_holder(file.fileno())
        if holder is not None:
            _check_origin(outdir, holder)
    _check_strangers(outdir, [outdir / sample for sample in samples])


def _check_inputs(folders: Iterable[Path], inputs: Mapping[str, Path | None]) -> None:
    """Raise LacunaError if an input is among the files and folders that a run makes."""
    owned = {_identity(folder): folder for folder in folders if folder.exists()}
    for what, path in inputs.items():
        folder = None if path is None else _owner(path, owned)
        if folder is not None:
            raise LacunaError(
                f"{what}: '{path}' is in '{folder}', where Lacuna writes its results and removes "
                "what is there; move the file, or choose another outdir"
            )


def _check_strangers(outdir: Path, folders: Sequence[Path]) -> None:
    """Raise LacunaError if a sample's folder has files that Lacuna would remove but never wrote."""
    for folder in (folder / name for folder in folders for name in _MAKES):
        for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
            if not re.fullmatch(_MAKES[folder.name], name):
                raise LacunaError(
                    f"{folder / name}: Lacuna did not write this and would remove it with its "
                    "folder; move it, or choose another outdir"
                )
    if (outdir / LOCK.parent).is_dir():
        return
    for folder in (folder for folder in folders if folder.is_dir()):
        if any(folder.iterdir()) and not (folder / "rejected.tsv").exists():
            raise LacunaError(
                f"{folder}: holds files, though Lacuna never ran in '{outdir}'; move them, or "
                "choose another outdir"
            )


def _owner(path: Path, owned: Mapping[tuple[int, int], Path]) -> Path | None:
    """The owned file or folder that contains a path, as written or with links resolved."""
    for seen in dict.fromkeys([path.absolute(), path.resolve()]):
        for place in (seen, *seen.parents):
            if (known := _identity(place)) in owned:
                return owned[known]
    return None


@cache
def _identity(path: Path) -> tuple[int, int]:
    """Device and inode, which identify a folder by any name and on any file system."""
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_dev, found.st_ino


# --- one run at a time ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that has an output folder, or had it last."""

    host: str
    process: int
    folder: str  # where it was started: Snakemake's records of its results are there
    outdir: str  # the output folder itself: in a copy of it, this is another folder
    since: str
    running: bool = True

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}, started {self.since} in {self.folder}"


class RunLock:
    """Reserves an output folder for this run until `release`, or until the process ends.

    The system's lock on a file distinguishes a live run from one that was killed. The file names
    the run: the lock may not work across machines that share a file system, and a run started in
    another folder would take the results for its own, since Snakemake compares only dates there.
    """

    def __init__(self, outdir: Path) -> None:
        """Raises LacunaError if another run has the folder, or if it cannot be written."""
        self.path = outdir / LOCK
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _check_free(outdir, self._file)
            self._holder = Holder(
                host=socket.gethostname(),
                process=os.getpid(),
                folder=os.path.realpath(os.getcwd()),
                outdir=os.path.realpath(outdir),
                since=time.strftime("%Y-%m-%d %H:%M:%S"),
            )
            with writing(self.path):
                _write_holder(self._file, self._holder)
        except BaseException:
            os.close(self._file)
            raise
        self.start = os.fstat(self._file).st_mtime  # by the clock that dates the logs
        self._released = False
        atexit.register(self.release)

    def release(self) -> None:
        """Release the folder; the file stays, since removing it would race with other runs."""
        if not self._released:
            self._released = True
            with suppress(OSError):  # a full disk: the lock still ends with the process
                _write_holder(self._file, replace(self._holder, running=False))
            os.close(self._file)


def _check_free(outdir: Path, file: int) -> None:
    """Lock the file; LacunaError if another run has it, or the results are another folder's."""
    held = not _locked(file)
    holder = _read_holder(file)
    if held:
        who = f" ({holder})" if holder else ""
        raise LacunaError(
            f"outdir '{outdir}' is in use by another run{who}; wait for its end, or choose another "
            "outdir"
        )
    if holder is None:
        return
    if holder.running and holder.host != socket.gethostname():
        raise LacunaError(
            f"outdir '{outdir}' is in use by a run on another machine, or one was killed there "
            f"({holder}); if it has ended, remove '{outdir / LOCK}'"
        )
    _check_origin(outdir, holder)


def _check_origin(outdir: Path, holder: Holder) -> None:
    """LacunaError if the results are of runs in another folder, where Snakemake knows their inputs.

    Here it would compare dates alone, and might call the results of other chains up to date.
    """
    here = os.path.realpath(os.getcwd())
    of_this = holder.outdir == os.path.realpath(outdir)  # not that of a folder this is a copy of
    if (
        of_this
        and holder.folder != here
        and os.path.isdir(os.path.join(holder.folder, ".snakemake"))
    ):
        now = ", one of which is going or was killed" if holder.running else ""
        raise LacunaError(
            f"outdir '{outdir}' holds results of runs that were started in {holder.folder}{now}; "
            "start there, or choose another outdir"
        )


def _locked(file: int) -> bool:
    """Lock the file; returns whether that worked or, without locks, whether its run has ended."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        holder = _read_holder(file)
        here = holder is not None and holder.running and holder.host == socket.gethostname()
        return not (here and holder and _alive(holder.process))
    return True


def _read_holder(file: int) -> Holder | None:
    """The run named in the file; None if it is empty, or damaged by a kill while it was written."""
    try:
        return Holder(**json.loads(os.pread(file, 1 << 16, 0)))
    except (ValueError, TypeError):
        return None


def _write_holder(file: int, holder: Holder) -> None:
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(asdict(holder)).encode() + b"\n", 0)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


# --- the last line -------------------------------------------------------------------------------


def last_words(outdir: Path, start: float, logs: Sequence[str]) -> str:
    """The last line of a failed run: the first fault of its jobs, and the number of others.

    start: when the run began, as `RunLock.start`. logs: Snakemake's own, which name the rules of
    jobs that were killed silently.
    """
    folder = outdir / LOCK.parent
    said = "".join(Path(log).read_text(encoding="utf-8", errors="replace") for log in logs)
    if any(words in said for words in _INTERRUPTED):
        # What a job was writing, Snakemake may leave there, and then it wants this option.
        return "the run was interrupted; the same command with --rerun-incomplete continues it"
    if faults := faults_since(folder, start):
        more = f" (and {len(faults) - 1} more faults in {folder})" if len(faults) > 1 else ""
        return faults[0] + more
    if shutil.disk_usage(outdir).free < _FULL:
        return f"{outdir}: the disk is full; free some space and run again"
    rules = list(dict.fromkeys(re.findall(r"^Error in rule (\w+)", said, re.MULTILINE)))
    named = f"rule {', '.join(rules)}: its job" if rules else "a job"
    if not said.strip():  # with --quiet Snakemake's log is empty, also after Ctrl-C
        named = "the run was interrupted (then --rerun-incomplete continues it), or a job"
    return (
        f"{named} ended silently, as if killed for memory or time; give it more (see "
        f"{', '.join(map(str, [folder, *logs]))})"
    )
