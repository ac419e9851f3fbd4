"""The server of the page `aru-keras live`: what a window leaves behind."""

import asyncio
import contextlib
import gc
import threading
import time
import urllib.request
import weakref

import pytest
import worlds
from own_runs import untrained_agent

pytest.importorskip("panel")
# Bokeh's client leaves an event loop of its own, and Panel announces other names of arguments.
pytestmark = pytest.mark.filterwarnings(
    *(
        f"ignore::{name}"
        for name in ("DeprecationWarning", "PendingDeprecationWarning", "ResourceWarning")
    )
)

PATIENCE = 300
"""Seconds after which a test gives up."""


@contextlib.contextmanager
def serving(*run, browser=False):
    """A server in a thread of its own."""
    from aru_keras.runners.live import server

    made, ready = [], threading.Event()

    def work():
        asyncio.set_event_loop(asyncio.new_event_loop())
        made.append(server.serve(*run, port=0, browser=browser, block=False))
        made[0].io_loop.add_callback(ready.set)
        made[0].io_loop.start()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    yield made[0]
    made[0].io_loop.add_callback(made[0].stop)
    made[0].io_loop.add_callback(made[0].io_loop.stop)
    thread.join(PATIENCE)


def wait_until(true):
    deadline = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert true()


@pytest.mark.parametrize("acts", [False, True], ids=["a reader", "an agent"])
def test_a_window_that_is_closed_while_it_plays_leaves_nothing(monkeypatch, tmp_path, acts):
    from bokeh.client import pull_session

    from aru_keras.runners.live import server

    pages, closed = [], []

    class Page(server.Page):
        def __init__(self, networks):
            super().__init__(networks)
            pages.append(weakref.ref(self))

    monkeypatch.setattr(server, "Page", Page)
    monkeypatch.setattr(server, "LIFETIME", 0.2)
    run = [untrained_agent(tmp_path / "run", "aru-tests/Endless-v0")] if acts else []
    with serving(*run) as running:
        window = pull_session(url=f"http://127.0.0.1:{running.port}/")
        (page,) = pages
        parts = [page, *parts_of_playing(running, page())]
        if acts:
            parts.append(weakref.ref(page().episode.session.env.unwrapped))
            monkeypatch.setattr(worlds.Endless, "close", lambda env: closed.append(env.t))
        window.close()
        wait_until(lambda: not running.get_sessions())
        wait_until(lambda: gc.collect() is None or not any(part() for part in parts))
    assert len(closed) == acts


def parts_of_playing(server, page):
    """Weak references to what a page consists of, once it plays."""
    (session,) = server.get_sessions()
    reading = page.episode
    play = reading.player.play
    server.io_loop.add_callback(session.document.add_next_tick_callback, play)
    wait_until(lambda: reading.player.playing)
    return [weakref.ref(part) for part in (reading, reading.session, reading.views[0], page.rig)]


def test_a_browser_that_returns_only_when_it_is_left_can_read_the_page(monkeypatch):
    """As w3m does, which is all that there may be in a terminal."""
    from aru_keras.runners.live import server

    read = []

    def open_page(address):
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            read.append(answer.read())
        return True

    monkeypatch.setattr(server.webbrowser, "open", open_page)
    with serving(browser=True):
        wait_until(lambda: read)
    assert b"arun-digits" in read[0]


def test_a_missing_browser_is_said_with_the_address(monkeypatch, capsys):
    from aru_keras.runners.live import server

    said = ""
    monkeypatch.setattr(server.webbrowser, "open", lambda address: False)

    def is_said():
        nonlocal said
        said += capsys.readouterr().out
        return "No browser was found" in said

    with serving(browser=True) as running:
        wait_until(is_said)
    assert f"open http://127.0.0.1:{running.port} in one" in said
