"""Configuration, samples and blocks: all that is known before the first job."""

import re
import sys
from difflib import get_close_matches
from functools import reduce
from math import ceil
from operator import getitem
from pathlib import Path

from snakemake.logging import logger

# Not workflow.basedir: if another workflow imports this one, that is the other's folder.
ROOT = Path(str(workflow.current_basedir)).parents[1]
if not ROOT.is_dir():
    sys.exit("Error: Lacuna is imported from a clone: give the path of the Snakefile in it")
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from lacuna.core.config import check_config, check_repeats, check_yaml, path_settings
from lacuna.core.files import LacunaError, check_temporary_folder
from lacuna.core.paths import prefer_this_package
from lacuna.core.tables import TABLES
from lacuna.core.windows import check_window
from lacuna.steps.config_record import is_rewritten
from lacuna.steps.outdir import check_outdir
from lacuna.steps.outputs import OUTPUTS, outputs_of
from lacuna.steps.packs import LARGEST_SAMPLE, plan_packs
from lacuna.steps.provenance import Inputs, code_digest
from lacuna.scaffolds.records import count_records, is_repertoire
from lacuna.steps.sheet import PATHS, read_sheet

# Snakemake puts the scripts of rules behind the packages of the environment, so that jobs would
# import a Lacuna that is installed there.
prefer_this_package()


def stop(fault):
    """End the run with one line: an exception would print a traceback of Snakemake."""
    sys.exit(f"Error: {fault}")


def checked(function, *arguments):
    """Return the function's result; a LacunaError ends the run with one line."""
    try:
        return function(*arguments)
    except LacunaError as error:
        stop(error)


if not workflow.modifier.skip_configfile:
    # Snakemake's own message names neither the file nor the line.
    checked(check_yaml, "config.yaml", not workflow.overwrite_configfiles)


configfile: "config.yaml"


for path in [] if workflow.modifier.skip_configfile else workflow.configfiles:
    checked(check_repeats, path)
CONFIG = checked(check_config, config)
OUT = Path(CONFIG["outdir"])
RECORD = OUT / "config.yaml"
SAMPLES = {s.sample: s for s in checked(read_sheet, CONFIG["samples"])}
READ = [name for name, sample in SAMPLES.items() if sample.reads]
# Of reads alone a few chains at most are found.
CHAINS = {
    name: checked(count_records, sample.fasta) if sample.fasta else LARGEST_SAMPLE
    for name, sample in SAMPLES.items()
}
REPERTOIRES = [name for name, s in SAMPLES.items() if s.fasta and checked(is_repertoire, s.fasta)]
WITH_ENDS = {"auto": REPERTOIRES, True: list(SAMPLES), False: []}[CONFIG["complete_ends"]]
N_BLOCKS = {
    name: max(ceil(n / CONFIG["block_size"]), 1) if SAMPLES[name].fasta else 1
    for name, n in CHAINS.items()
}
BLOCK_TABLES = [table for table in TABLES if table != "scored"]
SCORED = "scored.tsv.gz"  # kept, so that accuracy can be summed anew without filling again
SHOWN = 3  # names of absent samples in messages


wildcard_constraints:
    block=r"\d+",


def blocks(sample):
    """Names of a sample's blocks."""
    return [f"{i:05d}" for i in range(N_BLOCKS[sample])]


def block_files(pattern):
    """Input function: one file of every block of the job's sample."""
    return lambda wildcards: expand(
        OUT / "{sample}" / "blocks" / "{block}" / pattern,
        sample=wildcards.sample,
        block=blocks(wildcards.sample),
    )


def seeded_samples():
    """Samples that get the tutorial's model: those named in the config that are in the sheet.

    The bundled config names a bundled sample, which other sheets do not have. Only for a few absent
    names is a similar one searched for, since the search goes through all samples.
    """
    named = CONFIG["seed_lstm"]["samples"]
    absent = [name for name in named if name not in SAMPLES]
    for name in absent[:SHOWN]:
        near = get_close_matches(name, SAMPLES, n=1)
        hint = f" (which has '{near[0]}')" if near else ""
        logger.info(f"seed_lstm: '{name}' is not a sample of {CONFIG['samples']}{hint}; left out.")
    if absent[SHOWN:]:
        logger.info(f"seed_lstm: {len(absent) - SHOWN} more names are not samples; left out.")
    for name in named:
        if name in SAMPLES and not SAMPLES[name].fasta:
            stop(f"seed_lstm: '{name}' has no FASTA to learn from; leave it out")
    return [n for n in named if n in SAMPLES]


