"""Every table that a run writes: its columns, their types, formats and meanings.

The class of its rows is the schema of a table, as `tsv.py` describes. The meanings are Markdown:
`make docs` makes the tables of docs/reference/outputs.md of them.
"""

from enum import StrEnum
from typing import Annotated, NamedTuple

from lacuna.core.tsv import Readings, Shares, Table

# Residues listed in addition to the chosen one, and the probability from which one is.
ALTERNATIVES = 3
MIN_ALTERNATIVE = 0.01

# Why a read was not placed, if its file has no confidence above LOW_CONFIDENCE.
UNSURE_FILE = "fits no chain, all confidences low"
LOW_CONFIDENCE = 0.5

# Begins why a read was not placed that holds runs of germline residues; of a species if the sample
# is said to be of another one.
RESEMBLES = "fits no chain, but resembles germline"
RESEMBLES_SPECIES = f"{RESEMBLES} of"

# Warnings of a gap whose templates are of the wrong species.
FAR = "far from every germline"
NEARER = "nearer to germline of"  # a species than of the one stated

# Kinds of rows of spectra.tsv; and what marks a cleavage that spectra show in a candidate.
SPECTRUM, MASS, UNSEEN, CLEAVAGE, SIDE = "spectrum", "mass", "unseen", "cleavage", "side"
OTHER = "other"  # begins the rows of another mass of the gap
STRETCH = "stretch"  # of likely residues, which a spectrum shows
CUT = "/"
OTHER_LENGTH = "-"  # in place of true residues, of a gap that was filled at another length

# Warns of a gap with letters of another mass than its own; its candidates meet that mass.
LETTERS_WEIGH = "the letters given for it weigh"  # something else than its mass


NOTHING_OBSERVED = "nothing_observed"  # status of a gap in a chain without a known residue
# Of gaps of a chain that are weighed together, in their status: each has its own best candidate.
APART = "the best candidates of all gaps together do not have the intact mass"

# Behind the error of a mass in a status, if all masses of the sample have it.
OF_ALL_MASSES = "(as do all masses of the sample)"
# Forms of a chain in masses.tsv and in the report; the first has the masses of its gaps, not of
# their residues.
BY_GAPS = "gaps by their own masses"
PYROGLUTAMATE_FIRST, LYSINE_LOST = "N-terminal pyroglutamate", "no C-terminal lysine"


class MassDoubt(StrEnum):
    """What puts a mass at odds with what its gap was filled with, in the words of its status, or
    its length as given with its chain."""

    CONTRADICTS = "contradicts C"  # the state of C in the sample
    FITS_BETTER = "fits far better at"  # a mass without an error that is known
    LEFT_OUT = "which none fits"  # a prefix mass
    BETTER_WITHOUT = "fits far better without the prefix mass"
    UNMET = "the intact mass of the chain is not met"
    INTACT_ERROR = "the intact mass of the chain is far more probable"  # without an error
    OF_SPECTRA = "spectra show another mass,"
    OF_READS = "reads show another mass than the one given"
    LENGTH = "its chain fits germline far better with"  # another number of residues
    LENGTH_OF_READS = "reads show another length than the one given"
    OTHER_LENGTH = "masses fit another length far better:"

    @classmethod
    def of_status(cls, status: str) -> "tuple[MassDoubt, ...]":
        """The doubts that a status in gaps.tsv names."""
        return tuple(doubt for doubt in cls if doubt in status)


_SHARE = "%.4f"


