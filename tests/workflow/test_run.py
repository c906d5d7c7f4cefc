"""Two tiny samples through the whole workflow: every documented file."""

import re
from pathlib import Path

import pytest
import yaml
from runs import RUN_JOBS, SAMPLE_JOBS, Run, Workspace, snakemake

from chains import fasta, germline_chain, hidden, mutated
from lacuna.core.alphabet import RESIDUES
from lacuna.core.paths import WEIGHTS
from lacuna.core.tables import ACCURACY_TABLE, CHAIN_TABLE, GAP_TABLE, REJECTED_TABLE, RESIDUE_TABLE

pytestmark = pytest.mark.workflow

LIGHT = mutated(germline_chain("K", 1), 5, 1)
WHOLE = {
    "heavy": germline_chain("H", 2, constant=True),
    "nanobody": germline_chain("H", 3, species="alpaca"),
}
SCAFFOLDS = {
    "heavy a whole heavy chain": hidden(WHOLE["heavy"], [(0, 4), (60, 70), (300, 310)]),
    "nanobody": hidden(WHOLE["nanobody"], [(30, 33), (100, 108)]),
}
HIDDEN = [(20, 25), (90, 94)]  # of the light chain


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A sheet with a sample with truth and homologs, and a sample of scaffolds with neither."""
    space = Workspace(tmp_path_factory.mktemp("run"))
    space.write("data/light.fasta", fasta({"light": LIGHT}))
    space.write("data/gaps.bed", "".join(f"light\t{a}\t{b}\n" for a, b in HIDDEN))
    homologs = {f"h{i}": mutated(germline_chain("K", i), 12, i) for i in range(4)}
    space.write("data/homologs.fasta", fasta({"target": LIGHT, **homologs}))
    space.write("data/scaffolds.fasta", fasta(SCAFFOLDS))
    known = {"sample": "known", "fasta": "light.fasta", "gaps": "gaps.bed"}
    space.sheet(
        known | {"homologs": "homologs.fasta", "alkylation": "none"},
        {"sample": "open-2.1", "fasta": "scaffolds.fasta"},
        name="data/samples.tsv",
    )
    space.config(samples="data/samples.tsv", seed_lstm={"samples": ["known"], "epochs": 1})
    return space


@pytest.fixture(scope="module")
def finished(space: Workspace) -> Run:
    return space.run("--resources", "gpu=0")


@pytest.fixture
def out(space: Workspace, finished: Run) -> Path:
    return space.folder / "out"


def test_every_file_of_a_run_is_there(out: Path) -> None:
    names = ("filled.fasta", "residues.tsv", "gaps.tsv", "accuracy.tsv", "rejected.tsv")
    wanted = {f"{sample}/{name}" for sample in ("known", "open-2.1") for name in names}
    wanted |= {"accuracy.tsv", "report.html", "known/seed_lstm"}
    assert {name for name in wanted if not (out / name).exists()} == set()


def test_tables_have_their_columns(space: Workspace, out: Path) -> None:
    for sample in ("known", "open-2.1"):
        assert space.columns(f"{sample}/residues.tsv") == list(RESIDUE_TABLE.names)
        assert space.columns(f"{sample}/gaps.tsv") == list(GAP_TABLE.names)
        assert space.columns(f"{sample}/chains.tsv") == list(CHAIN_TABLE.names)
        assert space.columns(f"{sample}/accuracy.tsv") == list(ACCURACY_TABLE.names)
        assert space.columns(f"{sample}/rejected.tsv") == list(REJECTED_TABLE.names)
        assert space.rows(f"{sample}/rejected.tsv") == []
    assert space.columns("accuracy.tsv") == ["sample", *ACCURACY_TABLE.names]


def test_all_gaps_are_filled_and_nothing_observed_is_altered(space: Workspace, out: Path) -> None:
    filled = space.chains("open-2.1")
    assert list(filled) == list(SCAFFOLDS)
    for name, scaffold in SCAFFOLDS.items():
        assert len(filled[name]) == len(scaffold) and set(filled[name]) <= set(RESIDUES)
        assert all(a in ("X", b) for a, b in zip(scaffold, filled[name], strict=True))
    assert filled["heavy a whole heavy chain"][300:310] == WHOLE["heavy"][300:310]
    rows = space.rows("open-2.1/residues.tsv")
    positions = [int(r["position"]) for r in rows if r["chain"] == "nanobody"]
    assert positions == [*range(31, 34), *range(101, 109)]
    assert {r["truth"] for r in rows} == {""}
    assert [r["missing"] for r in space.rows("open-2.1/chains.tsv")] == ["24", "11"]


def test_accuracy_shows_the_model_beside_its_baselines(space: Workspace, out: Path) -> None:
    rows = space.rows("known/accuracy.tsv")
    overall = {(r["method"], r["protocol"]): r for r in rows if r["scope"] == "overall"}
    baselines = ["germline_copy", "nearest_homolog", "column_majority", "seed_lstm"]
    assert list(overall) == [(m, "scaffold") for m in ("lacuna", *baselines)] + [
        ("seed_lstm", "true_context")
    ]
    assert {r["n_residues"] for r in overall.values()} == {"9"}
    told = space.rows("known/residues.tsv")
    assert "".join(r["truth"] for r in told) == "".join(LIGHT[a:b] for a, b in HIDDEN)
    right = sum(r["residue"] == r["truth"] for r in told)
    assert overall["lacuna", "scaffold"]["n_correct"] == str(right)
    assert right >= 5  # nine would mean that the target among the homologs was used
    assert space.rows("open-2.1/accuracy.tsv") == []
    assert {r["sample"] for r in space.rows("accuracy.tsv")} == {"known"}


def test_the_target_among_its_homologs_is_not_seen(space: Workspace, out: Path) -> None:
    rows = space.rows("known/accuracy.tsv")
    nearest = next(r for r in rows if r["method"] == "nearest_homolog" and r["scope"] == "overall")
    relative = mutated(germline_chain("K", 1), 12, 1)
    right = sum(LIGHT[i] == relative[i] for a, b in HIDDEN for i in range(a, b))
    assert nearest["n_correct"] == str(right) != "9"


def test_the_tutorial_model_reports_as_the_notebook_does(out: Path) -> None:
    report = out / "known" / "seed_lstm" / "00000"
    names = {p.name for p in report.iterdir()}
    assert {
        "alphabet.tsv",
        "before.txt",
        "after.txt",
        "kmers_train.tsv",
        "kmers_test.tsv",
        "training_curve.tsv",
        "model_summary.txt",
    } <= names
    curve = [line.split("\t") for line in (report / "training_curve.tsv").read_text().splitlines()]
    assert {row[curve[0].index("epoch")] for row in curve[1:]} == {"1"}


def test_the_run_ends_with_a_line_per_sample(finished: Run, out: Path) -> None:
    lines = finished.output.splitlines()
    known = next(x for x in lines if x.startswith("known: 1 chain, 9 of 9 missing residues"))
    for method in ("lacuna", "germline_copy", "nearest_homolog", "column_majority", "seed_lstm"):
        assert re.search(rf"\b{method} \d/9 \(\d\.\d{{3}}\)", known)
    lacked = "of 2 chains, 1 lacked the N terminus and 2 lacked residues inside"
    said = f"open-2.1: 2 chains, 35 of 35 missing residues filled; {lacked}"
    species = "species of the nearest germlines: 1 human, 1 alpaca"
    assert f"{said}; accuracy unknown (no truth given); {species}" in lines
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Species of the nearest germline: 1 human, 1 alpaca." in page
    told = (out / "summary.txt").read_text().splitlines()
    assert told[0] == known and told[-1] == "weights: open (licence: CC BY 4.0)"
    assert told[-1] in lines


def test_the_report_stands_for_itself(out: Path) -> None:
    page = (out / "report.html").read_text()
    assert "<html" in page and "known" in page and "open-2.1" in page


def test_the_report_names_what_the_sheet_states_beside_the_settings(out: Path) -> None:
    page = (out / "report.html").read_text()
    rows = dict(re.findall(r'<tr><th scope="row" class="one">(.+?)</th><td>(.*?)</td></tr>', page))
    assert (rows["alkylation"], rows["known: alkylation"]) == ("auto", "none")
    assert not [name for name in rows if name.startswith("open-2.1") or "species" in name]


def test_every_job_leaves_a_log_and_a_benchmark_and_no_scratch_files(out: Path) -> None:
    for rule, name in (
        ("read_scaffolds", "known"),
        ("write_kmers", "known.00000"),
        ("fill_gaps", "open-2.1.00000"),
        ("train_seed", "known"),
        ("measure_accuracy", "open-2.1"),
    ):
        assert (out / "logs" / rule / f"{name}.log").exists()
        assert (out / "benchmarks" / rule / f"{name}.tsv").stat().st_size
    left = [p.name for p in (out / "open-2.1").rglob("*") if p.is_file()]
    tables = ["filled.fasta", *(f"{t}.tsv" for t in ("residues", "gaps", "chains", "masses"))]
    tables.append("accuracy.tsv")
    kept = ["scored.tsv.gz" for _ in (out / "open-2.1" / "blocks").iterdir()]
    assert kept and sorted(left) == sorted([*tables, "rejected.tsv", "alkylation.json", *kept])


def test_the_settings_are_beside_the_results(space: Workspace, out: Path) -> None:
    told = yaml.safe_load((out / "config.yaml").read_text())
    assert told == space.settings()
    assert told["samples"] == "data/samples.tsv" and told["candidates"] == 5


def test_a_run_by_the_settings_that_it_left_replaces_them(space: Workspace, out: Path) -> None:
    """A run of another target, or with nothing to do, does not replace them."""
    left = ("--configfile", str(out / "config.yaml"))
    before = (out / "config.yaml").read_bytes()
    assert space.run(*left).jobs() == {}
    report = out / "report.html"
    page = report.read_bytes()
    changed = ("--config", "block_size=7", "--rerun-triggers", "mtime")
    report.unlink()
    space.run(str(Path("out") / "report.html"), *left, *changed)
    assert (out / "config.yaml").read_bytes() == before
    report.unlink()
    assert set(space.run(*left, *changed).jobs()) == {"all", "write_report", "join_accuracy"}
    assert report.read_bytes() == page
    wanted = before.replace(b"block_size: 10000", b"block_size: 7")
    assert (out / "config.yaml").read_bytes() == wanted != before
    (out / "config.yaml").write_bytes(before)


def test_a_second_run_does_nothing(space: Workspace, out: Path) -> None:
    again = space.run()
    assert "Nothing to be done" in again.output and again.jobs() == {}


def test_a_new_sample_runs_its_own_jobs_alone(space: Workspace, out: Path) -> None:
    sheet = space.folder / "data" / "samples.tsv"
    before = sheet.read_text()
    try:
        sheet.write_text(before + "third\tscaffolds.fasta\n")
        planned = space.run("--dry-run")
    finally:
        sheet.write_text(before)
    assert planned.jobs() == SAMPLE_JOBS | RUN_JOBS
    assert set(re.findall(r"wildcards: sample=([^,\n]+)", planned.output)) == {"third"}


def test_a_new_setting_of_one_step_re_runs_what_follows_from_it(
    space: Workspace, out: Path
) -> None:
    planned = space.run("--dry-run", "--config", "candidates=2")
    assert {"fill_gaps", "join_blocks", "write_report"} <= set(planned.jobs())


def test_a_config_file_and_outdir_from_anywhere(space: Workspace, tmp_path: Path) -> None:
    """`--configfile` takes precedence over the workflow's own config.yaml."""
    config = space.config(
        "other.yaml",
        samples=str(space.folder / "data" / "samples.tsv"),
        outdir=str(tmp_path / "elsewhere"),
        seed_lstm={"samples": []},
    )
    planned = snakemake("--cores", "1", "--dry-run", "--configfile", str(config))
    assert planned.jobs()["fill_gaps"] == 2 and "train_seed" not in planned.jobs()
    assert str(tmp_path / "elsewhere" / "known" / "filled.fasta") in planned.output
    assert not (tmp_path / "elsewhere").exists()


