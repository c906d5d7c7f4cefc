"""The thorough mode: the gaps AntiBERTy is asked about, what it reads, how both are joined."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import bundled
import lacuna
from chains import constant_region, germline_chain, hidden, mutated, random_protein
from lacuna.core.alphabet import ALLOWED, AMBIGUOUS, RESIDUES, TOKEN, encode
from lacuna.core.files import LacunaError
from lacuna.filling import second_opinion
from lacuna.filling.residue_masses import RESIDUE_MASSES
from lacuna.filling.second_opinion import ANTIBERTY, ASK_BELOW, NETWORK, ask_again, in_doubt, join
from lacuna.network.kmers import KmerSet
from lacuna.network.language_model import LanguageModel
from lacuna.scaffolds.scaffold import Gap, Scaffold

CPU = torch.device("cpu")
LINKER = "GGGGSGGGGSGGGGS"


def scaffold(name: str, sequence: str) -> Scaffold:
    """A scaffold whose runs of X and codes are gaps."""
    gaps, start = [], 0
    letters = ["X" if x in "XBJZ" else "." for x in sequence]
    while "X" in letters[start:]:
        start = letters.index("X", start)
        end = start + next((i for i, x in enumerate(letters[start:]) if x != "X"), len(sequence))
        end = min(end, len(sequence))
        gaps.append(Gap(start, end, end - start, end - start))
        start = end
    return Scaffold(name, "", sequence, tuple(gaps), 1)


def chain(locus: str, i: int, *spans: tuple[int, int]) -> Scaffold:
    return scaffold(f"{locus}{i}", hidden(mutated(germline_chain(locus, i), 12, i), spans))


CHAINS = [chain("HKL"[i % 3], i, (24 + i, 34 + i), (96, 102), (60, 61)) for i in range(12)]


pytestmark = pytest.mark.usefixtures("exact")


def read(scaffolds: list[Scaffold]) -> tuple[KmerSet, np.ndarray]:
    kmers = bundled.reader().encoder.encode(scaffolds)
    return kmers, bundled.predictor().predict(kmers)


def thorough(scaffolds: list[Scaffold], model: LanguageModel) -> np.ndarray:
    kmers, shares = read(scaffolds)
    return ask_again(scaffolds, kmers, shares, model, CPU)


def test_a_gap_is_in_doubt_as_a_whole() -> None:
    chain = np.array([0, 0, 0, 0, 1, 1])
    position = np.array([4, 5, 9, 10, 11, 12])
    top = np.array([0.97, 0.9, 0.95, 0.95, 0.99, 0.5])
    shares = np.stack((top, 1 - top), 1)
    #      .873 < ASK_BELOW; .9025; a gap of another chain is another gap: .495
    assert in_doubt(chain, position, shares).tolist() == [True, True, False, False, True, True]
    assert in_doubt(chain[:0], position[:0], shares[:0]).tolist() == []
    assert ASK_BELOW == 0.9


def test_gaps_in_doubt_change_and_no_other(antiberty: LanguageModel) -> None:
    kmers, shares = read(CHAINS)
    joined = ask_again(CHAINS, kmers, shares, antiberty, CPU)
    at = kmers.at()
    doubt = in_doubt(at.chain, at.position, shares)
    assert 0 < doubt.sum() < len(doubt)
    assert np.array_equal(joined[~doubt], shares[~doubt])
    assert (np.abs(joined[doubt] - shares[doubt]).max(1) > 0).all()
    assert np.allclose(joined.sum(1), 1.0) and (joined >= 0).all()


def test_an_answer_does_not_depend_on_the_other_chains(antiberty: LanguageModel) -> None:
    together = thorough(CHAINS, antiberty)
    n = np.cumsum([0, *(x.sequence.count("X") for x in CHAINS)])
    for cut in (1, 5):
        parts = [thorough(CHAINS[i : i + cut], antiberty) for i in range(0, len(CHAINS), cut)]
        assert np.array_equal(np.concatenate(parts), together)
    turned = thorough(CHAINS[::-1], antiberty)
    assert np.array_equal(turned[: n[-1] - n[-2]], together[n[-2] :])


def test_only_v_domains_are_read_and_each_by_itself(
    antiberty: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    ask = second_opinion.predict_masked

    def listen(model, domains, places, device):  # type: ignore[no-untyped-def]
        seen.extend("".join((RESIDUES + "X")[min(t, 20)] for t in domain) for domain in domains)
        return ask(model, domains, places, device)

    monkeypatch.setattr(second_opinion, "predict_masked", listen)
    heavy, light = (chain(locus, 3, (28, 38)).sequence for locus in "HK")
    fab = light + constant_region("K")[:40] + "X" * 6 + constant_region("K")[46:]
    whole = scaffold("fab", fab)
    joined = thorough([whole], antiberty)
    assert seen == [light]
    kmers, shares = read([whole])
    assert np.array_equal(joined[10:], shares[10:])  # the gap of the constant region
    seen.clear()
    thorough([scaffold("scfv", heavy + LINKER + light)], antiberty)
    assert seen == [heavy, light]
    seen.clear()
    thorough([scaffold("none", hidden(random_protein(90, 1), [(40, 45)]))], antiberty)
    assert seen == []


def test_residues_that_a_code_rules_out_stay_ruled_out(antiberty: LanguageModel) -> None:
    sequence = list(CHAINS[0].sequence)
    for place, code in ((29, "J"), (30, "B"), (31, "Z")):
        sequence[place] = code
    coded = scaffold("coded", "".join(sequence))
    kmers, shares = read([coded])
    joined = ask_again([coded], kmers, shares, antiberty, CPU)
    for place, code in ((29, "J"), (30, "B"), (31, "Z")):
        row = int(np.flatnonzero(kmers.at().position == place)[0])
        assert not np.array_equal(joined[row], shares[row])
        assert {RESIDUES[i] for i in np.flatnonzero(joined[row])} == set(AMBIGUOUS[code])
        assert not joined[row][~ALLOWED[TOKEN[code]]].any()


def test_nothing_to_ask_is_nothing_changed(antiberty: LanguageModel) -> None:
    for some in ([], [scaffold("whole", germline_chain("H", 1))], [scaffold("x", "X" * 30)]):
        kmers, shares = read(some)
        assert np.array_equal(ask_again(some, kmers, shares, antiberty, CPU), shares)


def test_a_domain_that_is_too_long_for_it_is_left_to_the_network(antiberty: LanguageModel) -> None:
    # No domain has as few residues.
    short = LanguageModel(replace(antiberty.sizes, positions=100))
    kmers, shares = read(CHAINS)
    assert np.array_equal(ask_again(CHAINS, kmers, shares, short, CPU), shares)


def test_both_readers_count() -> None:
    network = np.array([[0.5, 0.5, 0.0], [0.8, 0.1, 0.1]])
    other = np.array([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1]])
    joined = join(network, other)
    assert np.allclose(joined.sum(1), 1.0)
    assert joined[0, 0] > 0.5 > joined[0, 1] > joined[0, 2] > 0
    assert joined[1, 0] > joined[1, 1]  # the network counts more
    assert np.allclose(np.diff(np.log(joined[0, :2])), -ANTIBERTY * np.log(9))
    assert 0.9 < NETWORK + ANTIBERTY < 1.0  # less sure than either if they agree


# --- from chains to results ----------------------------------------------------------------------


def test_the_interface_fills_in_both_modes(
    antiberty_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = [(x.chain, x.sequence) for x in CHAINS]
    fast = lacuna.fill(chains, precision="float32")
    filled = lacuna.fill(
        chains, precision="float32", mode="thorough", language_model=antiberty_weights
    )
    differ = 0
    for given, one, other in zip(CHAINS, fast, filled, strict=True):
        pairs = zip(given.sequence, other.sequence, strict=True)
        assert all(a in ("X", b) for a, b in pairs) and "X" not in other.sequence
        for gap, again in zip(one.gaps, other.gaps, strict=True):
            shares = [c.probability for c in again.candidates]
            assert shares == sorted(shares, reverse=True) and sum(shares) <= 1.0001
            if gap.candidates[0].probability >= ASK_BELOW + 0.001:
                assert gap == again
            differ += gap != again
    assert differ
    monkeypatch.setattr("lacuna.steps.load.load_language_model", lambda path: 1 / 0)
    assert lacuna.fill(chains, precision="float32", language_model=antiberty_weights) == fast
    with pytest.raises(ZeroDivisionError):
        lacuna.fill(chains, mode="thorough", language_model=antiberty_weights)


def test_masses_hold_in_thorough_mode(antiberty_weights: Path) -> None:
    whole = mutated(germline_chain("H", 3), 12, 3)
    mass = float(sum(RESIDUE_MASSES[encode(whole[28:32])]))
    gap = {"start": 28, "end": 32, "mass": mass}
    [filled] = lacuna.fill(
        [{"sequence": whole, "gaps": [gap]}], mode="thorough", language_model=antiberty_weights
    )
    assert filled.gaps[0].candidates
    assert all(abs(c.mass_error_ppm or 0) <= 10 for c in filled.gaps[0].candidates)


@pytest.mark.parametrize(
    ("mode", "says"),
    [("thorough", "none.safetensors: no such file; .*fetch_thorough"), ("slow", "'slow'")],
)
def test_a_fault_is_one_line_with_its_remedy(mode: str, says: str) -> None:
    with pytest.raises(LacunaError, match=says):
        lacuna.fill([CHAINS[0].sequence], mode=mode, language_model="none.safetensors")


def test_domains_of_species_that_antiberty_hardly_knows_are_the_networks(
    antiberty: LanguageModel,
) -> None:
    light = chain("K", 3, (28, 38)).sequence
    camelid = hidden(mutated(germline_chain("H", 1, species="alpaca"), 12, 1), [(28, 38)])
    some = [scaffold("vhh", camelid), scaffold("both", camelid + LINKER + light)]
    kmers, shares = read(some)
    joined = ask_again(some, kmers, shares, antiberty, CPU)
    at = kmers.at()
    human = (at.chain == 1) & (at.position > len(camelid))
    assert human.sum() == 10 and not np.array_equal(joined[human], shares[human])
    assert np.array_equal(joined[~human], shares[~human])
