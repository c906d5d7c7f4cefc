"""Reads that fit no chain but are of an antibody: the stated species is wrong, or not bundled."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from chains import germline_chain, mutated, random_protein
from lacuna.antibody.germlines import constants
from lacuna.core.alphabet import ABSENT, N_RESIDUES, RESIDUES
from lacuna.core.lost_reads import about_lost, count_lost
from lacuna.core.tables import CHAIN_TABLE, PLACED_TABLE, REJECTED_TABLE, RESEMBLES, PlacedRow
from lacuna.evidence.far import spread_of_far
from lacuna.placing.chains.strays import LOST_READS, find_strays, is_chain_lost, rivalled
from lacuna.placing.place import place
from lacuna.placing.votes.placement import Assembly
from lacuna.reads.read import Read
from lacuna.results.counts import count_sample
from reads import Sure, built, chain_with_cdr3, draft_from, read_set, reads_of, tiles, weighed
from report_tables import write_tables

MOUSE = "fits no chain, but resembles germline of mouse"


def constant(species: str, name: str) -> str:
    """The constant region of a light chain, or CH1 of a heavy one."""
    return next(
        c.sequence.replace("X", "")[:110]
        for c in constants()
        if (c.species, c.name) == (species, name)
    )


@pytest.fixture(scope="module")
def reads() -> list[Read]:
    """Of a mouse antibody, and of another protein."""
    heavy = mutated(germline_chain("H", 1, species="mouse"), 4, 1) + constant("mouse", "IGHG1*01")
    kappa = mutated(germline_chain("K", 1, species="mouse"), 4, 2) + constant("mouse", "IGKC*01")
    return [*tiles(heavy), *tiles(kappa), *tiles(random_protein(200, 1))]


def test_reads_of_a_chain_that_a_wrong_species_loses_are_named(
    reads: list[Read], caplog: pytest.LogCaptureFixture
) -> None:
    wrong = place(reads, Sure(), species="alpaca")
    assert len(wrong.names) == 1
    strays, placed, species = count_lost(wrong.rows)
    assert strays >= LOST_READS and species == "mouse"
    assert {row.placed_as for row in wrong.rows if not row.chain} == {"fits no chain", MOUSE}
    assert is_chain_lost(strays, placed, species, share=1.0)
    said = about_lost(strays, species)
    assert said.endswith("resemble mouse germline: set species to auto")
    assert said in caplog.text


@pytest.mark.parametrize("species", ["auto", "mouse"])
def test_the_right_species_leaves_no_such_reads(
    reads: list[Read], species: str, caplog: pytest.LogCaptureFixture
) -> None:
    right = place(reads, Sure(), species=species)
    assert len(right.names) == 2
    assert count_lost(right.rows)[::2] == (0, "")  # those of the other protein are none
    assert "germline" not in caplog.text


def test_a_chain_is_rivalled_by_strays_of_its_locus_that_are_many() -> None:
    heavy, kappa = (chain_with_cdr3(locus, "ARDYWGAEY", constant=False) for locus in "HK")
    own, others = [*tiles(heavy), *tiles(kappa)], tiles(germline_chain("H", 40)[:90])

    def found(*strays: Read) -> tuple[bool, ...]:
        reads = reads_of([*own, *strays])
        assembly = Assembly.of(reads, [draft_from(heavy), draft_from(kappa)])
        lies = np.isin(assembly.placements.alignment.read, reads.group[: len(own)])
        on_own = assembly.placements.take(np.flatnonzero(lies))
        return rivalled(replace(assembly, placements=on_own))

    assert found() == (False, False)
    assert found(*others) == (True, False)
    assert found(*others[:5]) == (False, False)  # as many as may be misread
    assert found(*tiles(random_protein(300, 1))) == (False, False)


@pytest.mark.parametrize(
    ("loci", "fewer"),
    [
        (("human H", "human K"), ""),
        (("human H", "alpaca H", "human K"), ""),
        (("human H", "mouse H", "human K"), "KL"),
        (("human H", "human K", "human L"), ""),  # as many hybridomas have
        (("human H", "mouse H", "human K", "human L"), ""),
        (("alpaca H", "alpaca H"), ""),
        (("human H",), ""),
    ],
)
def test_a_mixture_with_fewer_light_chains_than_heavy_ones_lacks_one(
    loci: Sequence[str], fewer: str
) -> None:
    drafts = [draft_from(germline_chain(x[-1], 2, species=x[:-2])) for x in loci]
    found = rivalled(Assembly.of(read_set("WWWWWWWWWW"), drafts))
    assert found == tuple(draft.locus in fewer for draft in drafts)


def test_without_a_stated_species_none_is_named() -> None:
    kappa = constant("human", "IGKC*01")
    found = read_set(*(kappa[i : i + 14] for i in range(0, 60, 3)))
    nowhere = find_strays(found, found.length < 0, "auto")
    assert nowhere.reads.all() and nowhere.reason == RESEMBLES
    of_mouse = find_strays(found, found.length < 0, "mouse")
    assert of_mouse.reads.all() and of_mouse.reason == f"{RESEMBLES} of human"
    assert find_strays(found, found.length < 0, "human").species == ""
    assert not find_strays(found, found.length > 0, "auto").reads.any()


def test_residues_that_are_hardly_right_and_short_reads_count_for_nothing() -> None:
    kappa = constant("human", "IGKC*01")
    unsure = read_set(kappa[:14], probability=0.3)
    assert not find_strays(unsure, unsure.length < 0, "mouse").reads.any()
    short = read_set(kappa[:4])
    assert not find_strays(short, short.length < 0, "mouse").reads.any()


@pytest.mark.parametrize(("c", "stray"), [(-1, False), (0, True)])
def test_what_goes_on_behind_a_chain_is_no_other_chain(c: int, stray: bool) -> None:
    """A fusion to a protein that is not known; behind a constant region there is no such read."""
    chain = germline_chain("H", 1)
    draft = replace(draft_from(chain), c=c)
    found = read_set(chain[-9:] + "LPETGGW")
    nowhere = find_strays(found, found.length < 0, "auto", 0.5, [draft])
    assert nowhere.reads.tolist() == [stray]


def test_runs_of_glycine_and_serine_are_not_of_an_antibody() -> None:
    found = read_set("SGSGSGTDFTLT", "GSGSGSGGSSSGGGS")
    nowhere = find_strays(found, found.length < 0, "auto")
    assert nowhere.reads.tolist() == [True, False]


def test_a_few_words_of_a_long_read_are_by_chance() -> None:
    own, other = constant("human", "IGKC*01")[:7], random_protein(20, 1)
    found = read_set(own + other, own + other[:7])
    assert find_strays(found, found.length < 0, "auto").reads.tolist() == [False, True]


def test_few_strays_are_not_worth_a_warning() -> None:
    assert not is_chain_lost(LOST_READS - 1, 0, "mouse", 0.025)
    assert not any(is_chain_lost(20, 1000, species, 0.025) for species in ("", "mouse"))
    assert not is_chain_lost(50, 1000, "", 0.1)
    assert is_chain_lost(50, 1000, "mouse", 0.1) and is_chain_lost(300, 1000, "", 0.1)


def test_the_warning_names_the_remedy() -> None:
    assert about_lost(50, "mouse").endswith("resemble mouse germline: set species to auto")
    assert "not bundled (give its chains as a FASTA" in about_lost(300, "")


class UnsureOf(Sure):
    """As `Sure`, but that residues of some reads are right with 0.6."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names

    def probabilities(self, reads: Sequence[Read]) -> list[np.ndarray]:
        return [
            np.full(len(r.residues), 0.6 if r.name in self.names else self.probability)
            for r in reads
        ]


