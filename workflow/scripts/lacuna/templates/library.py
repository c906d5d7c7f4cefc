"""Read the germline library that belongs to the weights."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

from lacuna.antibody.germlines import SPECIES, j_segments, v_segments
from lacuna.antibody.imgt import N_CODES, N_IMGT
from lacuna.core.alphabet import N_RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import Kinds, misfit, not_finite, read_header, read_tensors
from lacuna.templates.nearest import Library


def load_library(path: Path | str) -> Library:
    """Germline library of the weights.

    Raises LacunaError if the file is damaged, is not a library, is of other germlines, or holds
    values that are not finite. Types and shapes are checked before any tensor is read.
    """
    remedy = "give the library that was made with the weights"
    found, _ = read_header(path, remedy)
    missing = [f.name for f in fields(Library) if f.name not in found]
    if missing:
        lacks = ", ".join(missing)
        raise LacunaError(f"{path}: not a germline library (it lacks {lacks}); {remedy}")
    fault = misfit(found, _library_kinds())
    if fault:
        raise LacunaError(
            f"{path}: not a library of resources/germlines ({fault}); {remedy}, or make both anew "
            "with the pretrain target"
        )
    tensors, _ = read_tensors(path, remedy)
    fault = not_finite(tensors)
    if fault:
        raise LacunaError(f"{path}: the library is damaged ({fault}); {remedy}")
    library = Library.from_tensors(tensors)
    for name, segments in (("V", v_segments()), ("J", j_segments())):
        for part in ("tokens", "locus", "gene"):
            ours = torch.from_numpy(getattr(segments, part))
            key = name.lower() if part == "tokens" else f"{name.lower()}_{part}"
            if not torch.equal(ours, getattr(library, key)):
                raise LacunaError(
                    f"{path}: made from other {name} segments than resources/germlines ({key}); "
                    "make both anew with the pretrain target"
                )
    if library.v_profile[:, 0].any() or library.j_profile[:, 0].any():
        raise LacunaError(
            f"{path}: the library is damaged (a profile has frequencies outside its columns); "
            f"{remedy}"
        )
    return library


def _library_kinds() -> Kinds:
    """Types and shapes of a library of the bundled germlines."""
    kinds: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {}
    for name, segments in (("v", v_segments()), ("j", j_segments())):
        n = len(segments.tokens)
        kinds[name] = (torch.uint8, (n, N_CODES))
        kinds[f"{name}_locus"] = kinds[f"{name}_gene"] = (torch.int64, (n,))
        kinds[f"{name}_prior"] = (torch.float32, (n,))
        kinds[f"{name}_profile"] = (torch.uint8, (len(segments.genes), N_IMGT + 1, N_RESIDUES))
    return kinds


def of_species(library: Library, species: str) -> Library:
    """The library restricted to the germlines of one species; unchanged for 'auto'."""
    if species == "auto":
        return library
    index = SPECIES.index(species)
    other_v = torch.from_numpy(v_segments().species != index)
    other_j = torch.from_numpy(j_segments().species != index)
    return replace(
        library,
        v_locus=library.v_locus.masked_fill(other_v, -2),
        j_locus=library.j_locus.masked_fill(other_j, -2),
    )


def stated_species(library: Library) -> str:
    """The species that a library is restricted to, '' if it has those of all."""
    own = np.unique(v_segments().species[(library.v_locus >= 0).numpy()])
    return SPECIES[int(own[0])] if len(own) == 1 else ""
