"""The documents are right: paths, functions, commands and versions that they name exist."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from lacuna.core.paths import SCRIPTS, WORKFLOW

ROOT = WORKFLOW.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = re.findall(r"`([^`\n]+)`", CONTRIBUTING)
ABSENT = {"workflow/Snakefile", "config/README.md"}  # CONTRIBUTING says that these do not exist
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def place(path: str) -> Path:
    """A path as written in CONTRIBUTING.md."""
    return (SCRIPTS if path.startswith("lacuna/") else ROOT) / path


@cache
def names_in(path: Path) -> frozenset[str]:
    """Functions, classes and constants at the top of a module."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found.update(target.id for target in targets if isinstance(target, ast.Name))
    return frozenset(found)


def load(path: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    return loaded


PATHS = {text.partition(":")[0] for text in CODE if "/" in text and not re.search(r"[ {]", text)}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_a_path_in_contributing_exists(path: str) -> None:
    assert place(path).exists() != (path in ABSENT)
    assert place(path).is_dir() == path.endswith("/")


def test_a_module_in_a_page_exists() -> None:
    """Named from the root of the repository, from the package's folder or from the page's own."""
    places = (ROOT, SCRIPTS, SCRIPTS / "lacuna")
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "resources").rglob("*.md"),
    ]
    for page in sorted(pages):
        named = re.findall(r"`([\w/]+/\w+\.py)", page.read_text(encoding="utf-8"))
        gone = {
            name for name in named if not any((x / name).is_file() for x in (*places, page.parent))
        }
        assert not gone, f"{page}: {sorted(gone)}"


def test_a_module_in_a_docstring_exists() -> None:
    """Named from the folder of the module, or from one above it."""
    kinds = ast.Module | ast.ClassDef | ast.FunctionDef
    for path in sorted(WORKFLOW.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            about = ast.get_docstring(node) or "" if isinstance(node, kinds) else ""
            for named in re.findall(r"`([\w./]+\.py)`", about):
                folders = path.relative_to(ROOT).parents
                assert any((ROOT / folder / named).is_file() for folder in folders), (path, named)


def test_a_benchmark_in_a_comment_exists() -> None:
    """Those by which constants are measured."""
    files = sorted((SCRIPTS / "lacuna").rglob("*.py"))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"tests/benchmarks/\w+\.py", text))
    assert len(named) > 5 and all((ROOT / path).is_file() for path in named), named


def test_every_benchmark_has_help() -> None:
    for path in (ROOT / "tests" / "benchmarks").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert re.search(r"\.parse_args\(|\*given_paths\(__doc__", text), path
        assert "sys.argv" not in text.replace("main(sys.argv[1:])", ""), path


def test_a_function_in_contributing_exists() -> None:
    named = [text.split(":") for text in CODE if re.fullmatch(r"\S+\.py:\w+", text)]
    pairs = re.findall(r"`([A-Za-z_]\w*)`\s+in\s+`(lacuna/\S+\.py)`", CONTRIBUTING)
    named += [[path, name] for name, path in pairs]
    assert len(named) > 30
    assert [x for x in named if x[1] not in names_in(place(x[0]))] == []
    assert {"UNSEEN", "PEERS", "TITLES", "OF_TOOLS", "FREE"} <= {name for name, _ in pairs}


def test_a_candidates_mass_error_is_where_contributing_says() -> None:
    [where] = re.findall(r"a candidate's mass error.*\| `(\S+):(\w+)` \|", CONTRIBUTING)
    source = place(where[0]).read_text(encoding="utf-8")
    [function] = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == where[1]
    ]
    assert "1e6 *" in (ast.get_source_segment(source, function) or "")


def test_rules_and_targets_in_contributing_exist() -> None:
    rules = "".join(path.read_text() for path in (WORKFLOW / "rules").glob("*.smk"))
    flow = CONTRIBUTING.partition("## How data flows")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| [^|]+ \| ([^|]+) \|", flow, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`(\w+?)(?:_\.\.\.)?`", cell)]
    assert len(named) > 10
    known = re.findall(r'^rule (\w+):|f"(fill_pack)_\{', rules, re.MULTILINE)
    gone = set(named) - {a or b for a, b in known}
    assert not gone, f"no rules, but in CONTRIBUTING.md: {sorted(gone)}"
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"\bmake ([a-z]+)\b(?=[`,\s])", "\n".join(CODE))) <= set(targets)
    assert {"check", "test", "setup", "format"} <= set(targets)


