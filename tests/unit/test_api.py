"""The Python interface: chains of every kind in, typed results in the same order out."""

import logging
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord

import lacuna
from chains import fasta, germline_chain, hidden, mutated, random_protein
from conftest import Write
from lacuna import api
from lacuna.core.alphabet import RESIDUES
from lacuna.core.files import LacunaError
from lacuna.core.paths import bundled_weights
from lacuna.scaffolds.residue_masses import RESIDUE_MASSES
from lacuna.steps import one_file, split_scaffolds
from lacuna.steps.given_chains import Written

CHAIN = germline_chain("H", 0)
GAPPED = hidden(CHAIN, [(10, 13)])
MASS = 245.13756  # Da, of three residues hidden below


def given() -> list[Any]:
    """A chain of every kind; one is unusable, two share an id."""
    return [
        GAPPED.replace("X", "-"),
        ("titled about it", GAPPED),
        SeqRecord(Seq(GAPPED), id="record", description="record of Biopython"),
        "EVQLVO",
        {"sequence": CHAIN, "id": "dict", "gaps": [{"start": 20, "end": 23}]},
        {"sequence": CHAIN, "id": "dict"},
        {
            "sequence": CHAIN,
            "gaps": [{"start": 30, "end": 30, "mass": 5.0}, {"start": 40, "end": 43}],
        },
        {"sequence": CHAIN, "id": "massive", "gaps": [{"start": 50, "end": 53, "mass": 333.3}]},
        SeqRecord(Seq(CHAIN)),
        Seq(GAPPED),
        ("pair", Seq(GAPPED)),
    ]


@pytest.fixture(scope="module")
def filled() -> lacuna.FilledChains:
    return lacuna.fill(given(), candidates=3, precision="float32")


def test_options_may_be_numbers_of_numpy(filled: lacuna.FilledChains) -> None:
    again = lacuna.fill(
        given(),
        candidates=np.int64(3),
        complete_ends=np.bool_(False),
        kmer={"length": np.int32(128)},
        precision="float32",
    )
    assert again == filled


def test_a_record_without_a_sequence_is_rejected_as_an_empty_one() -> None:
    (found,) = lacuna.fill([SeqRecord(None, id="x")])
    assert found.status == "rejected" and "no sequence" in found.reason


def test_windows_that_the_large_network_cannot_read_are_refused_at_once() -> None:
    kmer = {"length": 511}
    with pytest.raises(LacunaError, match="'kmer.length' is 511; write at most 510"):
        lacuna.fill([CHAIN], mode="thorough", kmer=kmer)  # without a gap to ask about
    assert lacuna.fill([CHAIN], kmer=kmer)[0].sequence == CHAIN


def test_weights_are_a_word_or_a_file() -> None:
    by_word, by_file = (
        lacuna.fill([GAPPED], weights=weights, library=library, precision="float32")[0].residues
        for weights, library in (("noncommercial", None), bundled_weights("noncommercial"))
    )
    assert by_word == by_file
    assert by_word != lacuna.fill([GAPPED], precision="float32")[0].residues
    with pytest.raises(LacunaError, match="opne: no such file"):
        lacuna.fill([GAPPED], weights="opne")


def test_network_and_library_of_two_bundled_sets_are_not_mixed() -> None:
    network, library = bundled_weights("noncommercial")
    for mixed in ({"weights": network}, {"library": library}):
        with pytest.raises(LacunaError, match="'noncommercial'.* name the set instead of its"):
            lacuna.fill([GAPPED], **mixed)


def test_there_is_a_result_for_every_chain_in_order(filled: lacuna.FilledChains) -> None:
    names = ["chain1", "titled", "record", "chain4", "dict", "dict", "chain7", "massive", "chain9"]
    names += ["chain10", "pair"]
    assert [chain.chain for chain in filled] == names
    statuses = [chain.status for chain in filled]
    assert statuses[:6] == ["filled"] * 3 + ["rejected", "filled", "rejected"]
    assert statuses[6] == "rejected" and statuses[8] == "filled"
    assert "'O'" in filled[3].reason and filled[3].sequence == "EVQLVO"
    assert "second record of this id" in filled[5].reason
    assert "mass of 5 Da" in filled[6].reason
    assert filled[8].sequence == CHAIN and filled[8].gaps == ()
    assert filled[9].sequence == filled[10].sequence == filled[0].sequence


