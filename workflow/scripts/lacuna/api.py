"""The Python interface: `lacuna.fill` takes chains with gaps and returns them filled.

It writes the chains as files of a sample, runs the workflow's own steps on them and reads the
resulting tables, so a chain is filled as in a run of the workflow.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from itertools import groupby, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import get_ident
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from lacuna.core.files import LacunaError, shortened
from lacuna.core.paths import DEFAULT_WEIGHTS, WEIGHT_SETS
from lacuna.core.tables import (
    CHAIN_TABLE,
    GAP_TABLE,
    NOTE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    GapRow,
    ResidueRow,
)
from lacuna.core.words import plural, type_of
from lacuna.scaffolds.read import MAX_LISTED
from lacuna.steps import split_scaffolds
from lacuna.steps.given_chains import Chain, Given, Written, given_chains, write_inputs
from lacuna.steps.one_file import OwnNetworks, fill_file
from lacuna.steps.outputs import OUTPUTS

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Candidate",
    "FilledChain",
    "FilledChains",
    "FilledGap",
    "FilledResidue",
    "LacunaError",
    "fill",
]

LOG = logging.getLogger(__name__)

Table = Literal["residues", "gaps", "chains"]


# --- results -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate for a gap: residues, their probability, and their mass in Da.

    mass_error_ppm: the mass less that of the gap, in ppm; None for a gap without a mass, or
    with an interval of masses; cleavages: the sequence with a slash at each cleavage that
    spectra show, '' if none span the gap or the candidate has another mass.
    """

    sequence: str
    probability: float
    mass: float
    mass_error_ppm: float | None
    cleavages: str = ""


@dataclass(frozen=True, slots=True)
class FilledGap:
    """A gap and its candidates, best first; the gap is filled with the first.

    number: of the gap in its chain, from 1; start, end: in the scaffold, from 0, end exclusive;
    first, last: in the filled chain, from 1, last included, None if the gap has no residues there;
    status: `filled`, or why the gap stays open; cysteine: what C carries in the best candidate, ''
    for a gap without a mass; ambiguity: the codes J, B, Z if the gap consists of these.
    """

    number: int
    start: int
    end: int
    first: int | None
    last: int | None
    status: str
    candidates: tuple[Candidate, ...]
    cysteine: str
    ambiguity: str


@dataclass(frozen=True, slots=True)
class FilledResidue:
    """A missing residue, what it was filled with, and the probability of that (0 to 1).

    position: in the filled chain, from 1; gap: its number in the chain, from 1; alternatives:
    other residues and their probabilities; germline: the residue of the nearest germline segment;
    region: FR1 to FR4, CDR1 to CDR3 or C; imgt: its IMGT number. The last three are '' if there
    is none.
    """

    position: int
    gap: int
    residue: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]
    germline: str
    region: str
    imgt: str


@dataclass(frozen=True, slots=True)
class FilledChain:
    """A chain with its gaps filled.

    chain: its id; status: `filled`, `open` if a gap stays X, or `rejected` if the chain could not
    be used; reason: why it was rejected. A rejected chain has its sequence as given.
    """

    chain: str
    sequence: str
    status: Literal["filled", "open", "rejected"]
    reason: str = ""
    locus: str = ""
    species: str = ""
    v_segment: str = ""
    j_segment: str = ""
    c_segment: str = ""
    gaps: tuple[FilledGap, ...] = ()
    residues: tuple[FilledResidue, ...] = ()


