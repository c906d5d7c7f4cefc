"""Homologs of a sample: on IMGT columns if a chain has a V domain, by alignment if not."""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lacuna.antibody.germlines import LOCI
from lacuna.antibody.imgt import (
    CONSTANT,
    N_CODES,
    on_v_columns,
)
from lacuna.antibody.numbering import Numbering
from lacuna.antibody.parts import number_parts
from lacuna.core.alphabet import ABSENT, MISSING, N_RESIDUES, decode
from lacuna.core.device import product_dtype
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.records import read_records
from lacuna.scaffolds.scaffold import Rejected
from lacuna.templates.alignment import lay_template, residue_tokens
from lacuna.templates.nearest import (
    N_HOMOLOGS,
    PROFILE_NEIGHBOURS,
    choose_homologs,
    homolog_profile,
    homolog_tokens,
    one_hot_templates,
)

SEED_LENGTH = 4  # residues of the words that propose homologs of a protein without columns
MIN_IDENTITY = 0.25  # of aligned observed residues; below it a protein is not a homolog
_MOST_BYTES = 1 << 21  # of a record; what is longer cannot be used
_GAPS = frozenset(b"-.")  # of an alignment
_POINT = frozenset(b".")  # a gap even in rows of different lengths, as those of IMGT


@dataclass(frozen=True, slots=True)
class Homologs:
    """m reference chains of one sample, or parts of chains with one V domain each.

    grids: (m, N_CODES) uint8 V domains on columns, all ABSENT without a V domain; one_hot: their
    matrix for `choose_homologs`; loci: (m,) index into LOCI, -1 without a V domain; constants:
    (m, width) uint8 residues from the start of the constant region on; sequences: whole parts;
    words: for each word of SEED_LENGTH residues, the chains that contain it, each once.
    """

    grids: Tensor
    one_hot: Tensor
    loci: Tensor
    constants: np.ndarray
    sequences: tuple[str, ...]
    words: dict[str, list[int]]


@dataclass(frozen=True, slots=True)
class HomologTemplates:
    """Templates from the homologs of b chains.

    tokens: (b, N_HOMOLOGS, length); profile: (b, length, 20) frequencies; both are empty (ABSENT,
    0) where there are none.
    """

    tokens: Tensor
    profile: Tensor


def read_homologs(path: Path | None) -> Homologs | None:
    """Homologs in a FASTA file, indexed. None without a path, or if none can be used."""
    return None if path is None else index_homologs(homolog_chains(path))


def homolog_chains(path: Path) -> list[str]:
    """Homologs in a FASTA file, each once, without the gaps of an alignment; records that cannot be
    used are left out."""
    rows, lengths = {}, Counter[int]()
    for record in read_records(path, _MOST_BYTES):
        row = b"".join(record.body.split())
        lengths[len(row)] += 1
        if not _GAPS.isdisjoint(row):
            rows[record.line, record.chain] = row
    aligned = len(lengths) == 1 and lengths.total() > 1
    gaps = _GAPS if aligned else _POINT
    chains = (
        _without(gaps, s.sequence, rows.get((s.line, s.chain), b""))
        for s in read_scaffolds(path, points=True)
        if not isinstance(s, Rejected)
    )
    return list(filter(None, dict.fromkeys(chains)))


def _without(gaps: Set[int], sequence: str, row: bytes) -> str:
    """A chain without the positions that are gaps in its row of a file."""
    if len(row.removesuffix(b"*")) != len(sequence):
        return sequence
    return "".join(
        letter for letter, written in zip(sequence, row, strict=False) if written not in gaps
    )


def index_homologs(chains: Iterable[str]) -> Homologs | None:
    """Number and index reference chains, in order and without repeats; None if there are none.

    A chain with several V domains counts as several homologs, one per part.
    """
    parts = {}
    for chain in chains:
        numbered = number_parts(chain)
        ends = [*(part.start for part in numbered[1:]), len(chain)]
        for part, end in zip(numbered, ends, strict=True):
            parts[chain[part.start : end]] = part.numbering
    sequences = tuple(parts)
    if not sequences:
        return None
    grids = np.full((len(sequences), N_CODES), ABSENT, dtype=np.uint8)
    tails: list[np.ndarray] = []
    words: dict[str, list[int]] = {}
    for i, (sequence, numbering) in enumerate(parts.items()):
        tokens = residue_tokens(sequence)
        v = _in_v(numbering)
        grids[i, numbering.columns[v]] = tokens[v]
        start = numbering.constant_start
        lead = max(-start, 0) if start is not None else 0
        tail = tokens[max(start, 0) :] if start is not None else tokens[:0]
        tails.append(np.concatenate((np.full(lead, ABSENT, np.uint8), tail)))
        for word in {sequence[j : j + SEED_LENGTH] for j in range(len(sequence) - SEED_LENGTH + 1)}:
            words.setdefault(word, []).append(i)
    width = max(len(t) for t in tails)
    constants = np.full((len(sequences), width), ABSENT, dtype=np.uint8)
    for i, tail in enumerate(tails):
        constants[i, : len(tail)] = tail
    tensor = torch.from_numpy(grids)
    dtype = product_dtype(tensor.device)
    one_hot = one_hot_templates(tensor, dtype)
    loci = torch.tensor([_locus(numbering) for numbering in parts.values()])
    return Homologs(tensor, one_hot, loci, constants, sequences, words)


