"""Reads on all chains at once, and what they say of each position and of the sample."""
