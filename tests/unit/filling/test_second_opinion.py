"""The thorough mode: the gaps that the large network is asked about, and its answers."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import bundled
import lacuna
from chains import constant_region, germline_chain, hidden, mutated, random_protein
from lacuna.core.alphabet import ALLOWED, AMBIGUOUS, RESIDUES, TOKEN, encode
from lacuna.core.device import set_precision
from lacuna.core.files import LacunaError
from lacuna.filling.second_opinion import ASK_BELOW, in_doubt, with_second_opinion
from lacuna.network.kmers import KmerSet
from lacuna.network.predict import Predictor
from lacuna.network.transformer import HARDLY_SEEN, LARGE_SHARE, load_large
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
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
    return kmers, small({}).predict(kmers)


def small(temperatures: dict[str, float]) -> Predictor:
    """The small network, with these temperatures."""
    bundle = bundled.predictor()
    model = copy.copy(bundle.model)
    model.temperatures = temperatures
    return replace(bundle, model=model)


@pytest.fixture
def large(large_network: Path) -> Predictor:
    return Predictor(load_large(large_network), bundled.predictor().library, CPU)


def ask_again(
    kmers: KmerSet, large: Predictor, temperatures: dict[str, float] | None = None
) -> np.ndarray:
    """Answers in thorough mode, if the small network has these temperatures."""
    return with_second_opinion(small(temperatures or {}), large)(kmers)


def thorough(scaffolds: list[Scaffold], large: Predictor) -> np.ndarray:
    return ask_again(read(scaffolds)[0], large)


def test_a_gap_is_in_doubt_as_a_whole() -> None:
    chain = np.array([0, 0, 0, 0, 1, 1])
    position = np.array([4, 5, 9, 10, 11, 12])
    top = np.array([0.97, 0.9, 0.95, 0.95, 0.99, 0.5])
    shares = np.stack((top, 1 - top), 1)
    #      .873 < ASK_BELOW; .9025; a gap of another chain is another gap: .495
    assert in_doubt(chain, position, shares).tolist() == [True, True, False, False, True, True]
    assert in_doubt(chain[:0], position[:0], shares[:0]).tolist() == []
    assert ASK_BELOW == 0.9


def test_gaps_in_doubt_change_and_no_other(large: Predictor) -> None:
    kmers, shares = read(CHAINS)
    chosen = ask_again(kmers, large)
    at = kmers.at()
    doubt = in_doubt(at.chain, at.position, shares)
    assert 0 < doubt.sum() < len(doubt)
    assert np.array_equal(chosen[~doubt], shares[~doubt])
    mean = LARGE_SHARE * large.predict(kmers) + (1 - LARGE_SHARE) * shares
    assert np.allclose(chosen[doubt], mean[doubt], rtol=0, atol=1e-12)
    assert (np.abs(chosen[doubt] - shares[doubt]).max(1) > 0).all()


@pytest.mark.parametrize("precision", ["float32", "float64", "fast"])
def test_an_answer_does_not_depend_on_the_other_chains(large: Predictor, precision: str) -> None:
    set_precision(precision)
    together = thorough(CHAINS, large)
    n = np.cumsum([0, *(x.sequence.count("X") for x in CHAINS)])
    for cut in (1, 5):
        parts = [thorough(CHAINS[i : i + cut], large) for i in range(0, len(CHAINS), cut)]
        assert np.array_equal(np.concatenate(parts), together)
    turned = thorough(CHAINS[::-1], large)
    assert np.array_equal(turned[: n[-1] - n[-2]], together[n[-2] :])


def test_antibodies_alone_are_asked_about_and_no_well_known_camelids(
    large: Predictor,
) -> None:
    heavy, light = (chain(locus, 3, (28, 38)).sequence for locus in "HK")
    fab = light + constant_region("K")[:40] + "X" * 6 + constant_region("K")[46:]
    camelid = hidden(mutated(germline_chain("H", 1, species="alpaca"), 12, 1), [(28, 38)])
    other = hidden(random_protein(90, 1), [(40, 45)])
    some = {"fab": fab, "scfv": heavy + LINKER + light, "other": other, "vhh": camelid}
    some |= {"both": camelid + LINKER + light}
    kmers, shares = read([scaffold(name, sequence) for name, sequence in some.items()])
    chosen = ask_again(kmers, large)
    at = kmers.at()
    changed = {
        (list(some)[c], int(p))
        for c, p in zip(at.chain, at.position, strict=True)
        if not np.array_equal(
            chosen[(at.chain == c) & (at.position == p)],
            shares[(at.chain == c) & (at.position == p)],
        )
    }
    start = len(heavy) + len(LINKER)
    assert changed >= {("fab", 28), ("scfv", 28), ("scfv", start + 28)}
    after = len(camelid) + len(LINKER)
    assert {p for name, p in changed if name == "both"} == set(range(after + 28, after + 38))
    assert not {name for name, _ in changed} & {"other", "vhh"}


def test_a_small_network_that_hardly_knows_camelids_gets_help(large: Predictor) -> None:
    camelid = hidden(mutated(germline_chain("H", 1, species="alpaca"), 12, 1), [(28, 38)])
    kmers, shares = read([scaffold("vhh", camelid)])
    share = HARDLY_SEEN["alpaca"]
    assert 0 < share < LARGE_SHARE
    warm = shares ** (1 / 1.5)
    warm /= warm.sum(1, keepdims=True)
    chosen = ask_again(kmers, large, {"alpaca": 1.5})
    assert np.allclose(chosen, share * large.predict(kmers) + (1 - share) * warm, atol=1e-6)


def test_residues_that_a_code_rules_out_stay_ruled_out(large: Predictor) -> None:
    sequence = list(CHAINS[0].sequence)
    for place, code in ((29, "J"), (30, "B"), (31, "Z")):
        sequence[place] = code
    kmers, shares = read([scaffold("coded", "".join(sequence))])
    chosen = ask_again(kmers, large)
    for place, code in ((29, "J"), (30, "B"), (31, "Z")):
        row = int(np.flatnonzero(kmers.at().position == place)[0])
        assert not np.array_equal(chosen[row], shares[row])
        assert {RESIDUES[i] for i in np.flatnonzero(chosen[row])} == set(AMBIGUOUS[code])
        assert not chosen[row][~ALLOWED[TOKEN[code]]].any()


def test_nothing_to_ask_is_nothing_changed(large: Predictor) -> None:
    for some in ([], [scaffold("whole", germline_chain("H", 1))], [scaffold("x", "X" * 30)]):
        kmers, shares = read(some)
        assert np.array_equal(ask_again(kmers, large), shares)


# --- from chains to results ----------------------------------------------------------------------


def test_the_interface_fills_in_both_modes(
    large_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chains = [(x.chain, x.sequence) for x in CHAINS]
    fast = lacuna.fill(chains, precision="float32")
    filled = lacuna.fill(chains, precision="float32", mode="thorough", large_network=large_network)
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
    monkeypatch.setattr("lacuna.steps.load.load_large", lambda path: 1 / 0)
    assert lacuna.fill(chains, precision="float32") == fast
    with pytest.raises(ZeroDivisionError):
        lacuna.fill(chains, mode="thorough", large_network=large_network)


def test_masses_hold_in_thorough_mode(large_network: Path) -> None:
    whole = mutated(germline_chain("H", 3), 12, 3)
    mass = float(sum(RESIDUE_MASSES[encode(whole[28:32])]))
    gap = {"start": 28, "end": 32, "mass": mass}
    [filled] = lacuna.fill(
        [{"sequence": whole, "gaps": [gap]}], mode="thorough", large_network=large_network
    )
    assert filled.gaps[0].candidates
    assert all(abs(c.mass_error_ppm or 0) <= 10 for c in filled.gaps[0].candidates)


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("thorough", "none.safetensors: no such file; check the path"),
        ("fast", "a large network is read in mode 'thorough' alone"),
        ("slow", "'slow'"),
    ],
)
def test_a_fault_is_one_line_with_its_remedy(mode: str, says: str) -> None:
    with pytest.raises(LacunaError, match=says):
        lacuna.fill([CHAINS[0].sequence], mode=mode, large_network="none.safetensors")
