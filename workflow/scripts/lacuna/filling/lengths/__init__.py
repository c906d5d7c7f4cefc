"""Lengths of gaps and missing ends: found, or checked as they were given."""
