"""The page `aru-keras live`: what the server does for a step that is drawn in one window."""

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import keras
from bokeh.document import Document
from bokeh.protocol import Protocol

from aru_keras import models
from aru_keras.runners.benchmark.choices import LIVE_SIZES
from aru_keras.runners.benchmark.timing import ROUNDS
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.live.networks import Networks
from aru_keras.runners.live.page import Page
from aru_keras.runners.live.player import FRAME_MS
from aru_keras.runners.run_folder import RunFolder

FRAMES = 1000 / FRAME_MS
"""The steps that the page draws in a second, at its first speed or faster."""

STEPS_A_TURN = 32


def live(sizes: Sequence[tuple[int, int]] = LIVE_SIZES, *, rounds: int = ROUNDS) -> list[dict]:
    """Time a step of an ARUN on digits, together with its drawing and what is sent of it.

    Args:
        sizes: Pairs of units N and controller units G.
        rounds: Turns of 32 steps.

    Returns:
        Rows with `backend`, `units`, `controller_units`, `seconds` a step, `cpu_seconds` a step of
        the process with all its threads, and `bytes` sent for a step.
    """
    return [_row(units, controller_units, rounds) for units, controller_units in sizes]


def live_table(rows: list[dict]) -> str:
    """The rows of `live` in Markdown."""
    lines = [
        f"| N | G | backend | steps/s at most | of a core at {FRAMES:.0f} steps/s | kB a step |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        start = "| {units} | {controller_units} | {backend} | ".format(**row)
        share, sent = row["cpu_seconds"] * FRAMES, row["bytes"] / 1000
        lines.append(start + f"{1 / row['seconds']:.0f} | {100 * share:.0f} % | {sent:.1f} |")
    return "\n".join(lines)


def _row(units, controller_units, rounds):
    with tempfile.TemporaryDirectory() as folder:
        networks = Networks(str(_untrained(Path(folder), units, controller_units)))
    window = _Window(networks)
    window.steps(2)  # What is made at the first step, and the axes.
    turns = [window.steps(STEPS_A_TURN) for _ in range(rounds)]
    names = ("seconds", "cpu_seconds", "bytes")
    row = {name: statistics.median(turn[name] for turn in turns) / STEPS_A_TURN for name in names}
    size = {"units": units, "controller_units": controller_units}
    return {"backend": keras.config.backend()} | size | row


def _untrained(path, units, controller_units):
    """The folder of a run with a network of a size."""
    config = TrainConfig("digits", units=units, controller_units=controller_units)
    task, folder = config.load_task(), RunFolder(path)
    folder.create(config, task.permutation)
    sizes = {"units": units, "controller_units": controller_units}
    models.network_for(task, config.model, **sizes).save(folder.model)
    return path


class _Window:
    """A page whose changes are made into messages, which go nowhere."""

    def __init__(self, networks):
        self.page = Page(networks)
        self.document = self.page.template().server_doc(Document())
        self.document.on_change(self._send)
        self.sent = 0

    def steps(self, count):
        """Take steps; what they took in all."""
        self.sent, started, of_process = 0, time.perf_counter(), time.process_time()
        for _ in range(count):
            if not self.page.episode.advance(1):
                self.page.episode.begin_again()
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - of_process
        return {"seconds": seconds, "cpu_seconds": cpu_seconds, "bytes": self.sent}

    def _send(self, event):
        message = Protocol().create("PATCH-DOC", [event])
        self.sent += len(message.header_json) + len(message.content_json)
        self.sent += sum(len(buffer.data) for buffer in message.buffers)
