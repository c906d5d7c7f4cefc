"""The command `lacuna`: `lacuna fill chains.fasta --out filled/` fills one file of chains, and
`lacuna fill --reads reads.csv --out filled/` those that reads show."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

import yaml

from lacuna import __version__
from lacuna.core.files import LacunaError, disk_fault, printable
from lacuna.core.paths import CONFIG_SCHEMA, DEFAULT_WEIGHTS, bundled_weights
from lacuna.core.words import AUTO
from lacuna.steps.sheet import FORMATS, SPECIES

_INTERRUPTED = 130  # exit status of a program ended by SIGINT
_TERMINATED = 143  # by SIGTERM
_UNREAD = 141  # by SIGPIPE
_INPUTS = {
    "gaps": "TSV with the columns chain, start, end (and mass, min_length, ...), or BED",
    "truth": "FASTA of the true chains; accuracy is then reported",
    "homologs": "FASTA of related chains, used as templates",
    "masses": "TSV of intact masses: chain, mass, tolerance_da, kind (average or monoisotopic)",
    "evidence": "TSV with the columns chain, position, residue, probability",
    "contaminants": "FASTA of proteins whose reads are set apart",
}
# Keys of config.yaml that are options here; the schema has their values and defaults.
_KEYS = (
    "weights",
    "mode",
    "alkylation",
    "candidates",
    "tolerance_ppm",
    "precision",
    "complete_ends",
    "doubts",
)
_TYPES: dict[str, Callable[[str], Any]] = {"integer": int, "number": float, "string": str}


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all errors of Lacuna."""

    def error(self, message: str) -> NoReturn:
        raise LacunaError(f"{message}; see '{self.prog} --help'")


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which would leave files behind."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: if it fails, 1, with one line on stderr.

    arguments: those of the command line if None.
    """
    try:
        try:
            with _interrupted_by_sigterm():
                _fill(_parser().parse_args(arguments))
        finally:  # --help ends the program
            sys.stdout.flush()
        return 0
    except KeyboardInterrupt as error:
        print("Error: interrupted; run again", file=sys.stderr)
        return _TERMINATED if isinstance(error, _Terminated) else _INTERRUPTED
    except BrokenPipeError:  # as `| head` leaves it; the results are complete
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes at its end
        return _UNREAD
    except LacunaError as error:
        fault = str(error)
    except OSError as error:
        known = disk_fault(error.filename or "", error)
        if known is None:
            raise
        fault = printable(known)
    print(f"Error: {fault}", file=sys.stderr)
    return 1


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Within it SIGTERM, as `kill`, `timeout` and cluster schedulers send it, acts as Ctrl-C."""

    def interrupt(*_: object) -> NoReturn:
        raise _Terminated

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _parser() -> _Parser:
    parser = _Parser(prog="lacuna", description="Fill the gaps of antibody protein sequences.")
    parser.add_argument("--version", action="version", version=f"lacuna {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    fill = commands.add_parser(
        "fill",
        help="fill the chains of one FASTA file, or those that reads show",
        description="Fill the chains of one FASTA file, or those that reads show. The files in "
        "the output folder are those that the workflow writes for a sample; those of an earlier "
        "call are replaced, or removed if this one writes none.",
        argument_default=argparse.SUPPRESS,
    )
    _add_files(fill)
    _add_settings(fill)
    return parser


def _add_files(fill: argparse.ArgumentParser) -> None:
    """Add what a sample sheet holds of a sample, and the folder for its results."""
    fill.add_argument(
        "fasta",
        type=_path("file"),
        nargs="?",
        default=None,
        help="chains with gaps: FASTA, AIRR TSV or OAS unit, plain or .gz; not needed with --reads",
    )
    fill.add_argument("--out", type=_path("folder"), required=True, help="folder for the results")
    for name, says in _INPUTS.items():
        fill.add_argument(f"--{name}", type=_path("file"), metavar="FILE", help=says)
    fill.add_argument(
        "--reads",
        type=_path("file"),
        action="append",
        metavar="FILE",
        help="peptide reads as a de novo tool wrote them; may be repeated",
    )
    fill.add_argument(
        "--reads-format",
        choices=FORMATS,
        default=AUTO,
        metavar="TOOL",
        help="the tool that wrote the reads, if it is not recognised: %(choices)s",
    )
    fill.add_argument(
        "--spectra",
        type=_path("file"),
        action="append",
        metavar="FILE",
        help="fragment spectra, MGF or mzML; may be repeated",
    )
    fill.add_argument(
        "--species", choices=SPECIES, default=SPECIES[0], help="species of all chains"
    )


