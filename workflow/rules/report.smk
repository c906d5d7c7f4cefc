# Tables that only some samples have.
EVIDENCE, READS, SPECTRA, DOUBTS = (
    {name: OUT / name / f"{table}.tsv" for name in SAMPLES if table in sample_outputs(name)}
    for table in ("evidence", "reads", "spectra", "doubts")
)
MASSES = {name: OUT / name / "masses.tsv" for name, s in SAMPLES.items() if s.masses}
# What the page says of the settings that a result depends on.
SHOWN_SETTINGS = (
    "weights",
    "seed",
    "tolerance_ppm",
    "alkylation",
    "modifications",
    "candidates",
    "complete_ends",
    "kmer",
    "precision",
    "accuracy",
    *(["mode"] if ASKED else []),
)


rule measure_accuracy:
    """Compare the filled residues with the truth, for the model and its baselines."""
    input:
        scored=block_files(SCORED),
        seed=lambda wildcards: (
            [OUT / wildcards.sample / "seed_lstm"] if wildcards.sample in SEEDED else []
        ),
    output:
        out=shown("accuracy", OUT / "{sample}" / "accuracy.tsv"),
    log:
        OUT / "logs" / "measure_accuracy" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "measure_accuracy" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("measure_accuracy.py"),
    script:
        "../scripts/measure_accuracy.py"


rule join_accuracy:
    """Write one accuracy table of all samples, a summary of them, and the same for MultiQC."""
    input:
        **of_all("accuracy", "chains", "rejected", "gaps", "alkylation"),
        # The rule fails if nothing was filled; by then the report that says so must exist.
        report=OUT / "report.html",
        reads=list(READS.values()),
        evidence=list(EVIDENCE.values()),
        spectra=list(SPECTRA.values()),
        masses=list(MASSES.values()),
        doubts=list(DOUBTS.values()),
        weights=weights(),
    output:
        out=shown("accuracy", OUT / "accuracy.tsv", ALL),
        summary=shown("summary", OUT / "summary.txt", ALL),
        multiqc=OUT / "lacuna_mqc.json",
    log:
        OUT / "logs" / "join_accuracy.log",
    benchmark:
        OUT / "benchmarks" / "join_accuracy.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        samples=[
            {
                "name": name,
                "auto_species": sample.species == "auto",
                "homologs": sample.homologs is not None,
            }
            for name, sample in SAMPLES.items()
        ],
        optional=names_of(
            reads=READS, evidence=EVIDENCE, spectra=SPECTRA, masses=MASSES, doubts=DOUBTS
        ),
        inputs=digests("train.from"),
        code=code("join_accuracy.py"),
    message:
        "Write the summary of all samples."
    script:
        "../scripts/join_accuracy.py"


rule write_report:
    """Write a page on all samples: what was filled, how accurate it is and how far to trust it."""
    input:
        **of_all(*OUTPUTS),
        doubts=list(DOUBTS.values()),
        evidence=list(EVIDENCE.values()),
        reads=list(READS.values()),
        spectra=list(SPECTRA.values()),
        given=[
            path
            for sample in SAMPLES.values()
            for column in PATHS
            for path in sample.files(column)
        ],
        weights=weights(),
        large_network=large_network(),
        template=ROOT / "workflow" / "report" / "report.html.j2",
        parts=ROOT / "workflow" / "report" / "report_parts.html.j2",
        style=ROOT / "workflow" / "report" / "report.css",
        script=ROOT / "workflow" / "report" / "report.js",
    output:
        out=shown("report", OUT / "report.html", ALL),
        software=shown("software", OUT / "software_mqc_versions.yml", ALL),
    log:
        OUT / "logs" / "write_report.log",
    benchmark:
        OUT / "benchmarks" / "write_report.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        samples=list(SAMPLES),
        given=[given_files(sample) for sample in SAMPLES.values()],
        stated=[stated(sample) for sample in SAMPLES.values()],
        optional=names_of(doubts=DOUBTS, evidence=EVIDENCE, reads=READS, spectra=SPECTRA),
        settings={name: CONFIG[name] for name in SHOWN_SETTINGS},
        inputs=digests(*PATHS, "train.from", *ASKED, samples=lambda wildcards: SAMPLES),
        code=code("write_report.py"),
    message:
        "Write the report on all samples."
    script:
        "../scripts/write_report.py"
