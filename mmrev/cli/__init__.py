"""The command line: ``mmrev <command> ...`` anywhere, ``python tools/<command>.py ...`` in a checkout."""
