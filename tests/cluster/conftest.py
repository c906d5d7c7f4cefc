"""The cluster of the tests, which is started only where that is wanted and possible."""

import os
import shutil
from collections.abc import Iterator

import pytest
from slurm import ETC, MARK, PROGRAMS, Cluster, one_node

SWITCH = "LACUNA_CLUSTER_TESTS"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM cluster of one node. Once it is asked for, what it lacks is a failure."""
    if os.environ.get(SWITCH) != "1":
        pytest.skip(
            f"needs SLURM: as root, apt-get install slurm-wlm munge, then {SWITCH}=1 make test"
        )
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    assert not missing, f"{SWITCH}=1, but {', '.join(missing)} not found: install slurm-wlm, munge"
    assert os.geteuid() == 0, f"{SWITCH}=1 needs root: SLURM reads its configuration from {ETC}"
    for path in (ETC / "slurm.conf", ETC / "gres.conf"):
        ours = not path.exists() or path.read_text().startswith(MARK)
        assert ours, f"{path} is of a SLURM that this machine has already; unset {SWITCH} here"
    with one_node(tmp_path_factory.mktemp("slurm")) as cluster:
        yield cluster
