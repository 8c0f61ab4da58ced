"""Decode heads: one for each paper, and those of its baselines."""
