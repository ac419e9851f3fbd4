"""The parts of the page `aru-keras live` that need no browser: rig, downloads, canvas, command."""

import csv
import functools
import io
import socket
import types

import numpy as np
import pytest
from own_runs import untrained_run
from support import relative_error

from aru_keras import tasks
from aru_keras.envs import UnitRigEnv, protocols
from aru_keras.probing import record_task
from aru_keras.runners import cli, live
from aru_keras.runners.live import takeaway
from aru_keras.runners.live.locking import locked
from aru_keras.runners.live.networks import LiveNetwork, safe_name
from aru_keras.runners.live.rig import STEPS, WINDOW, Current, RigSession
from aru_keras.runners.live.session import Session

pytest.importorskip("panel")
RUN = "pretrained:arun-digits"


@functools.cache
def network():
    return LiveNetwork(RUN)


def test_what_a_widget_starts_waits_for_the_lock_of_its_window():
    from bokeh.document import Document
    from panel.io.state import set_curdoc

    document, done = Document(), []
    with set_curdoc(document):
        locked(done.append)("without a server")
        context = types.SimpleNamespace(request=None)
        document._session_context = lambda: context
        locked(done.append)("with one")
    assert done == ["without a server"]
    (waiting,) = document.session_callbacks
    waiting.callback()
    assert done == ["without a server", "with one"]


def test_a_notebook_shows_the_page_in_a_frame_of_its_own_process():
    from tornado.httpclient import AsyncHTTPClient
    from tornado.ioloop import IOLoop

    frame = live.app(RUN, height=700)
    try:
        assert f'src="{frame.address}"' in frame._repr_html_() and "700px" in frame._repr_html_()
        patient = {"request_timeout": 0, "connect_timeout": 0}  # Without a limit.
        answer = IOLoop.current().run_sync(
            lambda: AsyncHTTPClient().fetch(frame.address, **patient)
        )
    finally:
        frame.stop()
    assert b"arun-digits" in answer.body
    with pytest.raises(ValueError, match="`height` must be"):
        live.app(RUN, height=0)


@functools.cache
def read():
    """A finished episode that was perturbed by hand."""
    session = Session(network(), index=4)
    while session.step():
        if session.t == 10:
            session.turn(drive=3.0, contrast=0.5)
        if session.t == 30:
            session.turn(drive=0.0)
    return session


def test_the_lines_of_python_make_the_same_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = {}
    exec(takeaway.python(read(), [0, 5]), made)
    np.testing.assert_allclose(
        made["reading"].signals["n"], read().signals[0]["n"], rtol=1e-5, atol=1e-5
    )
    drive = np.broadcast_to(made["reading"].drive, read().drives[0].shape)
    np.testing.assert_allclose(drive, read().drives[0], atol=1e-6)
    assert (tmp_path / "reading.png").stat().st_size > 1000


def test_the_lines_of_python_run_for_a_network_without_gains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    session = Session(LiveNetwork("pretrained:relu-digits"))
    while session.step():
        pass
    made = {}
    exec(takeaway.python(session, [0, 5]), made)
    shapes, verdict = capsys.readouterr().out.splitlines()
    assert shapes == str({"h": (64, session.networks[0].units)})
    assert verdict == f"reads {made['reading'].predictions[-1]}"


def test_the_lines_of_python_read_the_file_from_which_the_task_was_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = Session(network())
    session.step()
    assert "source" not in takeaway.python(session, [0])
    file = tasks.export(session.task, tmp_path / "own")
    session.task = tasks.load_task("digits", source=file)
    lines = takeaway.python(session, [0])
    assert f", source={str(file)!r})" in lines
    exec(lines, {})


@pytest.mark.parametrize("drive", [0.0, 2.0])
def test_the_lines_of_python_make_a_drawing_again(drive, capsys):
    session = Session(network())
    session.draw(np.random.default_rng(0).random((8, 8), "float32"))
    session.turn(drive=drive)
    while session.step():
        pass
    made = {}
    exec(takeaway.python(session, [0]), made)
    np.testing.assert_array_equal(made["image"], session.image)
    assert relative_error(made["signals"]["h"][0], session.signals[0]["h"]) < 1e-5
    best = session.probabilities[0][-1].argmax()
    assert capsys.readouterr().out.splitlines()[-1] == f"reads {best}"


def test_the_recording_has_the_names_of_a_recording_of_the_task():
    xarray = pytest.importorskip("xarray")
    found = xarray.load_dataset(io.BytesIO(takeaway.netcdf(read())))
    assert found.attrs["perturbation"] == takeaway.perturbation_json(read())
    expected = record_task(RUN, network().task, "test", [4], None, read().perturbation)
    assert found.attrs == expected.attrs
    shared = found.drop_vars(["probability", "drive"]), expected.drop_vars(["y", "drive"])
    xarray.testing.assert_allclose(*shared, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.drive[..., 0], expected.drive, atol=1e-6)


