"""Ranked sequences of one gap, within everything that is known of its masses."""
