"""From corpora of natural chains to the single file that training reads.

Chains are numbered and cleaned, duplicates and everything near a held-out chain are removed, and
the rest is split by CDR3, so that relatives stay on one side. Chains of species and kinds that
natural repertoires lack are simulated. The file holds every chain as one row of column tokens;
k-mers, gaps and templates are made from it batch by batch.
"""

import csv
import gzip
import hashlib
import io
import itertools
import json
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch, fnmatchcase
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, cast

import numpy as np
import torch
from Bio.SeqIO.FastaIO import SimpleFastaParser
from torch import Tensor

from lacuna.antibody.germlines import LOCI, Segments, constants, j_segments, v_segments
from lacuna.antibody.imgt import CHAIN_ORDER, CYS104, N_CODES, N_IMGT, OTHER_INSERTION, cdr3_codes
from lacuna.antibody.numbering import number_chain
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES, encode
from lacuna.core.files import LacunaError, atomic_write, open_text
from lacuna.core.tensor_files import write_tensors
from lacuna.templates.alignment import lay_template
from lacuna.templates.nearest import (
    N_GERMLINE,
    Library,
    choose_germlines,
    one_hot_templates,
    pack_frequencies,
)
from lacuna.training.simulate import graft, mutate, recombine

LOG = logging.getLogger(__name__)

MIN_RESIDUES, MAX_RESIDUES = 70, 150  # of a V domain worth training on
ALIGNED = 24  # constant regions that each one is aligned to
PIECE = 2000  # chains that a process numbers at a time
# Names of sequence columns, the preferred first; of a pair both columns are read.
SEQUENCE_COLUMNS: tuple[tuple[str, ...], ...] = (
    ("vdomain_aa",),
    ("sequence_alignment_aa_heavy", "sequence_alignment_aa_light"),
    ("sequence_alignment_aa",),
    ("input_seq_vh", "input_seq_vl"),
    ("input_seq",),
    ("sequence_aa",),
    ("aa_seq",),
    ("sequence",),
)
MAX_PRIOR = 1.0  # highest weight of a segment's use, in matching residues
PROFILE_PRIOR = 5.0  # weight of a gene's own residues in its profile, in chains
_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
_RESIDUE_SET = frozenset(RESIDUES)


@dataclass(frozen=True, slots=True)
class Chains:
    """n chains on columns: grids (n, N_CODES) uint8 and locus (n,) index into LOCI."""

    grids: np.ndarray
    locus: np.ndarray

    def __len__(self) -> int:
        return len(self.grids)

    def take(self, rows: np.ndarray) -> "Chains":
        """The chains of the given rows, in their order, or those selected by (n,) bool."""
        return Chains(self.grids[rows], self.locus[rows])


@dataclass(frozen=True, slots=True)
class Corpus:
    """One source of natural chains, as a config names it.

    path: FASTA, AIRR TSV, OAS data unit, CSV or wheel; weight: how often its chains are drawn,
    relative to 1; files: patterns of the tables to read in a wheel; columns: names of the sequence
    columns, known names if empty; rows: patterns that a row's cell must fit, by column; sha256: of
    the file, unless None; near_identity: replaces that of the run unless None.
    """

    name: str
    path: Path
    weight: float
    licence: str
    source: str
    files: tuple[str, ...] = ("*.csv", "*.csv.gz")
    columns: tuple[str, ...] = ()
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sha256: str | None = None
    near_identity: float | None = None


@dataclass(frozen=True, slots=True)
class EncodeConfig:
    """How corpora become training chains.

    simulate: number of simulated chains by `species:locus` and of grafted ones (`graft`).
    """

    seed: int = 0
    near_identity: float = 0.95  # to a held-out chain; at this or more a chain is left out
    duplicate_identity: float = 0.99  # within one CDR3; at this or more a chain is left out
    validation_share: float = 0.01  # of natural chains, by CDR3
    simulate: Mapping[str, int] = field(default_factory=dict)
    simulated_weight: float = 0.7
    graft_weight: float = 1.2


