"""The second reading of gaps with masses: what is shown, what is read again, what comes of it."""

from dataclasses import replace

import numpy as np
import pytest

import bundled
from chains import germline_chain
from gaps import distributions, mass_of, scaffold
from lacuna.core.alphabet import MISSING, N_RESIDUES, RESIDUES, TOKEN, encode
from lacuna.filling.fill import fill_chains
from lacuna.filling.rereading import SECOND_WEIGHT
from lacuna.network.kmers import KmerSet
from lacuna.scaffolds.scaffold import Gap, Piece, PositionEvidence, Scaffold
from lacuna.templates.homologs import index_homologs

TOLERANCE = 0.001


@pytest.fixture(scope="module")
def chain() -> str:
    return germline_chain("H", 4)


def weighed(whole: str, start: int, end: int, *prefixes: int, name: str = "m") -> Scaffold:
    """A chain with a gap of known mass, and the masses of its first residues, so many each."""
    known = tuple((mass_of(whole[start : start + n]), TOLERANCE) for n in prefixes)
    mass = mass_of(whole[start:end])
    piece = Piece(end - start, end - start, mass, TOLERANCE, prefixes=known)
    one = scaffold(whole, (start, end), name=name)
    gap = replace(
        one.gaps[0],
        mass=mass,
        tolerance_da=TOLERANCE,
        pieces=(piece,) if prefixes else (),
    )
    return replace(one, gaps=(gap,))


class Network:
    """Knows nothing at first, and the true residues of a chain once any of them is shown."""

    def __init__(self, *truths: str) -> None:
        self.truths = truths
        self.asked: list[KmerSet] = []

    def __call__(self, kmers: KmerSet) -> np.ndarray:
        self.asked.append(kmers)
        kmer, place, chain, position = kmers.at()
        read = np.full((len(kmer), N_RESIDUES), 1 / N_RESIDUES)
        if len(self.asked) > 1:
            true = [TOKEN[self.truths[c][p]] for c, p in zip(chain, position, strict=True)]
            read = 0.2 * read
            read[np.arange(len(true)), true] += 0.8
        return read


def filled(network: Network, *chains: Scaffold) -> list[tuple[str, dict[int, float]]]:
    """The sequence of each chain, and the probabilities of its residues by position from 1."""
    encoder = bundled.reader().encoder
    kmers = encoder.encode(chains)
    found = fill_chains(chains, kmers, encoder, network, candidates=3)
    return [(f.sequence, {r.position: r.probability or 0.0 for r in f.residues}) for f in found]


def test_residues_that_masses_settle_are_shown_and_the_others_read_again(chain: str) -> None:
    start, whole = 40, chain[:40] + "WGAV" + chain[44:]  # GAV in any order, behind a sure W
    network = Network(whole)
    ((sequence, _),) = filled(network, weighed(whole, start, start + 4, 1))
    assert sequence == whole
    first, second = network.asked
    assert (first.tokens.numpy()[0, start : start + 4] == MISSING).all()
    assert second.tokens.numpy()[0, start : start + 4].tolist() == [TOKEN["W"], *[MISSING] * 3]
    assert second.at().position.tolist() == [start + 1, start + 2, start + 3]


def test_what_both_readings_say_is_averaged(chain: str) -> None:
    """Of two orders, the true one has the mean of the nats that both readings give it."""
    whole = chain[:40] + "WGA" + chain[43:]
    ((_, shares),) = filled(Network(whole), weighed(whole, 40, 43, 1))
    odds = (0.81 / 0.01) ** (2 * SECOND_WEIGHT)  # of two residues; .8 and a 20th of the rest
    assert shares[42] == pytest.approx(odds / (1 + odds), abs=1e-3)


@pytest.mark.parametrize("prefixes", [(), (1, 2, 3)])
def test_a_gap_of_which_nothing_or_all_is_settled_is_read_once(
    chain: str, prefixes: tuple[int, ...]
) -> None:
    whole = chain[:40] + "GAVS" + chain[44:]
    network = Network(whole)
    filled(network, weighed(whole, 40, 44, *prefixes))
    assert len(network.asked) == 1


def test_gaps_without_masses_are_read_once(chain: str) -> None:
    network = Network(chain)
    filled(network, scaffold(chain, (40, 44), (60, 63)))
    assert len(network.asked) == 1


def test_other_chains_and_gaps_stay_as_they_were_read(chain: str) -> None:
    whole = chain[:40] + "WGAV" + chain[44:]
    one = weighed(whole, 40, 44, 1, name="a")
    one = replace(
        one,
        sequence=one.sequence[:60] + "XX" + one.sequence[62:],
        gaps=(*one.gaps, Gap(60, 62, 2, 2)),
    )
    other = scaffold(chain, (30, 33), name="b")
    network = Network(whole, chain)
    (_, of_one), (_, of_other) = filled(network, one, other)
    assert set(network.asked[1].at().chain.tolist()) == {0}
    for shares, positions in ((of_one, (61, 62)), (of_other, (31, 32, 33))):
        assert [shares[p] for p in positions] == pytest.approx([1 / N_RESIDUES] * len(positions))


def test_evidence_counts_once_however_often_a_gap_is_read(chain: str) -> None:
    """The network reads again; what a user says of a residue is multiplied with it but once."""
    whole = chain[:40] + "WGA" + chain[43:]
    one = weighed(whole, 40, 43, 1)
    towards_a = distributions({r: 9.0 if r == "A" else 1.0 for r in RESIDUES})[0]
    given = replace(one, evidence=(PositionEvidence(41, tuple(towards_a.tolist())),))
    ((_, plain),) = filled(Network(whole), one)
    ((sequence, shares),) = filled(Network(whole), given)
    odds = plain[42] / (1 - plain[42]) / 9.0
    assert sequence == whole
    assert shares[42] == pytest.approx(odds / (1 + odds), abs=1e-3)


def test_gaps_of_a_chain_see_what_masses_settle_in_the_others(chain: str) -> None:
    """Also those of unknown length, which are read as they are; the truth is shown to none."""
    whole = chain[:40] + "WGAV" + chain[44:60] + "WW" + chain[62:]
    one = weighed(whole, 40, 44, 1)
    second = weighed(whole, 60, 62).gaps[0]
    unknown = Gap(70, 71, 0, None)
    letters = one.sequence[:60] + "XX" + one.sequence[62:70] + "X" + one.sequence[71:]
    given = replace(one, sequence=letters, gaps=(*one.gaps, second, unknown))
    network = Network(whole)
    ((sequence, _),) = filled(network, given)
    assert sequence == whole[:70] + "X" + whole[71:]
    expected = encode(whole[:41] + "XXX" + whole[44:70] + "X" + whole[71:])
    assert network.asked[1].tokens.numpy()[0, : len(whole)].tolist() == expected.tolist()
    assert network.asked[1].at().position.tolist() == [41, 42, 43]


def test_a_near_homolog_stays_hidden_from_a_chain_whose_truth_is_known(chain: str) -> None:
    """Accuracy is reported of it, whichever of its residues are shown."""
    whole = chain[:40] + "WGAV" + chain[44:]
    one = weighed(whole, 40, 44, 1)
    known = replace(one, gaps=(replace(one.gaps[0], truth=whole[40:44]),))
    for given, is_there in ((one, True), (known, False)):
        network = Network(whole)
        encoder = bundled.reader(index_homologs([whole])).encoder
        list(fill_chains([given], encoder.encode([given]), encoder, network, candidates=3))
        profile = network.asked[1].homolog_profile.numpy()
        assert len(network.asked) == 2 and bool(profile.any()) is is_there
