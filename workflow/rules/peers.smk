from lacuna.benchmark.peer_envs import PEERS
from lacuna.benchmark.peers import TRUTH, bench_file

COMPARED = CONFIG["peers"]
PEERED = OUT / "peers"


# Lacuna in the thorough mode is compared too if that is the mode of the run.
OURS = ["lacuna", "lacuna_thorough"] if ASKED else ["lacuna"]


wildcard_constraints:
    peer="|".join(PEERS),
    ours="|".join(OURS),


# Times can be compared only on one machine: the one on which Snakemake runs.
localrules:
    compare_peers,
    choose_scaffolds,
    build_peer_env,
    fill_by_peer,
    fill_by_lacuna,


rule compare_peers:
    """Score Lacuna and its peers on the same scaffolds, and print the table of the pooled sets."""
    input:
        scaffolds=PEERED / "scaffolds.jsonl",
        answers=expand(PEERED / "{method}.tsv", method=[*OURS, *COMPARED["methods"]]),
        speeds=expand(PEERED / "{method}.speed.json", method=[*OURS, *COMPARED["methods"]]),
        template=ROOT / "workflow" / "report" / "peers.svg.j2",
    output:
        accuracy=PEERED / "accuracy.tsv",
        speed=PEERED / "speed.tsv",
        plot=PEERED / "peers.svg",
        table=PEERED / "peers.md",
    log:
        OUT / "logs" / "compare_peers.log",
    benchmark:
        OUT / "benchmarks" / "compare_peers.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("compare_peers.py"),
    script:
        "../scripts/compare_peers.py"


rule choose_scaffolds:
    """Choose the scaffolds that every method fills."""
    input:
        truth=lambda wildcards: checked(bench_file, COMPARED["bench"]),
    output:
        scaffolds=PEERED / "scaffolds.jsonl",
    log:
        OUT / "logs" / "choose_scaffolds.log",
    benchmark:
        OUT / "benchmarks" / "choose_scaffolds.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        limit=COMPARED["limit"],
        code=code("choose_scaffolds.py"),
    script:
        "../scripts/choose_scaffolds.py"


# The only place where the peers are fetched. IgLM is licensed for non-commercial use only: Lacuna
# contains no part of it, and only this target fetches it.
rule build_peer_env:
    """Build an environment with one peer, its weights included, with pip."""
    input:
        requirements=ROOT / "envs" / "peers" / "{peer}.txt",
    output:
        env=directory(PEERED / "envs" / "{peer}"),
    log:
        OUT / "logs" / "build_peer_env" / "{peer}.log",
    benchmark:
        OUT / "benchmarks" / "build_peer_env" / "{peer}.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        package=lambda wildcards: PEERS[wildcards.peer],
        code=code("build_peer_env.py"),
    script:
        "../scripts/build_peer_env.py"


rule fill_by_peer:
    """Fill the scaffolds with one peer in its own environment, and time it."""
    input:
        scaffolds=PEERED / "scaffolds.jsonl",
        env=PEERED / "envs" / "{peer}",
    output:
        answers=PEERED / "{peer}.tsv",
        speed=PEERED / "{peer}.speed.json",
    log:
        OUT / "logs" / "fill_by_peer" / "{peer}.log",
    benchmark:
        OUT / "benchmarks" / "fill_by_peer" / "{peer}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: all_cores  # nothing else runs at the same time
    resources:
        mem_mb=4000,
    params:
        worker=code("peers/{peer}_worker.py"),
        code=code("fill_by_peer.py"),
    script:
        "../scripts/fill_by_peer.py"


rule fill_by_lacuna:
    """Fill the scaffolds with Lacuna in one of its modes, and its baselines, and time it."""
    input:
        scaffolds=PEERED / "scaffolds.jsonl",
        weights=weights(),
        library=resource("library"),
        homologs=COMPARED["homologs"] or [],
        large_network=lambda wildcards: (
            large_network()(wildcards) if wildcards.ours == "lacuna_thorough" else []
        ),
    output:
        answers=PEERED / "{ours}.tsv",
        speed=PEERED / "{ours}.speed.json",
    log:
        OUT / "logs" / "fill_by_lacuna" / "{ours}.log",
    benchmark:
        OUT / "benchmarks" / "fill_by_lacuna" / "{ours}.tsv"
    conda:
        "../../envs/core.yaml"
    threads: all_cores  # nothing else runs at the same time
    resources:
        mem_mb=4000,
    params:
        settings={
            **{name: CONFIG[name] for name in ("block_size", "candidates", "precision")},
            "k": CONFIG["kmer"]["length"],
            "stride": CONFIG["kmer"]["stride"],
            "max_identity": CONFIG["accuracy"]["max_identity"],
        },
        inputs=digests("train.from", "library", "peers.homologs", *ASKED),
        worker=code("peers/lacuna_worker.py"),
        code=code("fill_by_lacuna.py"),
    script:
        "../scripts/fill_by_lacuna.py"