SEEDED = seeded_samples()
# Reads cost as much work as a hundred chains.
COST = {name: max(n, LARGEST_SAMPLE) if name in READ else n for name, n in CHAINS.items()}
PACKS = plan_packs(COST, [*SEEDED, *REPERTOIRES], CONFIG["pack_chains"])
PACKED = {name for pack in PACKS for name in pack.samples}
CHAINS_OF_PACK = {
    pack.name: sum(CHAINS[name] for name in pack.samples if SAMPLES[name].fasta) for pack in PACKS
}


def names_of_single_steps():
    """Pattern of `sample` in the rules of single steps: samples in no pack, by name.

    Without packs, a general pattern is used, which is matched faster than many names.
    """
    names = [re.escape(name) for name in SAMPLES if name not in PACKED]
    return "|".join(names or ["(?!)"]) if PACKS else "[A-Za-z0-9_.-]+"


wildcard_constraints:
    sample=names_of_single_steps(),


ALL = "all samples"  # the label of files that are of no single one


def shown(name, path, sample="{sample}"):
    """The output file `path`, shown by `snakemake --report` with its caption."""
    return report(
        path,
        caption=str(ROOT / "workflow" / "report" / "captions" / f"{name}.rst"),
        category="All samples" if sample == ALL else "Samples",
        subcategory=None if sample == ALL else sample,
        labels={"sample": sample, "file": Path(path).name},
    )


def sample_outputs(name):
    """A sample's final files by name, except for the tutorial's model."""
    sample = SAMPLES[name]
    return outputs_of(
        evidence=sample.evidence is not None,
        reads=bool(sample.reads),
        repertoire=name in REPERTOIRES,
        doubts=CONFIG["doubts"],
        spectra=bool(sample.spectra),
        alternatives=CONFIG["alternatives"],
    )


def sample_files():
    """Every final file of every sample."""
    files = [OUT / name / file for name in SAMPLES for file in sample_outputs(name).values()]
    return files + expand(OUT / "{sample}" / "seed_lstm", sample=SEEDED)


def run_files():
    """Every file on all samples together."""
    return [
        OUT / "accuracy.tsv",
        OUT / "report.html",
        OUT / "summary.txt",
        OUT / "lacuna_mqc.json",
        OUT / "software_mqc_versions.yml",
    ]


def of_all(*names):
    """Files that every sample has, by name."""
    return {name: [OUT / sample / OUTPUTS[name] for sample in SAMPLES] for name in names}


def names_of(**tables):
    """Names of those of these tables that each sample has; tables: paths by sample."""
    return [[table for table, paths in tables.items() if name in paths] for name in SAMPLES]


def given_files(sample):
    """The user's files of a sample, by column of the sheet."""
    return {
        column: list(map(str, sample.files(column))) for column in PATHS if sample.files(column)
    }


def stated(sample):
    """What else the sheet states of a sample, by column."""
    columns = {
        "species": sample.species,
        "alkylation": sample.alkylation,
        "reads_format": sample.reads_format,
    }
    return {name: text for name, text in columns.items() if text not in ("", "auto")}


def given(column):
    """Input function: the sample's file, or files, in an optional column of the sheet."""

    def found(wildcards):
        files = getattr(SAMPLES[wildcards.sample], column)
        return list(files) if isinstance(files, tuple) else files or []

    return found


def of_reads(name):
    """Input function: a file that the sample's reads gave, or none for a sample without reads."""
    return lambda wildcards: (
        OUT / wildcards.sample / "reads" / name if wildcards.sample in READ else []
    )


def of_spectra(wildcards):
    """Input function: what the sample's spectra say of its gaps, or none without spectra."""
    sample = wildcards.sample
    return OUT / sample / "spectra.tsv" if SAMPLES[sample].spectra else []


def chains_of(wildcards):
    """Input function: the sample's FASTA, or the scaffolds that its reads gave."""
    return SAMPLES[wildcards.sample].fasta or OUT / wildcards.sample / "scaffolds.fasta"


def gaps_of(wildcards):
    """Input function: the gaps of those chains."""
    sample = SAMPLES[wildcards.sample]
    return sample.gaps or ([] if sample.fasta else of_reads("gaps.tsv")(wildcards))


