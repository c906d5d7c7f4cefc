"""Which germline segments reads come from, by the runs of residues that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from lacuna.antibody.germlines import LOCI, SPECIES, constants, is_camelid, j_segments, v_segments
from lacuna.antibody.imgt import CYS104
from lacuna.core.alphabet import ABSENT, TOKEN, encode, merge_il
from lacuna.placing.aligning.seeds import known_words

WORD = 5  # residues of a run by which reads and segments are compared
FACING_LIGHT = 50  # IMGT position of a residue that lies on the light chain
BY_CHANCE = 2.0  # words that some thousand reads hold; least numbers of words allow for so many
SURELY_SEEN = 3.0  # weight of reads with a word from which it counts as seen for sure
USED_MOST_WORDS = 3.0  # words that the segments used most are ahead by
SAME_SPECIES_WORDS = 3.0  # words that a V or J of the species of the constant region is ahead by
# Words of a second constant region, their share of all that it has, and words of the V segment that
# goes with it, which are in reads but not in the first ones: two antibodies of different species
# are in the sample. With 15 % of bovine IgG they are 78 and more, and 0.24 and more of all;
# without, 11 at most and 0.1 of all, or 20 and 0.06 in IgG of a serum
# (tests/benchmarks/read_panel.py --serum).
SECOND_C, SECOND_SHARE, SECOND_V = 15.0, 0.15, 8.0
# Share of the words of a second constant region from which none of its V segment are asked for. One
# antibody of a species that is not bundled may look like one of two: all words of a bovine lambda
# chain leave 0.15 of a cat's if sheep is the nearest species, and those of other chains less.
SECOND_SHARE_ALONE = 0.2


@dataclass(frozen=True, slots=True)
class _Words:
    """Words of all segments of one kind: of segment `row` the word `number`, one after another."""

    row: np.ndarray
    number: np.ndarray
    n: int

    def seen(self, weights: np.ndarray) -> np.ndarray:
        """(n,): words of each segment that reads hold, each between 0 and 1."""
        return np.bincount(
            self.row, np.minimum(weights[self.number] / SURELY_SEEN, 1.0), minlength=self.n
        )

    def total(self) -> np.ndarray:
        """(n,): all words of each segment."""
        return np.bincount(self.row, minlength=self.n)


@cache
def expressed_v() -> np.ndarray:
    """(V segments,) which ones are in a locus; orphons (as IGHV3/OR16-10) are on other chromosomes
    and in no antibody."""
    return np.array(["/OR" not in name for name in v_segments().names])


def _words_of(sequences: list[np.ndarray]) -> _Words:
    rows, numbers = [], []
    for i, sequence in enumerate(sequences):
        own = known_words(merge_il(sequence), WORD)
        rows.append(np.full(len(own), i))
        numbers.append(own)
    return _Words(np.concatenate(rows), np.concatenate(numbers), len(sequences))


def _sequences() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Those of V segments, to Cys104, and of constant regions."""
    of_v = [row[: CYS104 + 1] for row in v_segments().tokens]
    return [row[row != ABSENT] for row in of_v], [encode(c.sequence) for c in constants()]


@cache
def _tables() -> tuple[_Words, _Words, _Words]:
    of_v, of_c = _sequences()
    of_j = [row[row != ABSENT] for row in j_segments().tokens]
    return _words_of(of_v), _words_of(of_j), _words_of(of_c)


@cache
def _decoys() -> tuple[_Words, _Words]:
    """Words of decoys of V segments and constant regions: every second residue, then the others.
    Backward ones would not do: tools read some peptides from the wrong end."""
    of_v, of_c = ([np.concatenate([row[::2], row[1::2]]) for row in rows] for rows in _sequences())
    return _words_of(of_v), _words_of(of_c)


@dataclass(frozen=True, slots=True)
class Scores:
    """Words seen of each V, J and C segment, and how many each V and C segment has.

    v, c: less those by chance beyond BY_CHANCE, so that there may be less than none.
    """

    v: np.ndarray
    v_total: np.ndarray
    j: np.ndarray
    c: np.ndarray
    c_total: np.ndarray


def score_segments(weights: np.ndarray) -> Scores:
    """weights (20 ** WORD,): how often reads hold each word.

    Words of a V segment that some constant region has too (as QGLSS of a kappa chain) say nothing
    of V: reads of the constant region hold them. Thousands of reads of other proteins hold words of
    every segment by chance: as many as of the decoy of its locus of which they hold most. More than
    BY_CHANCE do not count.
    """
    v, j, c = _tables()
    decoys_of_v, decoys_of_c = _decoys()
    of_v = weights.copy()
    of_v[c.number] = 0.0
    return Scores(
        v.seen(of_v) - _too_many(decoys_of_v.seen(of_v), v_segments().locus),
        v.total(),
        j.seen(weights),
        c.seen(weights) - _too_many(decoys_of_c.seen(weights), _kinds_of_c()[0]),
        c.total(),
    )


def _too_many(seen: np.ndarray, locus: np.ndarray) -> np.ndarray:
    """(segments,) by how much more than BY_CHANCE reads hold of one of the decoys of the locus of
    each; seen (decoys,): of each decoy."""
    most = np.zeros(len(LOCI))
    np.maximum.at(most, locus, seen)
    return np.maximum(most - BY_CHANCE, 0.0)[locus]


@dataclass(frozen=True, slots=True)
class BestSegments:
    """The best segments of a locus, rows of the germline tables.

    v_seen, c_seen: how many five-residue words of V and C reads hold, as in `Scores`;
    v_share, c_share: the same as a share of all of them.
    """

    locus: str
    v: int
    j: int
    c: int
    v_seen: float
    v_share: float
    c_seen: float
    c_share: float