def test_samples_and_outdir_from_the_command_line(space: Workspace, tmp_path: Path) -> None:
    sheet = space.folder / "data" / "samples.tsv"
    settings = [f"samples={sheet}", f"outdir={tmp_path / 'out'}"]
    planned = space.run("--dry-run", "--config", *settings)
    assert planned.jobs()["read_scaffolds"] == 2
    assert str(tmp_path / "out" / "known" / "filled.fasta") in planned.output


def test_weights_are_trained_in_the_run_where_that_is_wanted(space: Workspace, out: Path) -> None:
    """From scratch, on simulated chains and the homologs, and never on a GPU with gpu=0.

    They depend on threads and not on the cores, with sizes at which two threads sum in another
    order than one.
    """
    settings = {
        "samples": "data/samples.tsv",
        "train": {"from": None, "steps": 4, "batch_size": 32, "chains": 100},
        "model": {"channels": 64, "hidden": 64},
    }
    weights = []
    for cores, wanted in ((1, "model/lacuna.safetensors"), (2, "open-2.1/filled.fasta")):
        config = space.config(f"cores{cores}.yaml", outdir=f"cores{cores}", **settings)
        chosen = ("--resources", "gpu=0", "--configfile", str(config))
        run = space.run(f"cores{cores}/{wanted}", *chosen, cores=cores)
        assert {"encode_training": 1, "train_model": 1}.items() <= run.jobs().items()
        trained = space.folder / f"cores{cores}"
        assert " on cpu " in (trained / "logs" / "train_model.log").read_text()
        weights.append((trained / "model" / "lacuna.safetensors").read_bytes())
    assert weights[0] == weights[1]
    assert len(weights[0]) < WEIGHTS.stat().st_size / 3
    assert (trained / wanted).read_text() != (out / wanted).read_text()
    planned = space.run("--dry-run", *chosen, "--config", "threads=1").jobs()
    assert "train_model" in planned and "encode_training" not in planned
