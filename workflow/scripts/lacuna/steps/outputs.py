"""The final files of a sample by name, as the workflow and `lacuna fill` write them."""

OUTPUTS = {
    "filled": "filled.fasta",
    "residues": "residues.tsv",
    "gaps": "gaps.tsv",
    "chains": "chains.tsv",
    "masses": "masses.tsv",
    "accuracy": "accuracy.tsv",
    "rejected": "rejected.tsv",
    "alkylation": "alkylation.json",
}
EVIDENCE = {"evidence": "evidence.tsv"}  # if evidence or reads are given
READS = {"reads": "reads.tsv", "scaffolds": "scaffolds.fasta"}  # if reads are given
AIRR = {"airr": "airr.tsv"}  # if the chains are those of a repertoire
DOUBTS = {"doubts": "doubts.tsv"}  # if requested
SPECTRA = {"spectra": "spectra.tsv"}  # if there are spectra
ALTERNATIVES = {"alternatives": "alternatives.fasta"}  # if requested, by the workflow alone


def outputs_of(
    *,
    evidence: bool,
    reads: bool,
    repertoire: bool,
    doubts: bool,
    spectra: bool,
    alternatives: bool = False,
) -> dict[str, str]:
    """The files of a sample: those of every one, and those of what is given or requested."""
    found = dict(OUTPUTS)
    for files, wanted in (
        (EVIDENCE, evidence or reads),
        (READS, reads),
        (AIRR, repertoire),
        (DOUBTS, doubts),
        (SPECTRA, spectra),
        (ALTERNATIVES, alternatives),
    ):
        if wanted:
            found |= files
    return found
