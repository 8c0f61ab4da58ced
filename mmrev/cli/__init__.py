"""The command line: ``python tools/<name>.py ...`` in a checkout, ``mmrev <name> ...`` anywhere."""