def read_sequences(
    path: Path,
    columns: Sequence[str] = (),
    files: Sequence[str] = ("*.csv", "*.csv.gz"),
    rows: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> Iterator[str]:
    """Yield the amino-acid sequences of a FASTA, AIRR TSV, OAS data unit, CSV or wheel.

    OAS data units are CSVs with a line of JSON before the header. columns: names of the columns to
    read, by default the first of SEQUENCE_COLUMNS that is present; files: patterns of the tables to
    read in a wheel; rows: by column, patterns of which a cell must fit one for its row to be read.
    Letters become upper case; alignment gaps and a final stop are dropped; nothing else is checked.
    Raises LacunaError if the file cannot be read or lacks a column.
    """
    if path.suffix == ".whl":
        yield from _read_wheel(path, columns, files, rows)
        return
    with open_text(path) as handle:
        first = handle.readline()
        if not first:
            raise LacunaError(f"{path}: the file is empty; check where it comes from")
        if first.startswith(">"):
            if rows:
                raise LacunaError(f"{path}: a FASTA has no columns; remove 'rows' of this corpus")
            for _, sequence in SimpleFastaParser(itertools.chain([first], handle)):
                yield _tidy(sequence)
        else:
            yield from _read_table(first, handle, str(path), columns, rows)


def _tidy(sequence: str) -> str:
    return sequence.strip().upper().replace("-", "").replace(".", "").removesuffix("*")


def _read_table(
    first: str,
    lines: Iterable[str],
    name: str,
    columns: Sequence[str],
    rows: Mapping[str, Sequence[str]],
) -> Iterator[str]:
    """Yield the sequences of a CSV or TSV whose first line is `first`; empty cells are skipped."""
    rest = iter(lines)
    if first.strip().startswith(("{", '"{')):  # OAS metadata
        first = next(rest, "")
    delimiter = "\t" if "\t" in first else ","
    names = next(csv.reader([first], delimiter=delimiter), [])
    found = [c for c in columns if c in names] if columns else _known_columns(names)
    if not found or (columns and len(found) < len(columns)):
        wanted = ", ".join(columns) if columns else ", ".join(sum(SEQUENCE_COLUMNS, ()))
        raise LacunaError(
            f"{name}: no column of sequences ({wanted}); found {', '.join(names)[:200]}; "
            "name it in the corpus' 'columns'"
        )
    if absent := [column for column in rows if column not in names]:
        raise LacunaError(
            f"{name}: no column '{absent[0]}'; found {', '.join(names)[:200]}; correct the corpus' "
            "'rows'"
        )
    at = [names.index(column) for column in found]
    wanted_in = [(names.index(column), patterns) for column, patterns in rows.items()]
    for row in csv.reader(rest, delimiter=delimiter):
        if all(i < len(row) and _fits(row[i], patterns) for i, patterns in wanted_in):
            for i in at:
                if i < len(row) and row[i]:
                    yield _tidy(row[i])


def _fits(cell: str, patterns: Sequence[str]) -> bool:
    """Whether a cell fits one of the patterns, upper and lower case told apart."""
    return any(fnmatchcase(cell, pattern) for pattern in patterns)


def _known_columns(names: Sequence[str]) -> Sequence[str]:
    """The first group of known columns of which a table has all."""
    return next((group for group in SEQUENCE_COLUMNS if set(group) <= set(names)), ())


def _read_wheel(
    path: Path, columns: Sequence[str], files: Sequence[str], rows: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """Yield the sequences of every table inside a wheel whose name matches a pattern."""
    try:
        with zipfile.ZipFile(path) as wheel:
            names = sorted(n for n in wheel.namelist() if any(fnmatch(n, f) for f in files))
            if not names:
                raise LacunaError(f"{path}: holds no file like {', '.join(files)}; see 'files'")
            for name in names:
                with wheel.open(name) as packed, ExitStack() as stack:
                    raw = stack.enter_context(gzip.open(packed)) if name.endswith(".gz") else packed
                    lines = io.TextIOWrapper(cast(BinaryIO, raw), encoding="utf-8-sig", newline="")
                    yield from _read_table(lines.readline(), lines, f"{path}/{name}", columns, rows)
    except (zipfile.BadZipFile, *_DAMAGED) as error:
        raise LacunaError(f"{path}: the wheel is damaged ({error}); fetch it again") from None
    except FileNotFoundError:
        raise LacunaError(f"{path}: no such file; check the path") from None


def fetch_wheel(requirement: str, wheel: Path, sha256: str | None = None) -> None:
    """Fetch the wheel of `name==version` with pip, without its dependencies, as the file `wheel`.

    Raises LacunaError if pip cannot find it or its digest is not `sha256`.
    """
    wheel.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
        done = subprocess.run([*command, "--dest", folder, "--", requirement], check=False)
        found = sorted(Path(folder).glob("*.whl"))
        if done.returncode or len(found) != 1:
            raise LacunaError(
                f"{requirement}: pip cannot download this wheel (see its output in the log); "
                "check name, version and network"
            )
        digest = _sha256(found[0])
        if sha256 is not None and digest != sha256:
            raise LacunaError(
                f"{requirement}: sha256 is {digest}, config says {sha256}; do not use this file"
            )
        os.replace(found[0], wheel)


def _sha256(path: Path) -> str:
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _number_many(sequences: list[str]) -> list[tuple[np.ndarray, int] | None]:
    return [_number_one(s) for s in sequences]


def _number_one(sequence: str) -> tuple[np.ndarray, int] | None:
    """The V domain of a chain on columns, and its locus; None if it is unfit for training."""
    if not _RESIDUE_SET.issuperset(sequence):
        return None
    numbering = number_chain(sequence)
    columns = numbering.columns
    v = (columns > 0) & (columns <= OTHER_INSERTION)
    if not numbering.locus or not MIN_RESIDUES <= v.sum() <= MAX_RESIDUES:
        return None
    if (columns == OTHER_INSERTION).any() or not (columns == 104).any():
        return None
    grid = np.full(N_CODES, ABSENT, dtype=np.uint8)
    grid[columns[v]] = encode(sequence)[v]
    return grid, LOCI.index(numbering.locus)


def number_all(sequences: Sequence[str], processes: int) -> tuple[Chains, np.ndarray]:
    """V domains on columns of those of n chains that have a usable one, and their indices (n,).

    A chain is usable if it consists of the 20 residues, has Cys104 and no insertion outside CDR3,
    and has MIN_RESIDUES to MAX_RESIDUES in its domain. The work is shared by forked processes.
    """
    pieces = [list(sequences[i : i + PIECE]) for i in range(0, len(sequences), PIECE)]
    if processes > 1 and len(pieces) > 1:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("fork")) as pool:
            found = [one for piece in pool.map(_number_many, pieces) for one in piece]
    else:
        found = [one for piece in pieces for one in _number_many(piece)]
    kept = [(one, i) for i, one in enumerate(found) if one is not None]
    if not kept:
        return Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64)), np.empty(0, int)
    chains = Chains(np.stack([one[0] for one, _ in kept]), np.array([one[1] for one, _ in kept]))
    return chains, np.array([i for _, i in kept])