def test_results_are_typed_and_cannot_be_changed(filled: lacuna.FilledChains) -> None:
    first = filled[0]
    (gap,) = first.gaps
    assert (gap.number, gap.start, gap.end, gap.first, gap.last) == (1, 10, 13, 11, 13)
    assert gap.status == "filled" and len(gap.candidates) == 3
    best = gap.candidates[0]
    assert first.sequence == CHAIN[:10] + best.sequence + CHAIN[13:]
    assert 0 < gap.candidates[1].probability <= best.probability <= 1
    assert best.mass_error_ppm is None and best.mass > 100
    assert [(r.position, r.residue) for r in first.residues] == list(
        zip((11, 12, 13), best.sequence, strict=True)
    )
    assert first.residues[0].imgt == "12" and first.residues[0].region == "FR1"
    assert first.locus == "H" and first.species == "human"
    with pytest.raises(FrozenInstanceError):
        first.status = "open"  # type: ignore[misc]


def test_a_gap_that_stays_open_says_why(filled: lacuna.FilledChains) -> None:
    chain = filled[7]
    assert chain.status == "open" and chain.sequence == hidden(CHAIN, [(50, 53)])
    assert chain.gaps[0].candidates == ()
    assert chain.gaps[0].status.startswith("no_sequence_fits_mass")


def test_masses_of_beginnings_are_a_list_of_a_gap() -> None:
    weights = [float(RESIDUE_MASSES[RESIDUES.index(residue)]) for residue in CHAIN[50:55]]
    gap = {"start": 50, "end": 55, "mass": sum(weights)}
    known = [sum(weights[:2]), sum(weights[:3])]
    filled = lacuna.fill(
        [{"sequence": CHAIN, "gaps": [{**gap, "prefix_masses": known}]}], alkylation="none"
    )
    for candidate in filled[0].gaps[0].candidates:
        for n, mass in ((2, known[0]), (3, known[1])):
            tokens = [RESIDUES.index(residue) for residue in candidate.sequence[:n]]
            assert abs(RESIDUE_MASSES[tokens].sum() - mass) <= mass * 1e-5
    assert filled[0].gaps[0].status == "filled"


def test_chains_behave_as_a_list(filled: lacuna.FilledChains) -> None:
    assert len(filled) == 11 and filled[-1] is list(filled)[-1]
    assert filled[:2].chains == (filled[0], filled[1])
    assert len(lacuna.fill([])) == 0


def test_tables_have_the_fields_of_the_results(filled: lacuna.FilledChains) -> None:
    residues = filled.to_dataframe()
    assert len(residues) == sum(len(chain.residues) for chain in filled)
    assert residues.columns[0] == "chain" and residues.position.dtype == int
    gaps = filled.to_dataframe("gaps")
    assert gaps[gaps.chain == "titled"]["rank"].tolist() == [1, 2, 3]
    assert gaps[gaps.chain == "massive"].probability.isna().tolist() == [True]
    assert filled.to_dataframe("chains").status.tolist() == [chain.status for chain in filled]
    with pytest.raises(LacunaError, match="'rows' is not a table; use one of residues, gaps"):
        filled.to_dataframe("rows")  # type: ignore[arg-type]


def test_calls_of_several_threads_do_not_disturb_each_other() -> None:
    """The precision is that of the process."""
    names = ("float32", "float64") * 3
    alone = {name: lacuna.fill(given(), precision=name) for name in set(names)}
    with ThreadPoolExecutor(2) as pool:
        filled = list(pool.map(lambda name: lacuna.fill(given(), precision=name), names))
    assert filled == [alone[name] for name in names]


