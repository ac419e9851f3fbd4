"""The page `aru-keras live` in a real browser: a network that reads."""

import re

import numpy as np
import pytest
from browsing import FIND, MARKS, PATIENCE, PLACE, Window, chromium, serving, window_of

from aru_keras import perturbations, probing, tasks

pytestmark = MARKS


@pytest.fixture(scope="module")
def address():
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def window(browser, address):
    with window_of(browser, address) as opened:
        yield opened


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
    from playwright.sync_api import expect

    field = window.page.get_by_label(label)
    before = field.input_value()
    field.fill(text)
    field.press("Enter")
    window.page.get_by_role("alert").get_by_text(message).wait_for()
    expect(field).to_have_value(before, timeout=PATIENCE)
    window.button("One step").click()
    window.sees("Step 1 of 64")


def test_two_networks_read_side_by_side(window):
    window.page.get_by_label("Beside it").select_option("pretrained:gamma-digits")
    window.page.get_by_text("gamma-digits has read nothing yet").wait_for()
    window.button("One step").click()
    window.sees("Step 1 of 64")
    window.page.get_by_text(re.compile("gamma-digits reads class")).wait_for()


def test_every_slider_has_a_name_for_readers_of_screens(window):
    window.page.get_by_role("slider", name="Drive ξ").wait_for()
    names = [one.get_attribute("aria-label") for one in window.page.get_by_role("slider").all()]
    assert "Contrast A" in names and all(names)


def test_the_keyboard_turns_sliders_and_views(window):
    page = window.page
    page.get_by_role("slider", name="Drive ξ").focus()
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


def test_networks_come_and_go_while_a_page_that_was_loaded_anew_reads(window):
    page, other = window.page, window.page.get_by_label("Beside it")
    window.turn("Speed, steps a second", 60)
    window.button("Play").click()
    page.reload(wait_until="commit")
    for name in ("pretrained:gamma-digits", "nothing") * 3:
        window.button("Restart").click()
        window.button("The paper's step").click()
        window.button("Replay what was turned").click()
        other.select_option(name)
    window.button("Restart").click()
    window.button("One step").click()
    window.sees("Step 1 of 64")
