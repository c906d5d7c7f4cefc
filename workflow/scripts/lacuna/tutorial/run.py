"""The tutorial's model on every chain of a sample, as one of the baselines."""

from collections.abc import Iterator
from pathlib import Path

from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.tables import TUTORIAL_TABLE, TutorialRow
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Rejected, Scaffold
from lacuna.tutorial.model import SeedResult, run_seed, write_seed_report


def train_seed_models(
    fasta: Path,
    gaps: Path | None,
    truth: Path | None,
    report: Path,
    *,
    tolerance_ppm: float,
    k: int,
    epochs: int,
    seed: int,
) -> None:
    """Train a model per usable chain of a sample; write its report into report/00000, 00001, ...

    A table of all predictions is written to the same folder, for the comparison with the truth.
    Raises LacunaError if a gap has no truth, or truth of another length: then there is nothing to
    learn.
    """
    report.mkdir(parents=True, exist_ok=True)
    with atomic_write(report / TUTORIAL_TABLE.name) as handle:
        handle.write(TUTORIAL_TABLE.header)
        records = read_scaffolds(fasta, gaps, truth, tolerance_ppm=tolerance_ppm)
        usable = (r for r in records if not isinstance(r, Rejected))
        for number, scaffold in enumerate(usable):
            chain = true_chain(scaffold)
            if chain is None:
                raise LacunaError(
                    f"seed_lstm: '{scaffold.chain}' has a gap without truth or known length; "
                    "leave its sample out of seed_lstm.samples"
                )
            missing = [p for g in scaffold.gaps for p in range(g.start, g.end)]
            result = run_seed(chain, missing, k=k, epochs=epochs, seed=seed)
            write_seed_report(result, report / f"{number:05d}")
            handle.write(TUTORIAL_TABLE.text(list(_rows(scaffold, result))))


def true_chain(scaffold: Scaffold) -> str | None:
    """The chain with its truth filled in; None if a gap has none or one of another length."""
    sequence = list(scaffold.sequence)
    for gap in scaffold.gaps:
        if gap.truth is None or len(gap.truth) != gap.size:
            return None
        sequence[gap.start : gap.end] = gap.truth
    return "".join(sequence)


def _rows(scaffold: Scaffold, result: SeedResult) -> Iterator[TutorialRow]:
    for protocol, predicted in result.predictions.items():
        for position, residue, probability in zip(
            predicted.positions, predicted.residues, predicted.probabilities, strict=True
        ):
            yield TutorialRow(
                chain=scaffold.chain,
                position=int(position) + 1,
                protocol=protocol,
                answer=residue,
                probability=float(probability),
            )
