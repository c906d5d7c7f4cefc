rule measure_accuracy:
    """Compare what was filled with the truth, the model beside its baselines."""
    input:
        scored=block_files(SCORED),
        seed=lambda wildcards: (
            [OUT / wildcards.sample / "seed_lstm"] if wildcards.sample in SEEDED else []
        ),
    output:
        out=OUT / "{sample}" / "accuracy.tsv",
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
    """One accuracy table over all samples, and the lines that end a run which filled anything."""
    input:
        # It fails if nothing was filled, and the page that says so is to be there by then.
        report=ancient(OUT / "report.html"),
        accuracy=expand(OUT / "{sample}" / "accuracy.tsv", sample=SAMPLES),
        chains=expand(OUT / "{sample}" / "chains.tsv", sample=SAMPLES),
        rejected=expand(OUT / "{sample}" / "rejected.tsv", sample=SAMPLES),
        gaps=expand(OUT / "{sample}" / "gaps.tsv", sample=SAMPLES),
        alkylation=expand(OUT / "{sample}" / "alkylation.json", sample=SAMPLES),
        doubts=expand(OUT / "{sample}" / "doubts.tsv", sample=SAMPLES if CONFIG["doubts"] else []),
    output:
        out=OUT / "accuracy.tsv",
        summary=OUT / "summary.txt",
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
        code=code("join_accuracy.py"),
    script:
        "../scripts/join_accuracy.py"


rule write_report:
    """One page on all samples: what was filled, how well, and how far to trust it."""
    input:
        accuracy=expand(OUT / "{sample}" / "accuracy.tsv", sample=SAMPLES),
        residues=expand(OUT / "{sample}" / "residues.tsv", sample=SAMPLES),
        gaps=expand(OUT / "{sample}" / "gaps.tsv", sample=SAMPLES),
        chains=expand(OUT / "{sample}" / "chains.tsv", sample=SAMPLES),
        rejected=expand(OUT / "{sample}" / "rejected.tsv", sample=SAMPLES),
        alkylation=expand(OUT / "{sample}" / "alkylation.json", sample=SAMPLES),
        template=located("workflow/report/report.html.j2"),
    output:
        out=OUT / "report.html",
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
        code=code("write_report.py"),
    script:
        "../scripts/write_report.py"


SUMMARY = OUT / "summary.txt"
SUMMARY_BEFORE = written(SUMMARY)


onstart:
    hold_outdir()
    record_config()


onerror:
    # Snakemake's words on a failed job are many; the fault is the last of all.
    if workflow.is_main_process:
        print(f"Complete log: {', '.join(log)}", flush=True)
        stop(last_words(OUT, LOCKS[0].start, log))


onsuccess:
    # Other targets leave the summary of an earlier run as it is.
    if written(SUMMARY) not in (None, SUMMARY_BEFORE):
        print(SUMMARY.read_text(), end="")
    stop_if_changed()
