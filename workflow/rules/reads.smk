from lacuna.steps.read_errors import files_of, known_reads

READ_ERROR_SETS = CONFIG["read_errors"]["sets"]


rule fit_read_errors:
    """Fit the error models of de novo tools on reads of known proteins."""
    input:
        sets=READ_ERROR_SETS or [],
        files=lambda wildcards: files_of(checked(known_reads, READ_ERROR_SETS)),
    output:
        models=OUT / "read_errors" / "models.tsv",
        calibration=OUT / "read_errors" / "calibration.tsv",
    log:
        OUT / "logs" / "fit_read_errors.log",
    benchmark:
        OUT / "benchmarks" / "fit_read_errors.tsv"
    conda:
        "../../envs/core.yaml"
    resources:
        mem_mb=2000,
    params:
        inputs=digests("read_errors.sets"),
        code=code("fit_read_errors.py"),
    script:
        "../scripts/fit_read_errors.py"
