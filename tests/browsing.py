"""The page `aru-keras live` in a real browser, Chromium through Playwright."""

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [name for name in ("playwright", "panel") if importlib.util.find_spec(name) is None]
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

PATIENCE = 120_000
"""Milliseconds after which a test gives up; nothing is said of how fast the page is."""

FIND = """name => {
  const models = Bokeh.documents.flatMap(one => [...one._all_models.values()])
  return models.find(one => one.name === name)
}"""
COLUMN = f"""([name, renderer, column]) => {{
  const source = ({FIND})(name).renderers[renderer].data_source
  return Array.from(source.get_array ? source.get_array(column) : source.data[column])
}}"""
PLACE = f"""([name, x, y]) => {{
  const view = Bokeh.index.find_one(({FIND})(name))
  view.el.scrollIntoView({{block: "center"}})
  const box = view.canvas_view.el.getBoundingClientRect()
  return [box.left + view.frame.x_scale.compute(x), box.top + view.frame.y_scale.compute(y)]
}}"""


@contextlib.contextmanager
def serving(*arguments):
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "aru_keras", "live", "--port", "0", "--no-browser"]
    command += map(str, arguments)
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
    yield found[0]
    server.terminate()
    assert server.wait() == 143


@contextlib.contextmanager
def chromium():
    """The browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Window:
    """A window of the page, and what went wrong in it."""

    def __init__(self, browser, address):
        self.errors, self.outside = [], []
        self.page = browser.new_page(viewport={"width": 1280, "height": 900})
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._request(request.url, address))
        self.page.goto(address, wait_until="commit")
        self.button("One step").wait_for()

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def column(self, chart, column, renderer=0):
        return np.array(self.page.evaluate(COLUMN, [chart, renderer, column]), "float64")

    def turn(self, label, value):
        """Set a slider, as dragging it does."""
        script = """([label, value]) => {
          const models = Bokeh.documents.flatMap(one => [...one._all_models.values()])
          models.find(one => one.title === label && one.type === "Slider").value = value
        }"""
        self.page.evaluate(script, [label, value])

    def sees(self, text):
        self.page.get_by_text(text).first.wait_for()

    def _console(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, url, address):
        if not url.startswith((address, "data:", "blob:")):
            self.outside.append(url)


@contextlib.contextmanager
def window_of(browser, address):
    """A window in which nothing may go wrong."""
    opened = Window(browser, address)
    yield opened
    assert opened.errors == [] and opened.outside == []
    opened.page.close()
