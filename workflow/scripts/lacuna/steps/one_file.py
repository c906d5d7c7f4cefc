"""All steps of one file of chains without Snakemake, for `lacuna fill` and the Python interface.

The files are byte for byte those of a run of the workflow.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import torch

from lacuna.core.config import check_config
from lacuna.core.device import set_precision
from lacuna.core.files import LacunaError, writing
from lacuna.core.paths import LARGE_NETWORK, bundled_weights, set_of
from lacuna.core.windows import check_window
from lacuna.core.words import AUTO
from lacuna.scaffolds.records import count_records, is_repertoire
from lacuna.steps.fill_sample import fill_sample
from lacuna.steps.load import forget
from lacuna.steps.outputs import AIRR, DOUBTS, EVIDENCE, OUTPUTS, READS, SPECTRA, outputs_of
from lacuna.steps.reader_files import Networks
from lacuna.steps.sample_files import SampleFiles
from lacuna.steps.settings import settings_of
from lacuna.steps.sheet import SPECIES, check_together

OPTIONAL = EVIDENCE | READS | AIRR | DOUBTS | SPECTRA
# A column that only Lacuna's file of each name has: one that the user has put there is kept.
_OWN_COLUMNS = {
    "evidence": "state",
    "reads": "placed_as",
    "airr": "lacuna_filled",
    "doubts": "proposed",
    "spectra": "nats",
}
_TABLE_OF = {"scaffolds": "reads"}  # a FASTA is Lacuna's if the table written with it is
_MAX_HEADER = 1 << 20  # bytes
BLOCK = 2_000  # chains: a second or two of work per step of a progress bar
_ONE_AT_A_TIME = threading.Lock()  # PyTorch's threads and precision are those of the process
_INSTEAD_OF_A_SHEET = "samples.tsv"  # a configuration must name a sheet; it is never read here


@dataclass(frozen=True, slots=True)
class OwnNetworks:
    """Files of the user's own, None for the bundled ones: weights of the network and the library
    that goes with them, and weights of the large network, which thorough mode alone reads."""

    weights: Path | None = None
    library: Path | None = None
    large_network: Path | None = None

    def or_bundled(self, config: Mapping[str, Any]) -> Networks:
        """The files that are read: those given, else those of the set that the option `weights`
        names.

        Raises LacunaError if weights and library are bundled, but not together, or if the large
        network does not fit the mode or the k-mers.
        """
        bundled = bundled_weights(config["weights"])
        network, library = self.weights or bundled[0], self.library or bundled[1]
        sets = (set_of(network), set_of(library))
        if None not in sets and sets[0] != sets[1]:
            raise LacunaError(
                f"{network} is of the weights '{sets[0]}', and {library} of '{sets[1]}'; name the "
                "set instead of its files"
            )
        if config["mode"] == "thorough":
            large = self.large_network or LARGE_NETWORK
            check_window(config["kmer"]["length"], large)
            return Networks(network, library, large)
        if self.large_network is not None:
            raise LacunaError("a large network is read in mode 'thorough' alone; ask for that mode")
        return Networks(network, library)


def fill_file(
    inputs: Mapping[str, Path],
    out: Path,
    options: Mapping[str, Any],
    *,
    species: str = SPECIES[0],
    reads: Sequence[Path] = (),
    reads_format: str = AUTO,
    spectra: Sequence[Path] = (),
    own: OwnNetworks = OwnNetworks(),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Fill a file of chains, or the chains that reads show, and write the results into the folder
    `out` once all are complete.

    They take the place of those of an earlier call.

    inputs: `fasta` and, if there are such files, `gaps`, `truth`, `homologs`, `masses`, `evidence`
    and `contaminants`, as in a sample sheet; options: values by key of config.yaml; keys that are
    not given have their defaults; reads, reads_format: as in a sample sheet; without a `fasta`
    there must be some; spectra: files of fragment spectra; own: networks of the user's own instead
    of bundled ones; progress: called with the number of finished chains and of all, at first and
    after every block; never for reads alone, whose chains are not known before.

    Returns the names of the files, as `outputs_of` gives them.
    Computes with one thread, like a job of the workflow, so that results do not depend on the
    number of cores; calls of several threads wait for each other. Raises LacunaError if an option
    is wrong, a file as a whole cannot be used or an input would be overwritten.
    """
    config = check_config({"samples": _INSTEAD_OF_A_SHEET, **options})
    if species not in SPECIES:
        raise LacunaError(f"species '{species}' is unknown; use one of {', '.join(SPECIES)}")
    networks = own.or_bundled(config)
    stated = "" if reads_format == AUTO else reads_format
    check_together("the call", {**inputs, "reads": reads, "reads_format": stated})
    fasta = inputs.get("fasta")
    repertoire = fasta is not None and is_repertoire(fasta)
    outputs = outputs_of(
        evidence="evidence" in inputs,
        reads=bool(reads),
        repertoire=repertoire,
        doubts=config["doubts"],
        spectra=bool(spectra),
    )
    _check_out([*inputs.values(), *reads, *spectra], out)
    total = 1 if fasta is None else count_records(fasta)  # reads give the chains of one block
    with _ONE_AT_A_TIME, _all_or_nothing(out, outputs) as scratch, _own_threads():
        # A user's file may have changed since an earlier call, which must not see that halfway.
        forget(network=(own.weights or own.library) is not None)
        written = {name: scratch / file for name, file in outputs.items()}
        fill_sample(
            SampleFiles(
                out.name,
                species,
                config["alkylation"],
                inputs,
                written,
                reads=tuple(reads),
                spectra=tuple(spectra),
                reads_format=reads_format,
            ),
            networks,
            scratch,
            settings_of(config, repertoire),
            torch.device("cpu"),
            block_size=BLOCK,
            n_blocks=ceil(total / BLOCK),
            after_block=_told(progress if fasta is not None else None, total),
        )
    return outputs


