"""Make V.tsv, J.tsv and C.tsv, the bundled germline segments as amino acids.

    pip install GenAIRR==2.3.1 immunum==2.0.0
    python resources/germlines/build.py constant_regions.csv

V and J segments are translated from the IMGT/GENE-DB nucleotide sets in the package GenAIRR.
V segments are numbered like scaffolds (immunum, IMGT scheme), so that a column means the same
residue everywhere. Constant regions are read from a CSV with the columns source, gene, species and
aa (VCAb's table of unique C alleles). Only segments without stop codons and with their conserved
residues in place (Cys23 and Cys104 of V, [WF]G.G of J) are kept; of identical sequences, the first
one is kept.
"""

import csv
import re
import sys
from itertools import takewhile
from pathlib import Path

import GenAIRR.data
import immunum
from Bio.Seq import translate

HERE = Path(__file__).parent
N_COLUMNS = 128
SETS = {
    ("human", "H"): "HUMAN_IGH_IMGT",
    ("human", "K"): "HUMAN_IGK_IMGT",
    ("human", "L"): "HUMAN_IGL_IMGT",
    ("mouse", "H"): "MOUSE_IGH_IMGT",
    ("mouse", "K"): "MOUSE_IGK_IMGT",
    ("mouse", "L"): "MOUSE_IGL_IMGT",
    ("rat", "H"): "RAT_IGH_IMGT",
    ("rat", "K"): "RAT_IGK_IMGT",
    ("rat", "L"): "RAT_IGL_IMGT",
    ("rabbit", "H"): "RABBIT_IGH_IMGT",
    ("rabbit", "K"): "RABBIT_IGK_IMGT",
    ("rabbit", "L"): "RABBIT_IGL_IMGT",
    ("rhesus", "H"): "RHESUS_IGH_IMGT",
    ("rhesus", "K"): "RHESUS_IGK_IMGT",
    ("rhesus", "L"): "RHESUS_IGL_IMGT",
    ("alpaca", "H"): "ALPACA_IGH_IMGT",
    ("dog", "H"): "DOG_IGH_IMGT",
    ("dog", "K"): "DOG_IGK_IMGT",
    ("dog", "L"): "DOG_IGL_IMGT",
    ("cat", "K"): "CAT_IGK_IMGT",
    ("cat", "L"): "CAT_IGL_IMGT",
    ("cow", "H"): "COW_IGH_IMGT",
    ("cow", "K"): "COW_IGK_IMGT",
    ("cow", "L"): "COW_IGL_IMGT",
    ("sheep", "H"): "SHEEP_IGH_IMGT",
    ("sheep", "K"): "SHEEP_IGK_IMGT",
    ("sheep", "L"): "SHEEP_IGL_IMGT",
    ("goat", "K"): "GOAT_IGK_IMGT",
    ("goat", "L"): "GOAT_IGL_IMGT",
    ("pig", "H"): "PIG_IGH_IMGT",
    ("pig", "K"): "PIG_IGK_IMGT",
    ("pig", "L"): "PIG_IGL_IMGT",
    ("horse", "H"): "HORSE_IGH_IMGT",
    ("horse", "K"): "HORSE_IGK_IMGT",
    ("chicken", "H"): "CHICKEN_IGH_IMGT",
    ("chicken", "L"): "CHICKEN_IGL_IMGT",
}
C_SPECIES = {  # in the order of the file: of equal constant regions the first one is chosen
    "Homo_sapiens": "human",
    "Macaca_mulatta": "rhesus",
    "Mus_musculus": "mouse",
    "Oryctolagus_cuniculus": "rabbit",
    "Rattus_norvegicus": "rat",
    "Vicugna_pacos": "alpaca",
    "Canis_lupus_familiaris": "dog",
    "Felis_catus": "cat",
    "Bos_taurus": "cow",
    "Ovis_aries": "sheep",
    "Capra_hircus": "goat",
    "Sus_scrofa": "pig",
    "Equus_caballus": "horse",
    "Gallus_gallus": "chicken",
}
# The rest of a domain, with which immunum numbers a V segment to its last residue.
REST = {"H": "DYFDYWGQGTLVTVSS", "K": "PLTFGGGTKVEIK", "L": "PVVFGGGTKLTVL"}
CDR3_FIRST = {str(c) for c in range(105, 118)}  # the first of them that occurs begins CDR3
FR4_LAST = {"H": 128, "K": 127, "L": 127}


