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
