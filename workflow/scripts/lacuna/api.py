"""The Python interface: `lacuna.fill` takes chains with gaps and returns them filled.

It writes the chains as files of a sample, runs the workflow's own steps on them and reads the
resulting tables, so a chain is filled as in a run of the workflow.
"""

import difflib
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal, overload

from Bio.SeqRecord import SeqRecord

from lacuna.core.files import LacunaError, atomic_write, printable, shortened
from lacuna.core.paths import DEFAULT_WEIGHTS, LARGE_NETWORK, WEIGHT_SETS
from lacuna.core.tables import (
    CHAIN_TABLE,
    GAP_TABLE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    GapRow,
    ResidueRow,
    plain_row,
)
from lacuna.scaffolds.evidence_table import LONG as EVIDENCE_COLUMNS
from lacuna.scaffolds.gap_table import COLUMNS as GAP_COLUMNS
from lacuna.steps.one_file import OUTPUTS, fill_file

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

Chain = str | SeqRecord | tuple[str, str] | Mapping[str, Any]
Table = Literal["residues", "gaps", "chains"]

_CHAIN_KEYS = ("sequence", "id", "description", "gaps", "evidence")
_GAP_KEYS = tuple(name for name in GAP_COLUMNS if name != "chain")
_UNNAMED = ("", "<unknown id>", "<unknown description>")  # Biopython's placeholders


