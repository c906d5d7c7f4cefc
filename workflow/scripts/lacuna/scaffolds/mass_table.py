"""The table of intact masses: `chain mass tolerance_da kind`, a row per chain.

`mass` is that of the whole neutral chain in Da, reduced, water included; `kind` says whether it is
`average` or `monoisotopic`.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from lacuna.core.alphabet import RESIDUES
from lacuna.core.chain_names import OF_LOCI
from lacuna.core.files import shortened
from lacuna.core.words import number_in, number_remedy
from lacuna.scaffolds.fasta import Fault
from lacuna.scaffolds.residue_masses import LIGHTEST
from lacuna.scaffolds.scaffold import IntactMass
from lacuna.scaffolds.small_table import ByChain, read_table

COLUMNS = ("chain", "mass", "tolerance_da", "kind")
KINDS = ("average", "monoisotopic")
LIGHT = "light"  # the one light chain that reads give
LIGHT_LOCI = tuple(name for locus, name in OF_LOCI.items() if locus != "H")
MAX_MASS = 10_000_000.0  # Da: a chain of 50,000 tryptophans weighs less
_NAME, _FORM = "table of intact masses", ", ".join(COLUMNS)


class MassTable(ByChain[tuple[int, IntactMass | Fault]]):
    """The rows of a table of masses by chain."""

    def __init__(self, path: str | Path | None = None) -> None:
        """Read `path`. Raises LacunaError if the table as a whole cannot be understood."""
        super().__init__(path)
        if path is not None:
            for line, cells in read_table(path, _NAME, _FORM, COLUMNS, _lacking, "mass"):
                self._add(line, {name: cells.get(name, "") for name in COLUMNS})

    def take(self, chain: str, sequence: str = "") -> IntactMass | None:
        """Remove and return the mass of a chain; None without one.

        Raises the Fault of its row, also if the observed residues of the sequence alone weigh more,
        as when the mass is in kDa.
        """
        line, found = self._rows.pop(chain, (0, None))
        if isinstance(found, Fault):
            raise found
        if found is None:
            return None
        observed = sum(letter in RESIDUES for letter in sequence)
        if found.mass + found.tolerance_da < observed * LIGHTEST:
            raise Fault(
                f"has an intact mass of {found.mass:g} Da, less than its {observed} observed "
                "residues can weigh; give that of the whole chain in Da",
                line,
                file=self.file,
            )
        return found

    def name_light(self, chains: Iterable[str]) -> None:
        """Give the row of `light` to the one chain whose name is that of a light locus.

        chains: names that reads gave, which are those of their loci. With none or several the row
        stays as it is.
        """
        light = [chain for chain in chains if chain.startswith(LIGHT_LOCI)]
        if len(light) == 1 and LIGHT in self._rows and light[0] not in self._rows:
            self._rows[light[0]] = self._rows.pop(LIGHT)

    def _lines_of(self, chain: str) -> list[int]:
        return [self._rows[chain][0]]

    def _add(self, line: int, cells: dict[str, str]) -> None:
        chain = cells["chain"]
        found: IntactMass | Fault
        try:
            if chain in self._rows:
                raise ValueError("has two intact masses; keep one of them")
            kind = cells["kind"].casefold()
            if kind not in KINDS:
                raise ValueError(
                    f"has an intact mass of kind '{shortened(cells['kind'])}'; use one of "
                    f"{', '.join(KINDS)}"
                )
            mass, tolerance = (_number(cells, name) for name in ("mass", "tolerance_da"))
            if tolerance >= mass:
                raise ValueError(
                    f"has an intact mass of {mass:g} Da with a tolerance of {tolerance:g} Da; give "
                    "a tolerance that is less than the mass"
                )
            found = IntactMass(mass, tolerance, kind)
        except ValueError as error:
            found = Fault(str(error), line, file=self.file)
        self._rows[chain] = line, found


def _lacking(columns: Sequence[str]) -> str:
    """Which of its columns a table lacks, in words; '' for none."""
    lacking = next((name for name in COLUMNS if name not in columns), "")
    return f"column '{lacking}' is missing; give {_FORM}" if lacking else ""


def _number(cells: dict[str, str], name: str) -> float:
    """A cell as a positive number; ValueError if it is none."""
    text = cells[name]
    value = number_in(text)
    if not 0 < value <= MAX_MASS:
        positive = f"give a number of Da above 0, up to {MAX_MASS:.0f}"
        remedy = shortened(number_remedy(text, positive) if math.isnan(value) else positive)
        raise ValueError(f"has an intact mass with {name} '{shortened(text)}'; {remedy}")
    return value
