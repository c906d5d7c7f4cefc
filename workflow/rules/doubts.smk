rule find_doubts:
    """Proofread the observed residues of a block."""
    input:
        scaffolds=OUT / "{sample}" / "blocks" / "{block}" / "scaffolds.jsonl",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
    output:
        out=temp(OUT / "{sample}" / "blocks" / "{block}" / "doubts.part"),
    log:
        OUT / "logs" / "find_doubts" / "{sample}.{block}.log",
    benchmark:
        OUT / "benchmarks" / "find_doubts" / "{sample}.{block}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        **READER,
        inputs=digests("homologs", "train.from", "library"),
        code=code("find_doubts.py"),
    script:
        "../scripts/find_doubts.py"


rule join_doubts:
    """Join the doubts of a sample in the order of its chains."""
    input:
        doubts=block_files("doubts.part"),
    output:
        doubts=shown("doubts", OUT / "{sample}" / "doubts.tsv"),
    log:
        OUT / "logs" / "join_doubts" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "join_doubts" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("join_blocks.py"),
    script:
        "../scripts/join_blocks.py"
