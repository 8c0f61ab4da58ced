"""Small experiments on the papers' claims, with paired seeds. See docs/results.md."""
