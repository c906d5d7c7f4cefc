"""The samples of a run side by side: their accuracy, and a line of the summary for each."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lacuna.antibody.germlines import CAMELIDS
from lacuna.core.alphabet import AMBIGUOUS
from lacuna.core.files import LacunaError, atomic_write
from lacuna.core.licences import bundled_set, weights_line
from lacuna.core.paths import DEFAULT_WEIGHTS
from lacuna.core.tables import (
    ACCURACY_TABLE,
    FAR,
    LETTERS_WEIGH,
    MASS_TABLE,
    NEARER,
    OF_ALL_MASSES,
    MassDoubt,
)
from lacuna.core.words import plural
from lacuna.results.accuracy import AMBIGUITY, SCAFFOLD
from lacuna.results.counts import Counts, count_sample, explain_nothing, lacking_reads
from lacuna.results.join import MODEL
from lacuna.results.multiqc import Cell, row_of, write_multiqc
from lacuna.results.streams import chunks, write_table
from lacuna.scaffolds.alkylation import read_alkylation

# What the summary says about gaps whose status has these words.
WARNINGS: dict[str, str] = {
    MassDoubt.CONTRADICTS: "against it",
    MassDoubt.FITS_BETTER: "whose mass fits far better with an error",
    MassDoubt.LEFT_OUT: "with a prefix mass that none fits",
    MassDoubt.BETTER_WITHOUT: "with a prefix mass that only improbable sequences fit",
    MassDoubt.UNMET: "at odds with the intact mass of the chain",
    LETTERS_WEIGH: "whose mass is not that of the letters given",
    MassDoubt.INTACT_ERROR: "of a chain whose intact mass is far more probable with an error",
    MassDoubt.OF_SPECTRA: "of which spectra show another mass",
    MassDoubt.OF_READS: "in which reads show another mass than the one given",
    MassDoubt.LENGTH: "whose length, as given, hardly fits germline",
    MassDoubt.LENGTH_OF_READS: "in which reads show another length than the one given",
    MassDoubt.OTHER_LENGTH: "whose length, as given, hardly fits its masses",
    NEARER: "of chains of another species than the one stated (set species to auto)",
    FAR: "of chains that are far from every germline (give homologs)",
}
UNMET_SHOWN = 3  # chains whose intact mass is not met, by name


@dataclass(frozen=True, slots=True)
class SummaryFiles:
    """The files of a sample from which its lines and rows are made.

    reads, evidence, doubts, spectra: of samples that have them; masses: of those whose intact
    masses were given; auto_species: whether the species of each chain was chosen, and not stated;
    homologs: whether the sample has some.
    """

    name: str
    accuracy: Path
    chains: Path
    rejected: Path
    gaps: Path
    alkylation: Path
    reads: Path | None = None
    evidence: Path | None = None
    doubts: Path | None = None
    spectra: Path | None = None
    masses: Path | None = None
    auto_species: bool = False
    homologs: bool = False


def join_accuracy(
    samples: Iterable[SummaryFiles],
    out: Path,
    summary: Path,
    multiqc: Path,
    weights: Path | None = None,
) -> None:
    """Write one accuracy table over samples (without rows of single chains) and their summary.

    summary: a line per sample; multiqc: the file for MultiQC, a row per sample; weights: those of
    the run, named with their licence in the last line of the summary. Raises LacunaError, and
    writes nothing, if nothing was filled in any sample, unless the chains were proofread.
    """
    counted = [(of, count_sample(of.chains, of.rejected, of.reads)) for of in samples]
    if all(found.nothing_filled and of.doubts is None for of, found in counted):
        raise LacunaError(explain_nothing({of.name: (n, of.rejected) for of, n in counted}))
    few_vhhs = weights is not None and bundled_set(weights) == DEFAULT_WEIGHTS
    tables, lines = [], []
    rows: dict[str, dict[str, Cell]] = {}
    for of, found in counted:
        parts = chunks(of.accuracy, ACCURACY_TABLE.names)
        table = pd.concat([part[part["scope"] != "chain"] for part in parts])
        tables.append(table.assign(sample=of.name))
        n_doubts = count_doubts(of.doubts) if of.doubts is not None else None
        lines.append(_summary_line(of, table, found, n_doubts, few_vhhs))
        rows[of.name] = row_of(found, *_right(table), n_doubts)
    if weights is not None:
        lines.append(weights_line(weights))
    joined = pd.concat(tables)
    write_table(out, joined[["sample", *(c for c in joined.columns if c != "sample")]])
    write_multiqc(multiqc, rows)
    with atomic_write(summary) as handle:
        handle.write("".join(f"{line}\n" for line in lines))


def _summary_line(
    of: SummaryFiles, accuracy: pd.DataFrame, counts: Counts, n_doubts: int | None, few_vhhs: bool
) -> str:
    """What the summary says of a sample; few_vhhs: whether the weights have seen few of them."""
    notes = [_counts_and_shares(of, accuracy, counts)]
    if of.doubts is not None and n_doubts:
        notes.append(doubts_note(of.doubts, n_doubts))
    if few_vhhs and not of.homologs:
        notes.append(vhh_note(counts))
    if of.spectra is not None:
        notes.append(spectra_note(of.spectra, of.gaps))
    notes.append(mass_note(of.alkylation, of.gaps))
    if of.masses is not None:
        notes.append(intact_note(of.masses))
    return "".join(notes)


def count_doubts(doubts: Path) -> int:
    """The rows of doubts.tsv."""
    return sum(map(len, chunks(doubts, ["position"])))


def doubts_note(doubts: Path, n: int) -> str:
    """`; 3 observed residues look wrong (see out/a/doubts.tsv)`."""
    look = "looks" if n == 1 else "look"
    return f"; {plural(n, 'observed residue')} {look} wrong (see {doubts})"


def spectra_note(spectra: Path, gaps: Path) -> str:
    """`; spectra span 3 of 5 gaps`, a warning if they span none, '' without gaps."""
    spanned: set[tuple[str, int, int]] = set()
    for part in chunks(spectra, ["chain"], ["start", "end"]):
        spanned.update(zip(part["chain"], part["start"], part["end"], strict=True))
    n = among = 0
    for part in chunks(gaps, ["chain", "ambiguity"], ["start", "end", "rank"]):
        first = part[(part["rank"] == 1) & (part["ambiguity"] == "")]
        n += len(first)
        places = zip(first["chain"], first["start"], first["end"], strict=True)
        among += sum(place in spanned for place in places)
    if n and not spanned:
        return (
            "; WARNING: none of the spectra spans a gap (are they of these chains, and is "
            "tolerance_ppm that of their precursors?)"
        )
    return f"; spectra span {among} of {plural(n, 'gap')}" if n else ""


def intact_note(masses: Path) -> str:
    """`; 1 of 2 intact masses met, not that of 'h' (+16.00 Da), see out/a/masses.tsv`: by the
    filled chains; '' if none was given."""
    rows = [row for row in MASS_TABLE.read(masses) if row.measured is not None]
    if not rows:
        return ""
    unmet = [row for row in rows if not row.met]
    note = f"; {len(rows) - len(unmet)} of {plural(len(rows), 'intact mass', 'intact masses')} met"
    if not unmet:
        return note
    named = [
        f"'{row.chain}' ({'open' if row.difference is None else f'{row.difference:+.2f} Da'})"
        for row in unmet[:UNMET_SHOWN]
    ]
    more = [f"{len(unmet) - len(named)} more"] if len(unmet) > len(named) else []
    return f"{note}, not that of {' or '.join(named + more)}, see {masses}"


def vhh_note(counts: Counts) -> str:
    """What to do about camelid VHHs, of which the open weights have seen few; '' if most chains of
    a sample are others."""
    camelid = sum(n for species, n in counts.species if species in CAMELIDS)
    if 2 * camelid <= counts.chains:
        return ""
    return (
        "; camelid VHHs, of which the open weights have seen few: give natural VHHs as homologs "
        "or, if the work is not commercial, take 'weights: noncommercial'"
    )


def _right(accuracy: pd.DataFrame) -> tuple[float | None, float | None]:
    """Share of right residues of the model and of its best baseline; None without a truth."""
    rows = accuracy[(accuracy["scope"] == "overall") & (accuracy["protocol"] == SCAFFOLD)]
    shares = dict(zip(rows["method"], rows["accuracy"].astype(float), strict=True))
    model = shares.pop(MODEL, None)
    return model, max(shares.values(), default=None)


def mass_note(alkylation: Path, gaps: Path) -> str:
    """`; C weighs 160.031 Da, ...` for a sample with masses, and a warning of those in doubt."""
    state = read_alkylation(alkylation)
    shared = f"{MassDoubt.FITS_BETTER} {state.convention}"  # said of every gap, beside its own
    found = Counter[str]()
    for part in chunks(gaps, ["status"], ["rank"]):
        first = part["status"][part["rank"] == 1]
        if state.convention:
            first = first.str.replace(f"{shared} {OF_ALL_MASSES}", "", regex=False)
        for words in WARNINGS:
            found[words] += int(first.str.contains(words, regex=False).sum())
    said = []
    if state.convention:
        said.append(f"all masses together fit far better at {state.convention}")
    said += [f"{plural(n, 'gap')} {WARNINGS[words]}" for words, n in found.items() if n]
    warning = f"; WARNING: {', '.join(said)}, see status in {gaps}" if said else ""
    return (f"; {state.sentence()}" if state.masses or state.spanned else "") + warning


def _counts_and_shares(of: SummaryFiles, accuracy: pd.DataFrame, counts: Counts) -> str:
    """`sample: 2 chains, 80 of 80 missing residues filled; right: lacuna 78/80 (0.975), ...`

    Ambiguity codes outside gaps are reported separately from the residues of gaps.
    """
    parts = []
    if counts.chains:
        parts = [plural(counts.chains, "chain")]
        parts.append(f"{counts.filled} of {counts.missing} missing residues filled")
    elif counts.reads is None:  # of reads, the notes say so
        parts = ["no chain"]
    if counts.ambiguous:
        parts.append(f"{counts.resolved} of {plural(counts.ambiguous, 'ambiguity code')} resolved")
    said = [", ".join(parts)] if parts else []
    said += counts.notes()
    if counts.lost:
        said.append(f"WARNING: {counts.lost}")
    unread = lacking_reads(of.evidence) if of.reads and of.evidence else ""
    said += filter(None, [unread, counts.lacking()])
    if counts.rejected:
        said.append(f"{plural(counts.rejected, 'record')} rejected (see {of.rejected})")
    if counts.noted:
        said.append(f"{plural(counts.noted, 'note')} on records (see {of.rejected})")
    right = []
    for (scope, value), rows in accuracy.groupby(["scope", "value"], sort=False):
        if scope == "overall":
            right.append(f"right: {_shares(rows)}")
        elif scope == AMBIGUITY:
            right.append(f"{value} ({' or '.join(AMBIGUOUS[str(value)])}) right: {_shares(rows)}")
    said += right or ["accuracy unknown (no truth given)"]
    if of.auto_species and counts.species:
        said.append(f"species of the nearest germlines: {counts.nearest_species()}")
    return f"{of.name}: {'; '.join(said)}"


def _shares(rows: pd.DataFrame) -> str:
    """Correct residues by method: `lacuna 78/80 (0.975), germline_copy 75/80 (0.938)`."""
    parts = []
    for row in rows.to_dict("records"):
        name = row["method"]
        if row["protocol"] != SCAFFOLD:
            name += f" ({row['protocol']})"
        share = float(row["accuracy"])
        parts.append(f"{name} {row['n_correct']}/{row['n_residues']} ({share:.3f})")
    return ", ".join(parts)
