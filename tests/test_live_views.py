"""The views of the page `aru-keras live` without a browser: what is drawn, typed and clicked."""

import functools

import numpy as np
import pytest

from aru_keras import models, perturbations, tasks
from aru_keras.runners.live.networks import LiveNetwork, Networks
from aru_keras.runners.live.page import Page
from aru_keras.runners.live.reading_view import FIRST_INDEX
from aru_keras.runners.live.recorded import recorded_page
from aru_keras.runners.live.rig import STEPS
from aru_keras.runners.live.rig_view import CONNECTED, RigView
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig

pytest.importorskip("panel")
RUN, LARGER = "pretrained:arun-digits", "pretrained:gamma-digits"
FEW = 6


@functools.cache
def network():
    return LiveNetwork(RUN)


@pytest.fixture
def rig():
    """A rig whose current is drawn, without its clock."""
    view = RigView(network(), lambda: [0], print)
    view.player.play = lambda: None
    view.kind.value = "drawn"
    return view


def draw(view, points):
    """Draw a line from 0 to 3 over all steps, of so many points."""
    xs = np.linspace(0, STEPS, points)
    view._stroke.data = {"xs": [xs.tolist()], "ys": [(xs / 100).tolist()]}


def assert_drawn(view):
    expected = np.arange(1, STEPS + 1) / 100
    np.testing.assert_allclose(view.session.current.values(), expected, atol=1e-9)


@pytest.mark.parametrize("points", [2, STEPS, 3 * STEPS])
def test_a_stroke_of_many_points_is_injected_to_its_end(rig, points):
    draw(rig, points)
    assert_drawn(rig)


