from lacuna.reads.known import files_of, known_reads

READ_ERROR_SETS = CONFIG["read_errors"]["sets"]


rule fit_read_errors:
    """Fit the error models of de novo tools on reads of known proteins."""
    input:
        sets=READ_ERROR_SETS or [],
        files=lambda wildcards: files_of(checked(known_reads, READ_ERROR_SETS, "read_errors.sets")),
    output:
        models=OUT / "read_errors" / "models.tsv",
        calibration=OUT / "read_errors" / "calibration.tsv",
    log:
        OUT / "logs" / "fit_read_errors.log",
    benchmark:
        OUT / "benchmarks" / "fit_read_errors.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=digests("read_errors.sets"),
        code=code("fit_read_errors.py"),
    script:
        "../scripts/fit_read_errors.py"


rule read_peptides:
    """Read a sample's peptide reads, and list the rows that are none."""
    input:
        paths=given("reads"),
    output:
        out=temp(OUT / "{sample}" / "reads" / "reads.jsonl.gz"),
        rejected=OUT / "{sample}" / "reads" / "rejected.tsv",
        cysteine=OUT / "{sample}" / "reads" / "cysteine.json",
    log:
        OUT / "logs" / "read_peptides" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "read_peptides" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        reads_format=lambda wildcards: SAMPLES[wildcards.sample].reads_format,
        inputs=digests("reads"),
        code=code("read_peptides.py"),
    script:
        "../scripts/read_peptides.py"


rule place_reads:
    """Find the chains of a sample's reads, or take those of its FASTA, and place the reads on them."""
    input:
        reads=OUT / "{sample}" / "reads" / "reads.jsonl.gz",
        fasta=given("fasta"),
        gaps=given("gaps"),
        contaminants=given("contaminants"),
        library=resource("library"),
    output:
        out=temp(OUT / "{sample}" / "reads" / "placed.safetensors"),
    log:
        OUT / "logs" / "place_reads" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "place_reads" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        species=lambda wildcards: SAMPLES[wildcards.sample].species,
        tolerance_ppm=CONFIG["tolerance_ppm"],
        modifications=CONFIG["modifications"],
        inputs=digests("fasta", "gaps", "contaminants", "library"),
        code=code("place_reads.py"),
    script:
        "../scripts/place_reads.py"


rule weigh_evidence:
    """Weigh what reads say of each position against the network; write scaffolds and evidence."""
    input:
        placed=OUT / "{sample}" / "reads" / "placed.safetensors",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
        large_network=large_network(),
    output:
        scaffolds=shown("scaffolds", OUT / "{sample}" / "scaffolds.fasta"),
        reads=shown("reads", OUT / "{sample}" / "reads.tsv"),
        # Small, and kept: to fill again, no read has to be placed again.
        evidence=OUT / "{sample}" / "reads" / "evidence.tsv",
        gaps=OUT / "{sample}" / "reads" / "gaps.tsv",
        positions=OUT / "{sample}" / "reads" / "positions.tsv",
    log:
        OUT / "logs" / "weigh_evidence" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "weigh_evidence" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        **READER,
        inputs=digests("homologs", "train.from", "library", *ASKED),
        code=code("weigh_evidence.py"),
    script:
        "../scripts/weigh_evidence.py"


rule write_evidence:
    """Write what is known of every position of a sample with reads or evidence."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        filled=OUT / "{sample}" / "filled.fasta",
        gaps=OUT / "{sample}" / "gaps.tsv",
        residues=OUT / "{sample}" / "residues.tsv",
        positions=of_reads("positions.tsv"),
        spectra=of_spectra,
    output:
        out=shown("evidence", OUT / "{sample}" / "evidence.tsv"),
    log:
        OUT / "logs" / "write_evidence" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "write_evidence" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("write_evidence.py"),
    script:
        "../scripts/write_evidence.py"
