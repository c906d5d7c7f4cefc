"""Which constants matter: chains from reads, with each number of a module changed in turn.

    python tests/benchmarks/constants.py MODULE [--names MIN_GAIN,OFTEN] [--factors 0.5,2]
        [--digest one] [--kinds WORD] [--antibodies 3] [--mixed] [--seed 1]

MODULE is one of lacuna.placing or lacuna.evidence, as lacuna.placing.stretches.cdr3, or a folder of
them, as lacuna.placing.stretches. Each number that it names in upper case is multiplied by each
factor, wherever it was imported to, and put back: a whole number stays one and changes by one at
least; of a share that would be 1 or more the odds are multiplied. Reads are simulated once, of
antibodies from all over the panel of read_panel.py: --antibodies says how many, --kinds of which
kinds, and --mixed takes all of them together as one sample.

Prints a TSV with a row for each change, the first one of no change: residues of V domains that are
right, lengths and CDR3s, wrong at p >= 0.95, expected calibration error, residues of all chains
that differ from those without a change, those that have another probability (by 0.005), state or
flag, and seconds. Lines with # say which numbers cannot be changed, since compiled code holds them,
or only in part: defaults of arguments and what was worked out at import stay. A row without an
effect says something of these antibodies only. Two to three seconds for each antibody and change,
less for lacuna.evidence.
"""

import ast
import logging
import pkgutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from common import options_of
from read_panel import DIGESTS, Antibody, Result, Road, antibodies

from lacuna.benchmark import reads as scoring
from lacuna.core.statistics import error_of_residues
from lacuna.core.tables import EvidenceRow

