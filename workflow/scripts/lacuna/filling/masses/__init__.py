"""Masses as evidence, of gaps and whole chains: what is wrong with them, and what they mean."""
