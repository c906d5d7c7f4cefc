"""Scaffolds as JSON lines: how a block of them is passed from one rule to the next."""

import json
from collections.abc import Iterable
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.scaffolds.scaffold import (
    Gap,
    IntactMass,
    Piece,
    PositionEvidence,
    ResidueModification,
    Rival,
    Scaffold,
    SpectralEvidence,
)


def to_json(scaffold: Scaffold) -> str:
    """A scaffold as one compact line of JSON, without a line end."""
    fields: dict[str, object] = {
        "chain": scaffold.chain,
        "description": scaffold.description,
        "sequence": scaffold.sequence,
        "gaps": [_as_list(gap) for gap in scaffold.gaps],
        "line": scaffold.line,
        "modifications": [[m.position, m.mass, m.name] for m in scaffold.modifications],
    }
    if scaffold.evidence:
        fields["evidence"] = [_of_position(e) for e in scaffold.evidence]
    if scaffold.intact is not None:
        fields["intact"] = astuple(scaffold.intact)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def _of_position(evidence: PositionEvidence) -> list[object]:
    """The fields of the evidence of a position."""
    return [evidence.position, evidence.weights, evidence.settled, evidence.spread]


def _as_list(gap: Gap) -> list[object]:
    """The fields of a gap, origin last; dataclasses.astuple does the same ten times slower."""
    return [
        gap.start,
        gap.end,
        gap.min_length,
        gap.max_length,
        gap.mass,
        gap.tolerance_da,
        gap.truth,
        gap.interval,
        [astuple(piece) for piece in gap.pieces],
        gap.length_probability,
        [astuple(rival) for rival in gap.rivals],
        gap.untried,
        gap.most,
        None if gap.spectra is None else astuple(gap.spectra),
        gap.mass_error,
        gap.better_length,
        [_of_position(e) for e in gap.shown],
        gap.closed,
        gap.unmet,
        gap.origin,
    ]


def from_json(line: str) -> Scaffold:
    """The scaffold in a line of `to_json`; ValueError if it is not such a line."""
    try:
        fields = json.loads(line)
        gaps = tuple(map(_gap, fields.pop("gaps")))
        modifications = tuple(ResidueModification(*m) for m in fields.pop("modifications"))
        evidence = tuple(map(_evidence, fields.pop("evidence", ())))
        weighed = fields.pop("intact", None)
        intact = None if weighed is None else IntactMass(*weighed)
        return Scaffold(
            **fields, gaps=gaps, modifications=modifications, evidence=evidence, intact=intact
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a scaffold ({error})") from None


def _gap(cells: list) -> Gap:
    """The gap from a list of its fields."""
    (
        *values,
        interval,
        pieces,
        share,
        rivals,
        untried,
        most,
        seen,
        mass_error,
        better_length,
        shown,
        closed,
        unmet,
        origin,
    ) = cells
    return replace(
        Gap(*values),
        interval=interval,
        pieces=tuple(map(_piece, pieces)),
        length_probability=share,
        rivals=tuple(map(_rival, rivals)),
        untried=untried,
        most=most,
        spectra=_spectra(seen) if seen else None,
        mass_error=mass_error,
        better_length=better_length,
        shown=tuple(map(_evidence, shown)),
        closed=closed,
        unmet=unmet,
        origin=tuple(origin) if origin else None,
    )


def _evidence(values: list[Any]) -> PositionEvidence:
    """The evidence of a position from a list of its fields."""
    position, weights, settled, spread = values
    return PositionEvidence(position, tuple(weights), settled, spread)


def _piece(values: list[Any]) -> Piece:
    """A piece of a gap from a list of its fields."""
    shortest, longest, mass, tolerance, interval, prefixes = values
    return Piece(shortest, longest, mass, tolerance, interval, tuple(map(tuple, prefixes)))


def _rival(values: list[Any]) -> Rival:
    """A sequence of another length from a list of its fields."""
    sequence, odds, mass, readings = values
    return Rival(sequence, odds, mass, tuple(readings))


def _spectra(values: list[Any]) -> SpectralEvidence:
    """What spectra say of a gap from a list of its fields."""
    cleavages, unseen, sides, mass, rivals, others = values
    shown = tuple(map(tuple, cleavages)), unseen, tuple(map(tuple, sides))
    of_rivals = tuple(tuple(rival) for rival in rivals)
    weighed = tuple(mass) if mass else None
    return SpectralEvidence(*shown, weighed, of_rivals, tuple(map(_spectra, others)))


def block_path(folder: Path, block: int | str) -> Path:
    """File of the scaffolds of a block."""
    return folder / f"{int(block):05d}.jsonl"


def write_scaffolds(path: str | Path, scaffolds: Iterable[Scaffold]) -> None:
    """Write a block of scaffolds as JSON lines, whole or not at all (gzipped if named .gz)."""
    with atomic_write(path) as handle:
        for scaffold in scaffolds:
            handle.write(to_json(scaffold) + "\n")


def read_scaffold_block(path: str | Path) -> list[Scaffold]:
    """Read a file of `write_scaffolds`; LacunaError names a line that is invalid."""
    scaffolds = []
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            try:
                scaffolds.append(from_json(line))
            except ValueError as error:
                raise LacunaError(
                    f"{path}:{number}: {error}; remove the file and run again"
                ) from None
    return scaffolds
