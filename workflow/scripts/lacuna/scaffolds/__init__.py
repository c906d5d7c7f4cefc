"""Chains with gaps as they are given, and what is known of them.

- `scaffold.py`: `Scaffold`, `Gap` and what they hold: the unit of all later steps.
- `read.py`: the whole (`read_scaffolds`). Records come by `records.py` from `fasta.py` or
  `repertoire.py`, their letters and tags by `notation.py`, gaps by `gap_table.py` and `gaps.py`,
  masses and evidence by `mass_table.py` and `evidence_table.py` (both are a `small_table.py`), true
  residues by `truth.py`, and remarks by `notes.py`.
- `residue_masses.py`: what residues may weigh; `alkylation.py`: what C carries in a sample.
- `resizing.py`: gaps of another length; `json_lines.py`: scaffolds from one rule to the next.
- `truth_of_reads.py`: true chains of a sample whose chains were assembled from reads.
"""
