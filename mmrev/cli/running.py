"""Running a command: its arguments, its exit status, and its errors in one line."""

import argparse
import gc
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from mmrev.engine.safe_loading import forbid_code

from .one_line_errors import explain
from .processes import is_main_rank, leave_process_group

INTERRUPTED = 130


def run(
    command: Callable[[argparse.Namespace], Any], parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> int:
    """Runs a command, and prints an error that the user can mend as one line on stderr.

    Args:
        command: The command. It takes the parsed arguments.
        parser: The parser of the arguments.
        argv: The arguments, or None for those of the process.

    Returns:
        The exit status. A process that gloo connects to others ends here.

    Example:
        >>> run(lambda args: print('done'), argparse.ArgumentParser(), [])
        done
        0
    """
    try:
        args = parser.parse_args(argv)
    except (AssertionError, ValueError):  # from mmengine's DictAction
        parser.error('--cfg-options takes KEY=VALUE, such as model.backbone.depth=50 or "a.b=[1,2]"')
    forbid_code()
    logging.raiseExceptions = False  # on a full disk, each line of a log would print a traceback
    status = _status_of(command, args)
    # A runner is full of cycles. Its loaders, which end their workers, go with it. torch takes a worker that only the
    # end of the interpreter ends for a crash.
    gc.collect()
    return leave_process_group(status)


def _status_of(command: Callable[[argparse.Namespace], Any], args: argparse.Namespace) -> int:
    try:
        command(args)
    except KeyboardInterrupt as stop:
        if is_main_rank():
            print(f'mmrev: stopped {stop}'.rstrip(), file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        line = explain(error)
        if line is None:
            raise
        print(f'mmrev: error: {line}', file=sys.stderr)
        return 1
    return 0
