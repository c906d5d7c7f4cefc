"""IMGT columns of chains, and the bundled germline segments on them.

- `imgt.py`: columns as numbers; `germlines.py`: the segments.
- `numbering.py`: the columns of a chain with one V domain, by `germline_fit.py` (how well segments
  fit it), `domain_ends.py` (what a gap hides of it) and `constant_region.py`; `parts.py`: those of
  a chain with several.
- `species_fit.py`: whether a chain is more like another species than the one stated.
"""