def test_every_package_of_the_code_and_folder_of_tests_is_in_contributing() -> None:
    modules = (SCRIPTS / "lacuna").glob("*/**/*.py")
    packages = {f"{path.parent.relative_to(SCRIPTS)}/" for path in modules}
    folders = {f"tests/{path.parent.name}/" for path in (ROOT / "tests").glob("*/*.py")}
    untold = (packages | folders) - PATHS
    assert not untold, f"name in CONTRIBUTING.md: {sorted(untold)}"


def test_pytest_looks_into_every_folder_of_tests() -> None:
    paths = PROJECT["tool"]["pytest"]["ini_options"]["testpaths"]
    tests = (p.relative_to(ROOT) for p in (ROOT / "tests").rglob("test_*.py"))
    assert {f"tests/{path.parts[1]}" for path in tests} == set(paths)


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "CHANGELOG.md", "README.md"])
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)", text)
    assert [x for x in links if "://" not in x and not (ROOT / x).exists()] == []


def test_there_is_one_version() -> None:
    version = PROJECT["project"]["version"]
    assert load("CITATION.cff")["version"] == version
    assert version in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_citation_says_what_the_package_says() -> None:
    citation = load("CITATION.cff")
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    names = [author["name"] for author in citation["authors"]]
    assert names == [author["name"] for author in PROJECT["project"]["authors"]]


def test_github_runs_the_commands_that_a_person_runs() -> None:
    jobs = load(".github/workflows/checks.yml")["jobs"]
    runs = {name: [s["run"] for s in job["steps"] if "run" in s] for name, job in jobs.items()}
    assert runs == {"check": ["make check"], "test": [".ci/run"]}
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    for job in jobs.values():
        assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"


def test_the_image_has_what_a_run_needs_and_nothing_else() -> None:
    """It is not built here: this compares what the Dockerfile names with what there is."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {path for line in re.findall(r"^COPY (.+) \S+$", text, re.M) for path in line.split()}
    assert {path for path in copied if not (ROOT / path).exists()} == set()
    sent = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.M)
    assert sorted(sent) == sorted(copied) and {"Snakefile", "workflow", "resources"} <= copied
    base = re.findall(r"^FROM python:(3\.\d+)-slim$", text, re.M)
    assert base and SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{base[0]}.0")
    [cut] = re.findall(r"sed '/\^(# --- .+)/,\$d' requirements\.txt", text)
    before, mark, after = (ROOT / "requirements.txt").read_text(encoding="utf-8").partition(cut)
    assert mark and "snakemake==" in before and "torch==" in before
    assert "pytest" not in before and "pytest==" in after


def test_git_ignores_what_the_commands_of_the_documentation_write() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    texts = (page.read_text(encoding="utf-8") for page in pages)
    named = {name for text in texts for name in re.findall(r"(?:outdir=|--out )(\w+)", text)}
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {"out", "filled"} <= named <= {line.strip("/") for line in ignored}


def test_hooks_before_a_commit_are_tools_of_the_environment() -> None:
    [repo] = load(".pre-commit-config.yaml")["repos"]
    assert repo["repo"] == "local"
    pinned = re.findall(r"^([\w-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    for hook in repo["hooks"]:
        assert hook["language"] == "system"
        assert re.fullmatch(r"\.venv/bin/(\S+).*", hook["entry"])[1] in pinned  # type: ignore[index]


@pytest.mark.parametrize("form", [f for f in FORMS if f.stem != "config"], ids=lambda f: f.stem)
def test_an_issue_form_is_one(form: Path) -> None:
    told = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= set(told)
    asked = [field for field in told["body"] if field["type"] != "markdown"]
    names = [field["id"] for field in asked]
    assert len(set(names)) == len(names)
    assert all(field["attributes"]["label"] for field in asked)
    assert form.stem == "feature" or "version" in names


def test_the_issue_forms_ask_for_what_tells_the_cause() -> None:
    assert [form.stem for form in FORMS] == ["bug", "config", "feature", "wrong-answer"]
    assert "summary.txt" in (FORMS[3]).read_text() and "last line" in (FORMS[0]).read_text()