@pytest.mark.parametrize("nothing", [None, float("nan"), np.float32("nan"), pd.NA, pd.NaT])
def test_what_a_data_frame_has_for_nothing_is_not_given(nothing: Any) -> None:
    gap = {"start": 9, "end": 12, "mass": nothing}
    chain = {"id": nothing, "sequence": "EVQLVESGG---QPGGSLRLSC", "gaps": [gap]}
    (filled,) = lacuna.fill([chain])
    assert (filled.chain, filled.status, filled.gaps[0].cysteine) == ("chain1", "filled", "")


@pytest.mark.parametrize("option", ["homologs", "weights", "library"])
def test_an_empty_path_is_named(option: str) -> None:
    with pytest.raises(LacunaError, match=f"{option} is empty; give the path of a file"):
        lacuna.fill(given(), **{option: " "})


def test_a_call_rewords_no_message_of_another_thread(caplog: pytest.LogCaptureFixture) -> None:
    """Its own file of this name has other chains, or fewer rows."""
    log = logging.getLogger(split_scaffolds.__name__)
    written = Written({}, {"gaps": [7]})
    with api._faults_of_records(written), ThreadPoolExecutor(1) as pool:
        for line in (2, 9):
            pool.submit(log.warning, f"gaps given:{line}: of another call").result()
        log.warning("gaps given:2: of this one")
    assert [record.getMessage() for record in caplog.records] == [
        "gaps given:2: of another call",
        "gaps given:9: of another call",
        "chain 7: of this one",
    ]


