# What the page says of the user's files, and of the settings that a result depends on.
GIVEN = [
    {column: list(map(str, s.files(column))) for column in PATHS if s.files(column)}
    for s in SAMPLES.values()
]
# Tables that only some samples have.
EVIDENCE, READS, SPECTRA = (
    {name: str(OUT / name / table) for name in SAMPLES if table in sample_tables(name)}
    for table in ("evidence.tsv", "reads.tsv", "spectra.tsv")
)
MASSES = {name: str(OUT / name / "masses.tsv") for name, s in SAMPLES.items() if s.masses}
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
        # The rule fails if nothing was filled; by then the report that says so must exist.
        report=OUT / "report.html",
        accuracy=expand(OUT / "{sample}" / "accuracy.tsv", sample=SAMPLES),
        chains=expand(OUT / "{sample}" / "chains.tsv", sample=SAMPLES),
        rejected=expand(OUT / "{sample}" / "rejected.tsv", sample=SAMPLES),
        gaps=expand(OUT / "{sample}" / "gaps.tsv", sample=SAMPLES),
        alkylation=expand(OUT / "{sample}" / "alkylation.json", sample=SAMPLES),
        reads=list(READS.values()),
        evidence=list(EVIDENCE.values()),
        spectra=list(SPECTRA.values()),
        masses=list(MASSES.values()),
        doubts=expand(OUT / "{sample}" / "doubts.tsv", sample=SAMPLES if CONFIG["doubts"] else []),
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
        samples=list(SAMPLES),
        with_reads=list(READS),
        with_evidence=list(EVIDENCE),
        with_spectra=list(SPECTRA),
        with_masses=list(MASSES),
        auto_species=[name for name, sample in SAMPLES.items() if sample.species == "auto"],
        with_homologs=[name for name, sample in SAMPLES.items() if sample.homologs],
        inputs=digests("train.from"),
        code=code("join_accuracy.py"),
    script:
        "../scripts/join_accuracy.py"


rule write_report:
    """Write a page on all samples: what was filled, how accurate it is and how far to trust it."""
    input:
        filled=expand(OUT / "{sample}" / "filled.fasta", sample=SAMPLES),
        accuracy=expand(OUT / "{sample}" / "accuracy.tsv", sample=SAMPLES),
        residues=expand(OUT / "{sample}" / "residues.tsv", sample=SAMPLES),
        gaps=expand(OUT / "{sample}" / "gaps.tsv", sample=SAMPLES),
        chains=expand(OUT / "{sample}" / "chains.tsv", sample=SAMPLES),
        rejected=expand(OUT / "{sample}" / "rejected.tsv", sample=SAMPLES),
        alkylation=expand(OUT / "{sample}" / "alkylation.json", sample=SAMPLES),
        masses=expand(OUT / "{sample}" / "masses.tsv", sample=SAMPLES),
        doubts=expand(OUT / "{sample}" / "doubts.tsv", sample=SAMPLES if CONFIG["doubts"] else []),
        evidence=list(EVIDENCE.values()),
        reads=list(READS.values()),
        spectra=list(SPECTRA.values()),
        given=[path for row in GIVEN for paths in row.values() for path in paths],
        weights=weights(),
        large_network=large_network(),
        template=located("workflow/report/report.html.j2"),
        parts=located("workflow/report/report_parts.html.j2"),
        style=located("workflow/report/report.css"),
        script=located("workflow/report/report.js"),
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
        given=GIVEN,
        with_evidence=list(EVIDENCE),
        with_reads=list(READS),
        with_spectra=list(SPECTRA),
        settings={name: CONFIG[name] for name in SHOWN_SETTINGS},
        inputs=digests(*PATHS, "train.from", *ASKED, samples=lambda wildcards: SAMPLES),
        code=code("write_report.py"),
    script:
        "../scripts/write_report.py"


SUMMARY = OUT / "summary.txt"
SUMMARY_BEFORE = written(SUMMARY)


onstart:
    hold_outdir()
    record_config()
    if workflow.is_main_process:
        watch_progress()


onerror:
    # Snakemake prints much about a failed job; the fault comes last.
    if workflow.is_main_process:
        print(f"Complete log: {', '.join(log)}", flush=True)
        stop(last_words(OUT, LOCKS[0].start, log))


onsuccess:
    stop_if_changed()
    # Other targets leave the summary of an earlier run unchanged.
    if written(SUMMARY) not in (None, SUMMARY_BEFORE):
        tell_result(SUMMARY)