@dataclass(frozen=True, slots=True)
class FilledChains(Sequence[FilledChain]):
    """The chains of a call of `fill`, in the order in which they were given."""

    chains: tuple[FilledChain, ...]

    def __repr__(self) -> str:
        """How many chains there are: all that is known of them would fill a notebook."""
        states = Counter(chain.status for chain in self.chains)
        said = ", ".join(f"{n} {status}" for status, n in states.items())
        return f"<{plural(len(self), 'chain')}{': ' if said else ''}{said}>"

    def __len__(self) -> int:
        return len(self.chains)

    @overload
    def __getitem__(self, index: int) -> FilledChain: ...

    @overload
    def __getitem__(self, index: slice) -> "FilledChains": ...

    def __getitem__(self, index: int | slice) -> "FilledChain | FilledChains":
        if isinstance(index, slice):
            return FilledChains(self.chains[index])
        return self.chains[index]

    def to_dataframe(self, table: Table = "residues") -> "pd.DataFrame":
        """A pandas table with a row per missing residue, per candidate of a gap, or per chain.

        Its columns are the fields of `FilledResidue`, of `FilledGap` and `Candidate` (with `rank`
        from 1), or of `FilledChain`. Raises LacunaError for any other name of a table.
        """
        import pandas as pd  # slow to import

        tables = {"residues": _residue_rows, "gaps": _gap_rows, "chains": _chain_rows}
        if table not in tables:
            raise LacunaError(f"'{table}' is not a table; use one of {', '.join(tables)}")
        columns, rows = tables[table](self.chains)
        return pd.DataFrame(rows, columns=columns)


def _names(kind: type, *apart: str) -> list[str]:
    return [field.name for field in fields(kind) if field.name not in apart]


def _values(record: object, names: Iterable[str]) -> list[object]:
    return [getattr(record, name) for name in names]


def _residue_rows(chains: Sequence[FilledChain]) -> tuple[list[str], list[list[object]]]:
    names = _names(FilledResidue)
    rows = [[c.chain, *_values(residue, names)] for c in chains for residue in c.residues]
    return ["chain", *names], rows


def _gap_rows(chains: Sequence[FilledChain]) -> tuple[list[str], list[list[object]]]:
    """A row per candidate; a gap without candidates has a single row without one."""
    of_gap, of_candidate = _names(FilledGap, "candidates"), _names(Candidate)
    nothing = [None] * len(of_candidate)
    rows = []
    for chain in chains:
        for gap in chain.gaps:
            start = [chain.chain, *_values(gap, of_gap)]
            for rank, candidate in enumerate(gap.candidates, start=1):
                rows.append([*start, rank, *_values(candidate, of_candidate)])
            if not gap.candidates:
                rows.append([*start, None, *nothing])
    return ["chain", *of_gap, "rank", *of_candidate], rows


def _chain_rows(chains: Sequence[FilledChain]) -> tuple[list[str], list[list[object]]]:
    names = _names(FilledChain, "gaps", "residues")
    return names, [_values(chain, names) for chain in chains]


# --- filling -------------------------------------------------------------------------------------