@pytest.mark.parametrize("sure", [True, False])
def test_a_few_sure_strays_show_that_another_antibody_is_there(
    sure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Misread reads of the antibody itself resemble germline too, but are not sure."""
    heavy = chain_with_cdr3("H", "ARWGGDGFYHMDY", constant=False) + constant("human", "IGHG1*01")
    kappa = chain_with_cdr3("K", "QQYNSYPLT", constant=False) + constant("human", "IGKC*01")
    own = [*tiles(heavy, step=1), *tiles(kappa, step=1)]
    other = [
        replace(read, name=f"other{i}")
        for i, read in enumerate(tiles(constant("mouse", "IGHM*01")[20:60], step=2))
    ]
    found = place([*own, *other], UnsureOf(set() if sure else {r.name for r in other}))
    strays, placed, _ = count_lost(found.rows)
    assert len(found.names) == 2 and placed > 400
    assert found.lost == sure == ("germline" in caplog.text)
    assert (strays > LOST_READS) == sure and strays < 0.1 * placed


@pytest.mark.parametrize(
    ("reads", "said"),
    [
        ({"heavy": 6, "kappa": 4, "tag_His": 9, "": 9}, ""),
        ({"heavy": 5, "kappa": 4, "heavy_2": 1}, "heavy_2 (0.10)"),
        ({"kappa": 5, "heavy": 4, "lambda": 1}, "lambda (0.10)"),
        ({"heavy": 5, "VHH": 1, "heavy_2": 1}, ""),  # they were given
        ({"heavy": 5}, ""),
    ],
)
def test_chains_of_more_than_one_antibody_are_counted(
    tmp_path: Path, reads: dict[str, int], said: str
) -> None:
    domain = chain_with_cdr3("H", "ARWGGDGFYHMDY", constant=False)
    names = [name for name in reads if name and not name.startswith("tag_")]
    paths = write_tables(tmp_path, [(domain, [])] * len(names), names=names)
    rows = [
        PlacedRow(f"r:{name}{i}", "t", name, 0, 9, 20.0, "whole", "")
        for name, n in reads.items()
        for i in range(n)
    ]
    placed = tmp_path / "reads.tsv"
    PLACED_TABLE.write(placed, rows)
    counts = count_sample(paths["chains"], paths["rejected"], placed)
    assert counts.several.endswith(said) and bool(counts.several) == bool(said)
    of = f"the reads are of more than one antibody: {names[0]} (0.50 of the placed reads), "
    assert any(note.startswith(of) for note in counts.notes()) == bool(said)


def test_the_summary_tells_the_remedy(tmp_path: Path) -> None:
    rows = [PlacedRow(f"r:{i}", "t", "", None, None, None, MOUSE, "") for i in range(30)]
    paths = {}
    for table, given in ((PLACED_TABLE, rows), (CHAIN_TABLE, []), (REJECTED_TABLE, [])):
        paths[table.name] = tmp_path / table.name
        table.write(paths[table.name], given)
    counts = count_sample(*(paths[f"{name}.tsv"] for name in ("chains", "rejected", "reads")))
    assert counts.lost == "30 reads that fit no chain resemble mouse germline: set species to auto"


def test_nothing_unread_is_sure_in_a_chain_far_from_germline() -> None:
    chain = germline_chain("H", 1) + mutated(constant("human", "IGHG1*01"), 20, 1)
    gap = range(len(chain) - 70, len(chain) - 35)
    seen = [r for r in tiles(chain) if not set(gap) & {*range(*_span(r, chain))}]
    found = built(seen)
    rows = {row.position - 1: row for row in weighed(found)[0].rows}
    unread = [rows[i] for i in gap if rows[i].state != "observed"]
    assert len(unread) > 20
    assert all("far" in row.flags.split(";") and row.probability < 0.75 for row in unread)
    near = built([*tiles(germline_chain("H", 1)[:60])])
    assert not any("far" in row.flags for row in weighed(near)[0].rows)


def test_what_reads_settle_of_a_chain_from_far_is_as_sure_as_ever() -> None:
    """Of a sample with a chain that was not found, the V domain of any other may be far too."""
    draft = draft_from(germline_chain("H", 1))
    nats = np.zeros((len(draft), N_RESIDUES))
    nats[np.arange(60), draft.tokens[:60]] = 10.0
    spread = spread_of_far(draft, nats, lost=True)
    assert not spread[:60].any() and (spread[60:100] > 0).all()
    assert not spread_of_far(draft, nats, lost=False).any()


@pytest.mark.parametrize(
    ("part", "germline", "far"),
    [
        ("V", RESIDUES.index("W"), (True, False)),
        ("C", RESIDUES.index("W"), (True, True)),  # its V domain is of that species too
        ("V", ABSENT, (False, False)),  # of which no germline is known
    ],
)
def test_a_chain_is_far_by_its_v_domain_or_its_constant_region(
    part: str, germline: int, far: tuple[bool, bool]
) -> None:
    draft = draft_from(germline_chain("H", 1, constant=True))
    nats = np.zeros((len(draft), N_RESIDUES))
    nats[np.arange(len(draft)), draft.tokens] = 10.0
    nats[[70, -1]] = 0.0  # of V and of C, which no read shows
    residues = draft.germline.copy()
    residues[slice(0, 90, 2) if part == "V" else slice(150, None, 2)] = germline
    spread = spread_of_far(replace(draft, germline=residues), nats, lost=False)
    assert (spread[70] > 0, spread[-1] > 0) == far and np.count_nonzero(spread) == sum(far)


def _span(read: Read, chain: str) -> tuple[int, int]:
    start = chain.index(read.residues)
    return start, start + len(read.residues)
