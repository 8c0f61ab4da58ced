"""The necks of the papers' baselines."""
