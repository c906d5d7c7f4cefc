# Arguments of `batches.TrainConfig` for the training in this run.
TRAIN_SETTINGS = {
    **{key: CONFIG["train"][key] for key in ("steps", "batch_size", "learning_rate")},
    "k": CONFIG["kmer"]["length"],
    "seed": CONFIG["seed"],
    "pool": min(CONFIG["train"]["chains"], 4096),
}


rule encode_training:
    """Make the training chains of this run: simulated ones, and the samples' homologs."""
    input:
        homologs=[s.homologs for s in SAMPLES.values() if s.homologs],
        fastas=[s.fasta for s in SAMPLES.values() if s.fasta],
        gaps=[s.gaps for s in SAMPLES.values() if s.gaps],
        library=resource("library"),
    output:
        out=OUT / "model" / "chains.safetensors",
    log:
        OUT / "logs" / "encode_training.log",
    benchmark:
        OUT / "benchmarks" / "encode_training.tsv"
    conda:
        "../../envs/core.yaml"
    threads: CONFIG["threads"]
    resources:
        mem_mb=4000,
    params:
        targets=[(str(s.fasta), str(s.gaps or "")) for s in SAMPLES.values() if s.fasta],
        chains=CONFIG["train"]["chains"],
        max_identity=CONFIG["accuracy"]["max_identity"],
        seed=CONFIG["seed"],
        inputs=digests("fasta", "gaps", "homologs", "library", samples=lambda wildcards: SAMPLES),
        code=code("encode_training.py"),
    script:
        "../scripts/encode_training.py"


rule train_model:
    """Train the network, or tune given weights, on a GPU if the job gets one."""
    input:
        chains=OUT / "model" / "chains.safetensors",
        start=resource("train.from") if CONFIG["train"]["from"] else [],
    output:
        weights=OUT / "model" / "lacuna.safetensors",
        curve=OUT / "model" / "curve.tsv",
    log:
        OUT / "logs" / "train_model.log",
    benchmark:
        OUT / "benchmarks" / "train_model.tsv"
    conda:
        "../../envs/train.yaml"
    threads: CONFIG["threads"]
    resources:
        gpu=1,
        mem_mb=6000,
    params:
        model=CONFIG["model"],
        train=TRAIN_SETTINGS,
        masking={},
        threads=CONFIG["threads"],  # not those of the job, which --cores may reduce
        inputs=digests("train.from"),
        code=code("pretrain_model.py"),
    script:
        "../scripts/pretrain_model.py"
