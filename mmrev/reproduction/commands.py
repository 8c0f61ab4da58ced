"""Commands of mmrev as child processes: a crash of one ends no other, and each can save its state before it ends."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL = 0.2  # seconds between two looks at a child


@contextmanager
def like_ctrl_c() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP do what Ctrl-C does. Only the main thread may set handlers: elsewhere nothing changes.

    Example:
        >>> with like_ctrl_c():
        ...     signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        True
    """
    numbers = SIGNALS if threading.current_thread() is threading.main_thread() else ()
    previous = {number: signal.signal(number, signal.default_int_handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class Command:
    """A command that runs as a child process. An instance runs one at a time.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     status = Command().run(['echo', 'done'], Path(folder, 'log'))
        ...     status, Path(folder, 'log').read_text()
        (0, 'done\\n')
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen | None = None

    def run(self, argv: Sequence[str], log: Path, watch: Callable[[], None] = lambda: None) -> int:
        """Runs a command until its end. An interruption of this process ends the child first, which saves its state.

        Args:
            argv: The command.
            log: The file that its output is added to.
            watch: It is called a few times a second.

        Returns:
            The exit status.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open('ab') as output:
            # a session of its own: the terminal's Ctrl-C reaches the child once, through this process
            child = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        self._child = child
        try:
            while child.poll() is None:
                watch()
                time.sleep(POLL)
        except BaseException:
            child.terminate()
            child.wait()
            raise
        return child.returncode

    def stop(self) -> None:
        """Ends the child and waits for it. It may be called from a signal handler."""
        if self._child is not None and self._child.returncode is None:
            self._child.terminate()
            with suppress(ChildProcessError):
                # `Popen.wait` would wait for itself if the signal came within it
                os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)