def fill(
    chains: "Iterable[Chain] | pd.DataFrame",
    *,
    homologs: "str | Path | Iterable[Chain] | pd.DataFrame | None" = None,
    spectra: str | Path | Iterable[str | Path] | None = (),
    species: str = "auto",
    alkylation: str = "auto",
    candidates: int = 5,
    tolerance_ppm: float = 10.0,
    modifications: Mapping[str, bool] | None = None,
    mode: str = "fast",
    precision: str = "fast",
    on_bad_record: str = "reject",
    kmer: Mapping[str, int] | None = None,
    complete_ends: bool | Literal["auto"] = "auto",
    weights: str | Path | None = DEFAULT_WEIGHTS,
    library: str | Path | None = None,
    large_network: str | Path | None = None,
) -> FilledChains:
    """Fill the gaps of antibody chains.

    A chain is one of:

    - a sequence in the notation of a FASTA file: `-` or `X` for a missing residue,
      `X[+367.0537]` for a gap of known mass;
    - a pair of a FASTA header without its `>`, and a sequence;
    - a Seq or SeqRecord of Biopython;
    - a dict with `sequence` and, if known, `id`, `description`, `gaps` and `evidence`. A gap is a
      dict with `start` and `end` (from 0, end exclusive) and, if known, `mass` (Da),
      `tolerance_ppm` or `tolerance_da`, `min_length`, `max_length` and `prefix_masses` (a list of
      masses in Da of beginnings of the gap). Letters within it are hidden. Evidence is a dict of
      positions (from 1, as in the file of this name), each with a dict of residues and their
      probabilities: `{31: {"D": 0.7, "N": 0.3}}`.

    Instead of a list, a pandas data frame with a row for each chain and these keys as columns.
    Chains without an id are named chain1, chain2, ... by their place (chain2_2 if another has the
    id chain2). None and NaN, as in the rows of a data frame, count as not given. All chains of a
    call are one sample: the state of C is determined from all their masses together.

    homologs: related chains, used as templates: a FASTA file, or chains, whose ids may be repeated;
    a warning is logged if some cannot be used. spectra: a file of fragment spectra (MGF, mzML) or
    several, of which those that span a gap are evidence of its residues. weights: `open`
    (CC BY 4.0) or `noncommercial` (CC BY-NC-SA 4.0, better on camelid VHHs), the bundled network
    and library of that name, or a file with a network of your own; library: a file that goes with
    it, else that of the bundled weights; large_network: a file for `mode="thorough"`, instead of
    the bundled one. The other options are those of config.yaml and of the sample sheet, with the
    same meaning and defaults.

    A chain that cannot be used has the status `rejected` and a reason; with
    `on_bad_record="fail"` it raises a LacunaError. Raises LacunaError too if an option is wrong or
    a chain is none of the above. Computes on one thread of the CPU.
    """
    given = given_chains(chains)
    if not given:
        return FilledChains(())
    bundled = isinstance(weights, str) and weights in WEIGHT_SETS
    options = {
        "alkylation": alkylation,
        "candidates": candidates,
        "tolerance_ppm": tolerance_ppm,
        "modifications": _section("modifications", modifications),
        "mode": mode,
        "precision": precision,
        "on_bad_record": on_bad_record,
        "kmer": _section("kmer", kmer),
        "complete_ends": complete_ends,
        "weights": weights if bundled else DEFAULT_WEIGHTS,
    }
    if isinstance(homologs, str):
        homologs = _path("homologs", homologs)
    with TemporaryDirectory(prefix="lacuna-") as folder:
        out = Path(folder) / "filled"
        written = write_inputs(given, homologs, Path(folder))
        with _faults_of_records(written):
            fill_file(
                written.paths,
                out,
                {key: _plain(value) for key, value in options.items()},
                species=species,
                spectra=_paths("spectra", spectra),
                own=OwnNetworks(
                    None if bundled else _path("weights", weights),
                    _path("library", library),
                    _path("large_network", large_network),
                ),
            )
        filled = FilledChains(tuple(_read_results(given, written, out)))
        _warn_of_rejected(filled)
        _warn_of_homologs(filled, written, out)
    return filled


# --- options --------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    """A value, that of a number or a truth value of numpy as Python's own; in a section too."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _section(name: str, settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings of a section of the configuration; LacunaError if they are not a dict."""
    if settings is not None and not isinstance(settings, Mapping):
        raise LacunaError(
            f"{name} is {type_of(settings)}; give a dict of settings and their values"
        )
    return dict(settings or {})


def _path(name: str, value: object) -> Path | None:
    """The file that an option names, None for None; LacunaError if it is no path."""
    if isinstance(value, str) and not value.strip():
        raise LacunaError(f"{name} is empty; give the path of a file")
    if value is None or isinstance(value, str | Path):
        return None if value is None else Path(value)
    raise LacunaError(f"{name} is {shortened(repr(value))}; give the path of a file")


def _paths(name: str, value: Any) -> list[Path]:
    """The files that an option names, one or several; LacunaError if it is neither."""
    single = isinstance(value, str) or not isinstance(value, Iterable)
    found = [_path(name, one) for one in ([value] if single else value)]
    return [path for path in found if path is not None]


# --- what comes out ------------------------------------------------------------------------------


@contextmanager
def _faults_of_records(written: Written) -> Iterator[None]:
    """Let what is logged or raised of single records name them, not lines of written files."""
    own = get_ident()

    def speak(record: logging.LogRecord) -> bool:
        if get_ident() == own:  # the records of other calls are other chains
            record.msg = written.spoken(str(record.msg))
        return True

    log = logging.getLogger(split_scaffolds.__name__)
    log.addFilter(speak)
    try:
        yield
    except LacunaError as error:
        raise LacunaError(written.spoken(str(error))) from None
    finally:
        log.removeFilter(speak)


