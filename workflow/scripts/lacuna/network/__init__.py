"""The networks: from chains with gaps to distributions of their missing residues.

- `encode.py`: from scaffolds to k-mers with templates; `kmers.py`: the k-mers of a block, in memory
  and as a file.
- `model.py`: the small network, and what it has in common with the large one, `transformer.py`;
  `weights.py`, `packing.py`: their files.
- `predict.py`: distributions of missing residues; `nearness.py`: how sure of them the network may
  be, by how near and how well observed a chain is.
"""
