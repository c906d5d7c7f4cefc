"""The page: its samples, its style and script, and the policy that lets nothing else run.

The page is self-contained (no external script, font or picture), and the same tables give the same
bytes.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from lacuna.core.files import atomic_write
from lacuna.core.licences import licence_of, read_record
from lacuna.core.masses import GLYCANS, GROUP_RATIO
from lacuna.core.paths import REPORT_TEMPLATES
from lacuna.core.tables import BY_GAPS, CUT, LYSINE_LOST, PYROGLUTAMATE_FIRST, MassDoubt
from lacuna.results.report import masses, words
from lacuna.results.report.chain import LEVELS, REGION_NUMBERS, SECOND
from lacuna.results.report.logo import draw_logo
from lacuna.results.report.map import COLUMNS, draw
from lacuna.results.report.provenance import provenance_of
from lacuna.results.report.sample import ReportFiles, Room, Sample, read_sample
from lacuna.results.report.trust import calibration_in, trust_in
from lacuna.results.report.words import MAX_ROWS
from lacuna.results.software import write_software
from lacuna.scaffolds.alkylation import READINGS

MAX_DRAWN = 200  # chains of a page that are drawn in full
PRINTED = 3  # chains of a sample that are on paper
MAX_LISTED = 100_000  # chains of a page that are listed in tables


def write_report(
    samples: Sequence[ReportFiles],
    out: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    weights: Path | None = None,
    large_network: Path | None = None,
    software: Path | None = None,
) -> None:
    """Write the page on all `samples` to `out`, whole or not at all.

    settings, weights, large_network: of the run; software: the file for the list of what it was
    made with. Raises LacunaError if a file cannot be read or lacks a column.
    """
    shown = samples[:MAX_ROWS]
    stated = {f"{s.name}: {column}": text for s in shown for column, text in s.stated.items()}
    read = _read_samples(shown)
    style, script = (_source(f"report.{kind}") for kind in ("css", "js"))
    page = page_template("report.html.j2", _FILTERS).render(
        samples=read,
        more_samples=len(samples) - len(read),
        max_letters=words.MAX_LETTERS,
        printed=PRINTED,
        scored=any(s.overall for s in read),
        style=style,
        script=script,
        policy=_policy(style, script),
        constants=_constants(),
        levels=LEVELS,
        run=provenance_of(
            {**(settings or {}), **stated}, _run_files(weights, large_network, shown)
        ),
        licence=licence_of(read_record(weights)) if weights is not None else None,
    )
    with atomic_write(out) as handle:
        handle.write(page)
    if software is not None and weights is not None:
        write_software(weights, software, large_network=large_network)


def _run_files(
    weights: Path | None, large_network: Path | None, samples: Sequence[ReportFiles]
) -> list[tuple[str, Path]]:
    """What each file of the run is, and its path: weights, and those that the user gave."""
    files = [("weights", weights)] if weights is not None else []
    if large_network is not None:
        files.append(("large network of the thorough mode", large_network))
    for sample in samples:
        for column, paths in sample.given.items():
            files += [(f"{sample.name}: {column}", path) for path in paths]
    return files


def _read_samples(samples: Sequence[ReportFiles]) -> list[Sample]:
    """The samples, of which the first have the room that there is for chains."""
    room = Room(MAX_DRAWN, MAX_LISTED)
    found = []
    for files in samples:
        sample = read_sample(files, room)
        room = Room(room.drawn - len(sample.chains), room.listed - sample.listed)
        found.append(sample)
    return found


def page_template(name: str, filters: Mapping[str, Any] | None = None) -> jinja2.Template:
    """A template of workflow/report; an undefined name in it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(REPORT_TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters |= filters or {}
    return environment.get_template(name)


def _source(name: str) -> str:
    return (REPORT_TEMPLATES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Content-Security-Policy: this style and this script by their digests, pictures as data."""
    style_digest, script_digest = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (style, script)
    )
    return (
        f"default-src 'none'; script-src 'sha256-{script_digest}'; "
        f"style-src 'sha256-{style_digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _constants() -> str:
    """The masses that the script adds up, as JSON for a page: [monoisotopic, average] in Da."""

    def pair(mass: masses.Mass) -> list[float]:
        return [round(mass.monoisotopic, 6), round(mass.average, 6)]

    carried = {
        reading.words: pair(masses.of_formula(reading.formula))
        for reading in READINGS.values()
        if reading.formula
    }
    glycans = {name: pair(masses.of_glycan(name)) for name in GLYCANS}
    constants = {
        "columns": COLUMNS,
        "average": GROUP_RATIO,
        "levels": LEVELS,
        "cut": CUT,
        "doubted": list(MassDoubt),
        "second": SECOND,
        "numbers": REGION_NUMBERS,
        "residues": {letter: pair(mass) for letter, mass in masses.RESIDUE_MASSES.items()},
        "water": pair(masses.WATER),
        "pyroglutamate": {letter: pair(mass) for letter, mass in masses.PYROGLUTAMATE.items()},
        "bond": pair(masses.BOND),
        "forms": (BY_GAPS, PYROGLUTAMATE_FIRST, LYSINE_LOST),
        "carried": carried,
        "glycans": glycans,
        "glycoforms": masses.GLYCOFORMS,
        "sequon": masses.SEQUON,
    }
    return json.dumps(constants, separators=(",", ":")).replace("<", "\\u003c")


def _probability(p: float | None) -> str:
    """A candidate's probability, to four places."""
    if p is None:
        return ""
    return f"{p:.4f}" if p >= 0.0001 else "< 0.0001"


def _daltons(mass: float) -> str:
    return f"{mass:,.2f}"


_FILTERS = {
    "percent": words.percent,
    "count": words.count,
    "plural": words.plural,
    "shown": words.shown,
    "axis": words.axis,
    "probability": _probability,
    "daltons": _daltons,
    "draw": draw,
    "logo": draw_logo,
    "breakable": words.breakable,
    "cut": words.cut,
    "trust": trust_in,
    "calibration_in": calibration_in,
    "forms": masses.forms_of,
    "carried": masses.carried_by_cysteine,
}