def test_the_table_is_that_of_the_episode():
    rows = list(csv.DictReader(io.StringIO(takeaway.table(read()))))
    assert len(rows) == 64 and rows[9]["t"] == "9"
    written = np.array([float(row["n_7"]) for row in rows], "float32")
    np.testing.assert_array_equal(written, read().signals[0]["n"][:, 7])


@pytest.mark.parametrize(("suffix", "first"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_picture_is_in_the_format_that_is_asked_for(suffix, first):
    assert takeaway.picture(read(), [0, 1], suffix).startswith(first)


@pytest.mark.parametrize(("isolated", "rounding"), [(True, 1e-6), (False, 1e-3)])
def test_units_respond_in_the_rig_as_in_the_librarys_protocol(isolated, rounding):
    """Under so strong a current, connected units amplify what is rounded in float32."""
    session = RigSession(network(), isolated)
    while session.step():
        pass
    rig = UnitRigEnv(RUN, isolated=isolated, steps=None)
    expected = protocols.step_response(rig, 5.0, WINDOW.start, 100, STEPS)
    np.testing.assert_array_equal(session.currents, expected.current[0, 1:, 0])
    assert relative_error(session.signals["h"], expected.signals["h"][0, 1:]) < rounding
    order = session.order([0, 1])
    assert order.alpha.shape == (2,) and (np.abs(order.alpha) <= 1).all()


@pytest.mark.parametrize(
    ("current", "expected"),
    [
        (Current("ramp", 3.0), lambda t: 3.0 * t / STEPS),
        (Current("sinusoid", 2.0, 40.0), lambda t: 2.0 * np.sin(2 * np.pi * t / 40)),
        (Current("drawn", points=np.array([[0.0, 0], [300, 3]])), lambda t: t / 100),
        (Current("by hand"), lambda t: 0.0 * t),
    ],
)
def test_currents_are_what_they_are_called(current, expected):
    np.testing.assert_allclose(current.values(), expected(np.arange(1, STEPS + 1)), atol=1e-12)


def test_a_current_is_turned_by_hand():
    session = RigSession(network())
    session.begin(Current("by hand"), isolated=True)
    session.step()
    session.turn(2.5)
    session.step()
    np.testing.assert_array_equal(session.currents[:3], [0, 2.5, 0])
    assert session.order([0]) is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "square"}, "`kind`"),
        ({"amplitude": np.inf}, "`amplitude`"),
        ({"period": 0}, "`period`"),
        ({"points": np.zeros((3, 3))}, "`points`"),
    ],
)
def test_a_wrong_current_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        Current(**wrong)


def test_a_stroke_becomes_an_image():
    from aru_keras.runners.live.image_view import raster

    image = raster([[3.0, 3.0]], [[0.0, 7.0]], (8, 8))
    assert (image[:, 3] == 1).all() and not image[:, [0, 1, 5, 6, 7]].any()
    lowest = raster([[0.0, 7.0]], [[0.0, 0.0]], (8, 8))
    assert (lowest[7] == 1).all() and not lowest[:5].any()
    assert not raster([[np.nan, 1.0]], [[0.0, 1.0]], (8, 8)).any()


@pytest.mark.parametrize("text", ["../../etc/passwd", "a/b", "..", "", "run 1"])
def test_a_name_of_a_file_has_no_folder_in_it(text):
    name = safe_name(text)
    assert name and not set(name) & {"/", "\\", " "} and not name.startswith(".")


def test_a_port_in_use_is_one_clear_line(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["live", RUN, "--port", str(port), "--no-browser"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"Received: {port}, which is in use" in line


@pytest.mark.parametrize(("system", "options"), [("posix", [socket.SO_REUSEADDR]), ("nt", [])])
def test_an_address_is_reused_only_where_that_leaves_a_port_in_use(system, options, monkeypatch):
    """On Windows the option lets a socket have a port at which another one listens."""
    from aru_keras.runners.live import server

    made = []

    class Recorded(socket.socket):
        def setsockopt(self, level, option, value):
            made.append(option)
            super().setsockopt(level, option, value)

    monkeypatch.setattr(server, "os", types.SimpleNamespace(name=system))
    monkeypatch.setattr(server.socket, "socket", Recorded)
    assert server.free_port(0) > 0 and made == options


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "`port`"),
        (["pretrained:arun-digit", "--no-browser"], "Did you mean 'arun-digits'"),
        (["nowhere", "--no-browser"], "holds no run"),
    ],
)
def test_a_wrong_option_is_one_clear_line(arguments, message, capsys):
    assert cli.main(["live", *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_missing_package_is_one_clear_line(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["live"]) == 2
    assert "pip install panel" in capsys.readouterr().err


def test_a_run_on_sequences_without_a_class_at_the_end_is_refused(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 6, 2))
    examples = x, x[:, :, 0].mean(axis=1)
    run = untrained_run(tmp_path, tasks.from_arrays(examples, examples, examples, name="own"))
    with pytest.raises(
        ValueError, match=r"`run` must read sequences step by step.*aru-keras probe"
    ):
        LiveNetwork(run)