def cdr3s(chains: Chains) -> list[bytes]:
    """The CDR3 of each chain as bytes of tokens."""
    in_cdr3 = [c for c in CHAIN_ORDER if c >= 105 and not 118 <= c <= N_IMGT]
    rows = chains.grids[:, in_cdr3]
    return [row[row < N_RESIDUES].tobytes() for row in rows]


def like_held_out(
    chains: Chains, held_out: Chains, identity: float, *, of_held_out: bool = False
) -> np.ndarray:
    """(n,) bool: which chains share at least `identity` of a held-out chain's residues.

    Residues are compared on columns 1 to 128. Identity is relative to the longer of the two domains
    or, with `of_held_out`, to the held-out one's residues: a scaffold has hidden residues.
    """
    result = np.zeros(len(chains), dtype=bool)
    if not len(held_out):
        return result
    table = torch.eye(N_RESIDUES + 1)[:, :N_RESIDUES]

    def hot(grids: np.ndarray) -> Tensor:
        tokens = torch.from_numpy(grids[:, 1 : N_IMGT + 1]).long().clamp(max=N_RESIDUES)
        return table[tokens].flatten(1)

    others = hot(held_out.grids)
    other_length = others.sum(1)
    for i in range(0, len(chains), 4096):
        rows = hot(chains.grids[i : i + 4096])
        whole = other_length[None]
        if not of_held_out:
            whole = torch.maximum(rows.sum(1)[:, None], whole)
        shared = (rows @ others.T) / whole.clamp(min=1.0)
        result[i : i + 4096] = (shared >= identity).any(1).numpy()
    return result


