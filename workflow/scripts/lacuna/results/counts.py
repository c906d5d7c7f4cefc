"""Counts of the chains, gaps and records of a sample, from its tables, and in words.

A run that fills nothing is an error: `explain_nothing` gives the reason for each sample.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lacuna.antibody.imgt import CONSTANT_REGION
from lacuna.core.chain_names import locus_of
from lacuna.core.lost_reads import about_lost, count_lost
from lacuna.core.tables import (
    CHAIN_TABLE,
    CONTAMINANT,
    EVIDENCE_TABLE,
    INFERRED,
    LOW_CONFIDENCE,
    NOTE,
    PLACED_TABLE,
    REJECTED_TABLE,
    UNSURE_FILE,
    Flag,
)
from lacuna.core.words import plural
from lacuna.results.streams import chunks

MIN_CHAIN = 10  # residues; anything shorter is hardly a chain
SERUM = "WARNING: reads of many antibodies, of which only common residues are given"
MAX_NAMED = 5  # samples named in an error
HARDLY_READ = 0.75  # share of the residues of a V domain without a read, above which it is named
MANY_OTHERS = 0.05  # of the reads, from which those of contaminants are named
FEW_CHAINS = 100  # chains, of which shares are given from so many on
_SUMMED = "missing filled gaps open ambiguous resolved without_template".split()


@dataclass(frozen=True, slots=True)
class Counts:
    """Chains, gaps and records of a sample; codes are ambiguity codes outside gaps."""

    chains: int = 0
    without_gap: int = 0  # chains with neither a gap nor a code
    short: int = 0  # chains of fewer than MIN_CHAIN residues
    gaps: int = 0
    open: int = 0  # gaps that stay X
    without_template: int = 0  # gaps that were filled without one
    missing: int = 0  # residues of gaps
    filled: int = 0
    ambiguous: int = 0  # codes
    resolved: int = 0
    rejected: int = 0  # records
    noted: int = 0  # notes on records that were used
    reason: str = ""  # of the first record that was rejected
    reads: int | None = None  # None for a sample without reads
    placed: int = 0  # reads
    of_others: int = 0  # reads of contaminants
    unsure: int = 0  # reads of no chain, of files without a confidence above LOW_CONFIDENCE
    lost: str = ""  # what to know of reads of a chain that was not found
    several: str = ""  # the chains that reads give, if they are of more than one antibody
    n_terminal: int = 0  # chains whose first residues are missing
    c_terminal: int = 0  # chains whose last residues are missing
    inside: int = 0  # chains with a gap between observed residues
    species: tuple[tuple[str, int], ...] = ()  # of the nearest germline, with chains, most first

    @property
    def nothing_filled(self) -> bool:
        """Whether there is no result: no gap was filled, and reads gave no chain."""
        return self.gaps == self.open and not self.resolved and not (self.placed and self.chains)

    def notes(self) -> Iterator[str]:
        """Yield what else a user should know about the chains, a phrase each; not what is `lost`,
        of which a warning was logged when reads were placed."""
        if self.reads == 0:
            yield "no read can be used"
        elif self.reads is not None:
            many = self.of_others > MANY_OTHERS * self.reads
            others = f", and {self.of_others} of contaminants (see reads.tsv)" if many else ""
            yield f"{self.placed} of {plural(self.reads, 'read')} placed{others}"
            if not self.chains:
                yield "no chain found: too few reads, or none of an antibody"
                if 2 * self.unsure > self.reads:
                    yield (
                        f"confidences are low (none above {LOW_CONFIDENCE} in the files of "
                        f"{plural(self.unsure, 'read')}): if they are on another scale, remove "
                        "their column, or give a table of the column peptide alone, so that all "
                        "reads count alike"
                    )
            if self.several:
                yield f"the reads are of more than one antibody: {self.several}"
        if self.open:
            yield f"{plural(self.open, 'gap')} left open"
        if self.without_template:
            gaps = plural(self.without_template, "gap")
            yield f"{gaps} filled without a template (no antibody domain, no homolog)"
        if self.without_gap and self.reads is None:
            yield f"{plural(self.without_gap, 'chain')} without a gap"
        if self.short:
            yield f"{plural(self.short, 'chain')} of less than {MIN_CHAIN} residues"

    def nearest_species(self, *, separator: str = "") -> str:
        """`27 human, 1 rhesus`: chains by the species of their nearest germline; '' if of none.
        separator: of thousands."""
        chosen = [f"{n:{separator}} {species}" for species, n in self.species]
        others = self.chains - sum(n for _, n in self.species)
        if chosen and others:
            chosen.append(f"{others:{separator}} not recognised as an antibody")
        return ", ".join(chosen)

    def lacking(self) -> str:
        """How many chains lacked what; '' for a single chain, or if none lacked an end."""
        lacked = {
            "the N terminus": self.n_terminal,
            "the C terminus": self.c_terminal,
            "residues inside": self.inside,
        }
        if self.chains < 2 or not self.n_terminal + self.c_terminal:
            return ""
        few = self.chains < FEW_CHAINS
        *others, last = [
            f"{n if few else f'{n / self.chains:.1%}'} lacked {what}"
            for what, n in lacked.items()
            if n
        ]
        said = f"{', '.join(others)} and {last}" if others else last
        return f"of {self.chains if few else 'the'} chains, {said}"


def count_sample(chains: Path, rejected: Path, reads: Path | None = None) -> Counts:
    """Count a sample from its chains.tsv, rejected.tsv and reads.tsv, which are streamed.

    Raises LacunaError if one of them is not such a table.
    """
    n: dict[str, Any] = defaultdict(int)
    species: Counter[str] = Counter()
    for part in chunks(chains, ["species"], ["length", "n_terminal", "c_terminal", *_SUMMED]):
        species.update(part["species"])
        n["chains"] += len(part)
        n["without_gap"] += int(((part["gaps"] == 0) & (part["ambiguous"] == 0)).sum())
        n["short"] += int((part["length"] < MIN_CHAIN).sum())
        for name in _SUMMED:
            n[name] += int(part[name].sum())
        for name in ("n_terminal", "c_terminal"):
            n[name] += int((part[name] > 0).sum())
        n["inside"] += int((part["missing"] > part["n_terminal"] + part["c_terminal"]).sum())
    for part in chunks(rejected, ["reason"]):
        are_notes = int(part["reason"].str.startswith(NOTE).sum())
        n["noted"] += are_notes
        n["rejected"] += len(part) - are_notes
    reasons = (row.reason for row in REJECTED_TABLE.read(rejected))
    reason = next((text for text in reasons if not text.startswith(NOTE)), "")
    del species[""]
    found = Counts(**n, reason=reason, species=tuple(species.most_common()))
    return found if reads is None else _with_reads(found, chains, reads)


def _with_reads(counts: Counts, chains: Path, reads: Path) -> Counts:
    """The counts of a sample with those of its reads.tsv."""
    names = {row.chain for row in CHAIN_TABLE.read(chains)}
    placed: Counter[str] = Counter()
    total = of_others = unsure = 0
    lost, _, species = count_lost(PLACED_TABLE.read(reads))
    for row in PLACED_TABLE.read(reads):
        total += 1
        unsure += row.placed_as == UNSURE_FILE
        if row.placed_as == CONTAMINANT:  # which may have the name of a chain
            of_others += 1
        elif row.chain in names:
            placed[row.chain] += 1
    return replace(
        counts,
        reads=total,
        placed=placed.total(),
        of_others=of_others,
        unsure=unsure,
        lost=about_lost(lost, species) if lost else "",
        several=_several(placed),
    )


def _several(placed: Counter[str]) -> str:
    """`heavy (0.61 of the placed reads), kappa (0.33), heavy_2 (0.06)`: the chains that reads gave,
    if they are of more than one antibody; '' if not, or if they were given.

    placed: reads by chain.
    """
    shares = {name: n / placed.total() for name, n in placed.most_common()}
    loci = [locus_of(name) for name in shares]
    heavy = loci.count("H")
    if "" in loci or max(heavy, len(loci) - heavy) < 2:
        return ""
    (first, share), *others = shares.items()
    named = [f"{first} ({share:.2f} of the placed reads)"]
    return _named([*named, *(f"{name} ({share:.2f})" for name, share in others)])


def explain_nothing(samples: Mapping[str, tuple[Counts, Path]]) -> str:
    """One line on samples in which nothing was filled: the reason for each, and a remedy.

    samples: counts of each sample, and its rejected.tsv. The first bad record of a single sample is
    given with its own reason.
    """
    alone = len(samples) == 1
    reasons = [
        f"{name}: {_reasons(*found, first=alone)}"
        for name, found in list(samples.items())[:MAX_NAMED]
    ]
    if len(samples) > MAX_NAMED:
        reasons.append(f"and {len(samples) - MAX_NAMED} more samples")
    remedies = dict.fromkeys(_remedy(counts) for counts, _ in samples.values())  # each once
    return f"nothing was filled; {'; '.join((*reasons, *remedies))}"


def _reasons(counts: Counts, rejected: Path, *, first: bool) -> str:
    reasons = list(counts.notes())
    if counts.rejected:
        known = f"{counts.reason}; " if first and counts.reason else ""
        label = "first: " if known and counts.rejected > 1 else ""
        records = plural(counts.rejected, "record")
        reasons.append(f"{records} rejected ({label}{known}see {rejected})")
    return ", ".join(reasons) or "no chains"


def _remedy(counts: Counts) -> str:
    """The remedy for the most common obstacle; lack of gaps is one only if there is no other."""
    if counts.lost:
        return "see the warning on reads that fit no chain"
    if counts.reads is not None and counts.reads >= counts.rejected:
        return "check that the reads are of an antibody, or give a FASTA to place them on"
    if counts.open > counts.rejected:
        return "the status of each gap in gaps.tsv says why it stays open"
    if counts.rejected:
        return "correct the records as rejected.tsv says"
    if not counts.chains:  # a FASTA has a record, or is none
        return "the table of rearrangements has a header and no rows; give one with rows"
    remedy = "mark missing residues with X or -, or give a gap table (column 'gaps', or --gaps)"
    return f"check that the FASTA holds protein sequences, and {remedy}" if counts.short else remedy


def lacking_reads(evidence: Path) -> str:
    """`reads do not show 7 of 14 residues in CDR3 of heavy, 1 of 9 in CDR3 of kappa`, from the
    evidence.tsv of a sample with reads.

    Of a serum, that it is one. Of a V domain of which reads show next to nothing all residues are
    counted. '' if reads show every residue of every CDR3. Of many chains the first are named.
    """
    counted: dict[str, tuple[Counter[bool], Counter[bool]]] = {}
    for row in EVIDENCE_TABLE.read(evidence):
        if Flag.SERUM in row.flags.split(";"):
            return SERUM
        domain, loop = counted.setdefault(row.chain, (Counter(), Counter()))
        domain[row.state == INFERRED] += row.region != CONSTANT_REGION
        loop[row.state == INFERRED] += row.region == "CDR3"
    found: list[str] = []
    for chain, (domain, loop) in counted.items():
        hardly = domain[True] > HARDLY_READ * domain.total()
        part, name = (domain, "the V domain") if hardly else (loop, "CDR3")
        if loop.total() and part[True]:
            residues = "" if found else " residues"
            found.append(f"{part[True]} of {part.total()}{residues} in {name} of {chain}")
    return f"reads do not show {_named(found)}" if found else ""


def _named(found: Sequence[str]) -> str:
    """What is said of chains, of many the first."""
    more = f" and {len(found) - MAX_NAMED} more chains" if len(found) > MAX_NAMED else ""
    return f"{', '.join(found[:MAX_NAMED])}{more}"
