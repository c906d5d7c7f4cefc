"""A sample of reads alone, from its table to its results, in one process."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from Bio import SeqIO

from chains import constant_region, germline_chain
from lacuna.benchmark.simulated_reads import PROTEASES, Reading, simulate_reads, write_peaks
from lacuna.core.alphabet import RESIDUES
from lacuna.core.config import check_config
from lacuna.core.paths import LIBRARY, WEIGHTS
from lacuna.core.tables import EVIDENCE_TABLE, PLACED_TABLE, RESIDUE_TABLE, EvidenceRow
from lacuna.results.counts import count_sample
from lacuna.scaffolds.scaffold import MOST_UNSHOWN
from lacuna.steps.outputs import OUTPUTS
from lacuna.steps.reader_files import Networks
from lacuna.steps.sample_files import SampleFiles as SmallSample
from lacuna.steps.settings import settings_of
from lacuna.steps.small_samples import fill_pack

pytestmark = pytest.mark.slow

CHAIN = germline_chain("H", 1)
FILES = OUTPUTS | {name: f"{name}.tsv" for name in ("reads", "evidence")}
FILES |= {"scaffolds": "scaffolds.fasta"}


def fill(
    folder: Path,
    n: int,
    reading: Reading | None = None,
    chains: Sequence[tuple[str, str, float]] = (("H", CHAIN, 1.0),),
    proteases: Sequence[str] = tuple(PROTEASES),
) -> Path:
    """The folder with the results of a sample of n reads of chains (name, sequence, share)."""
    reads = simulate_reads(chains, n, 1, proteases=proteases, reading=reading)
    with open(folder / "reads.csv", "w", encoding="utf-8") as handle:
        write_peaks(reads, handle, "sim")
    out = folder / "out"
    outputs = {name: out / file for name, file in FILES.items()}
    sample = SmallSample(
        "s", "auto", "auto", {}, outputs, (folder / "reads.csv",), reads_format="auto"
    )
    settings = settings_of(check_config({"samples": "-"}))
    scratch, device = folder / "scratch", torch.device("cpu")
    fill_pack([sample], Networks(WEIGHTS, LIBRARY), scratch, settings=settings, device=device)
    return out


def test_every_position_has_its_evidence(tmp_path: Path) -> None:
    out = fill(tmp_path, 300)
    scaffold = (out / "scaffolds.fasta").read_text().split("\n")[1]
    filled = (out / "filled.fasta").read_text().split("\n")[1]
    rows = list(EVIDENCE_TABLE.read(out / "evidence.tsv"))
    assert "".join(row.residue for row in rows) == filled
    missing = {row.position: row for row in RESIDUE_TABLE.read(out / "residues.tsv")}
    assert 0 < len(missing) < len(rows)
    for row in rows:
        if row.position in missing:
            one = missing[row.position]
            assert row.probability is not None and one.probability is not None
            if one.ambiguity == "J":  # there I or L by the network alone, here times that by reads
                assert 0.9 * one.probability < row.probability <= one.probability
            else:
                assert row.probability == one.probability
            if "length" in row.flags.split(";"):
                assert row.probability <= MOST_UNSHOWN
        else:
            assert row.probability is not None and row.depth is not None and row.depth > 0
    if len(scaffold) == len(filled):  # no gap of unknown length
        pairs = zip(scaffold, filled, strict=True)
        assert all(a == b for a, b in pairs if a in RESIDUES)
    assert filled.replace("I", "L")[:90] == CHAIN.replace("I", "L")[:90]


THERAPEUTICS = Path(__file__).parents[3] / "resources" / "examples" / "therapeutics"


def same(one: str, other: str) -> bool:
    return one.replace("I", "L") == other.replace("I", "L")


def test_planted_faults_are_found_and_flagged(tmp_path: Path) -> None:
    """A fifth of another antibody, tags, deamidation, an unlisted oxidation, a longer CDR1."""
    records = SeqIO.parse(THERAPEUTICS / "chains.fasta", "fasta")
    known = {record.id: str(record.seq) for record in records}
    at = known["benralizumab_heavy"].index("GYTF") + 4
    heavy = known["benralizumab_heavy"][:at] + "HW" + known["benralizumab_heavy"][at:]
    chains = [
        ("H", heavy, 0.4),
        ("L", known["benralizumab_light"], 0.4),
        ("other_H", known["evolocumab_heavy"], 0.1),
        ("other_L", known["evolocumab_light"], 0.1),
        ("tag", "GSDYKDDDDKHHHHHHGSDYKDDDDK", 0.3),
    ]
    reading = Reading(deamidated=0.15, oxidised=0.5, lists_oxidation=False)
    out = fill(tmp_path, 2500, reading, chains)
    rows: dict[str, list[EvidenceRow]] = {}
    for row in EVIDENCE_TABLE.read(out / "evidence.tsv"):
        rows.setdefault(row.chain, []).append(row)
    # The other antibody: chains of its own, with their share.
    assert set(rows) == {"heavy", "heavy_2", "kappa", "lambda"}
    lines = (out / "scaffolds.fasta").read_text().splitlines()
    shares = {line[1:].split()[0]: float(line.split()[1]) for line in lines if line[0] == ">"}
    assert shares["heavy_2"] + shares["lambda"] < 0.5 * (shares["heavy"] + shares["kappa"])
    # The longer CDR1.
    found = rows["heavy"]
    assert same("".join(row.residue for row in found[:120]), heavy[:120])
    assert all("length" in row.flags for row in found[at : at + 2])
    # Deamidated N.
    amides = [i for i, letter in enumerate(heavy[:100]) if letter == "N" and i > at]
    assert any("deamidation" in found[i].flags for i in amides)
    # M(ox) that the search reads as other residues of its mass.
    oxidised = heavy.index("WMGY") + 1
    assert any("isobaric" in row.flags for row in found[oxidised - 1 : oxidised + 2])
    # Tags.
    placed = [row for row in PLACED_TABLE.read(out / "reads.tsv") if row.chain.startswith("tag_")]
    assert len(placed) > 20 and {row.placed_as for row in placed} == {"contaminant"}
    # Nothing is asserted that is wrong.
    truth = zip(heavy[:120], found, strict=False)
    assert not [r for t, r in truth if not same(t, r.residue) and (r.probability or 0) >= 0.95]


def test_a_cdr3_that_trypsin_cuts_is_whole_with_a_probability(tmp_path: Path) -> None:
    chain = CHAIN[:-23] + "ARDGSSYYRFMDY" + CHAIN[-11:] + constant_region("H")
    cut = chain.index("RFMDY") + 1
    out = fill(tmp_path, 600, chains=[("H", chain, 1.0)], proteases=["trypsin"])
    about = (out / "scaffolds.fasta").read_text().split("\n")[0]
    assert "nothing is missing in CDR3 with a probability of 0." in about
    rows = list(EVIDENCE_TABLE.read(out / "evidence.tsv"))
    loop = slice(cut - 9, cut + 4)
    assert same("".join(row.residue for row in rows[loop]), chain[loop])
    domain = rows[: chain.index(constant_region("H"))]
    assert [i for i, row in enumerate(domain) if "length" in row.flags] == [cut - 1, cut]


def test_reads_that_fit_no_chain_end_in_tables_without_rows(tmp_path: Path) -> None:
    out = fill(tmp_path, 100, Reading(noise=1.0))
    assert {path.name for path in out.iterdir()} == set(FILES.values())
    assert (out / "filled.fasta").read_text() == (out / "scaffolds.fasta").read_text() == ""
    assert list(EVIDENCE_TABLE.read(out / "evidence.tsv")) == []
    assert len(list(PLACED_TABLE.read(out / "reads.tsv"))) == 100
    counts = count_sample(*(out / f"{name}.tsv" for name in ("chains", "rejected", "reads")))
    assert counts.nothing_filled and (counts.reads, counts.placed) == (100, 0)
