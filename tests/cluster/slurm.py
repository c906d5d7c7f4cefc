"""A SLURM cluster of one node on this machine, with a stand-in GPU, for the duration of a test."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

# SLURM's programs look for their configuration here: jobs do not inherit SLURM_CONF.
ETC = Path("/etc/slurm")
MARK = "# Written by Lacuna's cluster tests, and removed by them.\n"
PARTITION = "short"
PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")

SLURM_CONF = """\
ClusterName=lacuna
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SchedulerParameters=batch_sched_delay=0,bf_interval=5
MinJobAge=900
KillWait=5
ReturnToService=2
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs=4 RealMemory=32000 Gres=gpu:1
PartitionName={partition} Nodes=localhost Default=YES MaxTime=1440
"""
# Scheduled like a GPU; /dev/null takes the place of the device.
GRES_CONF = """\
AutoDetect=off
NodeName=localhost Name=gpu File=/dev/null
"""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Job:
    """A line of squeue; `name` contains that of the rule, or of all rules of a group."""

    number: int
    state: str
    name: str
    gpus: str


def wait_for(look: Callable[[], Found], what: str, seconds: float = 300) -> Found:
    """The result of `look` as soon as it is true; fails after `seconds`."""
    end = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.1)
    return found


class Cluster:
    """The daemons of a cluster; all files are in one folder, except for two in /etc/slurm."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        settings = {"folder": self.folder, "partition": PARTITION, "ports": free_ports(2)}
        (ETC / "slurm.conf").write_text(MARK + SLURM_CONF.format(**settings))
        (ETC / "gres.conf").write_text(MARK + GRES_CONF)
        files = {n: self.folder / f"munge.{n}" for n in ("key", "socket", "pid", "log", "seed")}
        command("mungekey", "--create", "--keyfile", str(files["key"]))
        options = ("--key-file", "--socket", "--pid-file", "--log-file", "--seed-file")
        places = [f"{o}={f}" for o, f in zip(options, files.values(), strict=True)]
        self.launch("munged", "--foreground", "--force", *places)
        wait_for(files["socket"].exists, "munge")
        self.start_controller("-c")
        self.launch("slurmd", "-D", "-c")
        wait_for(lambda: self.node_state() == "idle", "the node")

    def launch(self, program: str, *options: str) -> None:
        with open(self.folder / f"{program}.log", "ab") as log:
            self.daemons[program] = subprocess.Popen(
                (program, *options), stdout=log, stderr=log, start_new_session=True
            )

    def start_controller(self, *options: str) -> None:
        """Start slurmctld; without options it recovers its jobs."""
        self.launch("slurmctld", "-D", *options)

        def answers() -> bool:
            assert self.daemons["slurmctld"].poll() is None, self.log("slurmctld")
            return subprocess.run(("scontrol", "ping"), capture_output=True).returncode == 0

        wait_for(answers, "slurmctld")

    def stop_controller(self) -> None:
        """Stop slurmctld, which saves its state; the jobs continue without it."""
        self.daemons["slurmctld"].terminate()
        self.daemons["slurmctld"].wait(30)

    def stop(self) -> None:
        """Cancel remaining jobs, stop every daemon and restore /etc/slurm."""
        try:
            if "slurmd" in self.daemons:  # else no job was ever started
                if self.daemons["slurmctld"].poll() is not None:
                    self.start_controller()
                self.cancel_all()
        finally:
            for program in ("slurmd", "slurmctld", "munged"):
                daemon = self.daemons.get(program)
                if daemon is not None:
                    daemon.terminate()
                    try:
                        daemon.wait(20)
                    except subprocess.TimeoutExpired:
                        os.killpg(daemon.pid, signal.SIGKILL)
                        daemon.wait()
            for name in ("slurm.conf", "gres.conf"):
                (ETC / name).unlink(missing_ok=True)

    def log(self, program: str) -> str:
        return (self.folder / f"{program}.log").read_text(errors="replace")

    def node_state(self) -> str:
        return subprocess.run(
            ("sinfo", "--noheader", "--format=%t"), capture_output=True, text=True, timeout=60
        ).stdout.strip()

    def set_node(self, state: str) -> None:
        command("scontrol", "update", "nodename=localhost", f"state={state}", "reason=test")

    def jobs(self, *states: str) -> list[Job]:
        """Jobs in the given states (any state if none is given), the oldest first."""
        options = f"--states={','.join(states) or 'all'}"
        columns = "--Format=JobID:|,State:|,Comment:200|,tres-per-job:40"
        text = command("squeue", "--noheader", columns, "--sort=i", options)
        fields = ([f.strip() for f in line.split("|")] for line in text.splitlines())
        return [Job(int(number), *rest) for number, *rest in fields]

    def running(self, name: str, after: int = 0) -> Job:
        """Wait for a running job of that name; after: with a higher id than this."""

        def look() -> Job | None:
            found = [j for j in self.jobs("RUNNING") if name in j.name and j.number > after]
            return found[0] if found else None

        job = wait_for(look, f"a running job of {name}")
        assert job is not None
        return job

    def cancel_all(self) -> None:
        open_states = ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED")
        for job in self.jobs(*open_states):
            subprocess.run(("scancel", str(job.number)), check=False)
        wait_for(lambda: not self.jobs(*open_states), "cancelled jobs to end")


def command(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def one_node(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
