"""What every rule of the workflow has, and what the files around the library contain."""

import re
from collections import Counter
from pathlib import Path

import pytest

from lacuna.benchmark.stages import STAGES

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "workflow" / "rules"
SCRIPTS = ROOT / "workflow" / "scripts"
TEMPLATES = ROOT / "workflow" / "report"
FILES = [ROOT / "Snakefile", *sorted(RULES.glob("*.smk"))]


def rules() -> dict[str, tuple[Path, str]]:
    """The file and the text of every rule by name (without its number, if made in a loop)."""
    found = {}
    for path in FILES:
        text = path.read_text()
        for block in re.findall(r"^    rule:\n((?:(?:     .*)?\n)+)", text, re.MULTILINE):
            body = re.sub("^    ", "", block, flags=re.MULTILINE)
            name = re.search(r'^    name:\n        f"(\w+)_\{', body, re.MULTILINE)
            assert name is not None
            found[name[1]] = path, body
        for match in re.finditer(
            r"^(?:rule|checkpoint) (\w+):\n((?:(?: .*)?\n)*)", text, re.MULTILINE
        ):
            found[match[1]] = path, match[2]
    return found


ALL = rules()
# A rule that only names files writes nothing and needs no log.
WORKING = sorted(name for name, (_, text) in ALL.items() if re.search(r"^    script:", text, re.M))


def directive(name: str, rule: str) -> str | None:
    """The content of a directive of a rule; None if the rule does not have it."""
    match = re.search(rf"^    {name}:(.*\n(?:        .*\n)*)", ALL[rule][1], re.MULTILINE)
    return match[1].strip() if match else None


def test_all_rules_are_found() -> None:
    declared = sum(
        len(re.findall(r"^\s*(?:rule|checkpoint)\b", p.read_text(), re.M)) for p in FILES
    )
    assert len(ALL) == declared >= 12
    assert set(ALL) - set(WORKING) == {"all", "pretrain"}
    assert not any(re.search("^checkpoint", p.read_text(), re.M) for p in FILES)


@pytest.mark.parametrize("rule", sorted(ALL))
def test_every_rule_says_in_a_line_what_it_does(rule: str) -> None:
    first = ALL[rule][1].splitlines()[0].strip()
    assert re.fullmatch(r'"""[A-Z].*\."""', first)
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rule)


@pytest.mark.parametrize("rule", WORKING)
@pytest.mark.parametrize("name", ["log", "benchmark", "conda", "resources", "script"])
def test_every_working_rule_has(rule: str, name: str) -> None:
    assert directive(name, rule)


@pytest.mark.parametrize("rule", WORKING)
def test_logs_and_benchmarks_have_a_place_of_their_own(rule: str) -> None:
    told = directive("output", rule) or ""
    for name, folder in (("log", "logs"), ("benchmark", "benchmarks")):
        path = directive(name, rule) or ""
        assert f'"{folder}"' in path and rule in path
        for wildcard in re.findall(r"\{(?:sample|block|wheel)\}", told):
            assert wildcard in path


@pytest.mark.parametrize("rule", WORKING)
def test_environments_and_scripts_exist(rule: str) -> None:
    for name in ("conda", "script"):
        path = (directive(name, rule) or "").strip('"')
        assert (RULES / path).is_file()


@pytest.mark.parametrize("rule", WORKING)
def test_a_change_of_its_code_re_runs_a_rule(rule: str) -> None:
    """Pretraining takes days and is left out, as its file says."""
    script = Path((directive("script", rule) or "").strip('"')).name
    code = re.search(r'^ +code=code\("(\w+\.py)"[,)]', ALL[rule][1], re.MULTILINE)
    if ALL[rule][0].name == "pretrain.smk":
        assert code is None
    else:
        found = code is not None and code[1] == script
        assert found, f'put code=code("{script}") into the params of {rule}'


def test_no_name_of_a_file_of_rules_is_that_of_another() -> None:
    """All files share their names: the later one would win."""
    names = [
        name
        for path in FILES
        for line in re.findall(r"^([A-Z][\w, ]*) = ", path.read_text(), re.MULTILINE)
        for name in line.split(", ")
    ]
    assert len(names) > 40
    assert [name for name, n in Counter(names).items() if n > 1] == []


def test_what_is_measured_re_runs_its_measurement() -> None:
    for rule in (rule for stage in STAGES.values() for rule in stage):
        assert rule in WORKING and (SCRIPTS / f"{rule}.py").is_file(), rule
    assert "*MEASURED)" in ALL["benchmark_scale"][1]


