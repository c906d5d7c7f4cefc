"""Names of the chains that reads give."""

import re
from collections import Counter
from collections.abc import Iterable

OF_LOCI = {"H": "heavy", "K": "kappa", "L": "lambda"}
_NAME = re.compile(rf"({'|'.join(OF_LOCI.values())})(_[0-9]+)?")
_LOCI = {name: locus for locus, name in OF_LOCI.items()}


def chain_names(loci: Iterable[str]) -> tuple[str, ...]:
    """`heavy`, `kappa`, `heavy_2`, ... of chains of these loci, in order."""
    seen: Counter[str] = Counter()
    names = []
    for locus in loci:
        seen[locus] += 1
        more = f"_{seen[locus]}" if seen[locus] > 1 else ""
        names.append(OF_LOCI[locus] + more)
    return tuple(names)


def locus_of(name: str) -> str:
    """The locus of a chain that was named so; '' for any other name."""
    found = _NAME.fullmatch(name)
    return _LOCI[found[1]] if found else ""