def _in_v(numbering: Numbering) -> np.ndarray:
    return on_v_columns(numbering.columns)


def _locus(numbering: Numbering) -> int:
    """Index into LOCI of a chain's V domain, -1 without one."""
    return LOCI.index(numbering.locus) if numbering.locus and _in_v(numbering).any() else -1


def find_homologs(
    homologs: Homologs,
    tokens: Tensor,
    columns: Tensor,
    grid: Tensor,
    numberings: list[Numbering],
    max_identity: Tensor,
) -> HomologTemplates:
    """Templates of b chains from their nearest homologs, of V domains from those of their locus.

    tokens, columns: (b, length) uint8; grid: (b, N_CODES); max_identity: (b,) highest identity
    over observed residues that a homolog may have.
    """
    b, length = tokens.shape
    loci = torch.full((b, 1), -1)
    loci[: len(numberings), 0] = torch.tensor([_locus(n) for n in numberings])
    best, identity = choose_homologs(
        grid,
        homologs.grids,
        homologs.one_hot,
        max_identity[:, None],
        PROFILE_NEIGHBOURS,
        left_out=(loci >= 0) & (homologs.loci >= 0) & (loci != homologs.loci),
    )
    templates = homolog_tokens(best, columns, homologs.grids)  # (b, n, length)
    for i in range(b):
        numbering = numberings[i] if i < len(numberings) else None
        if numbering is None:
            continue
        if _in_v(numbering).any():
            if numbering.constant_start is not None:
                _lay_constants(templates, i, best[i], numbering, columns[i], homologs)
        else:
            rows, identities = _align(homologs, tokens[i].numpy(), float(max_identity[i]))
            templates[i] = ABSENT
            identity[i] = 0.0
            templates[i, : len(rows), : rows.shape[1]] = torch.from_numpy(rows)
            identity[i, : len(rows)] = torch.from_numpy(identities)
    templates = templates.masked_fill((identity <= 0)[:, :, None], ABSENT)
    out = tokens.new_full((b, N_HOMOLOGS, length), ABSENT)
    n = min(N_HOMOLOGS, templates.shape[1])
    out[:, :n] = templates[:, :n]
    return HomologTemplates(out, homolog_profile(templates, identity))


def _lay_constants(
    templates: Tensor,
    i: int,
    best: Tensor,
    numbering: Numbering,
    columns: Tensor,
    homologs: Homologs,
) -> None:
    """Write the homologs' constant-region residues into `templates`, under those of chain i."""
    at = torch.nonzero(columns == CONSTANT)[:, 0]
    offset = at - (numbering.constant_start or 0)
    inside = (offset >= 0) & (offset < homologs.constants.shape[1])
    rows = torch.from_numpy(homologs.constants)[best][:, offset[inside]]
    templates[i][:, at[inside]] = rows


def _align(
    homologs: Homologs, tokens: np.ndarray, max_identity: float
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest homologs of a protein without columns: (n, length) tokens and (n,) identities."""
    length = int((tokens != ABSENT).sum())
    known = np.where(tokens < N_RESIDUES, tokens, MISSING)[:length]
    text = decode(known.astype(np.uint8))
    votes: Counter[int] = Counter()
    for word in {text[j : j + SEED_LENGTH] for j in range(length - SEED_LENGTH + 1)}:
        votes.update(homologs.words.get(word, ()))
    found = []
    ranked = sorted(votes.items(), key=lambda vote: (-vote[1], vote[0]))
    for index, _ in ranked[:PROFILE_NEIGHBOURS]:
        row = lay_template(text, homologs.sequences[index])
        compared = (known < N_RESIDUES) & (row < N_RESIDUES)
        identity = float((row == known)[compared].mean()) if compared.any() else 0.0
        if MIN_IDENTITY <= identity <= max_identity:
            found.append((identity, row))
    found.sort(key=lambda pair: -pair[0])
    rows = np.full((len(found), length), ABSENT, dtype=np.uint8)
    for i, (_, row) in enumerate(found):
        rows[i] = row
    return rows, np.array([identity for identity, _ in found], dtype=np.float32)
