"""Make benralizumab_simulated_peaks.csv.gz: simulated reads of benralizumab, no measurement.

    python resources/examples/simulated_reads/make.py

Both chains of `../therapeutics/chains.fasta` are cut by trypsin and elastase as
`lacuna/benchmark/simulated_reads.py` says, and a thousand peptides are read with the mistakes of de
novo sequencing. The same script gives the same table.
"""

import io
import sys
from pathlib import Path

from Bio import SeqIO

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "workflow" / "scripts"))

from lacuna.benchmark.simulated_reads import simulate_reads, write_peaks  # noqa: E402
from lacuna.core.files import atomic_write  # noqa: E402

NAME = "benralizumab"
PROTEASES = ("trypsin", "elastase")
READS, SEED = 1000, 1


def table() -> str:
    """The text of the table."""
    records = SeqIO.parse(HERE.parent / "therapeutics" / "chains.fasta", "fasta")
    chains = [(r.id, str(r.seq), 1.0) for r in records if r.id.startswith(NAME)]
    handle = io.StringIO()
    write_peaks(
        simulate_reads(chains, READS, SEED, proteases=PROTEASES), handle, f"{NAME}_simulated"
    )
    return handle.getvalue()


if __name__ == "__main__":
    with atomic_write(HERE / f"{NAME}_simulated_peaks.csv.gz") as out:
        out.write(table())
