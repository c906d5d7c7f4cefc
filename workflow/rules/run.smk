"""What a run does before its first job and after its last, apart from jobs."""

import atexit

from snakemake.logging import LogEvent
from snakemake.settings.types import Quietness

from lacuna.steps.config_record import write_record
from lacuna.steps.outdir import RunLock, last_words
from lacuna.steps.progress import EVERY, WORK, Progress, Watch, step_of

LOCKS = []  # the lock of this run, once it has started; jobs and dry runs take none


def written(path):
    """Modification time of a file in nanoseconds; None if it does not exist."""
    return path.stat().st_mtime_ns if path.exists() else None


def record_config():
    """Write the settings next to the results, if the run makes all of them.

    Not done by a rule: so it takes no job and re-runs no other rule.
    """
    making_all = "all" in {job.rule.name for job in workflow.dag.needrun_jobs()}
    if making_all and not checked(write_record, RECORD, CONFIG):
        logger.info(f"{RECORD}: Lacuna did not write this file, so it is left as it is.")


def steps_of_run():
    """The jobs of this run that work on blocks of chains, by number.

    Chains that reads will give are not known before, so their samples are left out; a pack of such
    samples alone has none.
    """
    found = {}
    for job in workflow.dag.needrun_jobs():
        name = job.rule.name.removeprefix("fill_pack_")
        if name in CHAINS_OF_PACK:
            found[job.jobid] = step_of(job.rule.name, CHAINS_OF_PACK[name])
        elif name in WORK and SAMPLES[job.wildcards.sample].fasta:
            left = CHAINS[job.wildcards.sample] - CONFIG["block_size"] * int(job.wildcards.block)
            found[job.jobid] = step_of(name, min(left, CONFIG["block_size"]))
    return found


def watch_progress():
    """Tell how far the run is: on a terminal after each block, elsewhere once a minute at most."""
    every = 0 if sys.stderr.isatty() else EVERY
    logger.addHandler(
        Watch(
            Progress(steps_of_run(), every),
            lambda line: logger.info(line, extra={"quietness": Quietness.PROGRESS}),
            started=LogEvent.JOB_STARTED,
            finished=LogEvent.JOB_FINISHED,
            counted=LogEvent.PROGRESS,
        )
    )


def tell_result(summary):
    """Print the summary and where the report is, when Snakemake has printed its own last lines."""
    text = f"{summary.read_text()}Report: {OUT / 'report.html'}\n"
    atexit.register(print, text, end="", flush=True)


def stop_if_changed():
    """End the run with an error if one of its inputs has changed since it was read."""
    if changed := INPUTS.changed():
        stop(
            f"{', '.join(changed)}: changed during the run, whose results may mix old and new; "
            "run again"
        )


SUMMARY = OUT / "summary.txt"
SUMMARY_BEFORE = written(SUMMARY)


onstart:
    if workflow.is_main_process:
        LOCKS.append(checked(RunLock, OUT))
        record_config()
        watch_progress()


onerror:
    # Snakemake prints much about a failed job; the fault comes last.
    if workflow.is_main_process:
        print(f"Complete log: {', '.join(log)}", flush=True)
        stop(last_words(OUT, LOCKS[0].start, log))


onsuccess:
    stop_if_changed()
    # Other targets leave the summary of an earlier run unchanged.
    if written(SUMMARY) not in (None, SUMMARY_BEFORE):
        tell_result(SUMMARY)
