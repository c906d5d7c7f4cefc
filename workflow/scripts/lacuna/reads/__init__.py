"""Peptide reads of de novo sequencing tools: their files, and how often they are right."""
