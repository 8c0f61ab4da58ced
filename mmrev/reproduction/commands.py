"""Child processes that end in good order: a stop of this process stops them first, and they save what they have."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL = 0.5  # seconds between two looks at a child


class Stop:
    """Whether this process was asked to stop. It passes the request on to the child that runs.

    Example:
        >>> Stop().asked
        False
    """

    def __init__(self) -> None:
        self.asked = False
        self._child: subprocess.Popen | None = None

    @contextmanager
    def listening(self) -> Iterator['Stop']:
        """Listens to Ctrl-C, SIGTERM and SIGHUP."""
        if threading.current_thread() is not threading.main_thread():
            yield self  # only the main thread may set handlers
            return
        previous = {number: signal.signal(number, self._ask) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def run(
        self, command: Sequence[str], log: Path, lock: int | None = None, watch: Callable[[], None] = lambda: None
    ) -> int:
        """Runs a command until its end.

        Args:
            command: The command.
            log: The file that its output is added to.
            lock: The file descriptor of a lock. The child holds it too, so that the lock outlives this process.
            watch: It is called twice a second.

        Returns:
            The exit status.

        Raises:
            KeyboardInterrupt: This process was asked to stop. The child has ended.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        self._require_going_on()
        with log.open('ab') as output:
            # a session of its own: the terminal's Ctrl-C reaches the child once, through this process
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=() if lock is None else (lock,),
            )
        if self.asked:
            self._child.send_signal(signal.SIGTERM)
        try:
            status = self._wait(self._child, watch)
        finally:
            self._child = None
        self._require_going_on()
        return status

    def stop_child(self) -> None:
        """Stops the child that runs and waits until it has ended. It may be called from a signal handler."""
        self.asked = True
        if self._child is not None and self._child.returncode is None:
            self._child.send_signal(signal.SIGTERM)
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOWAIT)  # leaves the exit status to `run`

    def _require_going_on(self) -> None:
        if self.asked:
            raise KeyboardInterrupt

    def _wait(self, child: subprocess.Popen, watch: Callable[[], None]) -> int:
        while True:
            try:
                return child.wait(POLL)
            except subprocess.TimeoutExpired:
                watch()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._child is not None:
            self._child.send_signal(signal.SIGTERM)  # again and again: a second one ends a training at once
