rule read_scaffolds:
    """Read a sample's chains and gaps, list what cannot be used, cut the rest into blocks."""
    input:
        fasta=lambda wildcards: SAMPLES[wildcards.sample].fasta,
        gaps=given("gaps"),
        truth=given("truth"),
        homologs=given("homologs"),
    output:
        folder=temp(directory(OUT / "{sample}" / "scaffolds")),
        rejected=OUT / "{sample}" / "rejected.tsv",
    log:
        OUT / "logs" / "read_scaffolds" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "read_scaffolds" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        block_size=CONFIG["block_size"],
        n_blocks=lambda wildcards: N_BLOCKS[wildcards.sample],
        tolerance_ppm=CONFIG["tolerance_ppm"],
        on_bad_record=CONFIG["on_bad_record"],
        inputs=digests("fasta", "gaps", "truth", "homologs"),
        code=code("read_scaffolds.py"),
    script:
        "../scripts/read_scaffolds.py"


rule find_alkylation:
    """Find what cysteine weighs in a sample, where that is not stated."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
    output:
        out=OUT / "{sample}" / "alkylation.json",
    log:
        OUT / "logs" / "find_alkylation" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "find_alkylation" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        **CONFIG["kmer"],
        max_identity=CONFIG["accuracy"]["max_identity"],
        modifications=CONFIG["modifications"],
        precision=CONFIG["precision"],
        species=lambda wildcards: SAMPLES[wildcards.sample].species,
        alkylation=lambda wildcards: (SAMPLES[wildcards.sample].alkylation or CONFIG["alkylation"]),
        inputs=digests("homologs", "train.from", "library"),
        code=code("find_alkylation.py"),
    script:
        "../scripts/find_alkylation.py"


rule write_kmers:
    """Settle lengths of gaps, find the templates of a block's chains, write its k-mer tensors."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
        alkylation=OUT / "{sample}" / "alkylation.json",
    output:
        kmers=temp(OUT / "{sample}" / "blocks" / "{block}" / "kmers.safetensors"),
        resolved=temp(OUT / "{sample}" / "blocks" / "{block}" / "scaffolds.jsonl"),
    log:
        OUT / "logs" / "write_kmers" / "{sample}.{block}.log",
    benchmark:
        OUT / "benchmarks" / "write_kmers" / "{sample}.{block}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        **CONFIG["kmer"],
        max_identity=CONFIG["accuracy"]["max_identity"],
        modifications=CONFIG["modifications"],
        precision=CONFIG["precision"],
        species=lambda wildcards: SAMPLES[wildcards.sample].species,
        complete_ends=lambda wildcards: wildcards.sample in WITH_ENDS,
        inputs=digests("homologs", "train.from", "library"),
        code=code("write_kmers.py"),
    script:
        "../scripts/write_kmers.py"
