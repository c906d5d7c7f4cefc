"""The benchmark of reads whose protein is known, on simulated ones."""

import re
from pathlib import Path

import pytest

from chains import fasta, germline_chain
from lacuna.benchmark.reads import READS_TABLE, VARIANTS, _pairs, benchmark_reads, lines
from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks
from lacuna.core.paths import LIBRARY, WEIGHTS

pytestmark = pytest.mark.slow

CHAIN = germline_chain("H", 1, constant=True)


def test_every_variant_is_measured_against_the_truth(tmp_path: Path) -> None:
    with open(tmp_path / "reads.csv", "w", encoding="utf-8") as handle:
        write_peaks(simulate_reads([("H", CHAIN, 1.0)], 700, 1), handle, "simulated")
    (tmp_path / "truth.fasta").write_text(fasta({"mine": CHAIN}))
    sets = tmp_path / "sets.tsv"
    sets.write_text("set\tprotein\treads\ttruth\none\tmade\treads.csv\ttruth.fasta\n")
    rows = benchmark_reads(sets, WEIGHTS, LIBRARY, tmp_path / "out.tsv", ablations=True)
    assert [row.variant for row in rows] == [variant.name for variant in VARIANTS]
    assert list(READS_TABLE.read(tmp_path / "out.tsv"))[0].set == "one"
    whole = rows[0]
    assert whole.right > 0.95 and whole.wrong_sure == 0
    assert whole.lengths == "1/1" and whole.residues < len(CHAIN)
    states = (whole.observed, whole.doubtful, whole.inferred)
    assert sum(int(state.split(",")[0]) for state in states) == whole.residues
    covered, wrong = (int(cell.split()[0]) for cell in whole.constant.split(","))
    assert 200 < covered <= len(CHAIN) - whole.residues and wrong < 0.02 * covered
    assert whole.others == "0; 0 sure, 0 in CDR3"
    assert len(list(lines(rows))) == len(rows) + 1


def test_a_truth_that_no_chain_is_like_counts_as_wrong(tmp_path: Path) -> None:
    with open(tmp_path / "reads.csv", "w", encoding="utf-8") as handle:
        write_peaks(simulate_reads([("H", CHAIN, 1.0)], 200, 1), handle, "simulated")
    (tmp_path / "truth.fasta").write_text(fasta({"other": germline_chain("L", 5)}))
    sets = tmp_path / "sets.tsv"
    sets.write_text("set\tprotein\treads\ttruth\none\tmade\treads.csv\ttruth.fasta\n")
    (row,) = benchmark_reads(sets, WEIGHTS, LIBRARY, tmp_path / "out.tsv", ablations=False)
    assert row.right == 0.0 and row.lengths == "0/1" and row.ece is None
    others, sure, in_cdr3 = (int(cell.split()[0]) for cell in re.split("[;,] *", row.others))
    assert others == 1 and 0 < in_cdr3 < sure < len(CHAIN)


def test_loops_of_other_lengths_that_make_up_for_each_other_are_aligned() -> None:
    answer = CHAIN[:26] + "GG" + CHAIN[26:100] + CHAIN[102:120]
    pairs = _pairs(CHAIN[:120], answer)
    assert sum(CHAIN[i] == answer[j] for i, j in pairs) >= 116
    assert _pairs("ACDE", "ACDF") == [(0, 0), (1, 1), (2, 2), (3, 3)]
    shifted = CHAIN[:90] + "C" + CHAIN[90:119]  # a residue too many, and the last one lacks
    assert _pairs(CHAIN[:120], shifted)[-1] == (118, 119)


def test_a_misread_stretch_of_the_same_length_is_not_aligned_around() -> None:
    """The residues of a stretch in another order, of which gaps would make some right."""
    for n in (4, 8):
        stretch = CHAIN[50 : 50 + n]
        answer = CHAIN[:50] + stretch[1:] + stretch[:1] + CHAIN[50 + n : 120]
        assert _pairs(CHAIN[:120], answer) == [(i, i) for i in range(120)]
