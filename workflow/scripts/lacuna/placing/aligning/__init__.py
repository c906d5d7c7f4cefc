"""Reads as arrays, and where each of them fits on a text."""
