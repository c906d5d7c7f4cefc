"""Draw the pictures of README.md and docs/, all but that of the report, into docs/pictures.

    PYTHONPATH=workflow/scripts python docs/tools/pictures.py [RESULTS]

Figures come from the tables of the documents, so that a picture and its table agree. The chains are
those of resources/examples/top_down, filled anew, and of RESULTS (`results` if it is not given),
the output of `make run`. The rules are those that Snakemake names. Each picture has a white
ground of its own, for light and dark pages.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import matplotlib
import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lacuna.core.alphabet import MISSING_LETTER
from lacuna.core.paths import REPORT_TEMPLATES
from lacuna.core.statistics import wilson_interval
from lacuna.core.tables import EVIDENCE_TABLE
from lacuna.results.report.chain import Chain
from lacuna.results.report.chains import read_chains, with_evidence
from lacuna.results.report.map import draw
from lacuna.steps.one_file import fill_file

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
PICTURES = DOCS / "pictures"
TOP_DOWN = ROOT / "resources" / "examples" / "top_down"
V_DOMAIN = 120  # residues of a chain that a picture shows
CARD = ROOT / "resources" / "weights" / "open" / "README.md"
TITLE = 26  # height of the line above a map

INK, SOFT, FAINT, MODEL = "#1b1b1a", "#5e5b55", "#dad6cd", "#0b5a9c"
# Colours that colour-blind readers tell apart, and marks that do without colour.
MARKS = (
    *((MODEL, "o"), ("#d55e00", "s"), ("#009e73", "^"), ("#cc79a7", "D"), ("#7b766d", "x")),
    *(("#56b4e9", "v"), ("#e69f00", "P"), ("#000000", "*")),
)
STYLE = {
    "svg.fonttype": "none",  # letters stay text, and the file small
    "svg.hashsalt": "lacuna",  # the same picture has the same bytes
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
}


# --- tables of the documents ---------------------------------------------------------------------


def table_after(page: Path, words: str) -> list[list[str]]:
    """The cells of the first table behind `words` on a page, header first."""
    text = page.read_text(encoding="utf-8")
    lines = text[text.index(words) :].splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[first:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return [rows[0], *rows[2:]]


def accuracy(page: Path = DOCS / "explanation" / "peers.md") -> Figure:
    """Accuracy of each method in each protocol, with its interval."""
    header, *rows = table_after(page, "# Comparison with language models")
    protocols = [name for name in header if re.match(r"(gap|nterm|random)\d+$", name)]
    names = {"gap": "gap of ", "nterm": "N-terminal ", "random": "scattered "}
    labels = [re.sub(r"[a-z]+", lambda m: names[m[0]], name) for name in protocols]
    figure, axes = blank(7.6, 4.6)
    for i, method in enumerate(rows):
        colour, mark = MARKS[i]
        cells = [method[header.index(name)] for name in protocols]
        shares = [tuple(map(float, re.findall(r"[\d.]+", cell))) for cell in cells]
        heights = [
            y + ((len(rows) - 1) / 2 - i) * 0.7 / len(rows) for y in range(len(protocols), 0, -1)
        ]
        errors = [[s - low for s, low, _ in shares], [high - s for s, _, high in shares]]
        axes.errorbar(
            [s for s, _, _ in shares],
            heights,
            xerr=errors,
            fmt=mark,
            color=colour,
            markersize=5,
            elinewidth=1.4,
            label=re.sub(r" [\d.]+$", "", method[0]),
        )
    axes.set_yticks(range(len(protocols), 0, -1), labels)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("share of residues that are right, with 95 % intervals")
    figure.legend(loc="outside upper center", ncols=len(rows), handletextpad=0.3, columnspacing=1)
    return figure


def calibration(page: Path = CARD) -> Figure:
    """Share that is right in each tenth of probability, with its interval."""
    _, *rows = table_after(page, "in tenths of probability")
    figure, axes = blank(4.6, 4.4)
    axes.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1, label="as promised")
    means, counts, right = zip(*((float(m), int(n), int(k)) for _, m, n, k in rows), strict=True)
    shares = [k / n for k, n in zip(right, counts, strict=True)]
    ends = [wilson_interval(k, n) for k, n in zip(right, counts, strict=True)]
    errors = [
        [max(s - low, 0) for s, (low, _) in zip(shares, ends, strict=True)],
        [max(high - s, 0) for s, (_, high) in zip(shares, ends, strict=True)],
    ]
    axes.errorbar(means, shares, yerr=errors, fmt="o", color=MODEL, markersize=5, label="Lacuna")
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set_xlabel("probability given")
    axes.set_ylabel("share that is right, with 95 % intervals")
    axes.legend(loc="upper left")
    return figure


def blank(width: float, height: float) -> tuple[Figure, Axes]:
    """An empty figure of so many inches, and its axes."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


# --- rules ---------------------------------------------------------------------------------------