CHANGES = {
    "the units": lambda view: view.isolated.param.update(value=CONNECTED),
    "the amplitude": lambda view: view.amplitude.param.update(value=7.0),
    "the period": lambda view: view.period.param.update(value=20),
    "the current and back": lambda view: [
        view.kind.param.update(value=kind) for kind in ("step", "drawn")
    ],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_stroke_that_is_seen_is_injected_whatever_else_is_changed(rig, change):
    draw(rig, 50)
    change(rig)
    assert_drawn(rig)
    rig.session.step()
    rig.session.step()
    np.testing.assert_allclose(rig.session.currents[:3], [0.01, 0.02, 0], atol=1e-6)


def test_a_stroke_can_be_as_high_as_the_slider(rig):
    ends = rig.amplitude.start, rig.amplitude.end
    for _ in range(2):
        shown = rig.traces.axes["drive"].range
        assert (shown.start, shown.end) == ends
        draw(rig, 50)


def test_the_rig_shows_a_unit_where_only_another_network_has_the_chosen_ones():
    view = RigView(network(), lambda: [network().units], print)
    view.open()
    assert not view._steps(STEPS)
    assert "unit 0: " in view.answer.object
    np.testing.assert_allclose(view.traces.source.data["h_0"], view.session.signals["h"][:, 0])


def test_the_rig_draws_the_chosen_units_from_the_first_step_on():
    page = Page(Networks(RUN))
    rig, typed = page.rig, page.episode.controls.units
    typed.value = "32, 35"
    rig.open()
    assert rig._steps(STEPS // 2)
    typed.value = "5, 6"
    assert not rig._steps(STEPS // 2)
    h, drawn = rig.session.signals["h"], rig.traces.source.data
    np.testing.assert_allclose(drawn["h_0"], h[:, 5])
    assert "unit 5: " in rig.answer.object
    rig._draw_curve()
    typed.value = "7"
    np.testing.assert_allclose(rig.traces.source.data["h_0"], h[:, 7])
    assert "unit 7: " in rig.answer.object and np.isnan(rig._curve.data["h_1"]).all()
    np.testing.assert_array_equal(rig._curve.data["h_0"], rig._measured.h[:, 7])


def test_an_order_is_shown_only_where_it_describes_the_response_to_a_step():
    view = RigView(network(), lambda: [32, 35], print)
    view.open()
    view._steps(STEPS)
    assert "unit 32: α = " in view.answer.object and "integrates" in view.answer.object
    assert len(view._derivative.data["t"]) == STEPS
    view.isolated.value = CONNECTED
    view._steps(STEPS)
    assert "unit 32: no good fit (R² = -" in view.answer.object
    assert "α" not in view.answer.object and not len(view._derivative.data["t"])
    view.kind.value = "ramp"
    view._steps(STEPS)
    assert view.answer.object == "This current has no step: no order is fitted."


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """The folder of a run on digits, of a network of few units that was not trained."""
    folder, sizes = RunFolder(tmp_path_factory.mktemp("few")), {"units": FEW, "controller_units": 2}
    task = tasks.load_task("digits")
    folder.create(TrainConfig("digits", "arun", **sizes), task.permutation)
    models.network_for(task, "arun", **sizes).save(folder.model)
    return folder.path


@pytest.fixture
def beside(few):
    """A page on which the network of few units reads beside one of more, after two steps."""
    page = Page(Networks(few))
    page.episode.controls.other.value = LARGER
    assert [view.network.units for view in page.episode.views] == [FEW, 128]
    page.episode.advance(2)
    return page


def curves(page):
    """The first units drawn of each network."""
    return [view.curve.title.text.split(":")[0] for view in page.episode.views]


def test_a_click_on_any_unit_of_either_network_selects_it(beside):
    small, large = beside.episode.views
    large._points.selected.indices = [100]
    assert beside.message.object == "" and curves(beside)[1] == "unit 100"
    small._points.selected.indices = [5]
    assert beside.message.object == "" and curves(beside) == ["unit 5", "unit 5"]
    assert beside.episode.controls.units.value.startswith("5, 100")


def test_units_of_either_network_can_be_typed(beside):
    typed = beside.episode.controls.units
    typed.value = "100, 2"
    assert beside.message.object == "" and curves(beside) == ["unit 2", "unit 100"]
    beside.takeaway.show()
    assert "picture_of(reading, [2])" in beside.takeaway.python.value
    beside.takeaway.network.value = 1
    assert "picture_of(reading, [100, 2])" in beside.takeaway.python.value
    typed.value = "128"
    assert "must name units from 0 to 127" in beside.message.object


def test_units_of_a_network_that_has_gone_are_in_nobodys_way(beside):
    episode = beside.episode
    episode.controls.units.value = "100, 2"
    episode.controls.other.value = "nothing"
    episode.advance(2)
    (left,) = episode.views
    left._points.selected.indices = [5]
    assert beside.message.object == "" and episode.units == [5, 2]


def test_another_split_shows_the_same_index_where_the_box_is_empty():
    page = Page(Networks(RUN))
    controls, session = page.episode.controls, page.episode.session
    controls.index.value = None
    controls.split.value = "train"
    assert (session.split, session.index) == ("train", FIRST_INDEX)
    assert page.message.object == ""


def test_a_drawing_is_left_where_the_box_is_empty():
    page = Page(Networks(RUN))
    controls, session = page.episode.controls, page.episode.session
    controls.draw.value = True
    session.draw(session.image)
    controls.index.value = None
    controls.draw.value = False
    assert not session.drawn and page.message.object == ""


def test_the_papers_step_is_not_added_to_what_the_sliders_are_at():
    page = Page(Networks(RUN))
    controls, session = page.episode.controls, page.episode.session
    controls.sliders["drive"].value, controls.sliders["contrast"].value = 3.0, 0.5
    controls.paper.clicks += 1
    page.episode.advance(40)
    assert session.perturbation == perturbations.StepDrive()
    assert all(slider.value == 0 for slider in controls.sliders.values())
    expected = perturbations.StepDrive().drive([3], 64)[0, :40, 0]
    np.testing.assert_array_equal(session.drives[0][:40, 0], expected)


def test_the_curve_says_no_gain_before_the_first_step(beside):
    assert all("n = " in view.curve.title.text for view in beside.episode.views)
    beside.episode.begin_again()
    assert not any("n = " in view.curve.title.text for view in beside.episode.views)


def test_a_box_shows_what_is_in_force(beside):
    controls, said = beside.episode.controls, beside.message
    for box, good, wrong in ((controls.units, "1, 2", "500"), (controls.base, "step:5", "stop:5")):
        box.value = good
        assert said.object == ""
        box.value = wrong
        assert box.value == good and "must" in said.object
    controls.base.value = ""
    assert said.object == "" and controls.base.value == ""
    controls.base.value = "none"
    beside.episode.begin_again()
    assert controls.base.value == ""


def test_of_many_units_the_first_are_drawn_and_that_is_said(beside):
    typed = beside.episode.controls.units
    typed.value = "5, 4, 3, 2, 1"
    assert typed.value == "5, 4, 3, 2" and "The first 4 are drawn" in beside.message.object
    typed.value = "5, 4"
    assert beside.message.object == ""


def test_a_network_without_gains_is_not_recorded():
    with pytest.raises(ValueError, match=r"`run` must be an ARUN .*relu-digits, of kind relu"):
        recorded_page("pretrained:relu-digits")


def test_a_pen_stays_and_is_only_turned_on_and_off(rig):
    page = Page(Networks(RUN))
    image = page.episode.world
    for chart, pen, turn in (
        (image.chart, image._pen, lambda on: page.episode.controls.draw.param.update(value=on)),
        (
            rig.traces.charts["drive"],
            rig._pen,
            lambda on: rig.kind.param.update(value="drawn" if on else "step"),
        ),
    ):
        for on in (True, False, True, False):
            turn(on)
            assert pen in chart.tools and chart.toolbar.active_drag is (pen if on else None)