def near_duplicates(chains: Chains, identity: float) -> np.ndarray:
    """(n,) bool: which chains are too similar to an earlier one that is kept.

    Identity as in `like_held_out`; only chains of the same locus and CDR3 are compared.
    """
    result = np.zeros(len(chains), dtype=bool)
    groups: dict[tuple[int, bytes], list[int]] = {}
    for row, key in enumerate(zip(chains.locus.tolist(), cdr3s(chains), strict=True)):
        groups.setdefault(key, []).append(row)
    for rows in groups.values():
        if len(rows) < 2:
            continue
        tokens = chains.grids[rows, 1 : N_IMGT + 1]  # (m, N_IMGT)
        length = (tokens < N_RESIDUES).sum(1)
        kept: list[int] = []
        for i, row in enumerate(tokens):
            others = tokens[kept]
            same = ((others == row) & (row < N_RESIDUES)).sum(1)
            if (same >= identity * np.maximum(length[kept], length[i])).any():
                result[rows[i]] = True
            else:
                kept.append(i)
    return result


def held_out_share(chains: Chains, share: float) -> np.ndarray:
    """(n,) bool: about `share` of the chains; either all chains with one CDR3 or none of them."""
    if share <= 0:
        return np.zeros(len(chains), dtype=bool)
    result = []
    for cdr3, locus in zip(cdr3s(chains), chains.locus, strict=True):
        digest = hashlib.sha256(bytes([locus]) + cdr3).hexdigest()
        result.append(int(digest[:8], 16) % round(1 / share) == 0)
    return np.array(result, dtype=bool)


def germline_library(chains: Chains) -> Library:
    """The bundled V and J segments, with their use and mutations in natural chains.

    Residue frequencies are by gene and column. A chain counts for its nearest gene, and a gene's
    own residues count for PROFILE_PRIOR chains, so that a rare gene stays near its germline.
    """
    v, j = v_segments(), j_segments()
    counts = [torch.zeros(len(s.genes), N_IMGT + 1, N_RESIDUES) for s in (v, j)]
    library = Library(
        v=torch.from_numpy(v.tokens),
        v_locus=torch.from_numpy(v.locus),
        v_gene=torch.from_numpy(v.gene),
        v_prior=torch.zeros(len(v.tokens)),
        j=torch.from_numpy(j.tokens),
        j_locus=torch.from_numpy(j.locus),
        j_gene=torch.from_numpy(j.gene),
        j_prior=torch.zeros(len(j.tokens)),
        v_profile=counts[0].to(torch.uint8),
        j_profile=counts[1].to(torch.uint8),
    )
    for segments, count in zip((v, j), counts, strict=True):
        _count_germline(segments, count)
    used = [torch.zeros(len(s.tokens)) for s in (v, j)]
    one_hots = one_hot_templates(library.v), one_hot_templates(library.j)
    for i in range(0, len(chains), 4096):
        grids = torch.from_numpy(chains.grids[i : i + 4096])
        locus = torch.from_numpy(chains.locus[i : i + 4096])
        choice = choose_germlines(grids, locus, library, *one_hots)
        tokens = grids[:, : N_IMGT + 1].long()
        chain, column = torch.nonzero(tokens < N_RESIDUES, as_tuple=True)
        one = torch.ones(())
        for genes, count in zip((choice.v_genes[:, 0], choice.j_gene), counts, strict=True):
            index = (genes[chain], column, tokens[chain, column])
            count.index_put_(index, one, accumulate=True)
        for use, rows in zip(used, (choice.v[:, 0], choice.j[:, 0]), strict=True):
            use.index_put_((rows,), one, accumulate=True)
    for count, profile in zip(counts, (library.v_profile, library.j_profile), strict=True):
        count[:, 0] = 0.0
        profile.copy_(pack_frequencies(count / count.sum(-1, keepdim=True).clamp(min=1e-6)))
    for prior, use in zip((library.v_prior, library.j_prior), used, strict=True):
        prior += (torch.log1p(use) / 6.0).clamp(max=MAX_PRIOR)
    return library