def best_of_loci(
    scores: Scores, species: str, use: np.ndarray, loci: Sequence[str] = LOCI
) -> list[BestSegments]:
    """The best segments of each locus.

    species: 'auto' for any; those of all count for a locus that it lacks. use (V segments,): how
    much use in repertoires counts, in words; those used most of each species are equal, since
    repertoires of some species are known better than those of others.
    """
    allowed = np.arange(len(SPECIES)) if species == "auto" else np.array([SPECIES.index(species)])
    home, use = _most_seen(scores, allowed), words_of_use(use)
    return [_best_of_locus(scores, locus, allowed, home, use) for locus in loci]


def _most_seen(scores: Scores, allowed: np.ndarray) -> int:
    """The species, of those allowed, that explains most of the constant regions and V segments of
    all loci together."""
    v, (c_locus, c_species) = v_segments(), _kinds_of_c()
    total = np.zeros(len(allowed))
    for i, species in enumerate(allowed):
        for locus in range(len(LOCI)):
            own_c = (c_species == species) & (c_locus == locus)
            own_v = (v.species == species) & (v.locus == locus)
            total[i] += scores.c[own_c].max(initial=0.0) + scores.v[own_v].max(initial=0.0)
    return int(allowed[np.argmax(total)])


def _best_of_locus(
    scores: Scores, locus: str, allowed: np.ndarray, home: int, use: np.ndarray
) -> BestSegments:
    """The best segments of a locus.

    allowed: species; home: that of most chains; use (V segments,): words that each is ahead by.
    """
    v, j, (c_locus, c_species) = v_segments(), j_segments(), _kinds_of_c()
    number = LOCI.index(locus)
    own_v = _of_locus((v.locus == number) & expressed_v(), v.species, allowed)
    own_j = _of_locus(j.locus == number, j.species, allowed)
    own_c = _of_locus(c_locus == number, c_species, allowed)
    best_c = own_c[np.argmax(scores.c[own_c] + SAME_SPECIES_WORDS * (c_species[own_c] == home))]
    of_c = scores.c[best_c], scores.c[best_c] / max(scores.c_total[best_c], 1)
    here = c_species[best_c] if _is_there(*of_c) else home
    v_here = SAME_SPECIES_WORDS * (v.species[own_v] == here)
    best_v = own_v[np.argmax(scores.v[own_v] + v_here + use[own_v])]
    j_here = SAME_SPECIES_WORDS * (j.species[own_j] == v.species[best_v])
    best_j = own_j[np.argmax(scores.j[own_j] + j_here)]
    of_v = scores.v[best_v], scores.v[best_v] / scores.v_total[best_v]
    return BestSegments(locus, int(best_v), int(best_j), int(best_c), *map(float, (*of_v, *of_c)))


@cache
def _kinds_of_c() -> tuple[np.ndarray, np.ndarray]:
    """(constant regions,) indices into LOCI and into SPECIES of each."""
    every = constants()
    return (
        np.array([LOCI.index(c.locus) for c in every]),
        np.array([SPECIES.index(c.species) for c in every]),
    )


def has_own_c(one: BestSegments) -> bool:
    """Whether V and C of a locus are of one species, and reads hold enough words of C."""
    return _is_there(one.c_seen, one.c_share) and species_of(one.v) == species_of_c(one.c)


def is_of_another(one: BestSegments, own: BestSegments) -> bool:
    """Whether V and C of a locus are of one species, and reads hold so many words of them that they
    are of another antibody.

    Only words that no chain has count. own: the best segments of the species that is there already:
    words of another subclass of it are no sign of a relative.
    """
    of_v = one.v_seen >= SECOND_V
    enough = of_v or one.c_share >= SECOND_SHARE_ALONE
    return has_own_c(one) and enough and one.c_seen >= own.c_seen + SECOND_C


def _is_there(c_seen: float, c_share: float) -> bool:
    """Whether reads hold more words of a constant region than by chance."""
    return c_seen >= SECOND_C and c_share >= SECOND_SHARE


def is_vhh(v: int) -> bool:
    """Whether a V segment is of camelid heavy chains that have no light one: it has Arg where the
    Leu of others lies on the light chain (Henry and MacKenzie 2018, mAbs 10:815)."""
    segments = v_segments()
    heavy_of_camelid = bool(is_camelid(v)) and LOCI[segments.locus[v]] == "H"
    return heavy_of_camelid and bool(segments.tokens[v, FACING_LIGHT] == TOKEN["R"])


def species_of(v: int) -> int:
    """Index into SPECIES of a V segment."""
    return int(v_segments().species[v])


def species_of_c(c: int) -> int:
    """Index into SPECIES of a constant region."""
    return SPECIES.index(constants()[c].species)


def _of_locus(of_locus: np.ndarray, species: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Indices of the segments (n,) bool of a locus that are of allowed species; of any species if
    no bundled one is, as of heavy chains of cats."""
    own = np.flatnonzero(of_locus & np.isin(species, allowed))
    return own if len(own) else np.flatnonzero(of_locus)


def words_of_use(use: np.ndarray) -> np.ndarray:
    """(V segments,) how many words the use of each in repertoires is worth, less those of the one
    that is used most in the same species and locus."""
    v = v_segments()
    group = v.species.astype(int) * len(LOCI) + v.locus
    most = np.full(len(SPECIES) * len(LOCI), -np.inf)
    np.maximum.at(most, group, use)
    worth: np.ndarray = USED_MOST_WORDS * (use - most[group])
    return worth
