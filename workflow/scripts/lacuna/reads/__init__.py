"""Peptide reads of de novo sequencing tools: their files, their errors."""
