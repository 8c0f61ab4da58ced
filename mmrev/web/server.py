"""Serving of a page on this machine, without a request to any other."""

import errno
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mmrev.errors import ConfigError, HostError

from .uploads import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

# the browser itself refuses all that is not from this server
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' data: blob:; frame-ancestors 'self'"
)
FAREWELL = 2  # seconds that open connections get at the end


def require_gradio() -> None:
    """Checks that gradio is here, and switches its reports to its makers off.

    Raises:
        HostError: It is not installed.
    """
    if find_spec('gradio') is None:
        raise HostError("the page needs gradio: pip install 'mmrev[web]', or pip install 'gradio>=6,<7'")
    # gradio reads them when it is imported
    os.environ.update(GRADIO_ANALYTICS_ENABLED='False', HF_HUB_DISABLE_TELEMETRY='1')


@contextmanager
def kept_here() -> Iterator[str]:
    """Makes a folder for uploads and drawn pictures, which ends with the server."""
    with TemporaryDirectory(prefix='mmrev_serve_') as folder:
        os.environ['GRADIO_TEMP_DIR'] = folder
        yield folder


def make_app(page: Any, limits: Limits) -> 'FastAPI':
    """Makes the application that serves a page of gradio."""
    import gradio as gr
    from fastapi import FastAPI, Request, Response

    from .hover import HOVER
    from .page import CSS

    app = FastAPI(openapi_url=None)

    @app.middleware('http')
    async def forbid_the_outside(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers['Content-Security-Policy'] = POLICY
        return response

    # a font by its name is that of the visitor's system
    theme = gr.themes.Soft(font=['system-ui', 'sans-serif'], font_mono=['ui-monospace', 'monospace'])
    return gr.mount_gradio_app(
        app,
        page,
        path='/',
        footer_links=[],
        run_history=False,
        max_file_size=int(limits.megabytes * 1e6),
        show_error=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        theme=theme,
        css=CSS,
        js=HOVER,
    )


def listen(host: str, port: int) -> socket.socket:
    """Opens the port of the server.

    Raises:
        ConfigError: The port is taken, or the host is not an address of this machine.

    Example:
        >>> with listen('127.0.0.1', 0) as found:
        ...     found.getsockname()[0]
        '127.0.0.1'
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        opened = socket.socket(family, kind, protocol)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f'port {port} is taken by another program: choose another one with --port') from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ConfigError(f'port {port} may not be opened: choose one from 1024 on with --port') from error
        raise ConfigError(
            f'{host!r} is no address of this machine ({error.strerror}): use --host 127.0.0.1, or 0.0.0.0 for all'
        ) from error
    return opened


def serve(app: 'FastAPI', opened: socket.socket) -> None:
    """Serves until Ctrl-C, which is raised as KeyboardInterrupt after the last answer."""
    import uvicorn

    settings = uvicorn.Config(app, log_level='critical', timeout_graceful_shutdown=FAREWELL)
    uvicorn.Server(settings).run(sockets=[opened])
    # uvicorn raises it only if nobody had ignored SIGINT, as a shell does for a command in the background
    raise KeyboardInterrupt