@pytest.mark.parametrize("rule", WORKING)
def test_other_content_of_the_users_files_re_runs_a_rule(rule: str) -> None:
    """File times are not enough: a file may be replaced during a run, or by an older one."""
    read = directive("input", rule) or ""
    params = directive("params", rule) or ""
    columns = {*re.findall(r'given\("(\w+)"\)|(?:\]|\bs)\.(\w+)', read)}
    for column in {a or b for a, b in columns}:
        found = re.search(rf'inputs=digests\([^)]*"{column}"', params)
        assert found, f'put inputs=digests("{column}") into the params of {rule}'


# What a rule's input says of a file that the configuration names, and what its digests are of.
CONFIGURED = {
    "weights()": '"train.from"',
    'resource("library")': '"library"',
    'resource("train.from")': '"train.from"',
    'COMPARED["homologs"]': '"peers.homologs"',
    "large_network()": "*ASKED",
}


@pytest.mark.parametrize("rule", WORKING)
def test_other_content_of_configured_files_re_runs_a_rule(rule: str) -> None:
    if ALL[rule][0].name == "pretrain.smk":  # as with its code
        return
    read, params = (directive(name, rule) or "" for name in ("input", "params"))
    digests = re.search(r"inputs=digests\(([^)]*)", params)
    for said, key in CONFIGURED.items():
        found = said not in read or (digests and key in digests[1])
        assert found, f"put inputs=digests({key}) into the params of {rule}"


@pytest.mark.parametrize("rule", WORKING)
def test_every_rule_says_how_much_memory_it_takes(rule: str) -> None:
    assert re.search(r"\bmem_mb=", directive("resources", rule) or "")


def test_training_alone_asks_for_a_gpu() -> None:
    asking = {rule for rule in WORKING if re.search(r"\bgpu=", directive("resources", rule) or "")}
    assert asking == {"train_model", "train_teacher", "pretrain_model"}


@pytest.mark.parametrize("rule", ["train_model", "train_teacher", "pretrain_model"])
def test_trained_weights_depend_on_the_threads_asked_for_and_not_on_the_cores(rule: str) -> None:
    script = SCRIPTS / Path((directive("script", rule) or "").strip('"')).name
    assert "snakemake.threads" not in script.read_text()
    assert re.search(r'\bthreads=\w+\["threads"\]', directive("params", rule) or "")


@pytest.mark.parametrize("template", sorted(p.name for p in TEMPLATES.iterdir() if p.is_file()))
def test_a_change_of_a_template_re_runs_the_rule_that_reads_it(template: str) -> None:
    assert any(template in (directive("input", rule) or "") for rule in WORKING)


def test_what_the_report_of_snakemake_shows_has_a_caption() -> None:
    text = "".join(path.read_text() for path in FILES)
    named = set(re.findall(r'\bshown\(\s*"(\w+)"', text))
    assert {f"{name}.rst" for name in named} == {p.name for p in (TEMPLATES / "captions").iterdir()}
    made = [line for rule in WORKING for line in (directive("output", rule) or "").splitlines()]
    tables = [x for x in made if re.search(r'OUT / "\{sample\}" / "\w+\.(tsv|fasta)"', x)]
    assert len(tables) >= 12
    assert [line for line in tables if "shown(" not in line] == [], "write them by shown(...)"


@pytest.mark.parametrize("rule", WORKING)
def test_a_moved_clone_re_runs_no_rule(rule: str) -> None:
    """A parameter with the path of the clone would re-run it."""
    assert not re.search(r"\b(ROOT|resource)\b", directive("params", rule) or "")


def test_no_program_stands_inside_a_rule() -> None:
    for path in FILES:
        assert not re.search(r"^    (run|shell):", path.read_text(), re.MULTILINE), path.name


def test_the_snakefile_is_a_table_of_contents() -> None:
    text = (ROOT / "Snakefile").read_text()
    assert len(text.splitlines()) < 30
    included = re.findall(r'include: "workflow/rules/(\w+\.smk)"', text)
    assert sorted(included) == [p.name for p in FILES[1:]]


@pytest.mark.parametrize("script", sorted(p.name for p in SCRIPTS.glob("*.py")))
def test_scripts_are_adapters(script: str) -> None:
    text = (SCRIPTS / script).read_text()
    assert "from lacuna." in text and "def " not in text
    assert script in {Path((directive("script", rule) or "").strip('"')).name for rule in WORKING}
    named = re.match(r'"""Adapter of rules? (.+)\."""', text)
    assert named is not None and set(re.split(", | and ", named[1])) <= set(ALL)
