"""What reads and other evidence say about positions of a chain, and how reads were placed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lacuna.core.tables import CONTAMINANT, DOUBT_TABLE, DOUBTFUL, DoubtRow, EvidenceRow, Flag
from lacuna.results.report.words import MAX_ROWS
from lacuna.results.streams import chunks


@dataclass(frozen=True, slots=True)
class Doubt:
    """A position with something to know about it; strong: there is reason to doubt its residue;
    wrong: the probability that it is wrong."""

    position: int  # in the filled chain, from 1
    text: str
    strong: bool
    wrong: float = 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one chain: doubts, and reads over each position, none for a sample without reads."""

    depths: tuple[float, ...] = ()
    doubts: tuple[Doubt, ...] = ()


@dataclass(frozen=True, slots=True)
class Placements:
    """How the reads of a sample were placed. contaminants: reads of these, which are on no chain;
    rows: what is said of it, reads, and whether these are on a chain; more: ways that are not
    listed."""

    total: int
    placed: int
    contaminants: int
    tools: tuple[str, ...]
    rows: tuple[tuple[str, int, bool], ...]
    more: int


def evidence_of(rows: Sequence[EvidenceRow]) -> Evidence:
    """The evidence of a chain from its rows of evidence.tsv; none if it has no row."""
    read = any(row.depth is not None for row in rows)
    depths = tuple(row.depth or 0.0 for row in rows) if read else ()
    return Evidence(depths, tuple(_doubts(rows)))


@dataclass(frozen=True, slots=True)
class Proofread:
    """What doubts.tsv says about a sample: how many residues look wrong, and its first rows."""

    total: int
    rows: tuple[DoubtRow, ...]


def read_proofread(path: Path) -> Proofread:
    """The doubts of a sample; LacunaError if the table cannot be read."""
    total, rows = 0, []
    for row in DOUBT_TABLE.read(path):
        total += 1
        if total <= MAX_ROWS:
            rows.append(row)
    return Proofread(total, tuple(rows))


def doubts_by_chain(path: Path) -> dict[str, list[Doubt]]:
    """The doubts of doubts.tsv as marks of a map, by chain; LacunaError if it cannot be read."""
    found: dict[str, list[Doubt]] = {}
    for row in DOUBT_TABLE.read(path):
        text = f"{row.position} {row.residue}: {row.proposed} is more likely ({row.reason})"
        found.setdefault(row.chain, []).append(Doubt(row.position, text, True, row.probability))
    return found


def _doubts(rows: Iterable[EvidenceRow]) -> Iterator[Doubt]:
    for row in rows:
        strong = row.state == DOUBTFUL
        # That spectra show a residue is no reason to doubt it.
        flags = [flag for flag in row.flags.split(";") if flag and flag != Flag.SPECTRA]
        if strong or flags:
            named = str(row.alternatives).replace(",", ", ")
            others = f" (or {named})" if named else ""
            text = f"{row.position} {row.residue} {', '.join([row.state, *flags])}{others}"
            wrong = 0.0 if row.probability is None else 1 - row.probability
            yield Doubt(row.position, text, strong, wrong)


def read_placements(path: Path) -> Placements:
    """How the reads of reads.tsv were placed, those on a chain first, then by their number.

    Raises LacunaError if the table cannot be read.
    """
    counts: Counter[tuple[bool, str]] = Counter()
    tools: Counter[str] = Counter()
    for chunk in chunks(path, ("tool", "chain", "placed_as")):
        tools.update(chunk["tool"])
        on_chain = (chunk["chain"] != "") & (chunk["placed_as"] != CONTAMINANT)
        counts.update(zip(on_chain, chunk["placed_as"], strict=True))
    ranked = sorted(counts.items(), key=lambda item: (not item[0][0], -item[1], item[0][1]))
    return Placements(
        sum(counts.values()),
        sum(n for (placed, _), n in ranked if placed),
        counts[False, CONTAMINANT],
        tuple(sorted(tools)),
        tuple((said, n, bool(placed)) for (placed, said), n in ranked[:MAX_ROWS]),
        max(len(ranked) - MAX_ROWS, 0),
    )