class ResidueRow(NamedTuple):
    """A missing residue."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the filled chain, from 1"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    residue: Annotated[str, "what it was filled with; X if the gap stays open"]
    probability: Annotated[
        float,
        "of that residue, 0 to 1: in a gap of known mass given its masses, in one of unknown "
        "length times the probability of the length ([details](#probabilities-of-candidates))",
        _SHARE,
    ]
    alternatives: Annotated[Shares, "up to three other residues of 0.01 or more"]
    germline: Annotated[str, "residue of the nearest germline segment there; empty without one"]
    region: Annotated[
        str,
        "FR1 to FR4, CDR1 to CDR3 (IMGT), C for a constant region; empty outside",
    ]
    truth: Annotated[
        str, "the true residue, if it is known; `-` in a gap whose truth has another length"
    ]
    imgt: Annotated[str, "IMGT number"]
    scaffold_position: Annotated[
        int,
        "in the scaffold, from 0; in a gap of unknown length, its `start`",
    ]
    ambiguity: Annotated[
        str,
        "J, B or Z if the scaffold has that code outside of a gap; empty in a gap",
    ]


class GapRow(NamedTuple):
    """A candidate for a gap; one row without a candidate for a gap that stays open."""

    chain: Annotated[str, "id of the chain"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    start: Annotated[
        int,
        "in the scaffold, from 0; neighbouring mass gaps are one gap",
    ]
    end: Annotated[int, "in the scaffold, exclusive"]
    rank: Annotated[int, "1 is what the chain was filled with"]
    candidate: Annotated[str, "the sequence; empty if the gap stays open or holds no residue"]
    probability: Annotated[
        float | None,
        "of the whole sequence ([details](#probabilities-of-candidates))",
        "%.4g",
    ]
    length: Annotated[int | None, "residues of the candidate"]
    mass: Annotated[float | None, "of its residues with what they carry, monoisotopic, Da", "%.5f"]
    mass_error_ppm: Annotated[
        float | None,
        "`mass` less the mass given, in ppm of it; empty without one, and if it is an interval, "
        "`{420 Da}`",
        "%.2f",
    ]
    status: Annotated[
        str,
        "`filled`, `isobaric`, `alternative`, or why the gap stays open; and "
        "[remarks and warnings](#status)",
    ]
    first: Annotated[int | None, "in the filled chain, from 1; empty for a gap of no residues"]
    last: Annotated[int | None, "in the filled chain, included"]
    imgt_first: Annotated[str, "IMGT number of the first residue"]
    imgt_last: Annotated[str, "IMGT number of the last residue"]
    ambiguity: Annotated[
        str,
        "the codes (`J`, `JB`) if the row is of ambiguity codes; empty for a gap",
    ]
    cysteine: Annotated[
        Readings | None,
        "what C carries in a gap whose mass is given or shown by spectra: one state, or several "
        "with their probabilities",
    ]
    cleavages: Annotated[
        str,
        "the candidate with a slash where [spectra](formats.md#spectra) show a cleavage, "
        "`G/GD/GF`; empty without spectra of its mass",
    ]


class ChainRow(NamedTuple):
    """A chain."""

    chain: Annotated[str, "id"]
    locus: Annotated[
        str,
        "H, K or L; `H+K` for two V domains, and so the segments; empty for a chain that is not "
        "recognised as an antibody",
    ]
    species: Annotated[str, "of the nearest germline segments"]
    v_segment: Annotated[str, "the nearest V segment"]
    j_segment: Annotated[str, "the nearest J segment"]
    c_segment: Annotated[str, "the nearest C segment"]
    length: Annotated[int, "residues of the filled chain, X included"]
    missing: Annotated[int, "residues of its gaps"]
    filled: Annotated[int, "of these, residues that were filled"]
    gaps: Annotated[int, "its gaps"]
    open: Annotated[int, "of these, gaps that stay open"]
    ambiguous: Annotated[int, "ambiguity codes outside of gaps"]
    resolved: Annotated[int, "of these, codes that were resolved"]
    without_template: Annotated[int, "gaps that were filled without a template"]
    regions: Annotated[
        str,
        "FR1 to FR4, CDR1 to CDR3 and C of each domain, with first and last position in the "
        "filled chain, from 1, both included",
    ]
    n_terminal: Annotated[int, "missing residues before its first observed one"]
    c_terminal: Annotated[int, "missing residues after its last observed one"]


class MassRow(NamedTuple):
    """The mass of a filled chain, reduced and neutral, and the one measured."""

    chain: Annotated[str, "id"]
    monoisotopic: Annotated[
        float | None,
        "mass of the filled chain, Da: reduced, neutral, with water and the modifications "
        "written on its residues; empty if an X is left or a gap stays open",
        "%.4f",
    ]
    average: Annotated[float | None, "the same, Da", "%.3f"]
    measured: Annotated[
        float | None,
        "the intact mass given in the column `masses` of the sheet, Da",
        "%.4f",
    ]
    kind: Annotated[str, "`average` or `monoisotopic`: what was measured"]
    tolerance_da: Annotated[
        float | None,
        "of the intact mass, and of the masses of gaps that `form` counts, Da",
        "%.6g",
    ]
    difference: Annotated[
        float | None, "mass of that kind, of the form named, minus the measured one, Da", "%.4f"
    ]
    form: Annotated[
        str,
        "of the chain: `N-terminal pyroglutamate`, `no C-terminal lysine` or both; empty as it is "
        "written. The one that the intact mass fits, or fits without the error that `status` "
        "names, or is nearest to. `gaps by their own masses`: gaps count by the masses given, "
        "which may include modifications, not by their residues",
    ] = ""
    in_gaps: Annotated[
        float | None,
        "what its gaps then weigh more than their residues, monoisotopic, Da; else empty",
        "%.4f",
    ] = None

    @property
    def met(self) -> bool:
        """Whether the filled chain has the mass that was measured."""
        return self.difference is not None and abs(self.difference) <= (self.tolerance_da or 0.0)


class ScoredRow(NamedTuple):
    """A true residue of a gap, and what each method predicts."""

    chain: Annotated[str, "id of the chain"]
    gap: Annotated[int, "number of the gap in its chain, from 1"]
    gap_length: Annotated[int, "residues of its truth"]
    position: Annotated[int, "in the filled chain, from 1"]
    truth: Annotated[str, "the true residue"]
    region: Annotated[str, "FR1 to FR4, CDR1 to CDR3 or C"]
    locus: Annotated[str, "of the chain"]
    lacuna: Annotated[
        str, "the model's residue; X if the gap stays open or is filled at another length"
    ]
    probability: Annotated[
        float,
        "of the model's residue; at another length of the residues from the first on, 0 for none",
        _SHARE,
    ]
    germline_copy: Annotated[str, "residue of the nearest germline segment"]
    nearest_homolog: Annotated[str, "residue of the nearest homolog"]
    column_majority: Annotated[str, "commonest residue of the column"]
    ambiguity: Annotated[str, "J, B or Z if it is that code and in no gap"]


class AccuracyRow(NamedTuple):
    """A method in one scope."""

    scope: Annotated[str, "what the residues have in common ([scopes](#scopes))"]
    value: Annotated[str, "value of the scope"]
    method: Annotated[str, "`lacuna`, its baselines, `seed_lstm`"]
    protocol: Annotated[
        str,
        "`scaffold`: hidden residues are never seen; `true_context`: the true neighbours are shown",
    ]
    n_residues: Annotated[int, "residues with a truth"]
    n_correct: Annotated[
        int, "of these, right ones; one left X is wrong, as all of a gap of another length are"
    ]
    accuracy: Annotated[float, "their share", _SHARE]
    ci_low: Annotated[float, "lower end of the share's 95 % Wilson interval", _SHARE]
    ci_high: Annotated[float, "upper end", _SHARE]
    n_gaps: Annotated[int, "gaps, counted at their first residue"]
    n_exact: Annotated[
        int,
        "of these, gaps that are right in every residue; I and L count as one, except in the "
        "scope `ambiguity`",
    ]
    mean_probability: Annotated[
        float | None,
        "of the method's residues, 0 for one left X; those of a gap of another length count from "
        "its first residue on",
        _SHARE,
    ]
    ece: Annotated[float | None, "expected calibration error of the probabilities", _SHARE]


NOTE = "Note: "  # begins the reason of a row whose record was used all the same


class RejectedRow(NamedTuple):
    """A record that could not be used, or a note on one that was."""

    chain: Annotated[str, "id of the record"]
    line: Annotated[int, "of the fault, in the file that `reason` names, from 1"]
    column: Annotated[
        int | None,
        "of the faulty character, from 1; empty if there is no single one",
    ]
    reason: Annotated[
        str,
        "file, line, record, fault and remedy; after `Note: ` if nothing was rejected",
    ]


OBSERVED, INFERRED, DOUBTFUL = "observed", "inferred", "doubtful"  # states of a position
OBSERVED_PROBABILITY = 0.9  # of the residue of an observed position at least, I and L as one


class Flag(StrEnum):
    """What is to be known of a position in evidence.tsv; docs/reference/outputs.md says what each
    means."""

    ISOBARIC = "isobaric"
    DEAMIDATION = "deamidation"
    MINORITY = "minority"
    AGAINST_GERMLINE = "against_germline"
    LENGTH = "length"
    PHASE = "phase"
    SERUM = "serum"
    FAR = "far"
    SPECTRA = "spectra"
    I_OR_L = "i_or_l"
    GIVEN = "given"
    AGAINST_EVIDENCE = "against_evidence"
    AGAINST_READS = "against_reads"


class EvidenceRow(NamedTuple):
    """A position of a chain, for samples with reads or evidence."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the filled chain, from 1"]
    imgt: Annotated[str, "IMGT number"]
    region: Annotated[
        str,
        "FR1 to FR4, CDR1 to CDR3 (IMGT), C for a constant region; empty outside",
    ]
    residue: Annotated[str, "the residue of the filled chain"]
    probability: Annotated[
        float | None,
        "of that residue, 0 to 1: in a gap as in `residues.tsv`; where a chain from reads has I or "
        "L, that times the probability that it is one of the two; for an observed residue by the "
        "reads and the evidence given, and in a chain from reads also by the network: in one that "
        "was given, few reads leave it low. Empty for an observed residue without reads or "
        "evidence",
        _SHARE,
    ]
    state: Annotated[
        str,
        "`observed`: reads, spectra or the scaffold show it, I and L as one; `inferred`: filled, "
        "and no read and no spectrum shows it; `doubtful`: shown, but by few or unsure reads, with "
        "a probability below 0.9, or with a flag that says why. A residue that a given "
        "chain has is so only if reads speak against it, or evidence leaves it below 0.9",
    ]
    depth: Annotated[
        float | None,
        "reads placed over the position; further reads of one peptide count less; 0.0 also if only "
        "the first or last residue of reads shows it, at an end that was not placed; empty without "
        "reads",
        "%.1f",
    ]
    germline: Annotated[
        str,
        "residue of the nearest germline segment there; without reads, only in gaps",
    ]
    alternatives: Annotated[
        Shares, "up to three other residues of 0.01 or more; of a chain from reads, of 0.005"
    ]
    flags: Annotated[str, "[warnings and remarks](#flags), joined by `;`"]


