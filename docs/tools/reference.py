"""Write the generated parts of docs/reference from the schemas, with rows of real runs.

    PYTHONPATH=workflow/scripts python docs/tools/reference.py [RESULTS]

A generated part is between the comments `<!-- generated: NAME -->` and `<!-- end -->`. NAME is
`config` or `sheet` (the keys of a JSON schema), `columns of TABLE` (those of core/tables.py), `file
PATH` and `example FILE` (as they are), or what a run wrote: `rows of TABLE` and `filled FILE`. The
chains in docs/tools/example are filled anew for this, in double precision, so that every
machine prints the same. Rows of reads and of the tutorial's model are from RESULTS (`results` if it
is not given), the output of `make run`. Text outside of these comments is not touched.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lacuna.core.paths import CONFIG_SCHEMA, WORKFLOW
from lacuna.core.tables import (
    ACCURACY_TABLE,
    CHAIN_TABLE,
    DOUBT_TABLE,
    EVIDENCE_TABLE,
    GAP_TABLE,
    MASS_TABLE,
    PLACED_TABLE,
    REJECTED_TABLE,
    RESIDUE_TABLE,
    SPECTRUM_TABLE,
    TUTORIAL_TABLE,
)
from lacuna.core.tsv import Column, Readings, Shares
from lacuna.steps.one_file import fill_file

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent

PAGES = tuple(
    DOCS / page
    for page in (
        *(f"reference/{name}.md" for name in ("config", "sheet", "outputs")),
        *(f"tutorials/{name}.md" for name in ("from-reads", "top-down")),
    )
)
EXAMPLE = DOCS / "tools" / "example"
OPTIONS = {"candidates": 3, "doubts": True, "precision": "float64"}
SCHEMAS = {"config": CONFIG_SCHEMA, "sheet": WORKFLOW / "schemas" / "samples.schema.yaml"}
TABLES = (
    *(RESIDUE_TABLE, GAP_TABLE, CHAIN_TABLE, MASS_TABLE, ACCURACY_TABLE, REJECTED_TABLE),
    *(DOUBT_TABLE, TUTORIAL_TABLE, EVIDENCE_TABLE, PLACED_TABLE, SPECTRUM_TABLE),
)
BLOCK = re.compile(r"(<!-- generated: ([^>]+) -->\n).*?(<!-- end -->)", re.DOTALL)

# The rows that are shown, by the values of their first columns that tell them apart.
SHOWN: Mapping[str, Sequence[Mapping[str, str]]] = {
    "residues.tsv": [{"position": p} for p in ("29", "34", "100")],
    "gaps.tsv": [
        {"gap": gap, "rank": rank} for gap, rank in (("1", "1"), ("1", "2"), ("2", "1"), ("3", "1"))
    ],
    "chains.tsv": [{"chain": "trastuzumab_heavy"}],
    "masses.tsv": [{}],
    "accuracy.tsv": [
        {"scope": "overall", "method": "lacuna"},
        {"scope": "overall", "method": "germline_copy"},
        {"scope": "ambiguity", "method": "lacuna"},
    ],
    "rejected.tsv": [{}],
    "doubts.tsv": [{}],
    "evidence.tsv": [
        {"chain": "heavy", "position": position} for position in ("1", "2", "97", "99")
    ],
    "reads.tsv": [
        {"placed_as": "whole"},
        {"placed_as": "core"},
        {"chain": "trypsin_bovine"},
        {"placed_as": "fits no chain"},
    ],
    "spectra.tsv": [{"kind": kind} for kind in ("spectrum", "mass", "unseen", "cleavage")],
    "predictions.tsv": [{"protocol": "scaffold"}, {"protocol": "true_context"}],
}
# Where rows come from that docs/tools/example does not give.
OF_RUN = {
    "evidence.tsv": "benralizumab_simulated/evidence.tsv",
    "reads.tsv": "benralizumab_simulated/reads.tsv",
    "predictions.tsv": "alemtuzumab_light/seed_lstm/predictions.tsv",
}


# --- schemas -------------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def values(key: Mapping[str, Any]) -> str:
    """What a key of a schema may be, in words."""
    if "enum" in key:
        return ", ".join(f"`{plain(value)}`" for value in key["enum"] if value != "")
    if key["type"] == "array":
        items = key["items"]
        if "enum" not in items and items["type"] == "string":
            return "list of texts"
        return f"list of {values(items)}"
    types = [key["type"]] if isinstance(key["type"], str) else list(key["type"])
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "bool"}
    told = " or ".join(words.get(t, t) for t in types)
    low = key.get("minimum", key.get("exclusiveMinimum"))
    high = key.get("maximum", key.get("exclusiveMaximum"))
    if low is None or high is None:
        return told if low is None else f"{told}, {low:,} or more"
    return f"{told}, {low:,} to {high:,}"


def plain(value: Any) -> str:
    """A value as it is written in YAML."""
    return (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )


def keys(schema: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Name, values, default and meaning of each key of a schema, those of sections too."""
    for name, key in schema["properties"].items():
        if "properties" in key:
            yield f"`{prefix}{name}:`", "section", "", key["description"]
            yield from keys(key, f"{prefix}{name}.")
        elif key["type"] == "object":
            yield f"`{prefix}{name}:`", "section", "", key["description"]
        else:
            default = f"`{plain(key['default'])}`" if key.get("default", "") != "" else ""
            yield f"`{prefix}{name}`", values(key), default, key["description"]