def test_files_are_read_again_only_once_no_other_call_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a call might read its first blocks by one network and the others by another."""
    alone = []
    monkeypatch.setattr(
        one_file, "forget", lambda network: alone.append(one_file._ONE_AT_A_TIME.locked())
    )
    lacuna.fill([GAPPED])
    assert alone == [True]


def test_results_do_not_depend_on_blocks_and_threads_are_given_back(
    filled: lacuna.FilledChains, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(one_file, "BLOCK", 2)
    threads, tf32 = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    torch.set_num_threads(2)
    torch.backends.cudnn.allow_tf32 = False
    try:
        with caplog.at_level(logging.WARNING):
            again = lacuna.fill(given(), candidates=3, precision="float32")
        assert (torch.get_num_threads(), torch.backends.cudnn.allow_tf32) == (2, False)
    finally:
        torch.set_num_threads(threads)
        torch.backends.cudnn.allow_tf32 = tf32
    assert again == filled
    assert "3 of 11 chains cannot be used; the first: chain 4: 'chain4' has 'O'" in caplog.text


def test_evidence_is_a_dict_of_positions_from_one() -> None:
    sequence = hidden(germline_chain("H", 1), [(30, 32)])
    known = {"sequence": sequence, "evidence": {31: {"W": 1.0}, 32: {"F": 0.5, "Y": 0.5}}}
    one, other, quoted = lacuna.fill([known, sequence, {**known, "id": '"mab"_1'}])
    assert quoted.sequence == one.sequence
    assert one.sequence[30] == "W" and one.sequence[31] in "FY"
    assert other.sequence[30] != "W"
    with pytest.raises(lacuna.LacunaError, match="its evidence is .* give a dict of positions"):
        lacuna.fill([{"sequence": sequence, "evidence": {31: 1.0}}])


def test_what_is_known_of_a_second_chain_of_an_id_is_not_of_the_first() -> None:
    known = {"gaps": [{"start": 60, "end": 63}], "evidence": {12: {"W": 1.0}}}
    first, second = lacuna.fill(
        [{"id": "mab", "sequence": GAPPED}, {"id": "mab", "sequence": CHAIN, **known}]
    )
    assert first == lacuna.fill([("mab", GAPPED)])[0]
    assert second.status == "rejected" and "second record of this id" in second.reason


def test_faults_name_the_record_and_not_a_line_of_a_file(
    caplog: pytest.LogCaptureFixture, write: Write
) -> None:
    bad = {"sequence": CHAIN, "gaps": [{"start": 10, "end": 13}, {"start": 20, "end": 999}]}
    unlikely = {
        "id": "odd",
        "sequence": CHAIN,
        "evidence": {4: {"A": 0.5}, 5: {"A": 0.9, "C": 0.9}},
    }
    shifted = {"sequence": GAPPED, "gaps": [{"start": 11, "end": 13}]}
    with caplog.at_level(logging.WARNING):
        filled = lacuna.fill([("odd", GAPPED), bad, unlikely, {**unlikely, "id": "even"}, shifted])
    assert [chain.reason.partition(";")[0] for chain in filled] == [
        "",
        f"chain 2: 'chain2' has a gap at 20..999 past its end at {len(CHAIN)}",
        "chain 3: 'odd' is a second record of this id (first: chain 1)",
        "chain 4: 'even' has probabilities that sum to 1.8 at position 5",
        "",
    ]
    assert "chain 5: 'chain5' has a gap at 11..13, which leaves out" in caplog.text
    with pytest.raises(LacunaError, match="^chain 2: 'chain2' has 'O' at column 6"):
        lacuna.fill([GAPPED, "EVQLVO"], on_bad_record="fail")
    assert "given:" not in caplog.text
    homologs = write("chains", ">h\nEVQLVO\n")
    with caplog.at_level(logging.WARNING):
        lacuna.fill([GAPPED], homologs=homologs)
    assert "the first: chains:2: 'h' has 'O'" in caplog.text


def test_a_chain_without_an_id_gets_one_that_no_other_has() -> None:
    unnamed = {"sequence": CHAIN, "gaps": [{"start": 60, "end": 63}]}
    named, other = lacuna.fill([("chain2", GAPPED), unnamed])
    assert (named.chain, other.chain) == ("chain2", "chain2_2")
    assert [gap.start for gap in named.gaps] == [10] and [gap.start for gap in other.gaps] == [60]


@pytest.mark.parametrize("name", ['a"b', '"ab"', "#a", "a;b", "a,b"])
def test_gaps_and_evidence_are_those_of_any_id(name: str) -> None:
    gap, evidence = {"start": 10, "end": 13}, {12: {"W": 1.0}}
    chain = {"id": name, "sequence": CHAIN, "gaps": [gap], "evidence": evidence}
    (filled,) = lacuna.fill([chain])
    assert filled.chain == name and [gap.start for gap in filled.gaps] == [10]
    assert filled.sequence[11] == "W"


def test_an_id_ends_at_any_blank_of_a_header() -> None:
    one, other = lacuna.fill([("id\tabout it", GAPPED), ("two  words of it", GAPPED)])
    assert (one.chain, other.chain) == ("id", "two")


def test_an_empty_cell_of_a_data_frame_is_not_given() -> None:
    empty = float("nan")
    records = [
        dict.fromkeys(("id", "description", "gaps", "evidence"), value) for value in (empty, None)
    ]
    gap = {"start": 10.0, "end": 13, "mass": empty, "min_length": 3.0, "max_length": None}
    gap["prefix_masses"] = empty
    whole = {"id": 0, "sequence": CHAIN, "gaps": [gap]}
    filled = lacuna.fill([*({"sequence": GAPPED, **record} for record in records), whole])
    assert [chain.chain for chain in filled] == ["chain1", "chain2", "0"]
    assert len({chain.sequence for chain in filled}) == 1
    plain = lacuna.fill([GAPPED], spectra=None, weights=None, library=None, large_network=None)
    assert plain[0] == filled[0]


@pytest.mark.parametrize("nothing", [None, float("nan"), ""])
def test_a_row_of_a_data_frame_without_a_sequence_is_rejected_alone(nothing: object) -> None:
    frame = pd.DataFrame({"id": ["a", "b"], "sequence": [nothing, GAPPED]})
    one, other = lacuna.fill(frame)
    assert (one.status, other.status) == ("rejected", "filled")
    assert "has no sequence" in one.reason


def test_a_data_frame_has_a_row_for_each_chain() -> None:
    gaps = pd.DataFrame({"start": [10], "end": [13]})
    frame = pd.DataFrame({"id": ["a", "b"], "sequence": [GAPPED, CHAIN], "gaps": [None, gaps]})
    filled = lacuna.fill(frame, homologs=pd.DataFrame({"sequence": [CHAIN]}))
    assert [chain.chain for chain in filled] == ["a", "b"]
    assert [(gap.start, gap.end) for gap in filled[1].gaps] == [(10, 13)]
    assert lacuna.fill([GAPPED])[0].sequence == filled[0].sequence
    assert list(lacuna.fill(frame[:0])) == []


def test_what_a_notebook_shows_of_the_chains_is_short() -> None:
    assert repr(lacuna.fill([GAPPED, "EVQLVO"])) == "<2 chains: 1 filled, 1 rejected>"
    assert repr(lacuna.fill([])) == "<0 chains>"


def test_homologs_are_templates(tmp_path: Path) -> None:
    related = mutated(CHAIN, 6, 1)
    (plain,) = lacuna.fill([GAPPED], homologs=[("h", related)])
    path = tmp_path / "homologs.fasta"
    path.write_text(fasta({"h": related}))
    assert lacuna.fill([GAPPED], homologs=path)[0] == plain


def test_homologs_may_share_an_id_and_those_left_out_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    protein = random_protein(150, 1)
    shown, other = hidden(protein, [(70, 73)]), random_protein(150, 2)
    with caplog.at_level(logging.WARNING):
        (filled,) = lacuna.fill([shown], homologs=[("h", other), ("h", protein)])
    assert filled.sequence == protein and not caplog.text
    with caplog.at_level(logging.WARNING):
        lacuna.fill(["EVQLVO", shown], homologs=[protein, "EVQLEO"])
    assert "1 of 2 chains cannot be used; the first: chain 1: 'chain1' has 'O'" in caplog.text
    assert "homologs that cannot be used: 1; the first: homolog 2: 'homolog2'" in caplog.text


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: lacuna.fill(CHAIN), "list of chains"),
        (lambda: lacuna.fill([3]), "chain 1 is an int; give a sequence"),  # type: ignore[list-item]
        (lambda: lacuna.fill([Seq(None, 9)]), "chain 1 is a Seq without residues; write X"),
        (lambda: lacuna.fill([SeqRecord(Seq(None, 9))]), "chain 1 is a Seq without residues"),
        (lambda: lacuna.fill([None]), "chain 1 is None; give a seq"),  # type: ignore[list-item]
        (
            lambda: lacuna.fill(["my.fasta.gz"]),
            "chain 1 is the path of a file, 'my.fasta.gz'; give",
        ),
        (
            lambda: lacuna.fill([CHAIN, __file__]),
            "chain 2 is the path of a file, '.*'; give its rec",
        ),
        (lambda: lacuna.fill(Seq(CHAIN)), "list of chains"),  # type: ignore[arg-type]
        (lambda: lacuna.fill([{"sequnce": CHAIN}]), "'sequnce'; did you mean 'sequence'"),
        (lambda: lacuna.fill([{"id": "a"}]), "chain 1 has no 'sequence'"),
        (lambda: lacuna.fill([{"chain": "a"}]), "unknown key 'chain'; did you mean 'id'"),
        (
            lambda: lacuna.fill(pd.DataFrame({"seq": [CHAIN]})),
            "data frame of chains has the unknown column 'seq'; did you mean 'sequence'",
        ),
        (
            lambda: lacuna.fill([CHAIN], homologs=pd.DataFrame({"sequence": [CHAIN], "note": 1})),
            "data frame of homologs has the unknown column 'note'; use sequence, id",
        ),
        (
            lambda: lacuna.fill([{"sequence": CHAIN, "gaps": [{"start": 1}]}]),
            "chain 1: a gap has no 'end'",
        ),
        (lambda: lacuna.fill([{"sequence": CHAIN, "id": "a b"}]), "id 'a b' contains a blank"),
        (lambda: lacuna.fill([{"sequence": float("nan")}]), "chain 1 has no 'sequence'"),
        (
            lambda: lacuna.fill([f">mab1{CHAIN}", CHAIN]),
            "chain 1: its sequence begins with '>' .*; give a pair of header and sequence",
        ),
        (
            lambda: lacuna.fill([CHAIN], homologs=[f">h{CHAIN}"]),
            "homolog 1: its sequence begins with '>'",
        ),
        (lambda: lacuna.fill([CHAIN], candidates=0), "'candidates' is 0; write at least 1"),
        (lambda: lacuna.fill([CHAIN], alkylation="carbamidometyl"), "did you mean 'carbamidom"),
        (lambda: lacuna.fill([CHAIN], species="frog"), "species 'frog' is unknown; use one"),
        (lambda: lacuna.fill(["EVQLVO"], on_bad_record="fail"), "'chain1' has 'O' at column 6"),
    ],
)
def test_a_fault_is_one_line_with_its_remedy(call: Callable[[], object], says: str) -> None:
    with pytest.raises(LacunaError, match=says) as raised:
        call()
    assert "\n" not in str(raised.value)


def test_the_package_imports_nothing_of_the_interface_until_it_is_used() -> None:
    code = (
        "import sys, lacuna, lacuna.core.files\n"
        "assert not {'torch', 'lacuna.api', 'Bio'} & set(sys.modules)\n"
        "assert 'fill' in dir(lacuna)\n"
        "assert lacuna.LacunaError is lacuna.core.files.LacunaError\n"
        "assert not hasattr(lacuna, 'nothing')\n"
    )
    scripts = Path(lacuna.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(scripts)})


def test_a_file_of_homologs_that_has_changed_is_read_again(write: Write) -> None:
    protein = random_protein(150, 1)
    shown = hidden(protein, [(70, 73)])
    homologs = write("homologs.fasta", fasta({"h": random_protein(150, 2)}))
    assert lacuna.fill([shown], homologs=homologs)[0].sequence != protein
    homologs.write_text(fasta({"h": protein}))
    assert lacuna.fill([shown], homologs=homologs)[0].sequence == protein


def test_arguments_of_another_type_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match="fill takes a list of chains, not None"):
        lacuna.fill(None)  # type: ignore[arg-type]
    with pytest.raises(LacunaError, match="modifications is a list; give a dict of settings"):
        lacuna.fill(["EVQLVES"], modifications=["deamidated"])  # type: ignore[arg-type]
    for gaps in (5, "20-23", {"start": 20, "end": 23}):
        with pytest.raises(LacunaError, match="chain 1: its gaps are .*; give a list of dicts"):
            lacuna.fill([{"sequence": CHAIN, "gaps": gaps}])
    for option in ("spectra", "weights", "library", "large_network"):
        options: dict[str, Any] = {option: 5}
        with pytest.raises(LacunaError, match=f"{option} is 5; give the path of a file"):
            lacuna.fill([CHAIN], **options)
    for files in ([5], {"a.mgf": 5}.values()):
        with pytest.raises(LacunaError, match="spectra is 5; give the path of a file"):
            lacuna.fill([CHAIN], spectra=files)  # type: ignore[arg-type]
    with pytest.raises(LacunaError, match="fill takes a list of homologs, not an int"):
        lacuna.fill([CHAIN], homologs=5)  # type: ignore[arg-type]
    for spectra in (tmp_path / "no.mgf", str(tmp_path / "no.mgf")):
        with pytest.raises(LacunaError, match=r"no\.mgf: no such file"):
            lacuna.fill(["EVQLVES"], spectra=spectra)
