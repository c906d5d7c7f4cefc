"""Configuration, samples and blocks: all that is known before the first job."""

import re
import sys
from difflib import get_close_matches
from functools import reduce
from math import ceil
from operator import getitem
from pathlib import Path

from snakemake.logging import logger

# Not workflow.basedir: where another workflow imports this one, that is the other's folder.
ROOT = Path(str(workflow.current_basedir)).parents[1]
if not ROOT.is_dir():
    sys.exit("Error: Lacuna is imported from a clone: give the path of the Snakefile in it")
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from lacuna.core.config import check_config, check_yaml, path_settings
from lacuna.core.files import LacunaError, check_temporary_folder
from lacuna.steps.config_record import is_rewritten, write_record
from lacuna.steps.outdir import RunLock, check_outdir, last_words
from lacuna.steps.packs import plan_packs
from lacuna.steps.provenance import Inputs, code_digest
from lacuna.scaffolds.records import count_records, is_repertoire
from lacuna.steps.sheet import OPTIONAL_PATHS, read_sheet


def stop(fault):
    """End the run with one line: Snakemake would add a traceback to an exception."""
    sys.exit(f"Error: {fault}")


def checked(function, *arguments):
    """The function's result; a LacunaError ends the run as one line."""
    try:
        return function(*arguments)
    except LacunaError as error:
        stop(error)


if not workflow.modifier.skip_configfile:
    # Snakemake says of a fault neither the file nor the line.
    checked(check_yaml, "config.yaml", not workflow.overwrite_configfiles)


configfile: "config.yaml"


CONFIG = checked(check_config, config, ROOT / "workflow/schemas/config.schema.yaml")
OUT = Path(CONFIG["outdir"])
RECORD = OUT / "config.yaml"
SAMPLES = {s.sample: s for s in checked(read_sheet, CONFIG["samples"])}
CHAINS = {name: checked(count_records, sample.fasta) for name, sample in SAMPLES.items()}
REPERTOIRES = [name for name, s in SAMPLES.items() if checked(is_repertoire, s.fasta)]
WITH_ENDS = {"auto": REPERTOIRES, True: list(SAMPLES), False: []}[CONFIG["complete_ends"]]
N_BLOCKS = {name: max(ceil(n / CONFIG["block_size"]), 1) for name, n in CHAINS.items()}
TABLES = (
    "filled.fasta",
    "residues.tsv",
    "gaps.tsv",
    "chains.tsv",
    "accuracy.tsv",
    "rejected.tsv",
    "alkylation.json",
)
BLOCK_TABLES = ("filled", "residues", "gaps", "chains")
SCORED = "scored.tsv.gz"  # kept, so that another accuracy needs no chain filled again
SHOWN = 3  # names of samples that are not there
INPUT_COLUMNS = ("fasta", "gaps", "truth", "homologs")


wildcard_constraints:
    block=r"\d+",


def blocks(sample):
    """Names of a sample's blocks."""
    return [f"{i:05d}" for i in range(N_BLOCKS[sample])]


def block_files(pattern):
    """Input function: a file of every block of the job's sample."""
    return lambda wildcards: expand(
        OUT / "{sample}" / "blocks" / "{block}" / pattern,
        sample=wildcards.sample,
        block=blocks(wildcards.sample),
    )


def seeded_samples():
    """Samples that get the tutorial's model: those named that the sheet has.

    The bundled config names a bundled sample, and a sheet given beside it has others. A like name
    is looked for among all samples, so for no more than a few.
    """
    named = CONFIG["seed_lstm"]["samples"]
    absent = [name for name in named if name not in SAMPLES]
    for name in absent[:SHOWN]:
        near = get_close_matches(name, SAMPLES, n=1)
        hint = f" (which has '{near[0]}')" if near else ""
        logger.info(f"seed_lstm: '{name}' is no sample of {CONFIG['samples']}{hint}; left out.")
    if absent[SHOWN:]:
        logger.info(f"seed_lstm: {len(absent) - SHOWN} more names are no samples; left out.")
    return [n for n in named if n in SAMPLES]


SEEDED = seeded_samples()
PACKS = plan_packs(CHAINS, [*SEEDED, *REPERTOIRES], CONFIG["pack_chains"])
PACKED = {name for pack in PACKS for name in pack.samples}


def names_of_single_steps():
    """What `sample` is in the rules of single steps: a sample of no pack, by name if there are any.

    Without packs a pattern says the same and is matched faster than many names.
    """
    names = [re.escape(name) for name in SAMPLES if name not in PACKED]
    return "|".join(names or ["(?!)"]) if PACKS else "[A-Za-z0-9_.-]+"


