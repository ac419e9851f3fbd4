"""The server of the page: one process, on this machine alone."""

import errno
import os
import socket
import threading
import webbrowser
from typing import Any

import panel as pn
from bokeh.events import DocumentReady
from bokeh.models import CustomJS

from aru_keras.runners.live.agent_session import AgentSession
from aru_keras.runners.live.choices import ADDRESS, DEFAULT_RUN, PORT
from aru_keras.runners.live.networks import LiveAgent, Networks
from aru_keras.runners.live.page import TITLE, Page
from aru_keras.runners.live.session import Session

LIFETIME = 60
"""How long the state of a window is kept that was closed, or has not yet opened, in seconds."""

LARGEST_MESSAGE = 2**20
"""The largest number of bytes that the page accepts from a browser at once."""

_NAME_SLIDERS = """
for (const view of Bokeh.index.all_views()) {
  const handle = view.shadow_el?.querySelector(".noUi-handle")
  handle?.setAttribute("aria-label", view.model.title)
}
"""


def serve(
    run: str = DEFAULT_RUN, *, port: int = PORT, browser: bool = True, block: bool = True
) -> Any:
    """Serve the page until the process is interrupted.

    Args:
        run: The folder of a run, or `pretrained:NAME`, that is shown first.
        port: The port on 127.0.0.1; 0 for any that is free.
        browser: Whether to open the page in a browser.
        block: Whether to return only when the server has ended.

    Returns:
        The server of Bokeh, if it does not block.

    Raises:
        ValueError: If the port is in use, or the network or agent cannot be watched.
        RunError: If there is no run in the folder.
    """
    server, label, address = make_server(run, port)
    print(f"{label} is on {address} until you press Ctrl-C.", flush=True)
    server.start()
    if browser:
        opening = threading.Thread(target=_open, args=(address,), daemon=True)
        server.io_loop.add_callback(opening.start)
    if not block:
        return server
    server.io_loop.start()
    return None


def make_server(run: str, port: int) -> tuple[Any, str, str]:
    """A server that is not yet started, the label of its first network, and its address.

    Args:
        run: The folder of a run, or `pretrained:NAME`, that is shown first.
        port: The port on 127.0.0.1; 0 for any that is free.

    Raises:
        ValueError: If the port is in use, or the network or agent cannot be watched.
        RunError: If there is no run in the folder.
    """
    networks = Networks(run)
    _compile(networks.first)
    port = free_port(port)
    server = pn.serve(
        {"/": lambda: new_page(networks)},
        port=port,
        address=ADDRESS,
        websocket_origin=[f"{host}:{port}" for host in (ADDRESS, "localhost")],
        websocket_max_message_size=LARGEST_MESSAGE,
        show=False,
        start=False,
        verbose=False,
        title=TITLE,
        unused_session_lifetime_milliseconds=1000 * LIFETIME,
        check_unused_sessions_milliseconds=1000 * LIFETIME // 4,
    )
    return server, networks.first.label, f"http://{ADDRESS}:{port}"


def _open(address):
    """Open the page in a browser; one in the terminal returns only when the person leaves it."""
    if not webbrowser.open(address):
        print(f"No browser was found: open {address} in one.", flush=True)


def new_page(networks: Networks) -> pn.template.FastListTemplate:
    """The page for a new window, whose state goes when the window is closed.

    Args:
        networks: The networks, which all windows share.
    """
    page = Page(networks)
    pn.state.on_session_destroyed(lambda context: page.close())
    # Readers of screens would hear of a slider, and not of which.
    pn.state.curdoc.js_on_event(DocumentReady, CustomJS(code=_NAME_SLIDERS))
    return page.template()


def _compile(network):
    """Take a step now, so that the first window does not wait for it."""
    if isinstance(network, LiveAgent):
        session = AgentSession(network)
        session.step()
        session.close()
    else:
        Session(network).step()


def free_port(port: int) -> int:
    """The port itself if it is free, and any free port for 0.

    Args:
        port: The port on 127.0.0.1.

    Raises:
        ValueError: If it is in use.
    """
    with socket.socket() as tried:
        if os.name == "posix":  # On Windows this would let it take a port that is in use.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((ADDRESS, port))
        except OSError as error:
            reason = "in use" if error.errno == errno.EADDRINUSE else error.strerror
            raise ValueError(
                f"`port` must be free on {ADDRESS}. Received: {port}, which is {reason}. Choose "
                "another one with --port, or 0 for any that is free."
            ) from error
        return tried.getsockname()[1]
