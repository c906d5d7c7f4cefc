"""What residues carry that the tool did not write, by the ends of reads."""

from collections.abc import Sequence
from itertools import product

import pytest
from pyteomics.mass import std_aa_mass

from lacuna.placing.aligning.readset import collapse
from lacuna.placing.votes.draft import protein_of
from lacuna.placing.votes.modifications import carried_by_cysteine, end_differences
from lacuna.placing.votes.placement import place_on
from lacuna.reads.read import Read
from reads import Sure, chain_with_cdr3, peptide, reads_of


def test_what_c_carries_is_not_found_among_ends_of_any_mass() -> None:
    """Eight ends are 57.02 Da heavier, which is enough if no other ends are near that mass."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("C")
    behind = sum(std_aa_mass[r] for r in chain[at : at + 3]) + 57.02146

    def end(n: int, tail: str, more: float) -> Read:
        off = behind - sum(std_aa_mass[r] for r in tail) + more
        return peptide(chain[at - n : at] + tail, f"{n}{tail}", [(n + len(tail) - 1, off)])

    def carried(reads: Sequence[Read]) -> tuple[float, ...]:
        found = reads_of(reads)
        return carried_by_cysteine(found, place_on(found, [protein_of(chain)]))

    same = [end(n, "WWH", 0.0) for n in range(9, 17)]
    tails = ["".join(tail) for tail in product("WHYFM", repeat=3)]
    others = [end(n, t, 0.0125 * (k - 62)) for k, t in enumerate(tails) for n in (17, 18)]
    assert carried(same) == (57.021464,)
    assert carried([*same, *others]) == ()


def test_the_end_of_a_read_at_the_end_of_a_chain_counts_once() -> None:
    """Behind the last residue of a light chain, a C, are other chains or nothing."""
    chain = chain_with_cdr3("K", "QQHYTTPPT")[:100] + "SFNRGEC"
    read = peptide(
        chain[-15:-1] + "W", "r", [(14, std_aa_mass["C"] + 71.037114 - std_aa_mass["W"])]
    )
    reads = collapse([read], Sure().probabilities([read]))
    for others in ([], [protein_of(chain_with_cdr3("H", "ARWGGDGFYHMDY"))]):
        ends = end_differences(reads, place_on(reads, [protein_of(chain), *others]))
        assert ends == pytest.approx([71.037114])


@pytest.mark.parametrize(("written", "expected"), [(1, ()), (2, (57.021464,))])
def test_what_c_carries_is_found_where_the_tool_wrote_it(
    written: int, expected: tuple[float, ...]
) -> None:
    """On a twentieth of the C's of reads, of which there are 38."""
    chain = chain_with_cdr3("H", "ARWGGDGFYHMDY")
    at = chain.index("C")
    ends = [(n, end) for n in range(3, 22) for end in (6, 7)]
    reads = [
        peptide(chain[at - n : at + end], f"r{i}", [(n, 57.02)] if i < written else ())
        for i, (n, end) in enumerate(ends)
    ]
    found = reads_of(reads)
    assert carried_by_cysteine(found, place_on(found, [protein_of(chain)])) == expected
