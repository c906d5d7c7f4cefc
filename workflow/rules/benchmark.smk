from lacuna.benchmark.stages import STAGES

# Scripts of the runs whose time benchmark_scale takes: a change of one measures anew.
MEASURED = [f"{rule}.py" for stage in STAGES.values() for rule in stage]


localrules:
    benchmark_scale,


rule benchmark_scale:
    """Fill simulated batches of growing size; measure each step and compare with the bound."""
    input:
        weights=weights(),
        library=resource("library"),
        large_network=large_network(),
    output:
        table=OUT / "benchmark_scale.tsv",
    log:
        OUT / "logs" / "benchmark_scale.log",
    benchmark:
        OUT / "benchmarks" / "benchmark_scale.tsv"
    conda:
        "../../envs/scale.yaml"
    threads: all_cores
    resources:
        mem_mb=lambda wildcards, threads: 2000 * threads,
    params:
        chains=CONFIG["benchmark_scale"]["chains"],
        k=CONFIG["kmer"]["length"],
        settings={
            key: CONFIG[key]
            for key in ("block_size", "kmer", "mode", "precision", "seed", "weights")
        },
        inputs=digests("train.from", "library", *ASKED),
        code=code("benchmark_scale.py", *MEASURED),
    script:
        "../scripts/benchmark_scale.py"


READ_BENCHMARK_SETS = CONFIG["benchmark_reads"]["sets"]


rule benchmark_reads:
    """Chains from reads of known proteins: what is right, and what each part of the method brings."""
    input:
        sets=READ_BENCHMARK_SETS or [],
        files=lambda wildcards: files_of(
            checked(known_reads, READ_BENCHMARK_SETS, "benchmark_reads.sets")
        ),
        weights=weights(),
        library=resource("library"),
        large_network=large_network(),
    output:
        out=OUT / "benchmark_reads.tsv",
    log:
        OUT / "logs" / "benchmark_reads.log",
    benchmark:
        OUT / "benchmarks" / "benchmark_reads.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        ablations=CONFIG["benchmark_reads"]["ablations"],
        inputs=digests("benchmark_reads.sets", "train.from", "library", *ASKED),
        code=code("benchmark_reads.py"),
    script:
        "../scripts/benchmark_reads.py"
