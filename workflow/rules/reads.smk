rule read_peptides:
    """Read a sample's peptide reads, and list the rows that are none."""
    input:
        paths=given("reads"),
    output:
        out=temp(OUT / "{sample}" / "reads" / "reads.jsonl.gz"),
        rejected=OUT / "{sample}" / "reads" / "rejected.tsv",
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


rule write_evidence:
    """Write what is known of every position of a sample with reads or evidence."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        filled=OUT / "{sample}" / "filled.fasta",
        residues=OUT / "{sample}" / "residues.tsv",
        positions=[],
    output:
        out=OUT / "{sample}" / "evidence.tsv",
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
