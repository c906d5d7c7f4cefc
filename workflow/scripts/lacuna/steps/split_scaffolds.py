"""The chains of a sample: read, and cut into the blocks that are filled one by one.

Neither torch nor pandas is imported here, so that the job, which only copies text, starts at once.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lacuna.core.files import LacunaError
from lacuna.core.tables import NOTE, REJECTED_TABLE, RejectedRow
from lacuna.scaffolds.alkylation import EvidenceChains
from lacuna.scaffolds.json_lines import block_path, write_scaffolds
from lacuna.scaffolds.notes import Notes
from lacuna.scaffolds.read import read_scaffolds, unusable_homologs
from lacuna.scaffolds.scaffold import MOST_UNSHOWN, Rejected, Scaffold
from lacuna.scaffolds.truth import TRUTH
from lacuna.scaffolds.truth_of_reads import unlike, write_truth

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ChainFiles:
    """A sample's chains, and what else is known of them, mostly as `read_scaffolds` takes it.

    fasta: may be empty in a sample with reads, if these gave no chain; homologs: a FASTA whose
    unusable records are listed too; evidence, settled: tables that are carried with the chains;
    unread: of a sample with reads the bad rows of their files; masses: intact masses.
    """

    fasta: Path
    gaps: Path | None = None
    truth: Path | None = None
    homologs: Path | None = None
    evidence: Sequence[Path] = ()
    settled: Path | None = None
    unread: Path | None = None
    masses: Path | None = None


def split_scaffolds(
    given: ChainFiles,
    folder: Path,
    rejected: Path,
    *,
    block_size: int,
    n_blocks: int,
    tolerance_ppm: float,
    on_bad_record: str,
) -> None:
    """Write usable chains into n_blocks files of block_size each, and list the others.

    Bad rows of files of reads are listed first. The true chains of a sample of reads alone are
    matched by likeness. Chains that are evidence of the state of C are also written to a file next
    to the blocks (`EvidenceChains`).

    Raises LacunaError if `on_bad_record` is 'fail' and there are bad records. Each is first named
    in the log, since Snakemake removes the output of a failed job. Raises it too if a FASTA is
    unreadable as a whole.
    """
    faults: list[Rejected] = []
    empty = given.unread is not None and not given.fasta.stat().st_size
    folder.mkdir(parents=True, exist_ok=True)
    truth = given.truth
    if truth is not None and given.settled is not None and not empty:
        truth = _truth_of_reads(given, truth, folder, faults)
    evident = EvidenceChains()
    usable = () if empty else _usable(replace(given, truth=truth), tolerance_ppm, faults)
    chains = evident.watch(usable)
    for block in range(n_blocks):
        write_scaffolds(block_path(folder, block), islice(chains, block_size))
    if next(chains, None) is not None:
        raise LacunaError(f"{given.fasta}: grew while it was read; run again")
    evident.write(folder)
    _list_rejected(faults, given.unread, rejected, fail=on_bad_record == "fail")


def _truth_of_reads(
    given: ChainFiles, truth: Path, folder: Path, faults: list[Rejected]
) -> Path | None:
    """The file of the true chains under the ids of the chains that reads gave; None if no chain
    resembles one.

    Remarks on chains that are not compared, or whose true chain cannot be read, are added to
    `faults`.
    """
    records = read_scaffolds(given.fasta, given.gaps, settled=given.settled)
    found = [record for record in records if isinstance(record, Scaffold)]
    true = []
    for record in read_scaffolds(truth):
        if isinstance(record, Scaffold):
            true.append(record)
        else:
            faults.append(record if record.remark else _not_compared(record))
    renamed = folder / TRUTH
    matched = write_truth(found, true, renamed)
    faults.extend(unlike(found, true, matched, truth.name))
    return renamed if matched else None


def _not_compared(true: Rejected) -> Rejected:
    """A remark on a true chain that cannot be read; the chains of reads are filled all the same."""
    return replace(
        true, reason=f"{true.reason}; until then it does not count for accuracy", remark=True
    )


def _usable(given: ChainFiles, tolerance_ppm: float, faults: list[Rejected]) -> Iterator[Scaffold]:
    """Yield the usable chains; the others, and what a user should know, are added to `faults`."""
    notes = Notes(given.fasta.name)
    for record in read_scaffolds(
        given.fasta,
        given.gaps,
        given.truth,
        given.evidence,
        given.settled,
        masses=given.masses,
        tolerance_ppm=tolerance_ppm,
    ):
        if isinstance(record, Rejected):
            faults.append(record)
        elif given.unread is None:
            yield record
        else:
            if given.settled is None:  # the chains are given
                notes.look_for_open_gaps(record)
            yield _unshown(record)
    if given.homologs is not None:
        faults.extend(unusable_homologs(given.homologs))
    faults.extend(notes.all())


def _list_rejected(
    faults: Sequence[Rejected], unread: Path | None, rejected: Path, *, fail: bool
) -> None:
    """Write the table of bad records, and name them in the log; see `split_scaffolds`."""
    rows = [] if unread is None else list(REJECTED_TABLE.read(unread))
    bad = [row.reason for row in rows]
    rows += [
        RejectedRow(f.chain, f.line, f.column or None, (NOTE if f.remark else "") + f.reason)
        for f in faults
    ]
    REJECTED_TABLE.write(rejected, rows)
    for remark in (fault for fault in faults if fault.remark):
        LOG.warning(remark.reason)
    bad += [fault.reason for fault in faults if not fault.remark]
    if bad and fail:
        for reason in bad:
            LOG.error(reason)
        listed = "" if len(bad) == 1 else f" (1 of {len(bad)} bad records; all in the log)"
        raise LacunaError(f"{bad[0]}{listed}")


def _unshown(scaffold: Scaffold) -> Scaffold:
    """A chain of a sample with reads, where no read shows the length of a gap that has none."""
    gaps = (
        gap if gap.fixed or gap.shown else replace(gap, most=MOST_UNSHOWN) for gap in scaffold.gaps
    )
    return replace(scaffold, gaps=tuple(gaps))