def evidence_of(wildcards):
    """Input function: tables of what is measured of their positions, in the sheet and by reads."""
    sample = SAMPLES[wildcards.sample]
    by_reads = of_reads("evidence.tsv")(wildcards) if sample.fasta else []
    return [path for path in (sample.evidence, by_reads) if path]


def settled_of(wildcards):
    """Input function: what is known of their positions, the network included."""
    return [] if SAMPLES[wildcards.sample].fasta else of_reads("evidence.tsv")(wildcards)


def weights():
    """The weights to fill with: the given ones, or those trained in this run."""
    train = CONFIG["train"]
    if train["steps"] == 0 and train["from"] is None:
        stop("config: 'train.from' is null and 'train.steps' is 0; set one of them")
    trained = OUT / "model" / "lacuna.safetensors"
    return trained if train["steps"] else resource("train.from")


def all_cores(wildcards):
    """Threads of a target that measures on one machine: those of --cores."""
    cores = workflow.resource_settings.cores
    return cores or stop("this target measures on one machine: give --cores N")


def located(path):
    """The path; if it does not exist here, that in the workflow's folder."""
    return path if Path(path).exists() else ROOT / path


def resource(key):
    """Input function: the file that a key of the configuration (`train.from`) names."""

    def found(wildcards):
        value = reduce(getitem, key.split("."), CONFIG)
        path = located(value)
        if not Path(path).is_file():
            stop(f"config: '{key}' is '{value}', which is not a file; correct the path")
        return path

    return found


# Parameters of the rules whose jobs read a sample's chains with the network: fields of `ReaderFiles`.
READER = {
    **CONFIG["kmer"],
    "max_identity": CONFIG["accuracy"]["max_identity"],
    "precision": CONFIG["precision"],
    "species": lambda wildcards: SAMPLES[wildcards.sample].species,
}

# The key of the large network's weights, which only the thorough mode reads.
ASKED = ("large_network",) if CONFIG["mode"] == "thorough" else ()


def large_network():
    """The weights of the large network in thorough mode, else no file."""
    return resource("large_network") if ASKED else []


def inputs_of_run():
    """Every file named in the configuration and the sheet, by description."""
    files = {f"config file {number}": Path(p) for number, p in enumerate(workflow.configfiles, 1)}
    for name, path in path_settings(CONFIG):
        if name != "outdir" and (name != "large_network" or ASKED):
            files[f"config: '{name}'"] = Path(located(path))
    for name, sample in SAMPLES.items():
        for column in PATHS:
            for number, path in enumerate(sample.files(column)):
                which = f"{column} {number + 1}" if number else column
                files[f"{CONFIG['samples']}: {which} of sample '{name}'"] = path
    return files


if workflow.is_main_process:
    checked(check_temporary_folder)  # Snakemake itself would end with a traceback
    checked(check_outdir, OUT, list(SAMPLES), inputs_of_run())
    if ASKED and Path(located(CONFIG["large_network"])).is_file():
        checked(check_window, CONFIG["kmer"]["length"], located(CONFIG["large_network"]))

# Snakemake records the parameters seen by the main process: its jobs need not read the files again.
INPUTS = checked(
    Inputs,
    (
        [
            path
            for path in inputs_of_run().values()
            if path and path.is_file() and not is_rewritten(path, RECORD)
        ]
        if workflow.is_main_process
        else []
    ),
)


def digests(*names, samples=lambda wildcards: [wildcards.sample]):
    """Params function: digests of the inputs of a rule, so that a change of content re-runs it.

    names: columns of the sheet, for each of the samples; or keys of the configuration.
    """
    keys = [name for name in names if name not in PATHS]
    columns = [name for name in names if name not in keys]

    def found(wildcards):
        files = [SAMPLES[s].files(c) or (None,) for c in columns for s in samples(wildcards)]
        given = [path for some in files for path in some]
        named = [located(reduce(getitem, key.split("."), CONFIG) or "") for key in keys]
        return [INPUTS.digest(path) for path in (*given, *named)]

    return found


def code(*scripts):
    """Params function: digest of scripts and all that they import: a change re-runs the rule.

    Only for the rules of jobs, since most of the seconds of a plan would pass in reading modules.
    The name of a script may hold wildcards.
    """

    def found(wildcards):
        names = [script.format(**dict(wildcards.items())) for script in scripts]
        return " ".join(code_digest(ROOT / "workflow" / "scripts" / name) for name in names)

    return found