def _add_settings(fill: argparse.ArgumentParser) -> None:
    """Add the settings of the configuration."""
    fill.add_argument(
        "--large-network",
        type=_path("file"),
        metavar="FILE",
        help="weights of a large network of your own for the thorough mode",
    )
    schema = yaml.safe_load(CONFIG_SCHEMA.read_text(encoding="utf-8"))["properties"]
    for key in _KEYS:
        fill.add_argument(
            f"--{key.replace('_', '-')}",
            type=_TYPES.get(str(schema[key]["type"]), str),
            choices=_choices(schema[key]),
            help=f"{schema[key]['description']} (default: {_typed(schema[key]['default'])})",
        )
    fill.add_argument(
        "--modification",
        action="append",
        choices=list(schema["modifications"]["properties"]),
        help="Modifications allowed in gaps of known mass; may be repeated.",
    )


def _path(kind: str) -> Callable[[str], Path]:
    """What reads a path as it is typed, of a file or a folder (kind); that of a shell's variable
    without a value is none."""

    def read(text: str) -> Path:
        if not text.strip():
            raise argparse.ArgumentTypeError(f"it is empty; name a {kind}")
        return Path(text)

    return read


def _choices(key: dict[str, Any]) -> list[str] | None:
    """The values of a key as they are typed; None if any of its type will do."""
    if key["type"] == "boolean":
        return ["true", "false"]
    if "enum" not in key:
        return None
    return [_typed(value) for value in key["enum"]]


def _typed(value: object) -> str:
    """A value of the configuration as it is typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fill(chosen: argparse.Namespace) -> None:
    """Fill a file, and print a summary line and where the results are.

    Raises LacunaError if nothing was filled.
    """
    from lacuna.steps.one_file import OwnNetworks, fill_file  # imports torch, not needed for --help

    given = vars(chosen)
    inputs = {name: given[name] for name in ("fasta", *_INPUTS) if given.get(name)}
    options = {key: given[key] for key in _KEYS if key in given}
    options["modifications"] = dict.fromkeys(given.get("modification", ()), True)
    out: Path = given["out"]
    with _progress_bar() as progress:
        made = fill_file(
            inputs,
            out,
            options,
            species=given["species"],
            reads=given.get("reads", ()),
            reads_format=given["reads_format"],
            spectra=given.get("spectra", ()),
            own=OwnNetworks(large_network=given.get("large_network")),
            progress=progress,
        )
    network, _ = bundled_weights(options.get("weights", DEFAULT_WEIGHTS))
    files = {name: out / file for name, file in made.items()}
    first = inputs["fasta"] if "fasta" in inputs else given["reads"][0]
    auto = given["species"] == SPECIES[0]
    print(_summary(first.name, files, network, auto=auto, columns=inputs.keys()))
    print(f"results: {printable(str(out))}")


def _summary(
    name: str, files: dict[str, Path], weights: Path, *, auto: bool, columns: Collection[str]
) -> str:
    """The lines with which a run of the workflow on such a sample ends.

    auto: whether no species was stated; columns: of the sheet, whose files were given.
    """
    from lacuna.results.summary import SummaryFiles, join_accuracy

    with TemporaryDirectory(prefix="lacuna-") as folder:
        summary = Path(folder) / "summary.txt"
        sample = SummaryFiles(
            name,
            files["accuracy"],
            files["chains"],
            files["rejected"],
            files["gaps"],
            files["alkylation"],
            reads=files.get("reads"),
            evidence=files.get("evidence"),
            doubts=files.get("doubts"),
            spectra=files.get("spectra"),
            masses=files["masses"] if "masses" in columns else None,
            auto_species=auto,
            homologs="homologs" in columns,
        )
        accuracy, multiqc = Path(folder) / "accuracy.tsv", Path(folder) / "lacuna_mqc.json"
        join_accuracy([sample], accuracy, summary, multiqc, weights)
        return summary.read_text(encoding="utf-8").rstrip("\n")


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Yield a function that moves a bar on stderr, if that is a terminal; warnings go above it."""
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    logging.basicConfig(level=logging.WARNING, format="Warning: %(message)s")
    with tqdm(unit=" chains", disable=None, leave=False) as bar, logging_redirect_tqdm():

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)
            bar.refresh()

        yield progress
