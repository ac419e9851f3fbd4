"""The page `aru-keras live` in a real browser, Chromium through Playwright."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from aru_keras import perturbations, probing, tasks

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MISSING = [name for name in ("playwright", "panel") if importlib.util.find_spec(name) is None]
pytestmark = [
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


@pytest.fixture(scope="module")
def address():
    """The address of a server in a process of its own."""
    command = [sys.executable, "-m", "aru_keras", "live", "--port", "0", "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
    found = re.search(r"http://127\.0\.0\.1:\d+", server.stdout.readline())
    yield found[0]
    server.terminate()
    assert server.wait() == 143


@pytest.fixture(scope="module")
def browser():
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


@pytest.fixture
def window(browser, address):
    opened = Window(browser, address)
    yield opened
    assert opened.errors == [] and opened.outside == []
    opened.page.close()


@pytest.fixture(scope="module")
def reading():
    return probing.read("pretrained:arun-digits", tasks.load_task("digits"), "test", 3)


def test_a_network_reads_an_image_step_by_step_and_to_its_end(window, reading):
    window.button("One step").click()
    window.sees("Step 1 of 64")
    window.turn("Speed, steps a second", 60)
    window.button("Play").click()
    window.sees("Step 64 of 64")
    window.button("Play").wait_for()
    units = [int(unit) for unit in window.page.get_by_label("Units drawn").input_value().split(",")]
    for name, title in (("n", "gain n"), ("s", "saturation s"), ("h", "output h")):
        shown = window.column(title, f"{name}_0", renderer=1)
        np.testing.assert_allclose(shown, reading.signals[name][:, units[0]], rtol=1e-5, atol=1e-5)
    cloud = window.column("every unit's (n, s)", "n", renderer=1)
    np.testing.assert_allclose(cloud, reading.signals["n"][-1], rtol=1e-5, atol=1e-5)
    window.sees(f"reads class {reading.predictions[-1]}")


def test_what_is_turned_acts_at_once_and_is_told_and_replayed(window):
    from playwright.sync_api import expect

    for _ in range(3):
        window.button("One step").click()
    window.sees("Step 3 of 64")
    window.turn("Drive ξ", 5)
    window.button("One step").click()
    window.sees("Step 4 of 64, drive ξ = 5.00")
    np.testing.assert_array_equal(window.column("drive ξ", "drive"), [0, 0, 0, 5])
    window.page.get_by_text("Take it away").click()
    told = window.page.get_by_label("The perturbation, for --perturb")
    expect(told).to_have_value("step:5,start=2,duration=2", timeout=PATIENCE)
    code = window.page.get_by_label("The same in Python").input_value()
    assert "perturbations.parse('step:5,start=2,duration=2')" in code
    window.page.get_by_text("Reading", exact=True).click()
    window.button("Replay what was turned").click()
    window.sees("Step 64 of 64")
    drive = window.column("drive ξ", "drive")[:5]
    np.testing.assert_array_equal(drive, [0, 0, 0, 5, 0])


def test_the_papers_step_is_that_of_the_library(window):
    window.turn("Speed, steps a second", 60)
    window.button("The paper's step").click()
    window.button("Play").click()
    window.sees("Step 64 of 64")
    expected = perturbations.StepDrive().drive([3], 64)[0, :, 0]
    np.testing.assert_array_equal(window.column("drive ξ", "drive"), expected)
    assert window.page.get_by_label("Perturbation of the whole episode").input_value() == "step:5"


def test_a_click_on_a_point_selects_its_unit(window):
    window.turn("Speed, steps a second", 60)
    window.button("Play").click()
    window.sees("Step 64 of 64")
    n, s = (window.column("every unit's (n, s)", name, renderer=1) for name in ("n", "s"))
    # The unit that is furthest from all others: where points overlap, a click selects any.
    middle = np.hypot(n - np.median(n), s - np.median(s)) < 1
    distances = np.hypot(n - n[:, None], s - s[:, None]) + np.diag(np.full(len(n), np.inf))
    unit = int(np.argmax(np.where(middle, distances.min(axis=0), 0)))
    place = window.page.evaluate(PLACE, ["every unit's (n, s)", float(n[unit]), float(s[unit])])
    window.page.mouse.click(*place)
    curve = f"({FIND})('γ(x; n, s) of the first chosen unit')"
    window.page.wait_for_function(f"{curve}.title.text.includes('unit {unit}: ')")
    assert window.page.get_by_label("Units drawn").input_value().startswith(f"{unit},")


@pytest.mark.parametrize(
    ("label", "text", "message"),
    [
        ("Perturbation of the whole episode", "stop:5", "must be one of step, noise, contrast"),
        ("Perturbation of the whole episode", "waveform:/etc/x.npy", "reads no files"),
        ("Units drawn", "500", "must name units from 0 to 127"),
        ("Units drawn", "<b>one</b>", "must name units from 0 to 127"),
    ],
)
def test_what_is_typed_is_checked(window, label, text, message):
    field = window.page.get_by_label(label)
    field.fill(text)
    field.press("Enter")
    window.page.get_by_role("alert").get_by_text(message).wait_for()
    window.button("One step").click()
    window.sees("Step 1 of 64")


def test_two_networks_read_side_by_side(window):
    window.page.get_by_label("Beside it").select_option("pretrained:gamma-digits")
    window.page.get_by_text("gamma-digits has read nothing yet").wait_for()
    window.button("One step").click()
    window.sees("Step 1 of 64")
    window.page.get_by_text(re.compile("gamma-digits reads class")).wait_for()


def test_the_keyboard_turns_sliders_and_views(window):
    page = window.page
    page.get_by_role("slider").nth(1).focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Drive ξ: 0.50").wait_for(timeout=PATIENCE)
    page.get_by_role("button", name="Unit rig").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Inject").wait_for(timeout=PATIENCE)
    assert not page.get_by_text("Step 0 of").is_visible()


def test_units_respond_in_the_rig(window):
    window.page.get_by_text("Unit rig").click()
    window.button("f–I curve").click()
    window.page.wait_for_function(
        f"() => {{ const s = ({FIND})('f–I curve: mean output under constant currents')"
        ".renderers[0].data_source; return s.get_length() === 26 }"
    )
    window.button("Inject").click()
    window.sees("Fractional order")
    window.sees("α = ")


def test_a_recording_can_be_taken_away(window, tmp_path):
    xarray = pytest.importorskip("xarray")
    window.button("One step").click()
    window.sees("Step 1 of 64")
    window.page.get_by_text("Take it away").click()
    with window.page.expect_download() as started:
        window.page.get_by_text("Recording, netCDF").click()
    started.value.save_as(tmp_path / "found.nc")
    found = xarray.load_dataset(tmp_path / "found.nc")
    assert found.n.dims == ("sequence", "step", "unit") and found.n.shape == (1, 1, 128)


def test_windows_do_not_disturb_each_other(window, browser, address):
    other = Window(browser, address)
    window.button("One step").click()
    window.sees("Step 1 of 64")
    other.sees("Step 0 of 64")
    other.page.close()
    window.button("One step").click()
    window.sees("Step 2 of 64")