def align_v(sequence: str, locus: str, annotator: immunum.Annotator) -> str | None:
    """The segment on IMGT columns 1 to 128, '-' on empty columns; None if it does not fit."""
    result = annotator.number(sequence + REST[locus])
    if result.numbering is None or result.chain != locus:
        return None
    row = ["-"] * N_COLUMNS
    numbered = list(result.numbering.items())
    start = result.query_start
    framework = list(takewhile(lambda one: one[0] not in CDR3_FIRST, numbered))
    if len(framework) == len(numbered) or not all(p.isdigit() for p, _ in framework):
        return None  # no CDR3, or an insertion outside it, which has no column of its own
    for position, residue in framework:
        row[int(position) - 1] = residue
    tail = sequence[start + len(framework) :]  # V's part of CDR3, counted from column 105
    if row[22] != "C" or row[103] != "C" or len(tail) > 13:
        return None
    row[104 : 104 + len(tail)] = tail
    return "".join(row)


def align_j(nucleotides: str, locus: str) -> str | None:
    """The segment on IMGT columns 1 to 128, Trp or Phe of its [WF]G.G on column 118."""
    for frame in range(3):
        coding = nucleotides[frame:]
        protein = translate(coding[: len(coding) // 3 * 3])
        motif = re.search(r"[WF]G.G", protein)
        if motif and "*" not in protein:
            break
    else:
        return None
    row = ["-"] * N_COLUMNS
    for i, residue in enumerate(protein):
        column = 118 + i - motif.start()
        if column <= FR4_LAST[locus]:
            row[column - 1] = residue
    return "".join(row)


def write(name: str, rows: list[tuple[str, ...]]) -> None:
    seen: set[tuple[str, ...]] = set()
    with open(HERE / name, "w", newline="") as handle:
        writer = csv.writer(handle, delimiter="\t", lineterminator="\n")
        writer.writerow(("species", "locus", "segment", "sequence"))
        for row in rows:
            key = (row[0], row[1], row[3])
            if key not in seen:
                seen.add(key)
                writer.writerow(row)
    print(name, len(seen))


def main(constant_regions: str) -> None:
    v, j, c = [], [], []
    annotator = immunum.Annotator(["ig"], "imgt", min_confidence=0.0)
    for (species, locus), name in SETS.items():
        genes = getattr(GenAIRR.data, name)
        for allele in (a for group in genes.v_alleles.values() for a in group):
            coding = allele.ungapped_seq
            protein = translate(coding[: len(coding) // 3 * 3])
            aligned = None if "*" in protein else align_v(protein, locus, annotator)
            if aligned and "X" not in aligned:
                v.append((species, locus, allele.name, aligned))
        for allele in (a for group in genes.j_alleles.values() for a in group):
            aligned = align_j(allele.ungapped_seq, locus)
            if aligned and "X" not in aligned:
                j.append((species, locus, allele.name, aligned))
    with open(constant_regions, newline="") as handle:
        for row in csv.DictReader(handle):
            if row["source"].startswith("VCAb") and row["species"] in C_SPECIES:
                c.append((C_SPECIES[row["species"]], row["gene"][2], row["gene"], row["aa"]))
    order = list(C_SPECIES.values())
    c.sort(key=lambda row: order.index(row[0]))
    write("V.tsv", v)
    write("J.tsv", j)
    write("C.tsv", [(s, "H" if x not in "KL" else x, g, a) for s, x, g, a in c])


if __name__ == "__main__":
    main(sys.argv[1])