SAME = 0.005  # difference of two probabilities that are the same
COLUMNS = "constant value factor taken right lengths CDR3s sure_wrong ECE differ restated seconds"
Place = tuple[ModuleType, str]  # a module and the name that a constant has there


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, and everywhere that it is bound: where it is defined first."""

    value: int | float
    places: tuple[Place, ...]

    def put(self, value: int | float) -> None:
        """Set it everywhere, and forget what was worked out with it."""
        for module, name in self.places:
            setattr(module, name, value)
            for own in vars(module).values():
                if hasattr(own, "cache_clear") and own.__module__ == module.__name__:
                    own.cache_clear()

    def compiled(self) -> bool:
        """Whether a module that has it compiles functions, which keep the value."""
        return any(
            hasattr(own, "py_func") and own.__module__ == module.__name__
            for module, _ in self.places
            for own in vars(module).values()
        )

    def kept(self) -> bool:
        """Whether it is also used when a module is imported."""
        return any(_used_at_import(_tree(module), name) for module, name in self.places)


@cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))


def _used_at_import(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and isinstance(node.ctx, ast.Load)
    parts: Iterable[ast.AST | None] = ast.iter_child_nodes(node)
    if isinstance(node, ast.FunctionDef | ast.Lambda):  # its body is run later
        parts = (*node.args.defaults, *node.args.kw_defaults)
    return any(_used_at_import(part, name) for part in parts if part is not None)


def constants_of(module: ModuleType) -> Iterator[Constant]:
    """The numbers that a module names; not those that a call gives, as of enumerations."""
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and not isinstance(node.value, ast.Call | ast.GeneratorExp):
            names = (n for n in ast.walk(node.targets[0]) if isinstance(n, ast.Name))
            for name in (n.id for n in names if n.id.isupper() and isinstance(n.ctx, ast.Store)):
                value = getattr(module, name)
                if type(value) in (int, float) and value:
                    yield Constant(value, tuple(_bound(module, name)))


def _bound(module: ModuleType, name: str) -> list[Place]:
    """Where a name is bound: in its module, and in those that import it from there or from them."""
    found = [(module, name)]
    package = [m for key, m in sorted(sys.modules.items()) if key.startswith("lacuna.")]
    for home, own in found:  # which grows
        for other in package:
            for node in _tree(other).body:
                if isinstance(node, ast.ImportFrom) and node.module == home.__name__:
                    found += [(other, a.asname or own) for a in node.names if a.name == own]
    return found


def times(value: int | float, factor: float) -> int | float:
    """The value by the factor, or by its odds if it is a share that would be none."""
    if isinstance(value, int):
        found = round(value * factor)
        return found if found != value else value + (1 if factor > 1 else -1)
    if 0 < value < 1 <= value * factor:
        return factor * value / (1 - value + factor * value)
    return value * factor


def differing(before: Sequence[Result], after: Sequence[Result]) -> tuple[int, int]:
    """Residues that are others, and the same ones of which something else is said."""

    def rows(result: Result) -> dict[str, Sequence[EvidenceRow]]:
        return {chain.name: chain.rows for chain in result.chains}

    others = restated = 0
    for one, two in zip(map(rows, before), map(rows, after), strict=True):
        for name in one.keys() | two.keys():
            a, b = one.get(name, ()), two.get(name, ())
            x, y = ("".join(row.residue for row in own) for own in (a, b))
            blocks = SequenceMatcher(None, x, y, autojunk=False).get_matching_blocks()
            same = [(a[i + k], b[j + k]) for i, j, n in blocks for k in range(n)]
            others += max(len(a), len(b)) - len(same)
            restated += sum(not _said_alike(*pair) for pair in same)
    return others, restated


def _said_alike(a: EvidenceRow, b: EvidenceRow) -> bool:
    near = abs((a.probability or 0.0) - (b.probability or 0.0)) < SAME
    return near and (a.state, a.flags) == (b.state, b.flags)


def figures(results: Sequence[Result], before: Sequence[Result]) -> tuple[object, ...]:
    """The cells of a row behind those that say what was changed."""
    good = np.concatenate([r.good for r in results])
    probability = np.concatenate([r.probability for r in results])
    return (
        sum(r.right for r in results),
        sum(sum(r.lengths) for r in results),
        sum(sum(r.cdr3) for r in results),
        int(((probability >= scoring.CONFIDENT) & ~good).sum()),
        f"{error_of_residues(good, probability):.4f}",
        *differing(before, results),
        f"{sum(r.seconds for r in results):.1f}",
    )


def modules_of(named: str) -> list[ModuleType]:
    """A module, or those in a folder of the package and below."""
    home = import_module(named)
    if not hasattr(home, "__path__"):
        return [home]
    below = pkgutil.walk_packages(home.__path__, f"{named}.")
    return [import_module(found.name) for found in below if not found.ispkg]


def asked(kinds: str, n: int, mixed: bool) -> list[Antibody]:
    """So many antibodies, evenly from those of some kinds of the panel, or one sample of them."""
    every = [a for a in antibodies() if kinds in a.kind]
    found = every[:: max(len(every) // n, 1)][:n]
    if not mixed:
        return found
    molecules, truths = (
        tuple(chain for a in found for chain in getattr(a, field))
        for field in ("molecules", "truths")
    )
    return [Antibody("mixed", molecules, truths)]


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("module", metavar="MODULE")
    parser.add_argument("--names", type=lambda text: text.split(","), help="all without it")
    parser.add_argument("--factors", default="0.5,2")
    parser.add_argument("--digest", default="one", choices=DIGESTS)
    parser.add_argument("--kinds", default="", metavar="WORD", help="kinds that hold this word")
    parser.add_argument("--antibodies", type=int, default=3, dest="n")
    parser.add_argument("--mixed", action="store_true", help="all of them are one sample")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.module.startswith(("lacuna.placing", "lacuna.evidence")):
        parser.error("MODULE: one of lacuna.placing or lacuna.evidence")
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)  # what each run says of its samples
    road, samples = Road(), asked(options.kinds, options.n, options.mixed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reads = [road.read(a, options.digest, options.seed, folder) for a in samples]

        def run(known: Sequence[Result | None]) -> list[Result]:
            return [
                road.answer(
                    *(antibody, options.digest, own, folder),
                    by_answer=options.mixed,
                    placed=result.placed if result else None,
                )
                for antibody, own, result in zip(samples, reads, known, strict=True)
            ]

        unknown = [None] * len(samples)
        before = run(unknown)
        # Nothing of lacuna.evidence changes where reads lie.
        known = before if options.module.startswith("lacuna.evidence") else unknown
        print(*COLUMNS.split(), sep="\t")
        print("none", *[""] * 3, *figures(before, before), sep="\t", flush=True)
        for module in modules_of(options.module):
            for constant in constants_of(module):
                own = constant.places[0][1]
                title = f"{module.__name__.rpartition('.')[2]}.{own}"
                if options.names and own not in options.names:
                    continue
                if constant.compiled():
                    print(f"# {title}: compiled code holds it, so that it cannot be changed here")
                    continue
                if constant.kept():
                    print(f"# {title}: in part, since it is also used at import")
                for factor in map(float, options.factors.split(",")):
                    taken = times(constant.value, factor)
                    constant.put(taken)
                    try:
                        cells = figures(run(known), before)
                    except Exception as error:  # a value that the code cannot work with
                        cells = (f"fails: {type(error).__name__}",)
                    finally:
                        constant.put(constant.value)
                    shown = (f"{x:.4g}" for x in (constant.value, factor, taken))
                    print(title, *shown, *cells, sep="\t", flush=True)


if __name__ == "__main__":
    main()
