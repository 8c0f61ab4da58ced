"""Reproducing the papers' tables: their rows, the size of a run, what was measured, and the table of both."""
