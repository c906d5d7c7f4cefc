"""Observed residues and species that look wrong."""
