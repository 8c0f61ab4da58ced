"""A page that is served by a thread of the test's own process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from mmrev.web.server import listen


@contextmanager
def served(app) -> Iterator[str]:
    """Serves an application, and gives its address."""
    with listen('127.0.0.1', 0) as opened:
        server = uvicorn.Server(uvicorn.Config(app, log_level='critical', timeout_graceful_shutdown=1))
        thread = threading.Thread(target=server.run, kwargs=dict(sockets=[opened]), daemon=True)
        thread.start()
        deadline = time.monotonic() + 60
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.05)
        try:
            yield f'http://127.0.0.1:{opened.getsockname()[1]}'
        finally:
            server.should_exit = True
            thread.join(timeout=30)
