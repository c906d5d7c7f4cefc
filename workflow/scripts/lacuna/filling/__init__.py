"""Fills the gaps of a block of chains, and says how sure each residue is.

In the order in which a block passes them:

- `lengths/`: how many residues a gap has if that is not given, and ends that are missing without a
  mark. Chains are then encoded for the network (`lacuna/network/encode.py`).
- `block.py`: the chains and their gaps, each with the rows of the network that are its residues.
- `reader.py`, `second_opinion.py`, `evidence.py`: distributions of the missing residues by the
  network, in thorough mode by the large one too, times the evidence that was given.
- `rank_gaps.py`: ranked candidates of each gap, by `search/` within what `masses/` make of its
  masses; `rereading.py`: gaps with masses are then read a second time, and ranked again.
- `residues.py`, `status.py`, `rows.py`: letters and alternatives, what became of each gap, rows.
- `fill.py`: all of it but the lengths.

Beside this way are `cysteine.py` (what C weighs in a sample), `doubts/` (observed residues that
look wrong), `baselines.py` and `template_fit.py`.
"""
