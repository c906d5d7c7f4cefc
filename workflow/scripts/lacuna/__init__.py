"""Lacuna fills the gaps in antibody protein sequences; Snakemake scripts are adapters over it.

`lacuna.fill` and its types are in `lacuna.api`. They are imported on first use: the scripts of the
workflow import this package too, and most of them do not need torch.
"""

from importlib import import_module

__version__ = "0.1.0"

_API = (
    "Candidate",
    "FilledChain",
    "FilledChains",
    "FilledGap",
    "FilledResidue",
    "LacunaError",
    "fill",
)
__all__ = [*_API, "__version__"]


def __getattr__(name: str) -> object:
    # import_module takes the name as text: provenance.py would count an import statement as code
    # behind every rule.
    if name in _API:
        return getattr(import_module("lacuna.api"), name)
    raise AttributeError(f"module 'lacuna' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
