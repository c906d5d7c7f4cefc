"""Where the clone is, how a run that cannot start ends, and the configuration as it is given."""

import sys
from pathlib import Path

# Not workflow.basedir: where another workflow imports this one, that is the other's folder.
ROOT = Path(str(workflow.current_basedir)).parents[1]
if not ROOT.is_dir():
    sys.exit("Error: Lacuna is imported from a clone: give the path of the Snakefile in it")
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from lacuna.config import check_yaml
from lacuna.files import LacunaError, one_line


def stop(fault):
    """End the run with one line: Snakemake would add a traceback to an exception."""
    sys.exit(f"Error: {one_line(fault)}")


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
