localrules:
    fetch_thorough,  # the nodes of a cluster seldom reach the network


# It has no output: what it fetches serves all runs, and none of them may remove it or fetch it anew.
rule fetch_thorough:
    """Fetch AntiBERTy's weights for the thorough mode with pip, once."""
    log:
        OUT / "logs" / "fetch_thorough.log",
    benchmark:
        OUT / "benchmarks" / "fetch_thorough.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=1000,
    params:
        language_model=CONFIG["language_model"],
        code=code("fetch_thorough.py"),
    script:
        "../scripts/fetch_thorough.py"