def _count_germline(segments: Segments, count: Tensor) -> None:
    """Add each segment's residues to its gene's counts; alleles share PROFILE_PRIOR."""
    for row, gene in enumerate(segments.gene):
        tokens = segments.tokens[row, : N_IMGT + 1].copy()
        locus = LOCI[segments.locus[row]]
        tail = tokens[105:118][tokens[105:118] < N_RESIDUES]
        if tokens[CYS104] < N_RESIDUES and locus != "H":
            # Most light-chain CDR3s have 9 residues; the end of V goes on their columns.
            tokens[105:118] = ABSENT
            tokens[cdr3_codes(max(9, len(tail)))[: len(tail)]] = tail
        at = np.flatnonzero(tokens < N_RESIDUES)
        share = PROFILE_PRIOR / int((segments.gene == gene).sum())
        count[int(gene), at, tokens[at].astype(int)] += share


def constant_tensors() -> dict[str, Tensor]:
    """Constant regions and, aligned to each, its nearest other alleles of the locus.

    Returns chains.constants (m, width) uint8, chains.constant_templates (m, N_GERMLINE, width)
    uint8 and chains.constant_locus (m,) long.
    """
    alleles = [c for c in constants() if _RESIDUE_SET.issuperset(c.sequence)]
    words = [_words(c.sequence) for c in alleles]
    width = max(len(c.sequence) for c in alleles)
    tokens = np.full((len(alleles), width), ABSENT, dtype=np.uint8)
    templates = np.full((len(alleles), N_GERMLINE, width), ABSENT, dtype=np.uint8)
    for i, allele in enumerate(alleles):
        own = encode(allele.sequence)
        tokens[i, : len(own)] = own
        others = [j for j, c in enumerate(alleles) if c.locus == allele.locus and j != i]
        aligned = []
        for j in _candidates(words, i, others):
            row = lay_template(allele.sequence, alleles[j].sequence)
            aligned.append((int((row == own).sum()), row))
        aligned.sort(key=lambda pair: -pair[0])
        # The nearest template of most chains is their own allele: half of the rows include it.
        rows = [own, *(row for _, row in aligned)] if i % 2 else [row for _, row in aligned]
        for slot, row in enumerate(rows[:N_GERMLINE]):
            templates[i, slot, : len(row)] = row
    return {
        "chains.constants": torch.from_numpy(tokens),
        "chains.constant_templates": torch.from_numpy(templates),
        "chains.constant_locus": torch.tensor([LOCI.index(a.locus) for a in alleles]),
    }


def _words(sequence: str) -> Counter[str]:
    return Counter(sequence[i : i + 3] for i in range(len(sequence) - 2))


