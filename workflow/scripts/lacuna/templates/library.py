"""Read the germline library that belongs to the weights.

It holds the germline segments that the weights were trained with. Those that follow them in
resources/germlines are of species that were added since. They are templates like the others; of
their use in natural chains nothing is known.
"""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch

from lacuna.antibody.germlines import (
    LOCI,
    SPECIES,
    Segments,
    cdr3_part,
    j_segments,
    v_segments,
)
from lacuna.antibody.imgt import CDR3_START, CYS104, FR4_START, N_CODES, N_IMGT, cdr3_codes
from lacuna.core.alphabet import ABSENT, N_RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.tensor_files import Kinds, misfit, not_finite, read_header, read_tensors
from lacuna.templates.nearest import Library, pack_frequencies

_OTHER_SEGMENTS = (  # what to do with a library of other segments than the bundled ones
    "move added segments to the end of their file, or make both anew with the pretrain target"
)
GERMLINE_CHAINS = 5.0  # weight of a gene's own residues in its profile, in natural chains


def load_library(path: Path | str) -> Library:
    """Germline library of the weights, completed by the segments that were added since.

    Raises LacunaError if the file is damaged, is not a library, is of other germlines, or holds
    values that are not finite. Types and shapes are checked before any tensor is read.
    """
    remedy = "give the library that was made with the weights"
    found, _ = read_header(path, remedy)
    missing = [f.name for f in fields(Library) if f.name not in found]
    if missing:
        lacks = ", ".join(missing)
        raise LacunaError(f"{path}: not a germline library (it lacks {lacks}); {remedy}")
    fault = misfit(found, _library_kinds(found))
    if fault:
        raise LacunaError(
            f"{path}: not a library of resources/germlines ({fault}); {remedy}, {_OTHER_SEGMENTS}"
        )
    tensors, _ = read_tensors(path, remedy)
    fault = not_finite(tensors)
    if fault:
        raise LacunaError(f"{path}: the library is damaged ({fault}); {remedy}")
    library = Library.from_tensors(tensors)
    for name, segments in (("V", v_segments()), ("J", j_segments())):
        for part in ("tokens", "locus", "gene"):
            key = name.lower() if part == "tokens" else f"{name.lower()}_{part}"
            own = getattr(library, key)
            if not torch.equal(torch.from_numpy(getattr(segments, part))[: len(own)], own):
                raise LacunaError(
                    f"{path}: made from other {name} segments than resources/germlines ({key}); "
                    f"{_OTHER_SEGMENTS}"
                )
    if library.v_profile[:, 0].any() or library.j_profile[:, 0].any():
        raise LacunaError(
            f"{path}: the library is damaged (a profile has frequencies outside its columns); "
            f"{remedy}"
        )
    return _completed(library)


def _library_kinds(found: Kinds) -> Kinds:
    """Types and shapes of a library of the bundled germlines, or of those that come first."""
    kinds: dict[str, tuple[torch.dtype, tuple[int, ...]]] = {}
    for name, segments in (("v", v_segments()), ("j", j_segments())):
        given = found[name][1][:1]
        n = min(*given, len(segments.tokens)) if given else len(segments.tokens)
        kinds[name] = (torch.uint8, (n, N_CODES))
        kinds[f"{name}_locus"] = kinds[f"{name}_gene"] = (torch.int64, (n,))
        kinds[f"{name}_prior"] = (torch.float32, (n,))
        genes = int(segments.gene[:n].max(initial=-1)) + 1
        kinds[f"{name}_profile"] = (torch.uint8, (genes, N_IMGT + 1, N_RESIDUES))
    return kinds


def _completed(library: Library) -> Library:
    """The library with all bundled segments: those that it lacks have their own residues."""
    whole = germlines_alone()
    for name in ("v_prior", "j_prior", "v_profile", "j_profile"):
        known = getattr(library, name)
        getattr(whole, name)[: len(known)] = known
    return whole


def germlines_alone() -> Library:
    """The bundled segments, of whose use in natural chains nothing is known."""
    v, j = v_segments(), j_segments()
    return Library(
        v=torch.from_numpy(v.tokens),
        v_locus=torch.from_numpy(v.locus),
        v_gene=torch.from_numpy(v.gene),
        v_prior=torch.zeros(len(v.tokens)),
        j=torch.from_numpy(j.tokens),
        j_locus=torch.from_numpy(j.locus),
        j_gene=torch.from_numpy(j.gene),
        j_prior=torch.zeros(len(j.tokens)),
        v_profile=germline_profile(germline_counts(v)),
        j_profile=germline_profile(germline_counts(j)),
    )


def germline_counts(segments: Segments) -> torch.Tensor:
    """Residues of each gene by column: (genes, N_IMGT + 1, 20) float.

    The alleles of a gene share GERMLINE_CHAINS.
    """
    counts = np.zeros((len(segments.genes), N_IMGT + 1, N_RESIDUES), dtype=np.float32)
    shares = (GERMLINE_CHAINS / np.bincount(segments.gene)).astype(np.float32)
    for row, gene in enumerate(segments.gene.tolist()):
        tokens = segments.tokens[row, : N_IMGT + 1].copy()
        locus = LOCI[segments.locus[row]]
        tail = cdr3_part(tokens)
        if tokens[CYS104] < N_RESIDUES and locus != "H":
            # Most light-chain CDR3s have 9 residues; the end of V goes on their columns.
            tokens[CDR3_START:FR4_START] = ABSENT
            tokens[cdr3_codes(max(9, len(tail)))[: len(tail)]] = tail
        at = np.flatnonzero(tokens < N_RESIDUES)
        counts[gene, at, tokens[at]] += shares[gene]
    return torch.from_numpy(counts)


def germline_profile(counts: torch.Tensor) -> torch.Tensor:
    """Profiles of genes (genes, N_IMGT + 1, 20) uint8 from counts of residues of that shape."""
    shares = counts / counts.sum(-1, keepdim=True).clamp(min=1e-6)
    shares[:, 0] = 0.0
    return pack_frequencies(shares)


def of_species(library: Library, species: str) -> Library:
    """The library restricted to the germlines of one species; unchanged for 'auto'.

    Loci of which no segment of the species is bundled keep those of all.
    """
    if species == "auto":
        return library
    index = SPECIES.index(species)
    hidden_v, hidden_j = (_of_others(s, index) for s in (v_segments(), j_segments()))
    return replace(
        library,
        v_locus=library.v_locus.masked_fill(hidden_v, -2),
        j_locus=library.j_locus.masked_fill(hidden_j, -2),
    )


def _of_others(segments: Segments, species: int) -> torch.Tensor:
    """(n,) bool: segments of other species, of the loci that this one has."""
    own = segments.species == species
    return torch.from_numpy(~own & np.isin(segments.locus, segments.locus[own]))


def stated_species(library: Library) -> str:
    """The species that a library is restricted to, '' if it has those of all."""
    v = v_segments()
    hidden = (library.v_locus < 0).numpy()
    loci = set(v.locus[hidden].tolist())
    for index, species in enumerate(SPECIES):
        own = v.species == index
        if loci and loci == set(v.locus[own].tolist()) and not hidden[own].any():
            return species
    return ""