CONTAMINANT = "contaminant"  # in `placed_as` of reads.tsv


class PlacedRow(NamedTuple):
    """A read, and where it was placed or why it was not."""

    read: Annotated[str, "file, line and rank: `peaks.csv:17`"]
    tool: Annotated[str, "tool that wrote it"]
    chain: Annotated[
        str,
        "id of the chain or contaminant that it was placed on; empty if it was not",
    ]
    start: Annotated[int | None, "of the residues that were placed, in `scaffolds.fasta`, from 0"]
    end: Annotated[int | None, "in `scaffolds.fasta`, exclusive"]
    score: Annotated[
        float | None,
        "of the placement, in nats: log odds against residues by chance",
        "%.1f",
    ]
    placed_as: Annotated[
        str,
        "`whole`, `core` (an end fits nothing), `shared` (it fits several chains) or "
        "`contaminant`; or why it was not placed",
    ]
    differences: Annotated[
        str,
        "up to six places where chain and read differ, joined by commas: other residues, `D54N`, "
        "`GG55-56N`; residues that the read lacks, `V37del`; residues between two of the chain, "
        "`37-38insGH`. Here positions count from 1",
    ]


class SpectrumRow(NamedTuple):
    """What fragment spectra say of a gap: a spectrum that was used, or what was found in them; or a
    stretch of likely residues that one shows."""

    chain: Annotated[str, "id of the chain"]
    start: Annotated[int, "of the gap in the scaffold, or of the stretch, from 0"]
    end: Annotated[int, "of the gap or the stretch, exclusive"]
    kind: Annotated[
        str,
        "what the row is: `spectrum`, `mass`, `unseen`, `cleavage`, `side`, `other` or `stretch`",
    ]
    mass: Annotated[float | None, "Da, of what `kind` says", "%.5f"]
    tolerance_da: Annotated[float | None, "of that mass, Da", "%.5f"]
    nats: Annotated[float, "natural logarithm of the odds that `kind` says", "%.3f"]
    ions: Annotated[
        str,
        "for a spectrum: known ions seen of those in range; for a stretch: cleavages seen of those "
        "of its peptide; else the ion found, m/z",
    ]
    spectrum: Annotated[
        str, "file and scan; for `kind` `spectrum` and `stretch` also its peptide, from 0"
    ]


