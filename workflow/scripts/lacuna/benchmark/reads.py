"""How well chains come out of reads whose protein is known, with and without parts of the method.

Each set is processed as in a run, with error models that never saw its protein. V domains are
compared with the truth residue by residue, I and L as one unless said; a chain of another length
is aligned first. Of constant regions the residues count that reads cover. Baselines: the germline
residue under each position, and the residue with the largest sum of stated confidences.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import torch
from Bio.Align import PairwiseAligner

from lacuna.antibody.imgt import CONSTANT, CONSTANT_REGION, in_v_domain, regions_of
from lacuna.antibody.numbering import number_chain
from lacuna.benchmark.peer_worker import peak_mb
from lacuna.core.alphabet import RESIDUES, same_but_il
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import DOUBTFUL, INFERRED, OBSERVED, EvidenceRow
from lacuna.core.tsv import Table
from lacuna.evidence.chain import WeighedChain
from lacuna.evidence.weigh import weigh
from lacuna.network.model import GapNetwork
from lacuna.network.transformer import LargeNetwork, load_large
from lacuna.network.weights import load_weights
from lacuna.placing.aligning.alignment import MATCH, MISMATCH
from lacuna.placing.aligning.readset import LEAST_RIGHT, MAX_SHIFT, MOST_RIGHT
from lacuna.placing.place import Placed, place
from lacuna.placing.sources.contaminants import read_contaminants
from lacuna.reads.errors.model import ErrorModels, load_error_models
from lacuna.reads.known import KnownReads, known_reads
from lacuna.reads.read import Read
from lacuna.reads.readers import read_peptides
from lacuna.results.evidence import probability_of_either
from lacuna.scaffolds.read import read_scaffolds
from lacuna.scaffolds.scaffold import Scaffold
from lacuna.templates.library import load_library
from lacuna.templates.nearest import Library

LOG = logging.getLogger(__name__)
CONFIDENT = 0.95
UNSTATED = 0.5  # confidence of residues of which a tool states none
LEAST_LIKE = 0.5  # share of a true V domain that a chain must have to be its answer
SHIFTED = 10  # residues that gaps must make right


class ReadsRow(NamedTuple):
    """A set by one variant of the method; residues are those of true V domains."""

    set: Annotated[str, "name"]
    variant: Annotated[str, "all, or what was left out"]
    residues: Annotated[int, "of true V domains"]
    right: Annotated[float, "share right, I as L", "%.4f"]
    right_strict: Annotated[float, "share right, I and L apart", "%.4f"]
    germline: Annotated[float, "share right by copying the germline", "%.4f"]
    vote: Annotated[float, "share right by confidences alone", "%.4f"]
    observed: Annotated[str, "residues observed, and wrong ones among them"]
    doubtful: Annotated[str, "the same of doubtful ones"]
    inferred: Annotated[str, "the same of inferred ones"]
    lengths: Annotated[str, "V domains of the right length, of all"]
    cdr3: Annotated[str, "CDR3s right, of all"]
    wrong_sure: Annotated[int, "residues wrong at a probability of 0.95 or more"]
    ece: Annotated[float | None, "expected calibration error", "%.4f"]
    flagged: Annotated[str, "wrong residues that are flagged or not observed, of all wrong"]
    by_flag: Annotated[str, "residues with each flag, and wrong ones among them"]
    constant: Annotated[str, "residues of constant regions that reads cover, and wrong ones"]
    others: Annotated[str, "chains that fit no truth; residues at 0.95 or more, of these in CDR3"]
    seconds: Annotated[float, "of the processor, reading excluded", "%.1f"]
    peak_mb: Annotated[float, "of the process so far", "%.0f"]


READS_TABLE = Table("benchmark_reads.tsv", ReadsRow)


class Variant(NamedTuple):
    """A way to process a set: how reads are placed and weighed."""

    name: str
    models: Callable[[str], ErrorModels]
    shift: int
    network: bool
    temper: bool


def _stated(read: Read) -> Sequence[float]:
    """The confidence of each residue as the tool states it; of the peptide if it states no other;
    UNSTATED if it states none."""
    if read.confidences is not None:
        return read.confidences
    return [UNSTATED if read.score is None else read.score] * len(read.residues)


class Nominal(ErrorModels):
    """Confidences as the tools state them."""

    def has_own(self, _: Read) -> bool:
        """True: what tools state is not corrected."""
        return True

    def probabilities(self, reads: Sequence[Read]) -> list[np.ndarray]:
        return [np.clip(np.asarray(_stated(read)), LEAST_RIGHT, MOST_RIGHT) for read in reads]


def _fitted(protein: str) -> ErrorModels:
    return load_error_models(left_out=protein)


VARIANTS = (
    Variant("all", _fitted, MAX_SHIFT, True, True),
    Variant("without network", _fitted, MAX_SHIFT, False, True),
    Variant("without blocks of other lengths", _fitted, 0, True, True),
    Variant("nominal confidences", lambda _: Nominal({}), MAX_SHIFT, True, True),
    Variant("without tempering", _fitted, MAX_SHIFT, True, False),
)


def benchmark_reads(
    sets: Path,
    weights: Path,
    library: Path,
    out: Path,
    *,
    ablations: bool,
    large_network: Path | None = None,
) -> list[ReadsRow]:
    """Write and return a row for each set of a table (`known_reads`).

    With `ablations`, each set is processed by every variant. large_network: its weights, in
    thorough mode. Raises LacunaError if a file cannot be read.
    """
    torch.set_num_threads(1)
    germlines = load_library(library)
    networks = (load_weights(weights), load_large(large_network) if large_network else None)
    rows = []
    for known in known_reads(sets):
        reads = read_peptides(known.reads).reads
        truths = _true_domains(known.truth)
        for variant in VARIANTS if ablations else VARIANTS[:1]:
            rows.append(_measure(known, reads, truths, variant, networks, germlines))
            LOG.info("%s, %s: %.4f right", known.name, variant.name, rows[-1].right)
    READS_TABLE.write(out, rows)
    return rows


class _Truth(NamedTuple):
    """Parts of a true chain."""

    domain: str
    cdr3: str
    constant: str


def _true_domains(path: Path) -> list[_Truth]:
    """The parts of each chain of a FASTA; chains without a V domain are left out."""
    found = []
    for record in read_scaffolds(path):
        if isinstance(record, Scaffold):
            columns = number_chain(record.sequence).columns
            at = np.flatnonzero(in_v_domain(columns))
            loop = regions_of(columns) == "CDR3"
            if len(at):
                domain = record.sequence[at[0] : at[-1] + 1]
                cdr3 = "".join(record.sequence[i] for i in np.flatnonzero(loop))
                constant = record.sequence[at[-1] + 1 :] if CONSTANT in columns else ""
                found.append(_Truth(domain, cdr3, constant))
    return found


def _measure(
    known: KnownReads,
    reads: Sequence[Read],
    truths: Sequence[_Truth],
    variant: Variant,
    networks: tuple[GapNetwork, LargeNetwork | None],
    library: Library,
) -> ReadsRow:
    start = time.process_time()
    placed = place(
        reads,
        variant.models(known.protein),
        contaminants=read_contaminants(),
        use=library.v_prior.numpy(),
        shift=variant.shift,
    )
    model, large = networks if variant.network else (None, None)
    chains = weigh(placed, model, library, large=large, temper=variant.temper)
    seconds = time.process_time() - start
    answers = [_answer(truth.domain, chains) for truth in truths]
    used = {chain.name for chain in answers if chain is not None}
    scores = [
        _score(truth, chain, placed, reads) for truth, chain in zip(truths, answers, strict=True)
    ]
    return _row(known.name, variant.name, scores, chains, used, seconds)


class _Score(NamedTuple):
    """A true chain against its answer; arrays over the residues of the answer's V domain.

    constant: whether each residue of the constant region that reads cover is right.
    """

    domain: str
    right: int
    strict: int
    germline: int
    vote: int
    states: np.ndarray
    good: np.ndarray
    probability: np.ndarray
    flags: tuple[str, ...]
    length: bool
    cdr3: bool
    constant: np.ndarray


def _domain_rows(chain: WeighedChain) -> list[EvidenceRow]:
    return [row for row in chain.rows if row.region not in (CONSTANT_REGION, "")]


def _answer(domain: str, chains: Sequence[WeighedChain]) -> WeighedChain | None:
    """The chain that is most like a true V domain, None if none is."""
    best, most = None, LEAST_LIKE * len(domain)
    for chain in chains:
        letters = "".join(row.residue for row in _domain_rows(chain))
        same = sum(same_but_il(domain[i], letters[j]) for i, j in _pairs(domain, letters))
        if same > most:
            best, most = chain, same
    return best


def _pairs(truth: str, letters: str) -> list[tuple[int, int]]:
    """Positions of truth and answer that belong together.

    A residue too many at one place and one too few at another shift all residues between them, so
    sequences of equal length are aligned with gaps if that makes SHIFTED more residues right.
    """
    if not letters:
        return []
    aligner = PairwiseAligner(
        mode="global", match_score=2, mismatch_score=-1, open_gap_score=-4, extend_gap_score=-0.5
    )
    alignment = aligner.align(truth.replace("I", "L"), letters.replace("I", "L"))[0]
    blocks: Iterable[tuple[tuple[int, int], tuple[int, int]]] = zip(*alignment.aligned, strict=True)
    aligned = [
        pair for (a, b), (c, d) in blocks for pair in zip(range(a, b), range(c, d), strict=True)
    ]
    if len(truth) != len(letters):
        return aligned
    straight = [(i, i) for i in range(len(truth))]

    def right(pairs: Iterable[tuple[int, int]]) -> int:
        return sum(same_but_il(truth[i], letters[j]) for i, j in pairs)

    return aligned if right(aligned) >= right(straight) + SHIFTED else straight


def _score(
    truth: _Truth, chain: WeighedChain | None, placed: Placed, reads: Sequence[Read]
) -> _Score:
    domain = truth.domain
    if chain is None:
        none, no = np.empty(0), np.empty(0, dtype=bool)
        return _Score(domain, 0, 0, 0, 0, none.astype(str), no, none, (), False, False, no)
    rows = _domain_rows(chain)
    letters = "".join(row.residue for row in rows)
    pairs = _pairs(domain, letters)
    voted = _votes(chain, placed, reads)
    good = np.zeros(len(rows), dtype=bool)
    good[[j for i, j in pairs if same_but_il(domain[i], letters[j])]] = True
    loop = "".join(row.residue for row in rows if row.region == "CDR3")
    return _Score(
        domain,
        right=int(good.sum()),
        strict=sum(domain[i] == letters[j] for i, j in pairs),
        germline=sum(
            bool(rows[j].germline) and same_but_il(domain[i], rows[j].germline) for i, j in pairs
        ),
        vote=sum(same_but_il(domain[i], voted[rows[j].position - 1]) for i, j in pairs),
        states=np.array([row.state for row in rows]),
        good=good,
        probability=np.array([probability_of_either(row) for row in rows]),
        flags=tuple(row.flags for row in rows),
        length=len(rows) == len(domain),
        cdr3=same_but_il(loop, truth.cdr3),
        constant=_constant(truth.constant, chain),
    )


def _constant(truth: str, chain: WeighedChain) -> np.ndarray:
    rows = [row for row in chain.rows if row.region == CONSTANT_REGION]
    letters = "".join(row.residue for row in rows)
    pairs = _pairs(truth, letters) if truth else []
    return np.array(
        [same_but_il(truth[i], letters[j]) for i, j in pairs if rows[j].depth], dtype=bool
    )


def _votes(chain: WeighedChain, placed: Placed, reads: Sequence[Read]) -> str:
    """The residue with the largest sum of stated confidences at each position, X for none."""
    number = placed.names.index(chain.name)
    a = placed.placements.alignment
    total = np.zeros((len(chain.rows), len(RESIDUES)))
    of_group: dict[int, list[Read]] = {}
    for read, group in zip(reads, placed.reads.group.tolist(), strict=True):
        of_group.setdefault(group, []).append(read)
    start = int(placed.placements.text.start[number])
    for k in np.flatnonzero(placed.placements.chain == number).tolist():
        row = int(a.read[k])
        own = of_group[row]
        stated = np.sum([_stated(read) for read in own], 0)
        for c in np.flatnonzero(np.isin(a.kind[k], (MATCH, MISMATCH))).tolist():
            place_ = int(a.at[k, c]) - start
            total[place_, placed.reads.tokens[row, c]] += stated[c]
    best = total.argmax(1)
    return "".join(RESIDUES[b] if t > 0 else "X" for b, t in zip(best, total.max(1), strict=True))


def _row(
    name: str,
    variant: str,
    scores: Sequence[_Score],
    chains: Sequence[WeighedChain],
    used: set[str],
    seconds: float,
) -> ReadsRow:
    n = max(sum(len(s.domain) for s in scores), 1)
    states, good, probability, constant = (
        np.concatenate([getattr(s, f) for s in scores] or [np.empty(0)])
        for f in ("states", "good", "probability", "constant")
    )
    good = good.astype(bool)
    flags = [one for s in scores for one in s.flags]
    flagged = np.array([bool(f) for f in flags], dtype=bool) | (states != OBSERVED)
    others = [chain for chain in chains if chain.name not in used]
    sure = [row for c in others for row in c.rows if (row.probability or 0.0) >= CONFIDENT]
    in_cdr3 = sum(row.region == "CDR3" for row in sure)
    return ReadsRow(
        set=name,
        variant=variant,
        residues=sum(len(s.domain) for s in scores),
        right=sum(s.right for s in scores) / n,
        right_strict=sum(s.strict for s in scores) / n,
        germline=sum(s.germline for s in scores) / n,
        vote=sum(s.vote for s in scores) / n,
        observed=_state(states, good, OBSERVED),
        doubtful=_state(states, good, DOUBTFUL),
        inferred=_state(states, good, INFERRED),
        lengths=f"{sum(s.length for s in scores)}/{len(scores)}",
        cdr3=f"{sum(s.cdr3 for s in scores)}/{len(scores)}",
        wrong_sure=int(((probability >= CONFIDENT) & ~good).sum()),
        ece=error_of_residues(good, probability) if len(good) else None,
        flagged=f"{int((flagged & ~good).sum())}/{int((~good).sum())}",
        by_flag=_by_flag(flags, good),
        constant=f"{len(constant)}, {int((constant == 0).sum())} wrong",
        others=f"{len(others)}; {len(sure)} sure, {in_cdr3} in CDR3",
        seconds=seconds,
        peak_mb=peak_mb(),
    )


def _state(states: np.ndarray, good: np.ndarray, state: str) -> str:
    own = states == state
    return f"{int(own.sum())}, {int((own & ~good).sum())} wrong"


def _by_flag(flags: Sequence[str], good: np.ndarray) -> str:
    """Residues with each flag, and how many of them are wrong."""
    found: dict[str, list[bool]] = {}
    for own, right in zip(flags, good.tolist(), strict=True):
        for flag in filter(None, own.split(";")):
            found.setdefault(flag, []).append(right)
    return "; ".join(f"{f}: {len(r)}, {r.count(False)} wrong" for f, r in sorted(found.items()))


def lines(rows: Iterable[ReadsRow]) -> Iterator[str]:
    """The rows as lines for a reader, the most telling columns first."""
    heads = ("right", "germl.", "vote", "sure wrong", "ECE")
    yield f"{'set':32} {'variant':32} " + " ".join(f"{head:>10}" for head in heads)
    for row in rows:
        ece = "" if row.ece is None else f"{row.ece:.3f}"
        yield (
            f"{row.set:32} {row.variant:32} {row.right:10.4f} {row.germline:10.4f} "
            f"{row.vote:10.4f} {row.wrong_sure:10d} {ece:>10}"
        )
