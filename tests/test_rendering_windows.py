"""Windows that show the frames of a view, and the refusal of what cannot be drawn."""

import os
import subprocess
import sys

import numpy as np
import pytest
from views import ORDER, SIDE, T, read, values, view

from aru_keras.envs.rendering import ReadingView, frames


def test_a_view_that_is_not_for_people_opens_no_window(monkeypatch):
    monkeypatch.setattr(frames, "Window", None)
    read(view(), 3).display()


def test_without_a_display_people_are_told_once_what_to_do():
    code = """
import warnings
import numpy as np
from aru_keras.envs.rendering import ReadingView
view = ReadingView((2, 2), 4, np.arange(4), human=True)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for t in range(4):
        view.show(t, 0.5)
        view.display()
    view.restart()
    view.display()
    view.close()
print([str(w.message) for w in caught], view.rgb().any())
"""
    absent = {"DISPLAY", "WAYLAND_DISPLAY"}
    environment = {k: v for k, v in os.environ.items() if k not in absent}
    if not sys.platform.startswith("linux"):
        environment["MPLBACKEND"] = "agg"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    last = done.stdout.strip().splitlines()[-1]
    assert last.count("rgb_array") == 1 and last.endswith("] True"), done.stderr[-500:]


def test_a_toolkit_that_fails_is_told_once_and_never_raised(monkeypatch):
    def broken(width, height):
        raise ImportError("no toolkit")

    monkeypatch.setattr(frames, "Window", broken)
    picture = read(view(human=True), 3)
    with pytest.warns(UserWarning, match="no toolkit.*rgb_array") as caught:
        picture.display()
        picture.display()
    assert len(caught) == 1
    picture.close()


def test_a_window_gets_the_frames_and_stays_shut_once_its_user_shuts_it(monkeypatch):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "get_backend", lambda: "TkAgg")
    monkeypatch.setattr("matplotlib.backend_bases.FigureManagerBase.show", lambda self: None)
    picture = view(human=True)
    for t in (0, 1):
        read(picture, t + 1, t).display()
        shown = np.asarray(picture._window.figure.canvas.buffer_rgba())[..., :3]
        np.testing.assert_array_equal(shown, picture.rgb())
    plt.close(picture._window.figure)
    read(picture, 3, 2).display()
    assert not plt.get_fignums()
    picture.close()
    picture.display()
    assert len(plt.get_fignums()) == 1
    picture.close()
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_shape": (6, 6, 3)}, r"`image_shape` must be \(H, W\)"),
        ({"timesteps": 0}, "`timesteps` must be a whole number of at least 1"),
        ({"timesteps": 35}, "`pixel_indices` must be T = 35 whole numbers"),
        ({"pixel_indices": np.linspace(0, 1, T)}, "`pixel_indices` must be T = 36 whole numbers"),
        ({"pixel_indices": ORDER + 1}, r"`pixel_indices` must lie in 0…35.*1…36"),
        ({"signals": ("n", "m")}, "`signals` must be one of n, s, h"),
        ({"signals": ("n",), "units": ()}, "`units` must name"),
        ({"pixel_range": (1.0, 1.0)}, "`pixel_range` must be"),
    ],
)
def test_a_view_that_cannot_be_is_refused(options, message):
    given = {"image_shape": (SIDE, SIDE), "timesteps": T, "pixel_indices": ORDER, **options}
    with pytest.raises(ValueError, match=message):
        ReadingView(**given)


@pytest.mark.parametrize("t", [T, -1, 4, 3, 5.5])
def test_a_step_out_of_turn_is_refused_and_changes_nothing(t):
    picture = read(view(), 5)
    before = picture.rgb()
    with pytest.raises(ValueError, match="`t` must"):
        picture.show(t, 0.5)
    np.testing.assert_array_equal(picture.rgb(), before)


def test_signals_of_another_number_of_units_are_refused_and_change_nothing():
    picture = read(view(), 5)
    before = picture.rgb()
    with pytest.raises(ValueError, match=r"`signals\['s'\]` must have a value for each of the 2"):
        picture.show(5, 0.5, 0.0, {**values(5), "s": np.zeros(3)})
    np.testing.assert_array_equal(picture.rgb(), before)
    picture.show(5, 0.5)