def config() -> str:
    """The keys of config.yaml."""
    return table(["key", "value", "default", "meaning"], keys(load("config")))


def sheet() -> str:
    """The columns of the sample sheet."""
    rows = ((name, default, meaning) for name, _, default, meaning in keys(load("sheet")))
    return table(["column", "default", "meaning"], rows)


def load(name: str) -> dict[str, Any]:
    """A schema as a dictionary."""
    loaded: dict[str, Any] = yaml.safe_load(SCHEMAS[name].read_text(encoding="utf-8"))
    return loaded


# --- tables --------------------------------------------------------------------------------------


def type_of(column: Column) -> str:
    """The type of a column in words."""
    words = {str: "text", int: "integer", float: "number", Shares: "shares", Readings: "shares"}
    told = words[column.type]
    return f"{told}, or empty" if column.optional else told


def columns_of(name: str) -> str:
    """The columns of a table: name, type and meaning."""
    (found,) = (table for table in TABLES if table.name == name)
    rows = ([f"`{c.name}`", type_of(c), c.meaning] for c in found.columns)
    return table(["column", "type", "meaning"], rows)


@cache
def example() -> Path:
    """The folder with the tables of docs/tools/example, filled anew."""
    out = Path(tempfile.mkdtemp(prefix="lacuna-reference-"))
    inputs = {"fasta": "chains.fasta", "truth": "truth.fasta", "masses": "masses.tsv"}
    fill_file({key: EXAMPLE / name for key, name in inputs.items()}, out, OPTIONS)
    return out


@cache
def with_spectra() -> Path:
    """The same folder of a run with the spectra of docs/tools/example."""
    out = Path(tempfile.mkdtemp(prefix="lacuna-reference-"))
    spectra = [EXAMPLE / "spectra.mgf"]
    fill_file({"fasta": EXAMPLE / "chains.fasta"}, out, OPTIONS, spectra=spectra)
    return out


def rows_of(name: str, results: Path) -> str:
    """Rows of a table that a run wrote, in columns, with the header."""
    (found,) = (table for table in TABLES if table.name == name)
    folder = with_spectra if name == SPECTRUM_TABLE.name else example
    path = results / OF_RUN[name] if name in OF_RUN else folder() / name
    lines = [list(found.names)]
    everything = [found.cells(row) for row in found.read(path)]
    for wanted in SHOWN[name]:
        keys = [(found.names.index(column), value) for column, value in wanted.items()]
        lines.append(next(row for row in everything if all(row[i] == v for i, v in keys)))
    return fenced(aligned(lines))


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Cells in columns, two blanks apart."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    padded = ("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)
    return "".join(f"{line}\n" for line in padded)


def fenced(text: str) -> str:
    return f"```\n{text}```\n"


def example_file(name: str) -> str:
    """A file of docs/tools/example as it is."""
    return fenced((EXAMPLE / name).read_text(encoding="utf-8"))


def bundled(path: str) -> str:
    """A bundled text file; a sheet in columns."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".yaml"):
        return f"```yaml\n{text}```\n"
    if path.endswith(".fasta"):
        return fenced(text)
    lines = [line.split("\t") for line in text.splitlines()]
    most = max(map(len, lines))
    return fenced(aligned([line + [""] * (most - len(line)) for line in lines]))


# --- pages ---------------------------------------------------------------------------------------


def needs_run(name: str) -> bool:
    """Whether the generated part of this name is made of the output of `make run`."""
    kind, _, what = name.rpartition(" ")
    return kind == "rows of" and what in OF_RUN


def generated(name: str, results: Path) -> str:
    """The generated part of this name."""
    makers: Mapping[str, Callable[[str], str]] = {
        "columns of": columns_of,
        "rows of": lambda name: rows_of(name, results),
        "example": example_file,
        "filled": lambda name: fenced((example() / name).read_text(encoding="utf-8")),
        "file": bundled,
    }
    if name in ("config", "sheet"):
        return {"config": config, "sheet": sheet}[name]()
    kind, _, what = name.rpartition(" ")
    return makers[kind](what)


def parts(page: str) -> list[tuple[str, str, str]]:
    """The generated parts of a page: comment, name and text."""
    return [(m[1], m[2], m[0].removeprefix(m[1]).removesuffix(m[3])) for m in BLOCK.finditer(page)]


def written(page: str, results: Path) -> str:
    """A page with its generated parts made anew."""
    return BLOCK.sub(lambda m: f"{m[1]}\n{generated(m[2], results)}\n{m[3]}", page)


def main(results: Path) -> None:
    """Write all pages."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        path.write_text(written(text, results), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results")
