"""What tests of tables of peptide reads share."""

import csv
from io import StringIO
from typing import Any

import pytest

from lacuna.reads.read import Peptides, Read

CAM, OXIDISED, DEAMIDATED, ACETYL = 57.021464, 15.994915, 0.984016, 42.010565


def only(found: Peptides) -> Read:
    """The only read of a file without faults."""
    assert found.rejected == []
    (one,) = found.reads
    return one


def reasons(found: Peptides) -> list[str]:
    """What is said of the rows that are rejected."""
    return [row.reason for row in found.rejected]


def near(values: Any) -> Any:
    """The same but for rounding."""
    return pytest.approx(values, abs=1e-5)


PEAKS_X = "Scan,Peptide,ALC (%),length,m/z,z,RT,Area,Mass,ppm,PTM,local confidence (%),tag (>=0%)"


def mztab(*rows: tuple[str, float, str], version: str = "5.0.0", column: str = "") -> str:
    """An mzTab file of peptides, their scores and those of their residues."""
    name = column or "opt_ms_run[1]_aa_scores"
    lines = [
        "MTD\tmzTab-version\t1.0.0",
        f"MTD\tsoftware[1]\t[MS, MS:1003281, Casanovo, {version}]",
        "PSH\tsequence\tPSM_ID\tsearch_engine_score[1]\tcharge\texp_mass_to_charge\tspectra_ref\t"
        f"{name}",
    ]
    for number, (peptide, score, scores) in enumerate(rows, 1):
        lines.append(f"PSM\t{peptide}\t{number}\t{score}\t2.0\t400.5\tms_run[1]:index=1\t{scores}")
    return "\n".join(lines) + "\n"


NOVOR = (
    "# id, scanNum, RT, mz(data), z, pepMass(denovo), err(data-denovo), ppm, score, peptide, "
    "aaScore, "
)


def saved(rows: list[list[str]], separator: str) -> list[str]:
    """The lines of a table as a spreadsheet saves it: rows filled up, cells in quotes as needed."""
    width = max(map(len, rows))
    out = StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator="\n")
    writer.writerows([*row, *[""] * (width - len(row))] for row in rows)
    return out.getvalue().splitlines()
