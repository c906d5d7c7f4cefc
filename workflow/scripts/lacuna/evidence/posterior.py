"""What reads say of each residue of a chain, and how far they and the network are believed."""

import numpy as np

from lacuna.antibody.imgt import CDR_COLUMNS, CYS104, on_v_columns
from lacuna.core.alphabet import (
    ISOLEUCINE,
    LEUCINE,
    MISSING,
    MISSING_LETTER,
    N_RESIDUES,
    TOKEN,
    decode,
    il_as_one,
)
from lacuna.core.tables import Flag
from lacuna.placing.votes.consensus import ALIKE_ERRORS, MOST_PREFERENCE, Votes, residue_nats
from lacuna.placing.votes.draft import Draft

# Share of the posterior that is spread evenly where reads do not settle a residue: neither one
# residue nor I and L together reach 0.95. If less is, more of those that do are wrong in natural
# antibodies (tests/benchmarks/read_panel.py --chains --digests one).
FLOOR_UNREAD = 0.056
MOST_UNREAD = 1 - FLOOR_UNREAD + 2 * FLOOR_UNREAD / N_RESIDUES  # of I and L together: below 0.95
FLOOR_GERMLINE = 0.1  # the same in a nearly unread V domain, where germline is all there is
# By flag: of every residue of a serum's chains, none of which is then `observed`; of residues that
# may be those of another chain of the locus; of residues that no read joins, of which there may be
# more or fewer; of those of a mixture that some reads contradict.
FLOORS = {
    Flag.SERUM: 0.3,
    **dict.fromkeys((Flag.PHASE, Flag.LENGTH, Flag.MINORITY), FLOOR_UNREAD),
}
# Of what reads say of residues of CDR1 and CDR2 that they do not settle: with 1, these are right
# more often than stated (tests/benchmarks/read_panel.py --chains --digests one).
LOOP_WEIGHT = 2.0
MIN_READ_SHARE = 0.25  # share of a V domain that reads settle, below which it is nearly unread
WEAK_BELOW = 0.9  # probability below which the network does not see a residue
OBSERVED_MARGIN = 3.0  # nats, tempered, by which reads alone must prefer an observed residue


def likelihood(draft: Draft, found: Votes, temper: bool = True) -> np.ndarray:
    """(t, 20) tempered nats of each residue by reads, the best of each position 0, I as L."""
    nats = ALIKE_ERRORS * residue_nats(draft, found) if temper else found.nats.copy()
    nats[:, ISOLEUCINE] = -np.inf
    nats = np.maximum(nats - nats.max(1, keepdims=True), -MOST_PREFERENCE)
    nats[:, ISOLEUCINE] = nats[:, LEUCINE]
    return nats


def only_germline(draft: Draft, nats: np.ndarray) -> np.ndarray:
    """(t,) positions with a germline residue that reads do not settle, in a nearly unread V domain.

    There the network has nothing to find templates by, and the germline chosen by the rest of the
    chain is what can be said.
    """
    domain, read = on_v_columns(draft.columns), margin_of(nats) >= OBSERVED_MARGIN
    if not domain.any() or read[domain].mean() >= MIN_READ_SHARE:
        return np.zeros(len(domain), dtype=bool)
    return domain & ~read & (draft.germline < N_RESIDUES)


def hidden_from_network(draft: Draft, nats: np.ndarray, posterior: np.ndarray) -> np.ndarray:
    """(t,) positions that the network does not see: those with a residue that is not sure.

    If so few are sure that it has nothing to find templates by, it sees what reads settle.
    """
    weak = il_as_one(posterior).max(1) < WEAK_BELOW
    domain = on_v_columns(draft.columns)
    if domain.any() and 1.0 - weak[domain].mean() < MIN_READ_SHARE:
        weak &= margin_of(nats) < OBSERVED_MARGIN
    return weak


def floors_of(nats: np.ndarray, both: np.ndarray, germline_only: np.ndarray) -> np.ndarray:
    """(t,) share of the posterior (both) that is spread evenly.

    It is spread where reads settle no residue, and where they settle another one than they and the
    network together: one of the two is wrong there.
    """
    agree = as_l(nats).argmax(1) == il_as_one(both).argmax(1)
    floors = np.where((margin_of(nats) >= OBSERVED_MARGIN) & agree, 0.0, FLOOR_UNREAD)
    return np.where(germline_only, FLOOR_GERMLINE, floors)


def least_floors(draft: Draft, nats: np.ndarray, both: np.ndarray) -> np.ndarray:
    """(t,) share of the posterior (both) that is spread evenly in the end.

    As `floors_of`, but the more of a V domain is read, the surer its template is. Where reads
    settle no residue, less is spread then, and as much as leaves MOST_UNREAD to the likeliest.
    """
    floors = floors_of(nats, both, np.zeros(len(both), dtype=bool))
    domain, read = on_v_columns(draft.columns), margin_of(nats) >= OBSERVED_MARGIN
    if not domain.any():
        return floors
    merged = il_as_one(both)
    even = np.where(merged.argmax(1) == LEUCINE, 2, 1) / N_RESIDUES
    most = merged.max(1)
    needed = np.divide(most - MOST_UNREAD, most - even, where=most > even, out=np.zeros_like(most))
    least = np.clip(needed, FLOOR_UNREAD * (1.0 - read[domain].mean()), FLOOR_UNREAD)
    return np.where(domain & ~read, least, floors)


def with_floor(shares: np.ndarray, floors: np.ndarray) -> np.ndarray:
    """Distributions (t, 20) of which a share (t,) is spread evenly."""
    return (1 - floors[:, None]) * shares + floors[:, None] / N_RESIDUES


def weight_of_reads(draft: Draft, nats: np.ndarray) -> np.ndarray:
    """(t,) what the nats of reads count for beside the network's.

    It guesses germline for CDR1 and CDR2 that nothing settles, and is wrong more often than
    elsewhere: there, the little that reads show counts for more.
    """
    loop = CDR_COLUMNS[draft.columns] & (draft.columns < CYS104)
    return np.where(loop & (margin_of(nats) < OBSERVED_MARGIN), LOOP_WEIGHT, 1.0)


def first_letters(draft: Draft, nats: np.ndarray, germline_only: np.ndarray) -> str:
    """Residues that reads settle, J for I or L; germline where it is all there is; X elsewhere."""
    best, germline = as_l(nats).argmax(1), draft.germline
    either = np.where(np.isin(germline, (ISOLEUCINE, LEUCINE)), germline, TOKEN["J"])
    shown = np.where(best == LEUCINE, either, best)
    shown = np.where(margin_of(nats) >= OBSERVED_MARGIN, shown, MISSING)
    return decode(np.where(germline_only, germline, shown).astype(np.uint8))


def with_germline(draft: Draft, letters: str) -> str:
    """The letters with the germline's residue in place of each X."""
    pairs = zip(letters, decode(np.minimum(draft.germline, MISSING)), strict=True)
    return "".join(germline if own == MISSING_LETTER else own for own, germline in pairs)


def as_l(nats: np.ndarray) -> np.ndarray:
    """Nats (t, 20) in which I, which has those of L, is never the best."""
    out = nats.copy()
    out[:, ISOLEUCINE] = -np.inf
    return out


def margin_of(nats: np.ndarray) -> np.ndarray:
    """(t,) nats from the best residue to the next, I and L as one."""
    top = np.sort(as_l(nats), axis=1)
    return top[:, -1] - top[:, -2]
