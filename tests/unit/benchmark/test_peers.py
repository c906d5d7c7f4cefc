"""Which scaffolds are compared, and how a method is timed on them."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains import germline_chain
from lacuna.benchmark.peers import (
    DOMAIN,
    Speed,
    Target,
    bench_file,
    choose,
    choose_scaffolds,
    measure,
    measure_method,
    read_answers,
    read_speed,
    read_targets,
    write_answers,
)
from lacuna.core.files import LacunaError
from peers import lacuna_worker

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "resources" / "weights" / "open"
WORKER = [sys.executable, str(Path(lacuna_worker.__file__))]
SETTINGS: dict[str, Any] = {
    "method": "lacuna",
    "large_network": None,
    "weights": str(WEIGHTS / "lacuna.safetensors"),
    "library": str(WEIGHTS / "library.safetensors"),
    "homologs": None,
    **{"block_size": 2, "candidates": 1, "k": 128, "stride": 64, "max_identity": 0.95},
    "precision": "fast",
}


def target(i: int, chain: str = "H", *, constant: bool = False) -> Target:
    seq = germline_chain({"H": "H", "L": "K"}[chain], i, constant=constant)
    name = f"{chain}{i}{'c' * constant}"
    return Target(name, "thera_dev", "gap5", chain, seq, (9, 10, 11, 12, 13))


def mixed() -> list[Target]:
    """Five V domains and a whole chain."""
    return [target(i, "HL"[i % 2]) for i in range(5)] + [target(7, constant=True)]


def record(**changes: Any) -> str:
    fields = {"id": "a", "set": "s", "protocol": "gap3", "chain": "H", "seq": "QVQLVE"}
    return json.dumps({**fields, "missing": [1, 2], **changes})


# --- the scaffolds -------------------------------------------------------------------------------


def test_a_scaffold_hides_what_is_missing_and_a_question_its_truth() -> None:
    one = replace(target(1), seq="QVQLVE", missing=(1, 2, 5))
    assert one.scaffold == "QXXLVX"
    assert one.question(with_truth=False) == {
        "id": "H1",
        "sequence": "QXXLVX",
        "chain": "H",
        "species": "human",
    }
    assert one.question(with_truth=True)["truth"] == "QVQLVE"
    assert replace(one, set="vhh").question(False)["species"] == "camel"


def test_a_limit_holds_for_each_set_protocol_and_chain_type() -> None:
    kinds = [("a", "gap3", "H"), ("a", "gap3", "L"), ("a", "gap5", "H"), ("b", "gap3", "H")]
    base = target(1)
    many = [
        replace(base, id=f"{i}", set=name, protocol=protocol, chain=chain)
        for i, (name, protocol, chain) in enumerate(kinds * 10)
    ]
    some = choose(many, 3)
    assert Counter((t.set, t.protocol, t.chain) for t in some) == dict.fromkeys(kinds, 3)
    assert [t.id for t in some if t.set == "b"] == ["3", "15", "27"]  # spread over all ten
    assert [int(t.id) for t in some] == sorted(int(t.id) for t in some)
    assert choose(many, None) == choose(many, 99) == many


def test_chosen_scaffolds_are_read_as_they_were(tmp_path: Path) -> None:
    bench = tmp_path / "truth.jsonl"
    bench.write_text(record() + "\n" + record(id="b", seq="DIQMTQ", chain="L") + "\n")
    choose_scaffolds(bench_file(str(tmp_path)), tmp_path / "out.jsonl", limit=None)
    assert read_targets(tmp_path / "out.jsonl") == read_targets(bench)
    assert [t.scaffold for t in read_targets(bench)] == ["QXXLVE", "DXXMTQ"]


@pytest.mark.parametrize("odd", ["\u2028", "\x85", "\u2029"])
def test_a_line_of_scaffolds_ends_only_where_json_lines_do(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text(record(id="a").replace('"a"', f'"a{odd}b"') + "\n", encoding="utf-8")
    assert [t.id for t in read_targets(path)] == [f"a{odd}b"]


def test_missing_positions_are_put_in_the_order_of_the_chain(tmp_path: Path) -> None:
    """Methods give their probabilities in this order."""
    (tmp_path / "truth.jsonl").write_text(record(missing=[4, 1, 2]) + "\n")
    assert read_targets(tmp_path / "truth.jsonl")[0].missing == (1, 2, 4)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "truth.jsonl:2: not a scaffold"),
        ('{"id": "b"}', "KeyError('set')"),
        ("[]", "TypeError"),
        (record(), "'a' occurs twice"),
        (record(id="b", chain="K"), "neither H nor L"),
        (record(id=1), "are not all text"),
        (record(id=""), "are not all text"),
        (record(id="b", set=None), "are not all text"),
        (record(id="b", set="human"), "names of what is pooled"),
        (record(id="b", protocol="all"), "names of what is pooled"),
        (record(id="b", missing=[]), "no position"),
        (record(id="b", missing=[0, 1, 2, 3, 4, 5]), "all of them"),
        (record(id="b", missing=[1.5]), "outside seq"),
        (record(id="b", missing=[1, 2, 1]), "a position twice"),
        (record(id="b", missing=[6]), "outside seq"),
        (record(id="b", seq="QVXLVE"), "not a residue"),
    ],
)
def test_a_bad_record_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "truth.jsonl"
    path.write_text(f"{record()}\n{line}\n")
    with pytest.raises(LacunaError) as error:
        read_targets(path)
    assert words in str(error.value) and "truth.jsonl:2" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_bench_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(LacunaError, match="'peers.bench' is null; name a folder"):
        bench_file(None)
    with pytest.raises(LacunaError, match="which has no truth.jsonl; add it"):
        bench_file(str(tmp_path))
    (tmp_path / "truth.jsonl").write_text("")
    with pytest.raises(LacunaError, match="holds no scaffold"):
        read_targets(tmp_path / "truth.jsonl")
    with pytest.raises(LacunaError, match="no such file"):
        read_targets(tmp_path / "nowhere.jsonl")
    (tmp_path / "truth.jsonl").write_bytes(record().encode() + b"\n\xff\n")
    with pytest.raises(LacunaError, match="not a text file in UTF-8"):
        read_targets(tmp_path / "truth.jsonl")


# --- measuring -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured() -> tuple[list[Any], Speed]:
    """Five V domains and a whole chain, filled by Lacuna in two processes."""
    targets = mixed()
    assert len(targets[-1].seq) > DOMAIN
    return measure(
        "lacuna", WORKER, SETTINGS, targets, processes=2, whole_chains=True, with_truth=True
    )


@pytest.mark.slow
def test_processes_change_no_answer(measured: tuple[list[Any], Speed]) -> None:
    targets = mixed()
    questions = [t.question(with_truth=True) for t in targets]
    alone = lacuna_worker.load({**SETTINGS, "block_size": 100})(questions)
    assert sorted(measured[0], key=lambda a: a[:2]) == sorted(alone, key=lambda a: a[:2])
    assert [a[1] for a in measured[0] if a[0] == "lacuna"] == [t.id for t in targets]


def test_lacuna_and_its_baselines_fill_what_is_missing_alone(
    measured: tuple[list[Any], Speed],
) -> None:
    truth = {t.id: t for t in mixed()}
    assert {a[0] for a in measured[0]} == set(lacuna_worker.BASELINES) | {"lacuna"}
    for method, name, filled, told in measured[0]:
        seq, missing = truth[name].seq, truth[name].missing
        assert [i for i, x in enumerate(filled) if x != seq[i] and i not in missing] == []
        assert (told is not None) == (method == "lacuna")
        if method == "nearest_homolog":
            assert filled.count("X") == len(missing)  # no homologs were given
        else:
            # Germline chains: their segments are known; two segments may differ in a residue.
            assert sum(a != b for a, b in zip(filled, seq, strict=True)) <= 1


def test_the_thorough_mode_answers_for_itself_alone(large_network: Path) -> None:
    settings = {"method": "lacuna_thorough", "large_network": str(large_network)}
    questions = [t.question(with_truth=True) for t in mixed()]
    answers = lacuna_worker.load({**SETTINGS, **settings})(questions)
    assert [(a[0], a[1]) for a in answers] == [("lacuna_thorough", q["id"]) for q in questions]
    fast = [a for a in lacuna_worker.load(SETTINGS)(questions) if a[0] == "lacuna"]
    assert [a[3] for a in answers] != [a[3] for a in fast]  # probabilities


def test_whole_chains_are_not_timed_and_not_given_to_peers(
    measured: tuple[list[Any], Speed],
) -> None:
    speed = measured[1]
    assert (speed.method, speed.scaffolds, speed.processes) == ("lacuna", 5, 2)
    assert speed.seconds > 0 and 100 < speed.peak_mb < 4000
    found, other = measure(
        *("lacuna", WORKER, SETTINGS, [target(0), target(7, constant=True)]),
        **{"processes": 8, "whole_chains": False, "with_truth": True},
    )
    assert {a[1] for a in found} == {"H0"} and other.processes == 1
    with pytest.raises(LacunaError, match="no chain of 144 residues or fewer"):
        measure(
            *("lacuna", WORKER, SETTINGS, [target(7, constant=True)]),
            **{"processes": 1, "whole_chains": True, "with_truth": True},
        )


@pytest.mark.slow
def test_a_method_writes_its_answers_and_its_speed(tmp_path: Path) -> None:
    scaffolds = tmp_path / "truth.jsonl"
    scaffolds.write_text(record(id="x", seq=target(3).seq, missing=[4, 5]) + "\n")
    measure_method(
        *(scaffolds, tmp_path / "answers.tsv", tmp_path / "speed.json"),
        **{"method": "lacuna", "python": Path(sys.executable), "settings": SETTINGS},
        processes=2,
    )
    answers = {method: rest for method, *rest in read_answers(tmp_path / "answers.tsv")}
    assert answers["germline_copy"] == ["x", target(3).seq, None]
    assert len(answers["lacuna"][2]) == 2
    assert read_speed(tmp_path / "speed.json").scaffolds == 1


def test_answers_are_read_as_they_were_written(tmp_path: Path) -> None:
    answers = [("iglm", "a|1", "QV", [0.5, 0.25]), ("germline_copy", "a|1", "QX", None)]
    write_answers(tmp_path / "a.tsv", answers)
    assert list(read_answers(tmp_path / "a.tsv")) == answers


WORKER_CODE = """
import os, sys
from lacuna.benchmark.peer_worker import serve

def load(settings):
    print("loading")
    os.write(1, b"a library prints below Python")
    assert "CUDA_VISIBLE_DEVICES" in os.environ and os.environ["OMP_NUM_THREADS"] == "1"
    def fill(questions):
        print("filling")
        if settings["fails"]:
            sys.exit("no memory left")
        return [("m", q["id"], q["sequence"], [0.5]) for q in questions if "truth" not in q]
    return fill

serve(load)
"""


def test_what_a_library_prints_is_no_answer(tmp_path: Path) -> None:
    (tmp_path / "loud_worker.py").write_text(WORKER_CODE)
    command = [sys.executable, str(tmp_path / "loud_worker.py")]
    targets = [target(i) for i in range(3)]
    options = {"processes": 2, "whole_chains": False, "with_truth": False}
    found, _ = measure("m", command, {"fails": False}, targets, **options)
    assert found == [("m", t.id, t.scaffold, [0.5]) for t in targets]
    with pytest.raises(LacunaError, match="loud_worker.py: ended before it answered; see"):
        measure("m", command, {"fails": True}, targets, **options)