def _candidates(words: Sequence[Counter[str]], i: int, others: Sequence[int]) -> list[int]:
    """Those of `others` that an alignment may find nearest to i, in their order.

    Alignments take milliseconds each. The sequence that shares the most words is the nearest, but
    if few words are shared, as between the classes of constant regions, their number says little.
    """
    shared = {j: (words[i] & words[j]).total() for j in others}
    best = sorted(others, key=lambda j: -shared[j])
    if len(best) > ALIGNED and shared[best[N_GERMLINE - 1]] >= words[i].total() / 3:
        best = best[:ALIGNED]
    return sorted(best)


def simulate_chains(
    natural: Chains, counts: dict[str, int], seed: int
) -> tuple[Chains, np.ndarray]:
    """Simulate chains: `species:locus` -> number, and `graft` -> number of grafted ones.

    Grafted chains carry the CDRs of simulated chains of other species on human frameworks, half
    of which are simulated and half from `natural`. Returns the chains and (n,) bool, true for
    grafts. Raises LacunaError if grafts are requested without any chain of another species.
    """
    if not sum(counts.values()):
        return natural.take(np.empty(0, np.int64)), np.empty(0, dtype=bool)
    rng = np.random.default_rng(seed)
    pools: dict[str, list[np.ndarray]] = {}
    sample = natural.take(np.sort(rng.permutation(len(natural))[:40000]))
    for cdr3, locus in zip(cdr3s(sample), sample.locus, strict=True):
        pools.setdefault(LOCI[locus], []).append(np.frombuffer(cdr3, dtype=np.uint8))
    for locus, pool in pools.items():
        pools[locus] = [c for c in pool if 3 <= len(c) <= 35]
    grids, loci, grafted = [], [], []
    foreign: dict[int, list[np.ndarray]] = {}
    for kind, n in counts.items():
        if kind == "graft":
            continue
        species, locus = kind.split(":")
        for _ in range(n):
            chain = recombine(species, locus, rng, pools.get(locus, []))
            grids.append(mutate(chain, float(rng.beta(1.0, 20.0)), rng))
            loci.append(LOCI.index(locus))
            grafted.append(False)
            if species != "human":
                foreign.setdefault(loci[-1], []).append(grids[-1])
    if counts.get("graft") and not foreign:
        raise LacunaError(
            "pretrain.simulate: 'graft' needs chains of a species that is not human; add some"
        )
    acceptors = {i: np.flatnonzero(natural.locus == i) for i in range(len(LOCI))}
    for _ in range(counts.get("graft", 0)):
        locus_index = int(rng.choice(list(foreign)))
        donors = foreign[locus_index]
        donor = donors[rng.integers(len(donors))]
        if rng.random() < 0.5 and len(acceptors[locus_index]):
            acceptor = natural.grids[rng.choice(acceptors[locus_index])]
        else:
            locus = LOCI[locus_index]
            acceptor = mutate(recombine("human", locus, rng, []), 0.01, rng)
        back = float(rng.choice([0.0, 0.1, 0.25, 0.5]))
        grids.append(graft(acceptor, donor, rng, back))
        loci.append(locus_index)
        grafted.append(True)
    return Chains(np.stack(grids), np.array(loci)), np.array(grafted)


