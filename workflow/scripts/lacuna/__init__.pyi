from lacuna.api import Candidate as Candidate
from lacuna.api import FilledChain as FilledChain
from lacuna.api import FilledChains as FilledChains
from lacuna.api import FilledGap as FilledGap
from lacuna.api import FilledResidue as FilledResidue
from lacuna.api import LacunaError as LacunaError
from lacuna.api import fill as fill

__version__: str