def _told(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    """What is called after each block of `total` chains; tells `progress` at once, and then."""
    done = iter((*range(0, total, BLOCK), total))

    def tell() -> None:
        if progress:
            progress(next(done), total)

    tell()
    return tell


@contextmanager
def _all_or_nothing(out: Path, outputs: Mapping[str, str]) -> Iterator[Path]:
    """A hidden folder in `out`; the files of `outputs` in it take their places if all is well, and
    those of an earlier call that this one does not write are removed."""
    with writing(out):
        with _hidden_in(out) as scratch:
            yield Path(scratch)
            for file in outputs.values():
                os.replace(Path(scratch) / file, out / file)
            _remove_earlier(out, outputs)


def _hidden_in(out: Path) -> tempfile.TemporaryDirectory[str]:
    """A hidden folder in `out`, which is made: in the same folder, since a rename is atomic only
    within one file system."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(prefix=".filling-", dir=out)
    except FileNotFoundError:  # of a file system that is not of a disk, as /proc
        raise LacunaError(f"{out}: no folder can be made here; name another one") from None


@contextmanager
def _own_threads() -> Iterator[None]:
    """Give the process, which may be another program, its settings of PyTorch back."""
    threads, tf32 = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        set_precision("fast")
        torch.backends.cudnn.allow_tf32 = tf32


def _remove_earlier(out: Path, outputs: Mapping[str, str]) -> None:
    """Remove the files that an earlier call wrote into a folder and this one, of `outputs`, not."""
    earlier = [
        out / OPTIONAL[name]
        for name in OPTIONAL.keys() - outputs.keys()
        if _is_own(out / OPTIONAL[_TABLE_OF.get(name, name)])
    ]
    for path in earlier:
        path.unlink(missing_ok=True)


def _is_own(table: Path) -> bool:
    """Whether a file is a table of Lacuna."""
    if not table.is_file():
        return False
    column = next(c for name, c in _OWN_COLUMNS.items() if OPTIONAL[name] == table.name)
    with open(table, "rb") as handle:
        return column.encode() in handle.readline(_MAX_HEADER).rstrip(b"\r\n").split(b"\t")


def _check_out(inputs: Sequence[Path], out: Path) -> None:
    """Raise LacunaError if `out` is a file, or one of its results would replace an input."""
    if out.exists() and not out.is_dir():
        raise LacunaError(f"{out}: is a file; name a folder for the results")
    for path in inputs:
        for name in (OUTPUTS | OPTIONAL).values():
            result = out / name
            if result.exists() and path.exists() and os.path.samefile(result, path):
                raise LacunaError(
                    f"{path}: would be overwritten by the results; name another folder for them"
                )
