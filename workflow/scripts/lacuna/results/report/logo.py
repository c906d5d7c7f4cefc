"""The logo of a gap: letters as high as they are probable, as SVG.

`drawLogo` in workflow/report/report.js draws the same for chains that are drawn by the script; a
test compares the two.
"""

from collections.abc import Sequence
from html import escape

from lacuna.results.report.chain import LEVELS, MILLE, SECOND, Residue

CELL = 16
HEIGHT = 36  # of a letter of probability 1
LINE = 40  # residues a line
SPACE = 8  # between lines
CAPITAL = 11.7  # height of a capital at 16 px, by which letters are scaled
WIDER = 1.5


def shares_of(residue: Residue) -> list[tuple[str, int]]:
    """The letters of a residue that are drawn, with their shares per mille, most probable first."""
    every = [
        (residue.letter, residue.probability),
        (residue.second, residue.second_probability),
        *residue.others,
    ]
    found = [(letter, share) for letter, share in every if letter and share >= SECOND]
    return sorted(found, key=lambda pair: -pair[1])


def describe(residues: Sequence[Residue]) -> str:
    """The logo in words: the choices of residues that are not sure."""
    said = [f"Logo of residues {residues[0].position} to {residues[-1].position}"]
    unsure = [r for r in residues if r.probability < LEVELS[0]]
    for r in unsure:
        shares = ", ".join(f"{letter} {share / MILLE:.2f}" for letter, share in shares_of(r))
        said.append(f"{r.position}: {shares or 'no letter of 0.05 or more'}")
    if len(unsure) < len(residues):
        said.append(f"{'the others' if unsure else 'all'} at 0.95 or more")
    return "; ".join(said)


def draw_logo(residues: Sequence[Residue]) -> str:
    """The logo of the residues of a gap as SVG text, the most probable letter on top."""
    parts = []
    for i, residue in enumerate(residues):
        x = i % LINE * CELL
        floor = float((i // LINE + 1) * (HEIGHT + SPACE) - SPACE)
        for letter, share in reversed(shares_of(residue)):
            kind = "a" if letter == residue.letter else "e"
            tall = HEIGHT * share / MILLE
            parts.append(
                f'<text class="{kind}" transform="translate({x + CELL // 2} {floor:.2f}) '
                f'scale({WIDER} {tall / CAPITAL:.3f})">{escape(letter)}</text>'
            )
            floor -= tall
    width = min(len(residues), LINE) * CELL
    height = -(-len(residues) // LINE) * (HEIGHT + SPACE) - SPACE
    return (
        f'<svg class="logo" viewBox="0 -2 {width} {height + 4}" width="{width}" '
        f'height="{height + 4}" role="img" aria-label="{escape(describe(residues))}">'
        f"{''.join(parts)}</svg>"
    )