def _warn_of_rejected(filled: FilledChains) -> None:
    """Log how many chains cannot be used, and why the first of them cannot."""
    rejected = [chain for chain in filled if chain.status == "rejected"]
    if rejected:
        n, first = len(rejected), rejected[0].reason
        chains = plural(len(filled), "chain")
        LOG.warning("%d of %s cannot be used; the first: %s", n, chains, first)


def _warn_of_homologs(filled: FilledChains, written: Written, folder: Path) -> None:
    """Log how many homologs cannot be used, and why the first of them cannot."""
    chains = sum(chain.status == "rejected" for chain in filled)  # whose rows come first
    rows = islice(REJECTED_TABLE.read(folder / OUTPUTS["rejected"]), chains, None)
    reasons = [row.reason for row in rows if not row.reason.startswith(NOTE)]
    if reasons:
        n = str(len(reasons)) if len(reasons) <= MAX_LISTED else f"more than {MAX_LISTED}"
        LOG.warning(
            "homologs that cannot be used: %s; the first: %s", n, written.spoken(reasons[0])
        )


def _read_results(given: Sequence[Given], written: Written, folder: Path) -> Iterator[FilledChain]:
    """Yield a result for every chain that was given, in order.

    Usable chains are in the tables in the order of the input. Of several with the same id only the
    first may be usable, so the ids identify them; the others are the rejected ones, in order.
    """
    sequences = _sequences(folder / OUTPUTS["filled"])
    chains = CHAIN_TABLE.read(folder / OUTPUTS["chains"])
    gaps: dict[str, list[GapRow]] = defaultdict(list)
    for gap in GAP_TABLE.read(folder / OUTPUTS["gaps"]):
        gaps[gap.chain].append(gap)
    residues: dict[str, list[ResidueRow]] = defaultdict(list)
    for residue in RESIDUE_TABLE.read(folder / OUTPUTS["residues"]):
        residues[residue.chain].append(residue)
    reasons = (row.reason for row in REJECTED_TABLE.read(folder / OUTPUTS["rejected"]))
    seen: set[str] = set()
    row = next(chains, None)
    for record in given:
        name = record.chain
        if row is None or row.chain != name or name in seen:
            seen.add(name)
            yield FilledChain(name, record.sequence, "rejected", written.spoken(next(reasons)))
            continue
        seen.add(name)
        yield FilledChain(
            chain=name,
            sequence=next(sequences),
            status="open" if row.open or row.resolved != row.ambiguous else "filled",
            locus=row.locus,
            species=row.species,
            v_segment=row.v_segment,
            j_segment=row.j_segment,
            c_segment=row.c_segment,
            gaps=tuple(_gaps(gaps[name])),
            residues=tuple(map(_residue, residues[name])),
        )
        row = next(chains, None)


def _sequences(path: Path) -> Iterator[str]:
    """Yield the sequences of a FASTA with two lines per record."""
    with open(path, encoding="utf-8", newline="\n") as handle:
        for _, sequence in zip(handle, handle, strict=True):
            yield sequence.rstrip("\n")


def _gaps(rows: Iterable[GapRow]) -> Iterator[FilledGap]:
    """Yield the gaps of a chain from the rows of its candidates."""
    for number, of_gap in groupby(rows, lambda row: row.gap):
        found = list(of_gap)
        best = found[0]
        yield FilledGap(
            number=number,
            start=best.start,
            end=best.end,
            first=best.first,
            last=best.last,
            status=best.status,
            candidates=tuple(
                Candidate(
                    sequence=row.candidate,
                    probability=row.probability,
                    mass=row.mass,
                    mass_error_ppm=row.mass_error_ppm,
                    cleavages=row.cleavages,
                )
                for row in found
                if row.probability is not None and row.mass is not None
            ),
            cysteine="" if best.cysteine is None else str(best.cysteine),
            ambiguity=best.ambiguity,
        )


def _residue(row: ResidueRow) -> FilledResidue:
    return FilledResidue(
        position=row.position,
        gap=row.gap,
        residue=row.residue,
        probability=row.probability,
        alternatives=tuple(row.alternatives),
        germline=row.germline,
        region=row.region,
        imgt=row.imgt,
    )
