rule train_seed:
    """Train the tutorial's model on each chain of a sample, as a baseline."""
    input:
        # The user's files, not the blocks: those are temporary and would be made again.
        fasta=lambda wildcards: SAMPLES[wildcards.sample].fasta,
        gaps=given("gaps"),
        truth=given("truth"),
    output:
        report=directory(OUT / "{sample}" / "seed_lstm"),
    log:
        OUT / "logs" / "train_seed" / "{sample}.log",
    benchmark:
        OUT / "benchmarks" / "train_seed" / "{sample}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1500,
    params:
        tolerance_ppm=CONFIG["tolerance_ppm"],
        k=CONFIG["seed_lstm"]["k"],
        epochs=CONFIG["seed_lstm"]["epochs"],
        seed=CONFIG["seed"],
        inputs=digests("fasta", "gaps", "truth"),
        code=code("train_seed.py"),
    script:
        "../scripts/train_seed.py"
