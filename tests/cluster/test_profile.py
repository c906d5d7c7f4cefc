"""The cluster profiles, as far as they can be tested without a cluster."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import ROOT, Workspace

from chains import fasta, germline_chain, hidden

PROFILE = ROOT / "workflow" / "profiles" / "slurm"
SETTINGS = yaml.safe_load((PROFILE / "config.yaml").read_text())
GENERIC = yaml.safe_load((PROFILE.with_name("generic") / "config.yaml").read_text())
RULES = "".join(path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk"))
LOCAL = re.findall(r"^localrules:\n((?: +\w+,.*\n)+)", RULES, re.MULTILINE)
# Rules that become cluster jobs: neither the names of targets nor local rules.
SUBMITTED = set(re.findall(r"^rule (\w+):", RULES, re.MULTILINE)) - {"pretrain"}
SUBMITTED -= set(re.findall(r"^ +(\w+),", "".join(LOCAL), re.MULTILINE))
# A profile cannot name rules made in a loop: these have their time limits in the rule.
IN_LOOPS = re.findall(r"^    rule:\n((?:(?:     .*)?\n)+)", RULES, re.MULTILINE)


def test_a_rule_made_in_a_loop_says_what_time_and_memory_it_takes() -> None:
    assert len(IN_LOOPS) == 1
    for word in ("runtime", "mem_mb"):
        assert re.search(
            rf"^ +{word}=lambda wildcards, attempt: \d+ \* attempt,$", IN_LOOPS[0], re.M
        )


@pytest.mark.parametrize("settings", [SETTINGS, GENERIC], ids=["slurm", "generic"])
def test_every_job_has_a_time_limit_and_no_other_is_named(settings: dict[str, Any]) -> None:
    given = settings["set-resources"]
    assert set(given) == SUBMITTED
    assert all("runtime" in resources for resources in given.values())


def test_a_job_may_take_as_long_on_any_cluster() -> None:
    slurm, generic = (
        {rule: resources["runtime"] for rule, resources in settings["set-resources"].items()}
        for settings in (SETTINGS, GENERIC)
    )
    assert slurm == generic


def test_training_alone_gets_a_gpu() -> None:
    asking = {
        text.split(":")[0] for text in RULES.split("\nrule ") if re.search(r"^ +gpu=", text, re.M)
    }
    assert asking == {"train_model", "train_teacher", "pretrain_model"}
    given = SETTINGS["set-resources"].items()
    assert {rule for rule, keys in given if "gpu" in keys} == {"train_model"}


def test_what_shares_a_job_runs_in_turn() -> None:
    given = SETTINGS["set-resources"].items()
    assert set(SETTINGS["groups"]) == {rule for rule, keys in given if "in_turn" in keys}
    assert set(SETTINGS["groups"].values()) == set(SETTINGS["group-components"])


@pytest.mark.workflow
def test_the_run_is_planned_with_it(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    chains = {f"c{i}": hidden(germline_chain("H", i), [(20, 25)]) for i in range(5)}
    space.write("chains.fasta", fasta(chains))
    space.sheet({"sample": "s", "fasta": "chains.fasta"})
    space.config(block_size=1, train={"steps": 1})
    account = ("--default-resources", "slurm_partition=p", "slurm_account=a")
    run = space.run("--dry-run", "--workflow-profile", str(PROFILE), *account)
    assert run.jobs()["fill_gaps"] == 5
    resources = re.findall(r"^ *resources: (.*)$", run.output, re.MULTILINE)
    limited = [r for r in resources if "runtime=" in r and "slurm_partition=p" in r]
    # Of rules with a message, the target among them, Snakemake prints no resources.
    with_message = ("all", "join_accuracy", "write_report")
    assert len(limited) == sum(n for rule, n in run.jobs().items() if rule not in with_message)
    groups = re.findall(r"^(?:\[.*\] )?[Gg]roup job (\w+)", run.output, re.MULTILINE)
    assert sorted(groups) == ["blocks", "blocks", "report", "tables"]