wildcard_constraints:
    sample=names_of_single_steps(),


def sample_tables():
    """Names of the files that a sample ends with, but for the tutorial's model."""
    wanted = {"alternatives.fasta": CONFIG["alternatives"], "doubts.tsv": CONFIG["doubts"]}
    return [*TABLES, *(name for name, asked_for in wanted.items() if asked_for)]


def sample_files():
    """Every file that every sample ends with."""
    tables = expand(OUT / "{sample}" / "{table}", sample=SAMPLES, table=sample_tables())
    tables += expand(OUT / "{sample}" / "airr.tsv", sample=REPERTOIRES)
    return tables + expand(OUT / "{sample}" / "seed_lstm", sample=SEEDED)


def given(column):
    """Input function: the sample's file in an optional column of the sheet, or none."""
    return lambda wildcards: getattr(SAMPLES[wildcards.sample], column) or []


def weights():
    """The weights that fill: those given, or those of this run's training."""
    train = CONFIG["train"]
    if train["steps"] == 0 and train["from"] is None:
        stop("config: 'train.from' is null and 'train.steps' is 0; set one of them")
    trained = OUT / "model" / "lacuna.safetensors"
    return trained if train["steps"] else resource("train.from")


def train_settings_of_run():
    """Settings of the run's own training, as `trainer.TrainConfig` takes them."""
    chosen = {k: CONFIG["train"][k] for k in ("steps", "batch_size", "learning_rate")}
    pool = min(CONFIG["train"]["chains"], 4096)
    return {**chosen, "k": CONFIG["kmer"]["length"], "seed": CONFIG["seed"], "pool": pool}


def located(path):
    """The path; what is not found from here is looked for in the workflow."""
    return path if Path(path).exists() else ROOT / path


def resource(key):
    """Input function: the file that a key of the configuration (`train.from`) names."""

    def found(wildcards):
        given = reduce(getitem, key.split("."), CONFIG)
        path = located(given)
        if not Path(path).is_file():
            stop(f"config: '{key}' is '{given}', which is no file; correct the path")
        return path

    return found


def inputs_of_run():
    """Every file that the configuration and the sheet name, by what it is."""
    files = {f"config file {number}": Path(p) for number, p in enumerate(workflow.configfiles, 1)}
    for name, path in path_settings(CONFIG):
        if name != "outdir":
            files[f"config: '{name}'"] = Path(located(path))
    for name, sample in SAMPLES.items():
        for column in ("fasta", *OPTIONAL_PATHS):
            files[f"{CONFIG['samples']}: {column} of sample '{name}'"] = getattr(sample, column)
    return files


if workflow.is_main_process:
    checked(check_temporary_folder)  # Snakemake itself would end with a traceback
    checked(check_outdir, OUT, list(SAMPLES), inputs_of_run())

# Snakemake records the parameters that the run itself sees: its jobs need not read the files again.
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
    """Params function: digests of what a rule reads, so that other content re-runs it.

    names: columns of the sheet, for each of the samples; or keys of the configuration.
    """
    keys = [name for name in names if name not in ("fasta", *OPTIONAL_PATHS)]
    columns = [name for name in names if name not in keys]

    def found(wildcards):
        given = [getattr(SAMPLES[s], c) for c in columns for s in samples(wildcards)]
        named = [located(reduce(getitem, key.split("."), CONFIG) or "") for key in keys]
        return [INPUTS.digest(path) for path in (*given, *named)]

    return found


def stop_if_changed():
    """End the run with an error where a file that it read is another by now."""
    if changed := INPUTS.changed():
        stop(
            f"{', '.join(changed)}: changed during the run, whose results may mix old and new; "
            "run again"
        )


def written(path):
    """When a file was written, in nanoseconds; None where it is not there."""
    return path.stat().st_mtime_ns if path.exists() else None


def code(script):
    """Digest of a script and the modules it imports: a change of either re-runs its rule."""
    return code_digest(ROOT / "workflow" / "scripts" / script)


LOCKS = []  # that of this run, once it has begun; jobs and dry runs take none


def hold_outdir():
    """Make the output folder this run's alone, before the first job."""
    if workflow.is_main_process:
        LOCKS.append(checked(RunLock, OUT))


def record_config():
    """Write the settings beside the results, if the run makes all of them.

    Not a rule's work: no other rule is run again for it, and it costs no job.
    """
    if not workflow.is_main_process:
        return
    if "all" not in {job.rule.name for job in workflow.dag.needrun_jobs()}:
        return
    if not checked(write_record, RECORD, CONFIG):
        logger.info(f"{RECORD}: Lacuna did not write this file, so it is left as it is.")
