"""Probabilities of the residues of chains from reads, by reads and the network together.

- `weigh.py`: the whole, chain by chain.
- `posterior.py`: what reads say of each residue, where they settle it, and how much of a posterior
  is spread evenly.
- `network.py`: what the network says of a position that is hidden from it; `genes.py`: what V and J
  genes say in a chain that is hardly read.
- `phase.py`, `constants.py`: residues that may be those of another chain; `far.py`: chains that are
  far from every germline.
- `flags.py`: why a residue may be wrong.
- `chain.py`: the rows of a chain, and its scaffold with gaps.
"""
