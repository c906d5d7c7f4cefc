"""The bundled germline segments: which there are, and that they are on the right columns."""

import re

import numpy as np
import pytest

from lacuna.antibody.germlines import LOCI, SPECIES, Segments, constants, j_segments, v_segments
from lacuna.antibody.imgt import CYS104, FR4_LAST, FR4_START, N_CODES, N_IMGT, OCCUPIED
from lacuna.core.alphabet import ABSENT, N_RESIDUES, TOKEN
from lacuna.core.paths import GERMLINES


def count(segments: Segments, species: str, locus: str) -> int:
    of_species = segments.species == SPECIES.index(species)
    return int((of_species & (segments.locus == LOCI.index(locus))).sum())


@pytest.mark.parametrize("segments", [v_segments(), j_segments()], ids=["V", "J"])
def test_arrays_fit_together(segments: Segments) -> None:
    n = len(segments.names)
    assert segments.tokens.shape == (n, N_CODES)
    assert segments.species.shape == segments.locus.shape == segments.gene.shape == (n,)
    assert ((segments.tokens < N_RESIDUES) | (segments.tokens == ABSENT)).all()
    assert (segments.tokens[:, 0] == ABSENT).all()
    assert (segments.tokens[:, N_IMGT + 1 :] == ABSENT).all()
    assert sorted(set(segments.gene.tolist())) == list(range(len(segments.genes)))
    for name, species, gene in zip(segments.names, segments.species, segments.gene, strict=True):
        assert segments.genes[gene] == (SPECIES[species], name.split("*")[0])


def test_every_locus_of_a_species_with_v_has_j() -> None:
    of_v, of_j = (
        set(zip(s.species.tolist(), s.locus.tolist(), strict=True))
        for s in (v_segments(), j_segments())
    )
    assert of_v == of_j


def test_conserved_residues_of_v_stand_on_their_columns() -> None:
    v = v_segments()
    assert (v.tokens[:, [23, CYS104]] == TOKEN["C"]).all()
    assert (v.tokens[:, 41] == TOKEN["W"]).mean() > 0.98
    assert (v.tokens[:, FR4_START:] == ABSENT).all()


def test_conserved_residues_of_j_stand_on_their_columns() -> None:
    j = j_segments()
    assert np.isin(j.tokens[:, 118], [TOKEN["W"], TOKEN["F"]]).all()
    assert (j.tokens[:, [119, 121]] == TOKEN["G"]).all()
    assert (j.tokens[:, :105] == ABSENT).all()
    for i, locus in enumerate(LOCI):
        assert (j.tokens[j.locus == i, FR4_LAST[locus] + 1 :] == ABSENT).all()


def test_the_occupied_columns_are_those_that_segments_fill() -> None:
    v = v_segments()
    framework = [c for c in range(1, CYS104 + 1) if not 27 <= c <= 38 and not 56 <= c <= 65]
    for i, locus in enumerate(LOCI):
        filled = (v.tokens[v.locus == i] != ABSENT).mean(0)
        assert [c for c in framework if filled[c] > 0.5] == [
            c for c in OCCUPIED[locus] if c in framework
        ]


def test_constant_regions_are_of_residues_and_known_species() -> None:
    names = {(c.species, c.name.split("*")[0]) for c in constants()}
    human = ["IGKC", "IGHM", "IGHD", "IGHE", "IGHA1", "IGHA2"]
    human += [f"IGHG{i}" for i in range(1, 5)] + [f"IGLC{i}" for i in (1, 2, 3, 6, 7)]
    assert {("human", name) for name in human} <= names
    for constant in constants():
        assert constant.species in SPECIES and constant.locus in LOCI
        assert constant.name[2] == constant.locus
        assert re.fullmatch("[ACDEFGHIKLMNPQRSTVWYX]{60,}", constant.sequence), constant.name


def test_the_readme_counts_what_is_there() -> None:
    rows = dict.fromkeys(SPECIES, "")
    for line in (GERMLINES / "README.md").read_text(encoding="utf-8").splitlines():
        species = line.strip("| ").split(" | ")[0]
        if species in rows:
            rows[species] = line
    for species, line in rows.items():
        c = [x.locus for x in constants() if x.species == species]
        cells = [
            f"{count(v_segments(), species, locus)} / {count(j_segments(), species, locus)}"
            f" / {c.count(locus)}"
            for locus in LOCI
        ]
        counted = f"| {' | '.join([species, *cells])} |"
        assert line == counted, f"write into resources/germlines/README.md: {counted}"