def rule_graph() -> str:
    """The rules of the bundled run and what each needs, as Snakemake prints them."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "mermaid-js", "--forceall"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def rules(mermaid: str) -> Figure:
    """The rules in layers: each is right of all that it needs."""
    names = dict(re.findall(r"^\s*(id\d+)\[(\w+)\]$", mermaid, re.MULTILINE))
    arrows = re.findall(r"^\s*(id\d+) --> (id\d+)$", mermaid, re.MULTILINE)
    graph = nx.DiGraph(sorted((names[before], names[after]) for before, after in arrows))
    graph.remove_node("all")  # it needs nearly every rule
    graph = nx.transitive_reduction(graph)  # what is needed by way of another is not drawn
    places = layered(graph)
    figure = Figure(figsize=(11, 2.8))
    axes = figure.add_axes((0, 0, 1, 1))
    box = {"boxstyle": "round,pad=0.4", "facecolor": "#eaf2fa", "edgecolor": MODEL}
    boxes = {}
    for name, (x, y) in places.items():
        text = name.replace("_", "\n")
        drawn = axes.text(x, y, text, ha="center", va="center", fontsize=8.5, bbox=box)
        boxes[name] = drawn.get_bbox_patch()
    for before, after in graph.edges:
        ends = {"patchA": boxes[before], "patchB": boxes[after]}
        arrow = {"arrowstyle": "-|>", "color": SOFT, "shrinkA": 1, "shrinkB": 1, **ends}
        axes.annotate("", places[after], places[before], arrowprops=arrow)
    axes.set_axis_off()
    axes.plot(*zip(*places.values(), strict=True), linestyle="")  # text alone sets no limits
    axes.margins(0.05, 0.2)
    return figure


def layered(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """A place for each node: x by its layer, y near those that it follows."""
    places: dict[str, tuple[float, float]] = {}

    def height(node: str) -> tuple[float, str]:
        before = [places[n][1] for n in graph.predecessors(node)]
        return (sum(before) / len(before) if before else 0.0, node)

    for x, layer in enumerate(nx.topological_generations(graph)):
        ordered = sorted(layer, key=height)
        for i, node in enumerate(ordered):
            places[node] = (float(x), i - (len(ordered) - 1) / 2)
    return places


# --- chains --------------------------------------------------------------------------------------


def filled(fasta: Path) -> Chain:
    """The first chain of a file, filled in double precision with C unmodified."""
    with tempfile.TemporaryDirectory(prefix="lacuna-pictures-") as folder:
        out = Path(folder) / "out"
        inputs = {"fasta": fasta, "truth": TOP_DOWN / "truth.fasta"}
        fill_file(inputs, out, {"precision": "float64", "alkylation": "none"})
        return chain_in(out)


def chain_in(folder: Path) -> Chain:
    """The first chain of a sample's folder, with its evidence if it has any."""
    names = ("filled.fasta", "chains.tsv", "gaps.tsv", "residues.tsv")
    chains: Iterable[Chain] = read_chains(*(folder / name for name in names))
    if (folder / "evidence.tsv").exists():
        chains = with_evidence(chains, EVIDENCE_TABLE.read(folder / "evidence.tsv"))
    return next(iter(chains))


def as_scaffold(chain: Chain) -> Chain:
    """The chain before it was filled: its missing residues are open, its codes as they were."""
    letters = list(chain.sequence)
    missing = []
    for r in chain.residues:
        letters[r.position - 1] = r.code or MISSING_LETTER
        if not r.code:
            missing.append(
                replace(r, letter=MISSING_LETTER, probability=0, second="", germline="", truth="")
            )
    return replace(chain, sequence="".join(letters), residues=tuple(missing))


def beginning(chain: Chain, length: int = V_DOMAIN) -> Chain:
    """The first residues of a chain."""
    bands = [replace(b, last=min(b.last, length)) for b in chain.bands if b.first <= length]
    doubts = [d for d in chain.evidence.doubts if d.position <= length]
    evidence = replace(
        chain.evidence, doubts=tuple(doubts), depths=tuple(chain.evidence.depths[:length])
    )
    return replace(
        chain,
        sequence=chain.sequence[:length],
        residues=tuple(r for r in chain.residues if r.position <= length),
        bands=tuple(bands),
        evidence=evidence,
    )


def maps(chains: Mapping[str, Chain]) -> str:
    """The maps of chains, one below the other, each under its title, as one SVG."""
    style = (REPORT_TEMPLATES / "report.css").read_text(encoding="utf-8")
    light = between(style, "exported map is drawn in */", "/* end of light */")
    parts, y, width = [], 0, 0
    for title, chain in chains.items():
        drawn = draw(beginning(chain))
        (size,) = re.findall(r'width="(\d+)" height="(\d+)" role', drawn)
        parts.append(f'<text class="title" x="8" y="{y + 18}">{title}</text>')
        parts.append(drawn.replace('class="map"', f'class="map" x="0" y="{y + TITLE}"'))
        width, y = max(width, int(size[0]) + 8), y + TITLE + int(size[1]) + 6
    rules = light.replace(":root", "svg") + between(style, "/* map */", "/* end of map */")
    rules += ".title { font: 600 14px sans-serif; fill: var(--ink); }"
    size = f'viewBox="0 0 {width} {y}" width="{width}" height="{y}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><style>{rules}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def between(text: str, start: str, stop: str) -> str:
    """What is between two marks of a text."""
    return text.partition(start)[2].partition(stop)[0]


# --- files ---------------------------------------------------------------------------------------


def save(name: str, figure: Figure) -> None:
    """Write a figure to docs/pictures, the same bytes each time."""
    figure.savefig(PICTURES / name, facecolor="white", metadata={"Date": None, "Creator": None})


def main(results: Path) -> None:
    """Draw all pictures."""
    with matplotlib.rc_context(STYLE):
        save("peers.svg", accuracy())
        save("calibration.svg", calibration())
        save("rules.svg", rules(rule_graph()))
    total, cleavages = (filled(TOP_DOWN / f"{name}.fasta") for name in ("total", "cleavages"))
    stories = {
        "before-after.svg": {
            "Before: two gaps of known mass, and J for I or L": as_scaffold(cleavages),
            "After": cleavages,
        },
        "top-down.svg": {"By total masses": total, "With one cleavage in each gap": cleavages},
        "from-reads.svg": {"Heavy chain": chain_in(results / "benralizumab_simulated")},
    }
    for name, chains in stories.items():
        (PICTURES / name).write_text(maps(chains), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "results")