def encode_corpora(
    corpora: Sequence[Corpus],
    held_out: Sequence[Path],
    validation: Mapping[str, Path | str],
    chains: Path,
    record: Path,
    config: EncodeConfig,
    processes: int = 1,
) -> None:
    """Encode corpora into the file that training reads, and write its record as JSON.

    held_out: files of whole chains that nothing in `chains` may be near to; validation: files of
    chains, by name, that are not trained on either but measured during training. A share of the
    natural chains is held out as the set `natural`. Raises LacunaError if a file cannot be read or
    nothing is left to train on.
    """
    torch.set_num_threads(processes)
    sealed, sealed_record = _read_held_out(held_out, processes)
    sets, sets_record = _validation_sets(validation, sealed, config.near_identity, processes)
    apart = _join([sealed, *sets.values()])
    natural, source, counts = _natural_chains(corpora, apart, config, processes)
    seen = held_out_share(natural, config.validation_share)
    training = natural.take(~seen)
    if not len(training):
        raise LacunaError(
            "pretrain: no natural chain is left to train on; see the counts in the log, and name "
            "more corpora"
        )
    library = germline_library(training)
    LOG.info("gene profiles from %d chains", len(training))
    simulated, grafted = simulate_chains(training, dict(config.simulate), config.seed + 1)
    apart_from = ~like_held_out(simulated, apart, config.near_identity)
    simulated, grafted = simulated.take(apart_from), grafted[apart_from]
    LOG.info("%d simulated chains", len(simulated))

    everything = _join([natural, simulated, *sets.values()])
    weights = np.concatenate(  # validation chains are never drawn
        [
            np.array([c.weight for c in corpora])[source],
            np.where(grafted, config.graft_weight, config.simulated_weight),
            np.zeros(sum(map(len, sets.values()))),
        ]
    )
    order = np.random.default_rng(config.seed).permutation(np.flatnonzero(seen))
    rows_of = {"natural": order}
    start = len(natural) + len(simulated)
    for name, members in sets.items():
        rows_of[name] = np.arange(start, start + len(members))
        start += len(members)
    made_of = {
        "corpora": counts,
        "held_out": sealed_record,
        "validation": {**sets_record, "natural": {"kept": len(order)}},
        "simulated": {"chains": int((~grafted).sum()), "grafts": int(grafted.sum())},
        "chains": len(everything),
        "settings": asdict(config),
    }
    write_encoded(chains, everything, weights, rows_of, library, made_of)
    with atomic_write(record) as handle:
        print(json.dumps(made_of, indent=1, sort_keys=True), file=handle)


def _validation_sets(
    validation: Mapping[str, Path | str], sealed: Chains, identity: float, processes: int
) -> tuple[dict[str, Chains], dict[str, object]]:
    """The chains of each validation set that are not like a sealed one, and a record of each."""
    sets: dict[str, Chains] = {}
    record: dict[str, object] = {}
    for name, path in validation.items():
        members, about = _read_held_out([Path(path)], processes)
        sets[name] = members.take(~like_held_out(members, sealed, identity))
        record[name] = {**about[0], "kept": len(sets[name])}
    return sets, record


def _natural_chains(
    corpora: Sequence[Corpus], apart: Chains, config: EncodeConfig, processes: int
) -> tuple[Chains, np.ndarray, list[dict[str, Any]]]:
    """Chains of the corpora without near duplicates and without any like those in `apart`.

    Returns the chains, (n,) index of each one's corpus, and counts by corpus.
    """
    natural, source, counts = _read_corpora(corpora, processes)
    twice = near_duplicates(natural, config.duplicate_identity)
    for i, count in enumerate(counts):
        count["different"] = int((source == i).sum())
        count["near_duplicates"] = int(twice[source == i].sum())
    natural, source = natural.take(~twice), source[~twice]
    LOG.info("%d different chains, %d near duplicates left out", len(twice), twice.sum())
    limits = [c.near_identity or config.near_identity for c in corpora]
    too_near = _too_near(natural, source, apart, limits)
    for i, count in enumerate(counts):
        count["near_held_out"] = int(too_near[source == i].sum())
        count["kept"] = int((~too_near[source == i]).sum())
    natural, source = natural.take(~too_near), source[~too_near]
    LOG.info("%d natural chains, %d left out near held-out ones", len(natural), too_near.sum())
    return natural, source, counts


def _too_near(
    natural: Chains, source: np.ndarray, apart: Chains, limits: Sequence[float]
) -> np.ndarray:
    """(n,) bool: natural chains near a held-out one, by the limit of their corpus.

    source: (n,) index of each chain's corpus; limits: of the corpora.
    """
    too_near = np.zeros(len(natural), dtype=bool)
    for limit in sorted(set(limits)):
        rows = np.flatnonzero(np.isin(source, [i for i, x in enumerate(limits) if x == limit]))
        too_near[rows] = like_held_out(natural.take(rows), apart, limit)
    return too_near


