"""Recorded episodes on a page that needs no server: the drive is turned among recorded values."""

from collections.abc import Sequence

import numpy as np
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CustomJS, Slider
from bokeh.resources import INLINE

from aru_keras._util.arguments import array
from aru_keras.analysis import boundary_saturation
from aru_keras.perturbations import StepDrive
from aru_keras.probing import Reading
from aru_keras.runners.live.charts import COLOURS, GREY, LABEL_COLOUR, SHOWN_UNITS, Traces, chart
from aru_keras.runners.live.choices import DEFAULT_RUN
from aru_keras.runners.live.network_view import AXES, LABELS
from aru_keras.runners.live.networks import LiveNetwork
from aru_keras.runners.live.session import Session

RECORDED_DRIVES = (0.0, 1.0, 2.5, 5.0, 10.0)
"""The amplitudes of the paper's step drive among which the page lets its reader turn."""

_TURN = """
const k = drive.value, t = step.value
drive.title = "Drive ξ of the paper's step: " + drives[k]
step.title = "Step t: " + t
traces.data = recorded[k].data
const [n, s] = [recorded_n[k], recorded_s[k]]
points.data = {n: n[t], s: s[t]}
chosen.data = {n: units.map(i => n[t][i]), s: units.map(i => s[t][i]), colour: chosen.data.colour}
boundary.data = boundaries[xi[k][t] === 0 ? 0 : k].data
"""


def recorded_page(
    run: str = DEFAULT_RUN, drives: Sequence[float] = RECORDED_DRIVES, index: int = 3
) -> str:
    """An HTML page with one image that was read under several step drives.

    Args:
        run: The folder of a run, or `pretrained:NAME`, of a network with n and s.
        drives: The amplitudes ξ of the step drive, the first of them 0.
        index: The index of the image in the test split.

    Returns:
        The page, which contains everything that it needs.

    Raises:
        ValueError: If the network has no n and s, or there is no such image.
    """
    network = LiveNetwork(run)
    if not network.adapts:
        raise ValueError(
            "`run` must be an ARUN or RNN+γ network, whose units have n and s, for this page. "
            f"Received: {network.run}, of kind {network.kind}."
        )
    drives = [float(drive) for drive in array("drives", drives, ("K",))]
    readings = [_reading(network, drive, index) for drive in drives]
    units = readings[0].units(None, SHOWN_UNITS)
    traces = Traces(LABELS, AXES, network.task.timesteps, heights=(110, 110))
    recorded = [_traced(traces, reading, network.units, units) for reading in readings]
    traces.source.data = dict(recorded[0].data)
    sources = {
        "traces": traces.source,
        "points": ColumnDataSource({"n": [], "s": []}),
        "chosen": ColumnDataSource({"n": [], "s": [], "colour": []}),
        "boundary": ColumnDataSource({"n": [], "s": []}),
    }
    drive = Slider(start=0, end=len(drives) - 1, value=0, step=1, show_value=False, width=300)
    step = Slider(start=0, end=network.task.timesteps - 1, value=24, step=1, show_value=False)
    drive.title, step.title = "Drive ξ of the paper's step: 0", "Step t: 24"
    turn = CustomJS(
        code=_TURN,
        args={
            **sources,
            "drive": drive,
            "step": step,
            "drives": drives,
            "units": units,
            "recorded": recorded,
            "boundaries": [_boundary(amplitude) for amplitude in drives],
            "recorded_n": [reading.signals["n"].round(4).tolist() for reading in readings],
            "recorded_s": [reading.signals["s"].round(4).tolist() for reading in readings],
            "xi": [_drive(reading, 1)[:, 0].tolist() for reading in readings],
        },
    )
    for slider in (drive, step):
        slider.js_on_change("value", turn)
    _begin(sources, readings[0], units, drives[0], step.value)
    parts = [drive, step, _cloud(sources), *traces.charts.values()]
    return file_html(column(*parts, sizing_mode="stretch_width"), INLINE, "A recorded episode")


def _reading(network: LiveNetwork, drive: float, index: int) -> Reading:
    session = Session(network, index=index)
    session.restart(StepDrive(drive) if drive else None)
    while session.step():
        pass
    return session.reading()


def _drive(reading, units):
    if reading.drive is None:
        return np.zeros((reading.timesteps, units), "float32")
    return reading.drive[:, :units]


def _traced(traces, reading, count, units):
    traces.draw(reading.signals, _drive(reading, count), units, reading.timesteps)
    return ColumnDataSource(dict(traces.source.data))


def _boundary(drive):
    n = np.linspace(0.05, 20, 300)
    s = boundary_saturation(drive, n)
    return ColumnDataSource({"n": n, "s": np.where(np.abs(s) > 10, np.nan, s)})


def _begin(sources, reading, units, drive, t):
    n, s = (reading.signals[name][t] for name in ("n", "s"))
    sources["points"].data = {"n": n, "s": s}
    colours = list(COLOURS[: len(units)])
    sources["chosen"].data = {"n": n[units], "s": s[units], "colour": colours}
    sources["boundary"].data = dict(_boundary(drive).data)


def _cloud(sources):
    ranges = {"x_range": (3.5, 7.5), "y_range": (-0.5, 1.0)}
    made = chart("every unit's (n, s), and Λ(ξ)", "gain n", "saturation s", 230, **ranges)
    made.line("n", "s", source=sources["boundary"], color=LABEL_COLOUR, line_dash="dashed")
    made.scatter("n", "s", source=sources["points"], color=GREY, size=6, alpha=0.6)
    look = {"size": 10, "line_color": "white", "fill_color": "colour"}
    made.scatter("n", "s", source=sources["chosen"], **look)
    return made
