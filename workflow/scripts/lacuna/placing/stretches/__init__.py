"""Stretches that no template covers, above all CDR3: their residues and their lengths."""
