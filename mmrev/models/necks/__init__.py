"""Necks that the papers' baselines need."""