def _join(parts: Sequence[Chains]) -> Chains:
    return Chains(
        np.concatenate([p.grids for p in parts]), np.concatenate([p.locus for p in parts])
    )


def _read_corpora(
    corpora: Sequence[Corpus], processes: int
) -> tuple[Chains, np.ndarray, list[dict[str, Any]]]:
    """The distinct chains of all corpora, (n,) index of each one's corpus, and counts by corpus."""
    parts, counts = [], []
    for corpus in corpora:
        digest = _sha256(corpus.path)
        if corpus.sha256 is not None and digest != corpus.sha256:
            raise LacunaError(
                f"{corpus.path}: sha256 is {digest}, the config of corpus '{corpus.name}' says "
                f"{corpus.sha256}; get that file, or remove its 'sha256' to use this one"
            )
        sequences = list(read_sequences(corpus.path, corpus.columns, corpus.files, corpus.rows))
        chains, _ = number_all(list(dict.fromkeys(sequences)), processes)
        parts.append(chains)
        counts.append(
            {
                "name": corpus.name,
                "source": corpus.source,
                "licence": corpus.licence,
                "sha256": digest,
                "rows": dict(corpus.rows),
                "weight": corpus.weight,
                "read": len(sequences),
                "numbered": len(chains),
            }
        )
        LOG.info("%s: %d sequences, %d V domains", corpus.name, len(sequences), len(chains))
    chains = _join(parts)
    if not len(chains):
        raise LacunaError(
            "pretrain.corpora: no sequence of them holds a V domain of the 20 residues; "
            "are these amino-acid sequences of antibodies?"
        )
    source = np.repeat(np.arange(len(parts)), [len(p) for p in parts])
    _, first = np.unique(chains.grids, axis=0, return_index=True)
    first.sort()
    return chains.take(first), source[first], counts


def _read_held_out(paths: Sequence[Path], processes: int) -> tuple[Chains, list[dict[str, object]]]:
    """The chains of held-out files, and the record of each file."""
    parts = [Chains(np.empty((0, N_CODES), np.uint8), np.empty(0, np.int64))]
    record: list[dict[str, object]] = []
    for path in paths:
        sequences = list(dict.fromkeys(read_sequences(path)))
        chains, _ = number_all(sequences, processes)
        parts.append(chains)
        record.append(
            {
                "name": path.name,
                "sha256": _sha256(path),
                "read": len(sequences),
                "numbered": len(chains),
            }
        )
        LOG.info("held out: %s: %d chains, %d V domains", path, len(sequences), len(chains))
    return _join(parts), record


def write_encoded(
    path: Path,
    chains: Chains,
    weights: np.ndarray,
    validation: dict[str, np.ndarray],
    library: Library,
    record: dict[str, object],
) -> None:
    """Write the file that `batches.read_encoded` reads.

    weights: (n,) how often a chain is drawn; validation: rows (m,) by name, which get weight 0
    (empty sets are left out); record: JSON that describes the chains.
    """
    weights = weights.astype(np.float64).copy()
    for rows in validation.values():
        weights[rows] = 0.0
    tensors = {
        "chains.grids": torch.from_numpy(chains.grids),
        "chains.locus": torch.from_numpy(chains.locus),
        "chains.cumulative": torch.from_numpy(weights.cumsum()),
        "chains.order": torch.from_numpy(CHAIN_ORDER),
        **constant_tensors(),
        **{f"validation.{k}": torch.from_numpy(v) for k, v in validation.items() if len(v)},
        **{f"library.{k}": getattr(library, k) for k in Library.__dataclass_fields__},
    }
    write_tensors(path, tensors, {"record": json.dumps(record, sort_keys=True)})
