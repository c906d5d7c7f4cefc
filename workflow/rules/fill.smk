rule fill_gaps:
    """Predict a block's missing residues and write its part of every table."""
    input:
        scaffolds=OUT / "{sample}" / "blocks" / "{block}" / "scaffolds.jsonl",
        kmers=OUT / "{sample}" / "blocks" / "{block}" / "kmers.safetensors",
        alkylation=OUT / "{sample}" / "alkylation.json",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
        large_network=large_network(),
    output:
        **{
            table: temp(OUT / "{sample}" / "blocks" / "{block}" / f"{table}.part")
            for table in BLOCK_TABLES
        },
        scored=OUT / "{sample}" / "blocks" / "{block}" / SCORED,
    log:
        OUT / "logs" / "fill_gaps" / "{sample}.{block}.log",
    benchmark:
        OUT / "benchmarks" / "fill_gaps" / "{sample}.{block}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        **READER,
        candidates=CONFIG["candidates"],
        modifications=CONFIG["modifications"],
        inputs=digests("homologs", "train.from", "library", *ASKED),
        code=code("fill_gaps.py"),
    script:
        "../scripts/fill_gaps.py"


rule join_blocks:
    """Join the blocks of a sample in the order of its chains."""
    input:
        **{table: block_files(f"{table}.part") for table in BLOCK_TABLES},
    output:
        filled=shown("filled", OUT / "{sample}" / "filled.fasta"),
        residues=shown("residues", OUT / "{sample}" / "residues.tsv"),
        gaps=shown("gaps", OUT / "{sample}" / "gaps.tsv"),
        chains=shown("chains", OUT / "{sample}" / "chains.tsv"),
        masses=shown("masses", OUT / "{sample}" / "masses.tsv"),
    log:
        OUT / "logs" / "join_blocks" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "join_blocks" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("join_blocks.py"),
    script:
        "../scripts/join_blocks.py"


rule write_alternatives:
    """Write chains with one gap filled by its second, third, ... candidate, if requested."""
    input:
        gaps=OUT / "{sample}" / "gaps.tsv",
        filled=OUT / "{sample}" / "filled.fasta",
    output:
        out=shown("alternatives", OUT / "{sample}" / "alternatives.fasta"),
    log:
        OUT / "logs" / "write_alternatives" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "write_alternatives" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("write_alternatives.py"),
    script:
        "../scripts/write_alternatives.py"


rule write_airr:
    """Write the rows of a repertoire with their chains filled."""
    input:
        fasta=lambda wildcards: SAMPLES[wildcards.sample].fasta,
        filled=OUT / "{sample}" / "filled.fasta",
        gaps=OUT / "{sample}" / "gaps.tsv",
    output:
        out=shown("airr", OUT / "{sample}" / "airr.tsv"),
    log:
        OUT / "logs" / "write_airr" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "write_airr" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=500,
    params:
        inputs=digests("fasta"),
        code=code("write_airr.py"),
    script:
        "../scripts/write_airr.py"
