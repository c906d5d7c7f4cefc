from dataclasses import asdict

from lacuna.steps.settings import settings_of


# Small samples share jobs: there is a rule for each pack of them, whose job does what the rules of
# single steps do for samples that are in no pack.
def in_column(pack, column):
    """The files of a pack's samples in a column of the sheet."""
    return [path for name in pack.samples for path in SAMPLES[name].files(column)]


def pack_outputs(pack):
    """The final files of a pack's samples, by name."""
    made = {}
    for name in pack.samples:
        for table, file in sample_outputs(name).items():
            path = OUT / name / file
            given = shown(table, path, name) if path.suffix != ".json" else path
            made.setdefault(table, []).append(given)
    return made


def sheet_row(name):
    """Arguments of a pack's job for a sample: its name, its row of the sheet and its files."""
    sample = SAMPLES[name]
    return {
        "sample": name,
        "species": sample.species,
        "alkylation": sample.alkylation or CONFIG["alkylation"],
        "reads_format": sample.reads_format,
        "columns": " ".join(column for column in PATHS for _ in sample.files(column)),
        "tables": " ".join(sample_outputs(name)),
    }


for pack in PACKS:

    rule:
        """Do all steps of filling for a pack of small samples, one sample after the other."""
        name:
            f"fill_pack_{pack.name}"
        input:
            **{column: in_column(pack, column) for column in PATHS},
            weights=weights(),
            library=resource("library"),
            large_network=large_network(),
        output:
            **pack_outputs(pack),
            scratch=temp(directory(OUT / "packs" / pack.name)),
        log:
            OUT / "logs" / "fill_pack" / f"{pack.name}.log",
        benchmark:
            OUT / "benchmarks" / "fill_pack" / f"{pack.name}.tsv"
        conda:
            "../../envs/core.yaml"
        resources:
            # Not in a profile: profiles name rules, and these have numbers in their names.
            mem_mb=lambda wildcards, attempt: 2000 * attempt,
            runtime=lambda wildcards, attempt: 60 * attempt,
        params:
            samples=[sheet_row(name) for name in pack.samples],
            settings=asdict(settings_of(CONFIG)),  # no repertoire is in a pack
            inputs=digests(
                *PATHS,
                "train.from",
                "library",
                *ASKED,
                samples=lambda wildcards, pack=pack: pack.samples,
            ),
            code=code("fill_pack.py"),
        message:
            f"Fill {len(pack.samples)} small samples, {pack.samples[0]} to {pack.samples[-1]}."
        script:
            "../scripts/fill_pack.py"
