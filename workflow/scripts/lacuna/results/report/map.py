"""The map of a chain: its letters in lines, regions above, second choices below, as one SVG.

`drawMap` in workflow/report/report.js draws the same from the data of the page, for chains that are
drawn on demand; a test compares the two.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.tables import OTHER_LENGTH
from lacuna.results.report.chain import REGION_NUMBERS, SECOND, Chain, Residue

COLUMNS = 60  # residues a line
CELL = 15
GUTTER = 52
BAND = 25  # height of the regions' row
BOX = 22
DEPTH = 14  # of the bars of reads
ROW = 15  # of the small letters below
SPACE = 12  # between lines
LETTER_WIDTH = 7.3  # of a region's name


def draw(chain: Chain, columns: int = COLUMNS) -> str:
    """The map as SVG text, `columns` residues a line. Its colours are those of the style sheet."""
    residues = {r.position: r for r in chain.residues}
    width = GUTTER + min(columns, max(len(chain.sequence), 1)) * CELL + 4
    parts, y = [], 0
    for start in range(0, len(chain.sequence), columns):
        stop = min(start + columns, len(chain.sequence))
        line, height = _line(chain, residues, start, stop, y)
        parts += line
        y += height
    label = escape(f"{chain.name}: {len(chain.sequence)} residues, {len(residues)} of them filled")
    return (
        f'<svg class="map" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" '
        f'width="{width}" height="{y}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _line(
    chain: Chain, residues: Mapping[int, Residue], start: int, stop: int, y: int
) -> tuple[list[str], int]:
    """One line of the map, of positions start + 1 to stop, and its height."""
    parts = list(_bands(chain, start, stop, y))
    top = y + BAND
    base = top + 16
    parts.append(f'<text class="n" x="{GUTTER - 10}" y="{base}">{start + 1}</text>')
    here = [residues[i] for i in range(start + 1, stop + 1) if i in residues]
    missing = {r.position for r in here}
    observed = [i for i in range(start + 1, stop + 1) if i not in missing]
    letters = "".join(chain.sequence[i - 1] for i in observed)
    parts += _letters("o", [_middle(i, start) for i in observed], base, letters)
    for r in here:
        parts += _box(r, _middle(r.position, start), top)
    for level in range(1, 5):
        for code, kind in ((False, "l"), (True, "k")):
            mine = [r for r in here if r.level == level and bool(r.code) == code]
            xs = [_middle(r.position, start) for r in mine]
            parts += _letters(f"{kind} p{level}", xs, base, "".join(r.letter for r in mine))
    parts += _marks(chain, start, stop, top)
    below = top + BOX
    if chain.evidence.depths:
        below += DEPTH + 4
        parts.append(f'<text class="r" x="{GUTTER - 10}" y="{below - 3}">reads</text>')
        parts.append(_depths(chain.evidence.depths, start, stop, below))
    for name, kind, letter_of in _ROWS:
        mine = [r for r in here if letter_of(r)]
        if mine:
            below += ROW
            xs = [_middle(r.position, start) for r in mine]
            parts.append(f'<text class="r" x="{GUTTER - 10}" y="{below - 3}">{name}</text>')
            parts += _letters(kind, xs, below - 3, "".join(letter_of(r) for r in mine))
    return parts, below + SPACE - y


def _box(r: Residue, x: int, top: int) -> Iterator[str]:
    """The box behind a missing residue, whose cell has its middle at x."""
    kind = "u" if r.code else "b"
    yield (
        f'<rect class="{kind} p{r.level}" x="{x - 7}" y="{top}" width="14" height="{BOX}" '
        f'rx="2"><title>{tooltip(r)}</title></rect>'
    )
    if r.code:
        yield (
            f'<line class="s p{r.level}" x1="{x - 5}" x2="{x + 5}" y1="{top + 20}" '
            f'y2="{top + 20}"/>'
        )
    elif r.level == 4:
        yield f'<rect class="bar" x="{x - 7}" y="{top + 19}" width="14" height="3"/>'


def _marks(chain: Chain, start: int, stop: int, top: int) -> Iterator[str]:
    """Modifications and doubts, above the letters."""
    for m in chain.modifications:
        if start < m.position <= stop:
            name = escape(f"{m.position} {m.name or 'modified'} {m.mass:+.4f} Da")
            yield (
                f'<circle class="m" cx="{_middle(m.position, start)}" cy="{top}" r="2.5">'
                f"<title>{name}</title></circle>"
            )
    for doubt in chain.evidence.doubts:
        if start < doubt.position <= stop:
            x, kind = _middle(doubt.position, start), "d" if doubt.strong else "f"
            yield (
                f'<path class="{kind}" d="M{x - 4} {top - 5}h8l-4 5.5z">'
                f"<title>{escape(doubt.text)}</title></path>"
            )


def _depths(depths: Sequence[float], start: int, stop: int, base: int) -> str:
    """Bars of the reads over each position, the deepest of the chain DEPTH high."""
    most = max(depths)
    bars = ""
    for position in range(start + 1, stop + 1):
        depth = depths[position - 1]
        if depth > 0:
            height = max(1, int(DEPTH * depth / most + 0.5))
            bars += f"M{_middle(position, start) - 6} {base}v-{height}h12v{height}z"
    return f'<path class="h" d="{bars}"/>'


_ROWS: tuple[tuple[str, str, Callable[[Residue], str]], ...] = (
    ("2nd", "c", lambda r: r.second if r.second_probability >= SECOND else ""),
    ("germ.", "g", lambda r: "" if r.code else r.germline),
    ("truth", "w", lambda r: r.truth),
)


def tooltip(r: Residue) -> str:
    """A missing residue in words."""
    said = "not filled" if r.letter == MISSING_LETTER else f"{r.letter} {_share(r.probability)}"
    text = f"{r.position} {said}"
    if r.code:
        text += f", was {r.code}"
    if r.second:
        text += f"; second {r.second} {_share(r.second_probability)}"
    if r.germline:
        text += f"; germline {r.germline}"
    if r.truth:
        known = "the true gap has another length" if r.truth == OTHER_LENGTH else f"truth {r.truth}"
        text += f"; {known}"
    return escape(text)


def _share(per_mille: int) -> str:
    return f"{per_mille / 1000:.3f}"


def _middle(position: int, start: int) -> int:
    """x of the middle of a cell; an odd width leaves the half to the left."""
    return GUTTER + (position - 1 - start) * CELL + 7


def _letters(kind: str, xs: list[int], y: int, letters: str) -> Iterator[str]:
    if letters:
        places = " ".join(map(str, xs))
        yield f'<text class="{kind}" x="{places}" y="{y}">{escape(letters)}</text>'


def _bands(chain: Chain, start: int, stop: int, y: int) -> Iterator[str]:
    for band in chain.bands:
        first, last = max(band.first, start + 1), min(band.last, stop)
        if first > last:
            continue
        x, width = GUTTER + (first - 1 - start) * CELL, (last - first + 1) * CELL
        numbers = REGION_NUMBERS.get(band.region, "")
        kind = "cdr" if band.region.startswith("CDR") else "fr"
        height = 5 if kind == "cdr" else 2
        yield (
            f'<rect class="{kind}" x="{x}" y="{y + 19 - height}" width="{width - 2}" '
            f'height="{height}"/>'
        )
        for text in (f"{band.region} {numbers}".rstrip(), band.region):
            if len(text) * LETTER_WIDTH <= width:
                yield f'<text class="t" x="{x}" y="{y + 11}">{escape(text)}</text>'
                break
