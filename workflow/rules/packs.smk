# Small samples share jobs: a rule for each pack of them, whose job does what the rules of single steps
# do for the samples that are in none.
def in_column(pack, column):
    """The files that a pack's samples have in a column of the sheet."""
    paths = (getattr(SAMPLES[name], column) for name in pack.samples)
    return [path for path in paths if path]


def sheet_row(name):
    """What a pack's job is told of a sample: its name, its species and the columns that it fills."""
    sample = SAMPLES[name]
    alkylation = sample.alkylation or CONFIG["alkylation"]
    filled = [column for column in INPUT_COLUMNS if getattr(sample, column)]
    return {
        "sample": name,
        "species": sample.species,
        "alkylation": alkylation,
        "columns": " ".join(filled),
    }


# What the configuration says of filling; a change of any fills the packs again.
PACK_SETTINGS = (
    "tolerance_ppm",
    "on_bad_record",
    "kmer",
    "modifications",
    "candidates",
    "precision",
)


for pack in PACKS:

    rule:
        """Do all steps of filling for a pack of small samples, one sample after the other."""
        name:
            f"fill_pack_{pack.name}"
        input:
            **{column: in_column(pack, column) for column in INPUT_COLUMNS},
            weights=weights(),
            library=resource("library"),
        output:
            **{
                Path(table).stem: [OUT / name / table for name in pack.samples]
                for table in sample_tables()
            },
            scratch=temp(directory(OUT / "packs" / pack.name)),
        log:
            OUT / "logs" / "fill_pack" / f"{pack.name}.log",
        benchmark:
            OUT / "benchmarks" / "fill_pack" / f"{pack.name}.tsv"
        conda:
            "../../envs/core.yaml"
        resources:
            # Here and not in a profile: those name rules, and a pack's has its number.
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            samples=[sheet_row(name) for name in pack.samples],
            settings={
                **{name: CONFIG[name] for name in PACK_SETTINGS},
                "max_identity": CONFIG["accuracy"]["max_identity"],
                "complete_ends": CONFIG["complete_ends"] is True,
            },
            inputs=digests(
                *INPUT_COLUMNS,
                "train.from",
                "library",
                samples=lambda wildcards, pack=pack: pack.samples,
            ),
            code=code("fill_pack.py"),
        message:
            f"Fill {len(pack.samples)} small samples, {pack.samples[0]} to {pack.samples[-1]}."
        script:
            "../scripts/fill_pack.py"
