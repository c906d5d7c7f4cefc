"""Templates of a chain: the germline segments and homologs nearest to what is observed of it.

- `nearest.py`: the choice on IMGT columns, for whole batches, and residues and profiles from it.
- `library.py`: the germline segments among which it chooses.
- `homologs.py`: those of a sample, of chains without columns by `alignment.py`.
"""
