rule read_scaffolds:
    """Read a sample's chains and gaps, list unusable ones, and cut the rest into blocks."""
    input:
        fasta=chains_of,
        gaps=gaps_of,
        truth=given("truth"),
        homologs=given("homologs"),
        evidence=evidence_of,
        settled=settled_of,
        unread=of_reads("rejected.tsv"),
        masses=given("masses"),
    output:
        folder=temp(directory(OUT / "{sample}" / "scaffolds")),
        rejected=shown("rejected", OUT / "{sample}" / "rejected.tsv"),
    log:
        OUT / "logs" / "read_scaffolds" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "read_scaffolds" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        # Reads alone give a few chains, which are one block.
        block_size=lambda wildcards: (
            CONFIG["block_size"] if SAMPLES[wildcards.sample].fasta else LARGEST_SAMPLE
        ),
        n_blocks=lambda wildcards: N_BLOCKS[wildcards.sample],
        tolerance_ppm=CONFIG["tolerance_ppm"],
        on_bad_record=CONFIG["on_bad_record"],
        inputs=digests("fasta", "gaps", "truth", "homologs", "masses", "evidence"),
        code=code("read_scaffolds.py"),
    script:
        "../scripts/read_scaffolds.py"


rule find_alkylation:
    """Find the alkylation state of cysteine in a sample, unless it is stated."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        spectra=given("spectra"),
        reads=of_reads("cysteine.json"),
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
        **READER,
        modifications=CONFIG["modifications"],
        tolerance_ppm=CONFIG["tolerance_ppm"],
        alkylation=lambda wildcards: (SAMPLES[wildcards.sample].alkylation or CONFIG["alkylation"]),
        inputs=digests("spectra", "homologs", "train.from", "library"),
        code=code("find_alkylation.py"),
    script:
        "../scripts/find_alkylation.py"


rule read_spectra:
    """Find what a sample's spectra say of its gaps."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        spectra=given("spectra"),
        alkylation=OUT / "{sample}" / "alkylation.json",
    output:
        out=shown("spectra", OUT / "{sample}" / "spectra.tsv"),
    log:
        OUT / "logs" / "read_spectra" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "read_spectra" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        tolerance_ppm=CONFIG["tolerance_ppm"],
        modifications=CONFIG["modifications"],
        inputs=digests("spectra"),
        code=code("read_spectra.py"),
    script:
        "../scripts/read_spectra.py"


rule write_kmers:
    """Determine lengths of gaps, find templates of a block's chains, and write k-mer tensors."""
    input:
        scaffolds=OUT / "{sample}" / "scaffolds",
        homologs=given("homologs"),
        weights=weights(),
        library=resource("library"),
        alkylation=OUT / "{sample}" / "alkylation.json",
        spectra=of_spectra,
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
        **READER,
        modifications=CONFIG["modifications"],
        complete_ends=lambda wildcards: wildcards.sample in WITH_ENDS,
        inputs=digests("homologs", "train.from", "library"),
        code=code("write_kmers.py"),
    script:
        "../scripts/write_kmers.py"
