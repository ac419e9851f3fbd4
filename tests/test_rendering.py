"""The picture of an episode shows what was recorded, alike however it came about."""

import time

import numpy as np
import pytest
from views import ORDER, PIXELS, SIDE, T, read, values, view

from aru_keras.envs.rendering import ReadingView, frames


def patch(picture, frame, index):
    """The colour in the middle of an image pixel, (3,)."""
    box = picture._image.axes.get_window_extent()
    y, x = divmod(int(index), SIDE)
    column = box.x0 + (x + 0.5) * box.width / SIDE
    row = len(frame) - box.y1 + (y + 0.5) * box.height / SIDE
    return frame[int(row), int(column)]


@pytest.mark.parametrize("signals", [(), ("h",), ("n", "s", "h")])
def test_all_frames_have_one_even_size(signals):
    picture = view(signals=signals)
    frames = [picture.rgb()]
    for t in range(0, T, 12):
        frames.append(read(picture, t + 1, t).rgb())
    picture.restart("a much longer title than the one of before")
    frames.append(picture.rgb())
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {(frames[0].shape, "uint8")}
    assert all(side % 2 == 0 for side in frames[0].shape[:2]) and frames[0].shape[2] == 3


@pytest.mark.parametrize(("side", "signals"), [(8, ()), (28, ("n", "s", "h")), (32, ("h",))])
def test_the_tasks_images_fit_and_every_step_changes_the_frame(side, signals):
    steps = side * side
    units = tuple(range(20))
    picture = ReadingView((side, side), steps, np.arange(steps), signals=signals, units=units)
    before = picture.rgb()
    for t in (0, 1, steps // 2, steps - 1):
        picture.show(t, 0.0, 0.0, {name: np.zeros(20) for name in signals})
        after = picture.rgb()
        assert (after != before).any(), t
        before = after


def test_pixels_appear_where_they_belong_once_they_are_read():
    picture = read(view(), 30)
    frame = picture.rgb()
    unread = frames._rgba(frames.UNREAD)[:3]
    for t, index in enumerate(ORDER):
        expected = unread if t >= 30 else np.full(3, 255 * PIXELS[t])
        np.testing.assert_allclose(patch(picture, frame, index), expected, atol=1)


def test_the_pixel_range_is_black_to_white_and_beyond_it_is_clipped():
    picture = view(pixel_range=(-1.0, 3.0))
    for t, value in enumerate((-1.0, 1.0, 3.0, 7.0)):
        picture.show(t, value)
    frame = picture.rgb()
    shown = [patch(picture, frame, ORDER[t])[0] for t in range(4)]
    np.testing.assert_allclose(shown, [0, 127.5, 255, 255], atol=1)


def test_the_cursor_is_on_the_pixel_just_read_and_on_no_other():
    picture = view()
    box = picture._image.axes.get_window_extent()
    yellow = np.array(frames._rgba(frames.CURSOR)[:3], float)
    for t in (0, 9, T - 1):
        picture.show(t, 0.5)
        frame = picture.rgb()
        near = np.abs(frame.astype(float) - yellow).max(axis=-1) < 40
        rows, columns = np.nonzero(near[:, : int(box.x1) + 8])
        y, x = divmod(int(ORDER[t]), SIDE)
        middle = ((rows.min() + rows.max() + 1) / 2, (columns.min() + columns.max() + 1) / 2)
        cell = box.width / SIDE
        expected = (len(frame) - box.y1 + (y + 0.5) * cell, box.x0 + (x + 0.5) * cell)
        np.testing.assert_allclose(middle, expected, atol=1.5)


def test_traces_are_the_values_that_were_shown():
    picture = read(view(), 30)
    picture.rgb()
    for name in picture.signals:
        for unit, line in enumerate(picture._rows[name]._traces):
            np.testing.assert_array_equal(line.get_xdata(), range(30))
            expected = [values(t)[name][unit] for t in range(30)]
            np.testing.assert_array_equal(line.get_ydata(), expected)
    drive = picture._rows["drive"]._traces[0].get_ydata()
    np.testing.assert_array_equal(drive, [5.0 if 10 < t < 20 else 0.0 for t in range(30)])
    np.testing.assert_array_equal(
        picture._rows["pixel"]._traces.get_data().values[:30], PIXELS[:30]
    )


def test_limits_hold_every_value_and_only_widen():
    picture = view()
    spans = []
    for t in range(T):
        read(picture, t + 1, t)
        rows = {name: picture._rows[name].axes.get_ylim() for name in picture.signals}
        spans.append(rows)
        for name, (low, high) in rows.items():
            history = np.array([values(k)[name] for k in range(t + 1)])
            assert low < history.min() and history.max() < high, (t, name)
    for name in picture.signals:
        lows, highs = np.array([rows[name] for rows in spans]).T
        assert (np.diff(lows) <= 0).all() and (np.diff(highs) >= 0).all()
        assert len(set(highs)) < 20, "the background is drawn anew too often"


@pytest.mark.parametrize("signals", [(), ("n", "s", "h")])
def test_a_frame_drawn_step_by_step_is_the_frame_drawn_at_once(signals):
    picture = view(signals=signals, title="a 5")
    for t in range(T):
        read(picture, t + 1, t)
        frame = picture.rgb()
        if t in (0, 1, 11, 23, T - 1):
            at_once = read(view(signals=signals, title="a 5"), t + 1).rgb()
            np.testing.assert_array_equal(frame, at_once)


def test_a_restarted_view_is_a_new_one():
    picture = read(view(title="a 5"), T)
    picture.rgb()
    picture.restart()
    np.testing.assert_array_equal(picture.rgb(), view(title="a 5").rgb())
    picture.restart("a 7")
    np.testing.assert_array_equal(picture.rgb(), view(title="a 7").rgb())
    again, new = read(picture, 25).rgb(), read(view(title="a 7"), 25).rgb()
    np.testing.assert_array_equal(again, new)


def test_titles_are_drawn():
    assert (view(title="a 5").rgb() != view(title="a 7").rgb()).any()


def test_frames_are_copies():
    picture = read(view(), 3)
    frame = picture.rgb()
    kept = frame.copy()
    read(picture, 9, 3).rgb()
    np.testing.assert_array_equal(frame, kept)
    frame[:] = 0
    assert picture.rgb().any()


def test_the_mean_of_a_drive_per_unit_is_drawn():
    one, many = view(), view()
    one.show(0, 0.5, 2.0)
    many.show(0, 0.5, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(one.rgb(), many.rgb())


def test_missing_and_infinite_signals_leave_gaps_and_the_limits_alone():
    picture = view()
    picture.show(0, 0.5, signals=values(0))
    limits = picture._rows["n"].axes.get_ylim()
    picture.show(1, 0.5)
    picture.show(2, 0.5, signals={"n": np.array([np.nan, np.inf]), "not drawn": 3})
    assert picture.rgb().shape == view().rgb().shape
    assert picture._rows["n"].axes.get_ylim() == limits
    assert np.isnan(picture._rows["n"]._traces[0].get_ydata()[1:]).all()


def test_units_differ_in_colour_or_dash_and_the_legend_names_them():
    picture = view(units=range(12))
    lines = picture._rows["n"]._traces
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12
    names = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert names == ["not yet read", *(f"unit {unit}" for unit in range(12))]


def test_a_step_is_drawn_much_faster_than_the_figure():
    picture = view()

    def least(action):
        times = []
        for t in range(picture._last + 1, picture._last + 13):
            read(picture, t + 1, t)
            start = time.perf_counter()
            action()
            times.append(time.perf_counter() - start)
        return min(times)

    read(picture, 5).rgb()
    assert least(picture.rgb) < 0.5 * least(picture.figure.canvas.draw)
