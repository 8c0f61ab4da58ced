"""The papers' data sets: from the archives of their authors to the layout that the configs read."""
