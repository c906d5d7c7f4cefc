"""Chains of several species from simulated reads: the right loci, species and residues."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain, mutated
from lacuna.antibody.germlines import SPECIES, constants, v_segments
from lacuna.benchmark.simulated_reads import PROTEASES, simulate_reads, write_peaks
from lacuna.core.alphabet import MISSING, encode, merge_il
from lacuna.core.paths import LIBRARY
from lacuna.placing.place import Placed, place
from lacuna.placing.sources.contaminants import read_contaminants
from lacuna.placing.sources.segments import BestSegments, is_of_another
from lacuna.reads.errors.model import load_error_models
from lacuna.reads.readers import read_peptides
from lacuna.templates.library import load_library

pytestmark = pytest.mark.slow

ALL = tuple(PROTEASES)


def placed(folder: Path, chains: dict[str, str], proteases: tuple[str, ...] = ALL) -> Placed:
    """Chains by name, from 900 simulated reads of them."""
    handle = io.StringIO()
    given = [(name, chain, 1.0 / len(chains)) for name, chain in chains.items()]
    write_peaks(simulate_reads(given, 900, 1, proteases=proteases), handle, "simulated")
    (folder / "reads.csv").write_text(handle.getvalue(), encoding="utf-8")
    reads = read_peptides([folder / "reads.csv"]).reads
    return place(
        reads,
        load_error_models(),
        contaminants=read_contaminants(),
        use=load_library(LIBRARY).v_prior.numpy(),
    )


def constant_of(species: str, locus: str) -> str:
    """A constant region of a species, without residues that are not known."""
    found = (c.sequence for c in constants() if (c.species, c.locus) == (species, locus))
    return next(found).replace("X", "")


@pytest.mark.parametrize(
    ("species", "loci"),
    [
        ("mouse", "HK"),
        ("rabbit", "HK"),
        ("alpaca", "H"),
        ("human", "HL"),
        ("dog", "HL"),
        ("pig", "HK"),
        ("chicken", "HL"),
    ],
)
def test_chains_of_a_species(tmp_path: Path, species: str, loci: str) -> None:
    domains = {
        locus: mutated(germline_chain(locus, 3, species=species), 6, seed)
        for seed, locus in enumerate(loci)
    }
    # Of alpaca the VHH alone, as it is made in bacteria: with tags in place of a constant region.
    tags = "AAADYKDDDDKGAAHHHHHH"
    tail = {x: tags if species == "alpaca" else constant_of(species, x) for x in loci}
    found = placed(tmp_path, {locus: domains[locus] + tail[locus] for locus in loci})
    assert [d.locus for d in found.drafts] == list(loci) and not found.serum
    for draft in found.drafts:
        assert SPECIES[v_segments().species[draft.v]] == species
        truth = merge_il(encode(domains[draft.locus]))
        start, stop = draft.cdr3()
        # Framework and loops in front of CDR3, whose length may be open.
        known = draft.tokens[:start]
        assert len(known) == len(truth[:start])
        right = np.mean(known == truth[:start])
        assert right >= 0.93, (draft.locus, right)
        if draft.bridged:
            assert (draft.tokens[start:stop] < MISSING).all()


@pytest.mark.parametrize(
    ("antibody", "locus", "proteases"), [("mouse", "K", ALL), ("human", "L", ("trypsin",))]
)
def test_of_two_species_each_chain_has_its_own_constant_region(
    tmp_path: Path, antibody: str, locus: str, proteases: tuple[str, ...]
) -> None:
    """As of an antibody with IgG of the medium in which its cells grew, also if both have the same
    kind of light chain, and the best V and C of that are of one species."""
    given = {
        f"{species}{one}": mutated(germline_chain(one, 3, species=species), 6, 1)
        + constant_of(species, one)
        for species, loci in ((antibody, f"H{locus}"), ("cow", "HL"))
        for one in loci
    }
    found = placed(tmp_path, given, proteases)
    species = [constants()[d.c].species for d in found.drafts]
    told = sorted(zip(species, (d.locus for d in found.drafts), strict=True))
    assert told == sorted([("cow", "H"), ("cow", "L"), (antibody, "H"), (antibody, locus)])


@pytest.mark.parametrize(
    ("v_seen", "c_seen", "c_share", "own", "another"),
    [
        (1.0, 40.0, 0.4, 0.0, True),  # hardly a word of V
        (1.0, 18.0, 0.18, 0.0, False),  # as of one antibody of a species that is not bundled
        (9.0, 18.0, 0.18, 0.0, True),
        (9.0, 12.0, 0.4, 0.0, False),
        (9.0, 40.0, 0.4, 30.0, False),  # words of another subclass, which a relative has too
    ],
)
def test_another_antibody_is_known_by_words_of_its_constant_region(
    v_seen: float, c_seen: float, c_share: float, own: float, another: bool
) -> None:
    cow = SPECIES.index("cow")
    v = int(np.flatnonzero(v_segments().species == cow)[0])
    c = [one.species for one in constants()].index("cow")
    of_cow = BestSegments("L", v, 0, c, v_seen, 0.0, c_seen, c_share)
    assert is_of_another(of_cow, replace(of_cow, c_seen=own)) == another