class DoubtRow(NamedTuple):
    """An observed residue that looks wrong, or a block of residues of another length."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[
        int,
        "in the filled chain, from 1; for a block of another length that of its first residue",
    ]
    residue: Annotated[
        str,
        "what is observed and stays in the chain; a block of another length as a whole, `GG`",
    ]
    proposed: Annotated[
        str,
        "what is far more probable, together with the other rows of its block; an X in it is one "
        "unknown residue",
    ]
    probability: Annotated[
        float,
        "of the proposal against what is observed, if one residue in 100 is wrong",
        _SHARE,
    ]
    reason: Annotated[
        str,
        "[why](#reasons): isobaric, deamidated, permuted, against the germline, one too many, one "
        "too few",
    ]
    imgt: Annotated[
        str,
        "IMGT number in the chain with its blocks of another length as proposed, since these move "
        "the numbers of what is beside them",
    ]


class TutorialRow(NamedTuple):
    """What the tutorial's model predicts for a missing residue."""

    chain: Annotated[str, "id of the chain"]
    position: Annotated[int, "in the whole chain, from 1"]
    protocol: Annotated[str, "`scaffold` or `true_context`, as in `accuracy.tsv`"]
    answer: Annotated[str, "the residue predicted"]
    probability: Annotated[float, "of that residue", _SHARE]


# --- tables --------------------------------------------------------------------------------------

RESIDUE_TABLE = Table("residues.tsv", ResidueRow)
GAP_TABLE = Table("gaps.tsv", GapRow)
CHAIN_TABLE = Table("chains.tsv", ChainRow)
MASS_TABLE = Table("masses.tsv", MassRow)
SCORED_TABLE = Table("scored", ScoredRow)  # per block, without a header
ACCURACY_TABLE = Table("accuracy.tsv", AccuracyRow)
REJECTED_TABLE = Table("rejected.tsv", RejectedRow)
EVIDENCE_TABLE = Table("evidence.tsv", EvidenceRow)
PLACED_TABLE = Table("reads.tsv", PlacedRow)
SPECTRUM_TABLE = Table("spectra.tsv", SpectrumRow)
DOUBT_TABLE = Table("doubts.tsv", DoubtRow)
TUTORIAL_TABLE = Table("predictions.tsv", TutorialRow)

# Each block of a sample's chains has a part of these; `filled` is a FASTA.
TABLES = ("filled", "residues", "gaps", "chains", "masses", "scored")
