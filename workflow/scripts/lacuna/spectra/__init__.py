"""Fragment spectra: reading them, which of them span a gap, and what they say of it.

- `read.py`, `mgf.py`: spectra from files; `peaks.py`: from their peaks to masses of fragments.
- `flanks.py`: the known residues around a gap, and what these may carry; `ions.py`, `tally.py`:
  which fragments of a peptide a spectrum shows; `match.py`: peptides around a gap that a spectrum
  may be of.
- `gap_mass.py`: masses of a gap by precursors; `spanning.py`: the spectra that span a gap, in each
  state of C and at each of its masses; `odds.py`: all that they say of a gap (`look`).
- `elsewhere.py`: whether a spectrum is of another place; `likely.py`: stretches of likely residues
  that spectra show.
- `table.py`: what was written of gaps, put on them again.
"""
