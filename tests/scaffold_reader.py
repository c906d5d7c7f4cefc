"""Scaffolds of files that are made in code."""

from collections.abc import Callable
from pathlib import Path

from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Gap, Rejected, Scaffold

HEADER = "chain\tstart\tend\tmass\ttolerance_ppm\tmin_length\tmax_length\n"


class Reader:
    """Writes the files of a test and reads them as scaffolds."""

    def __init__(self, write: Callable[[str, str | bytes], Path]) -> None:
        self.write = write

    def __call__(
        self,
        fasta: str | bytes,
        gaps: str | None = None,
        truth: str | None = None,
        **options: float,
    ) -> list[Scaffold | Rejected]:
        return list(
            read_scaffolds(
                self.write("heavy.fasta", fasta),
                None if gaps is None else self.write("gaps.tsv", gaps),
                None if truth is None else self.write("truth.fasta", truth),
                **options,  # type: ignore[arg-type]
            )
        )

    def one(self, sequence: str, rows: str = "", truth: str | None = None) -> Scaffold:
        """The scaffold of one chain 'm'; `rows` are lines of a gap table without the chain."""
        table = rows and HEADER + "".join(f"m\t{row}\n" for row in rows.splitlines())
        found = self(
            f">m\n{sequence}\n", table or None, None if truth is None else f">m\n{truth}\n"
        )
        found = [r for r in found if isinstance(r, Scaffold) or not r.remark]
        assert len(found) == 1 and isinstance(found[0], Scaffold), found
        return found[0]

    def fault(self, sequence: str, rows: str = "", truth: str | None = None) -> Rejected:
        """The rejection of one chain 'm', read together with a good one."""
        table = rows and HEADER + "".join(f"m\t{row}\n" for row in rows.splitlines())
        fasta = f">m\n{sequence}\n>good\nACD\n"
        bad, good = self(fasta, table or None, None if truth is None else f">m\n{truth}\n")
        assert isinstance(bad, Rejected) and bad.chain == "m"
        assert isinstance(good, Scaffold) and good.sequence == "ACD"
        assert "\n" not in bad.reason
        return bad


def fixed(start: int, end: int, truth: str | None = None) -> Gap:
    """A gap of known length without a mass."""
    return Gap(start, end, end - start, end - start, None, None, truth)
