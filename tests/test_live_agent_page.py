"""The page `aru-keras live` in a real browser: an agent that acts."""

import re

import numpy as np
import pytest
from browsing import MARKS, PATIENCE, chromium, serving, window_of
from own_runs import untrained_agent

from aru_keras.runners.control import acting

pytestmark = MARKS


@pytest.mark.slow
def test_an_agent_acts_step_by_step_and_is_driven_with_the_keyboard(tmp_path):
    run = untrained_agent(tmp_path / "run", "CartPole-v1", mask_velocities=True)
    with serving(run) as address, chromium() as browser, window_of(browser, address) as window:
        _play_to_the_end(window, acting.act(run, out=tmp_path, formats=["svg"]))
        _drive(window)


def _play_to_the_end(window, acted):
    steps = len(acted.rewards)
    window.button("One step").click()
    window.sees("Episode 0, step 1, drive ξ = 0.00, reward 1")
    window.turn("Speed, steps a second", 60)
    window.button("Play").click()
    window.sees(f"Episode 0 is over: return {steps} in {steps} steps")
    window.button("Play").wait_for()
    units = [int(unit) for unit in window.page.get_by_label("Units drawn").input_value().split(",")]
    for name, title in (("n", "gain n"), ("s", "saturation s"), ("h", "output h")):
        shown = window.column(title, f"{name}_0", renderer=1)
        # The server's process compiles for itself, and rounds otherwise.
        np.testing.assert_allclose(shown, acted.signals[name][:, units[0]], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(
        window.column("what the agent sees", "x0"), acted.observations[:, 0], rtol=1e-6
    )
    np.testing.assert_array_equal(window.column("action", "x0"), acted.actions[:, 0])


def _drive(window):
    from playwright.sync_api import expect

    page = window.page
    window.button("Restart").click()
    window.sees("Episode 0, step 0")
    page.get_by_role("slider", name="Drive ξ").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Drive ξ: 0.50").wait_for(timeout=PATIENCE)
    window.button("One step").click()
    window.sees("Episode 0, step 1, drive ξ = 0.50")
    np.testing.assert_array_equal(window.column("drive ξ", "drive"), [0.5])
    page.get_by_text("Take it away").click()
    code = page.get_by_label("The same in Python")
    expect(code).to_have_value(re.compile(r"left out: drive\.(.|\n)*index=0"), timeout=PATIENCE)
