"""Make unimod.tsv, the names and masses of modifications, from the copy of Unimod in psims.

    pip install psims==1.4.0
    python resources/unimod/build.py

Each entry's number, name, other names and monoisotopic mass are kept. A name with several masses is
left out, unless it is the entry's own.
"""

import csv
import gzip
import xml.etree.ElementTree as ElementTree  # nosec B405
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = "controlled_vocabulary/vendor/unimod_tables.xml.gz"
TAG = "{http://www.unimod.org/xmlns/schema/unimod_tables_1}"
# Names that other tools use and Unimod lacks.
OTHER_NAMES = {
    "4": ["Carbamidomethylation", "CAM"],
    "35": ["Oxidised", "Oxidized"],
    "41": ["Glycation"],
    "108": ["N-ethylmaleimide"],
}


def key(name: str) -> str:
    """A name as the reader compares it: without blanks and case."""
    return "".join(name.split()).casefold()


def main() -> None:
    spec = find_spec("psims")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("psims is not installed; pip install psims==1.4.0")
    with gzip.open(Path(spec.submodule_search_locations[0]) / SOURCE) as handle:
        root = ElementTree.parse(handle).getroot()  # nosec B314: a package's own file
    names: dict[str, list[str]] = {}
    masses: dict[str, str] = {}
    for row in root.iter(f"{TAG}modifications_row"):
        number = row.attrib["record_id"]
        title = row.attrib["ex_code_name"] or row.attrib["code_name"]
        names[number] = [title, row.attrib["full_name"], *OTHER_NAMES.get(number, [])]
        masses[number] = row.attrib["mono_mass"]
    for row in root.iter(f"{TAG}alt_names_row"):
        names[row.attrib["mod_key"]].append(row.attrib["alt_name"])

    meant: dict[str, set[str]] = defaultdict(set)
    for number, (_, *others) in names.items():
        for name in others:
            meant[key(name)].add(masses[number])
    titles = {key(title): masses[number] for number, (title, *_) in names.items()}
    with open(HERE / "unimod.tsv", "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE)
        writer.writerow(("accession", "name", "mass", "synonyms"))
        for number in sorted(names, key=int):
            title, *others = names[number]
            synonyms = {
                key(name): " ".join(name.split())
                for name in others
                if name and len(meant[key(name)]) == 1 and key(name) not in titles
            }
            writer.writerow((number, title, masses[number], "|".join(synonyms.values())))
    print(len(names), "modifications")


if __name__ == "__main__":
    main()
