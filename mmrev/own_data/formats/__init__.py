"""The formats of annotations, one a file, and how each is recognised."""
