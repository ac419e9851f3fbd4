"""The page in a notebook."""

from typing import Any

from aru_keras._util.arguments import whole
from aru_keras.runners.live.choices import DEFAULT_RUN
from aru_keras.runners.live.page import TITLE
from aru_keras.runners.live.server import make_server


class Frame:
    """A frame in which a notebook shows the page of a server.

    Attributes:
        address: The address of the page, for a browser.
    """

    def __init__(self, server: Any, address: str, height: int):
        self.address = address
        self._server, self._height = server, height

    def stop(self) -> None:
        """Stop the server."""
        self._server.stop()

    def _repr_html_(self) -> str:
        look = f"width: 100%; height: {self._height}px; border: 0"
        return f'<iframe title="{TITLE}" src="{self.address}" style="{look}"></iframe>'


def app(network: str = DEFAULT_RUN, *, port: int = 0, height: int = 900) -> Frame:
    """The page as the value of a cell, which a notebook shows.

    The notebook's own process serves it, so that it stands still while a cell runs. The browser
    must reach this process on 127.0.0.1: if it runs on another machine, choose a port and forward
    it.

    Args:
        network: The folder of a run, or `pretrained:NAME`.
        port: The port on 127.0.0.1; 0 for any that is free.
        height: The height of the frame in pixels.

    Raises:
        ValueError: If the port is in use, the height is not positive, or the network cannot be
            watched.
        RunError: If there is no run in the folder.
    """
    height = whole("height", height, 1)
    server, _, address = make_server(network, port)
    server.start()
    return Frame(server, address, height)