# --- results -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate for a gap: residues, their probability, and their mass in Da.

    mass_error_ppm: difference from the mass of the gap, in ppm; None for a gap without a mass,
    or with an interval of masses.
    """

    sequence: str
    probability: float
    mass: float
    mass_error_ppm: float | None


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
    chains: Iterable[Chain],
    *,
    homologs: str | Path | Iterable[Chain] | None = None,
    spectra: str | Path | Sequence[str | Path] = (),
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
    weights: str | Path = DEFAULT_WEIGHTS,
    library: str | Path | None = None,
    large_network: str | Path = LARGE_NETWORK,
) -> FilledChains:
    """Fill the gaps of antibody chains.

    A chain is one of:

    - a sequence in the notation of a FASTA file: `-` or `X` for a missing residue,
      `X[+367.0537]` for a gap of known mass;
    - a pair of a FASTA header without its `>`, and a sequence;
    - a Biopython SeqRecord;
    - a dict with `sequence` and, if known, `id`, `description`, `gaps` and `evidence`. A gap is a
      dict with `start` and `end` (from 0, end exclusive) and, if known, `mass` (Da),
      `tolerance_ppm` or `tolerance_da`, `min_length`, `max_length` and `prefix_masses` (a list of
      masses in Da of beginnings of the gap). Letters within it are hidden. Evidence is a dict of
      positions (from 1, as in the file of this name), each with a dict of residues and their
      probabilities: `{31: {"D": 0.7, "N": 0.3}}`.

    Chains without an id are named chain1, chain2, ... by their place. All chains of a call are one
    sample: the state of C is determined from all their masses together.

    homologs: related chains, used as templates: a FASTA file, or chains; spectra: a file of
    fragment spectra (MGF, mzML) or several, of which those that span a gap are evidence of its
    residues. weights: `open` (CC BY 4.0) or `noncommercial` (CC BY-NC-SA 4.0, better on
    camelid VHHs), the bundled network and library of that name, or a file with a network of your
    own; library: a file that goes with it, else that of the bundled weights. The other options are
    those of config.yaml and of the sample sheet, with the same meaning and defaults.

    A chain that cannot be used has the status `rejected` and a reason; with
    `on_bad_record="fail"` it raises a LacunaError. Raises LacunaError too if an option is wrong or
    a chain is none of the above. Computes on one thread of the CPU.
    """
    given = list(_records(chains))
    files = [spectra] if isinstance(spectra, str | Path) else spectra
    if not given:
        return FilledChains(())
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
        "weights": weights if weights in WEIGHT_SETS else DEFAULT_WEIGHTS,
    }
    with TemporaryDirectory(prefix="lacuna-") as folder:
        out = Path(folder) / "filled"
        fill_file(
            _write_inputs(given, homologs, Path(folder)),
            out,
            options,
            species=species,
            spectra=[Path(path) for path in files],
            weights=None if weights in WEIGHT_SETS else Path(weights),
            library=None if library is None else Path(library),
            large_network=Path(large_network),
        )
        filled = FilledChains(tuple(_read_results(given, out)))
    _warn_of_rejected(filled)
    return filled


# --- what is given -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Given:
    """A chain as it is written to the files of the sample."""

    chain: str
    description: str
    sequence: str
    gaps: tuple[Mapping[str, Any], ...] = ()
    evidence: Mapping[int, Mapping[str, float]] = field(default_factory=dict)


def _section(name: str, settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """The settings of a section of the configuration; LacunaError if they are not a dict."""
    if settings is not None and not isinstance(settings, Mapping):
        raise LacunaError(
            f"{name} is a {type(settings).__name__}; give a dict of settings and their values"
        )
    return dict(settings or {})


def _records(chains: Iterable[Chain]) -> Iterator[_Given]:
    """Yield the chains of a call; raises LacunaError for the first invalid one."""
    if isinstance(chains, str | SeqRecord | Mapping):
        raise LacunaError("fill takes a list of chains; for a single one write fill([chain])")
    if not isinstance(chains, Iterable):
        raise LacunaError(f"fill takes a list of chains, not a {type(chains).__name__}")
    for number, chain in enumerate(chains, start=1):
        where = f"chain {number}"
        record = _record(chain, where)
        name = f"chain{number}" if record.chain in _UNNAMED else record.chain
        if any(letter.isspace() for letter in name):
            raise LacunaError(f"{where}: its id '{shortened(name)}' contains a blank; remove it")
        yield _Given(
            printable(name),
            "" if record.description in _UNNAMED else " ".join(record.description.split()),
            printable("".join(record.sequence.split())),
            record.gaps,
            record.evidence,
        )


def _record(chain: Chain, where: str) -> _Given:
    """Convert a chain as given, without checking its id; LacunaError if its type is wrong."""
    match chain:
        case str():
            return _Given("", "", chain)
        case SeqRecord():
            about = (chain.description or "").removeprefix(chain.id or "")
            return _Given(chain.id or "", about, str(chain.seq))
        case (str(header), str(sequence)):
            name, _, description = header.strip().partition(" ")
            return _Given(name, description, sequence)
        case Mapping():
            _check_keys(chain, _CHAIN_KEYS, ("sequence",), where)
            gaps = tuple(chain.get("gaps") or ())
            for gap in gaps:
                _check_keys(gap, _GAP_KEYS, ("start", "end"), f"{where}: a gap")
            evidence = chain.get("evidence") or {}
            for known in (evidence, *(evidence.values() if isinstance(evidence, Mapping) else ())):
                if not isinstance(known, Mapping):
                    raise LacunaError(
                        f"{where}: its evidence is {shortened(repr(evidence))}; give a dict of "
                        "positions, each with a dict of residues and probabilities"
                    )
            name, description = (str(chain.get(key) or "") for key in ("id", "description"))
            return _Given(name, description, str(chain["sequence"]), gaps, evidence)
    raise LacunaError(
        f"{where} is a {type(chain).__name__}; give a sequence, a (header, sequence) pair, a "
        "SeqRecord, or a dict with 'sequence'"
    )


def _check_keys(found: object, known: Sequence[str], needed: Sequence[str], where: str) -> None:
    """Raise LacunaError if `found` is not a dict, has an unknown key, or lacks a key."""
    if not isinstance(found, Mapping):
        raise LacunaError(f"{where} is {shortened(repr(found))}; give a dict with {known[0]!r}")
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"use {', '.join(known)}"
            raise LacunaError(f"{where} has the unknown key '{key}'; {hint}")
    for key in needed:
        if found.get(key) is None:
            raise LacunaError(f"{where} has no '{key}'; add it")


def _write_inputs(
    given: Sequence[_Given], homologs: str | Path | Iterable[Chain] | None, folder: Path
) -> dict[str, Path]:
    """Write what was given as files of a sample, whose names messages show; returns their paths.

    homologs: a file, which is used as it is, or chains.
    """
    inputs = {"fasta": folder / "chains"}
    _write_fasta(given, inputs["fasta"])
    if any(chain.gaps for chain in given):
        inputs["gaps"] = folder / "gaps"
        with atomic_write(inputs["gaps"]) as handle:
            handle.write(plain_row(GAP_COLUMNS))
            for chain in given:
                for gap in chain.gaps:
                    cells = (_cell(gap.get(key)) for key in _GAP_KEYS)
                    handle.write(plain_row((chain.chain, *cells)))
    if any(chain.evidence for chain in given):
        inputs["evidence"] = folder / "evidence"
        with atomic_write(inputs["evidence"]) as handle:
            handle.write(plain_row(EVIDENCE_COLUMNS))
            for chain in given:
                for position, shares in chain.evidence.items():
                    for residue, share in shares.items():
                        handle.write(plain_row((chain.chain, position, residue, share)))
    if isinstance(homologs, str | Path):
        inputs["homologs"] = Path(homologs)
    elif homologs is not None and (related := list(_records(homologs))):
        inputs["homologs"] = folder / "homologs"
        _write_fasta(related, inputs["homologs"])
    return inputs


def _cell(value: object) -> str:
    """A value of a gap as a cell of the gap table."""
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ";".join(map(str, value))
    return "" if value is None else str(value)


def _write_fasta(chains: Iterable[_Given], path: Path) -> None:
    with atomic_write(path) as handle:
        for chain in chains:
            header = " ".join(filter(None, (chain.chain, chain.description)))
            handle.write(f">{header}\n{chain.sequence}\n")


# --- what comes out ------------------------------------------------------------------------------


def _warn_of_rejected(filled: FilledChains) -> None:
    """Log how many chains cannot be used, and why the first of them cannot."""
    rejected = [chain for chain in filled if chain.status == "rejected"]
    if rejected:
        n, first = len(rejected), rejected[0].reason
        LOG.warning("%d of %d chains cannot be used; the first: %s", n, len(filled), first)


def _read_results(given: Sequence[_Given], folder: Path) -> Iterator[FilledChain]:
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
            yield FilledChain(name, record.sequence, "rejected", next(reasons))
            continue
        seen.add(name)
        yield FilledChain(
            name,
            next(sequences),
            "open" if row.open or row.resolved != row.ambiguous else "filled",
            *("", row.locus, row.species),
            *(row.v_segment, row.j_segment, row.c_segment),
            tuple(_gaps(gaps[name])),
            tuple(map(_residue, residues[name])),
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
            *(number, best.start, best.end, best.first, best.last, best.status),
            tuple(
                Candidate(row.candidate, row.probability, row.mass, row.mass_error_ppm)
                for row in found
                if row.probability is not None and row.mass is not None
            ),
            *("" if best.cysteine is None else str(best.cysteine), best.ambiguity),
        )


def _residue(row: ResidueRow) -> FilledResidue:
    return FilledResidue(
        *(row.position, row.gap, row.residue, row.probability),
        tuple(row.alternatives),
        *(row.germline, row.region, row.imgt),
    )
