"""Agents on the page `aru-keras live`, without a browser: episodes in worlds changed by hand."""

import functools

import gymnasium as gym
import numpy as np
import pytest
import worlds
from own_runs import untrained_agent

from aru_keras._util.files import write_json
from aru_keras.runners import control
from aru_keras.runners.control.changed_worlds import changed_observations
from aru_keras.runners.control.training import stretch_seed
from aru_keras.runners.live import agent_takeaway
from aru_keras.runners.live.agent_session import AgentSession
from aru_keras.runners.live.networks import LiveAgent, Networks
from aru_keras.runners.live.page import Page

pytest.importorskip("panel")
CARTPOLE, MASKED = "CartPole-v1", {"mask_velocities": True}


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    """Gives agents by the name of their environment, each made and loaded once."""
    folder = tmp_path_factory.mktemp("agents")

    @functools.cache
    def loaded(environment):
        options = MASKED if environment == CARTPOLE else {}
        run = untrained_agent(folder / environment.replace("/", "-"), environment, **options)
        return LiveAgent(run)

    return loaded


@pytest.fixture
def session(agent):
    opened = AgentSession(agent(CARTPOLE))
    yield opened
    opened.close()


def finished(session, turns=None):
    """The session after its last step; changes are made before the steps that `turns` names."""
    while not session.over:
        session.turn(**(turns or {}).get(session.t, {}))
        assert session.step()
    assert not session.step()
    return session.acted


def assert_same(one, other):
    for name in ("observations", "actions", "rewards"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.signals.keys() == other.signals.keys()
    for name, values in one.signals.items():
        np.testing.assert_array_equal(values, other.signals[name])


@pytest.mark.parametrize("environment", [CARTPOLE, "aru-tests/Reach-v0"])
def test_an_unchanged_episode_is_that_of_probe_and_of_the_lines_of_python(agent, environment):
    session = AgentSession(agent(environment))
    session.turn(drive=2.0)
    finished(session)
    session.turn(drive=0.0)
    session.show(2)
    made = {}
    exec(agent_takeaway.python(session, [0, 3]), made)
    assert_same(finished(session), made["acted"])
    recording = made["acted"].recording
    assert agent_takeaway.table(session) == recording.read_bytes().decode()
    assert recording.name == "episode-2.csv" and session.acted.signals["n"].shape[1] == 6
    assert agent_takeaway.picture(session, [0, 3], "png").startswith(b"\x89PNG")
    session.close()


def test_what_is_changed_acts_from_the_next_step_on(session):
    before = finished(session)
    session.show(0)
    after = finished(session, {3: {"drive": 4.0, "scale": 2.0}, 5: {"drive": 0.0}})
    np.testing.assert_array_equal(session.drives[0][:7, 0], [0, 0, 0, 4, 4, 0, 0])
    for name, values in before.signals.items():
        np.testing.assert_array_equal(values[:3], after.signals[name][:3])
    np.testing.assert_allclose(after.observations[3], 2 * before.observations[3], rtol=1e-6)
    assert (before.signals["h"][3] != after.signals["h"][3]).any()
    assert session.changed.keys() == {"drive", "scale"}
    header = agent_takeaway.table(session).splitlines()[0]
    assert header.startswith("t,reward,drive,scale,x_0")
    assert agent_takeaway.python(session, [0]).startswith("# What was turned is left out: drive, s")


def test_noise_is_that_of_changed_returns(session):
    unchanged = finished(session).observations[0]
    session.show(0)
    session.turn(noise=0.5, scale=1.5)
    session.step()
    rng = np.random.default_rng(stretch_seed(0, 0))
    expected = changed_observations(unchanged, 1.5, 0.5, rng)
    expected[[1, 3]] = 0  # The velocities are hidden, and stay so.
    np.testing.assert_array_equal(session.acted.observations[0], expected)
    assert (expected != 1.5 * unchanged)[[0, 2]].all()


def test_the_world_is_changed_and_comes_back(session):
    before, inner = finished(session), session.env.unwrapped
    at_first = inner.gravity, inner.length, inner.polemass_length
    session.turn(gravity=2.0, length=0.5)
    now = inner.gravity, inner.length, inner.polemass_length
    assert now == (2 * at_first[0], at_first[1] / 2, at_first[2] / 2)
    session.show(0)
    assert (finished(session).observations[:5] != before.observations[:5]).any()
    session.turn(gravity=1.0, length=1.0)
    assert (inner.gravity, inner.length, inner.polemass_length) == at_first
    session.show(0)
    assert_same(finished(session), before)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda session: session.turn(drive=np.nan), "`drive` must be a finite number"),
        (lambda session: session.turn(noise=-1), "`noise` must be"),
        (lambda session: session.turn(contrast=1), "`change` must be one of drive, noise"),
        (lambda session: session.show(-1), "`index` must be"),
        (lambda session: session.chosen_units(0, [6]), "`units` must name units from 0 to 5"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_changes(session, wrong, message):
    changes = dict(session.changes)
    with pytest.raises(ValueError, match=message):
        wrong(session)
    assert (session.changes, session.t, session.index) == (changes, 0, 0)


def test_a_world_without_a_pole_has_no_such_change(agent):
    session = AgentSession(agent("aru-tests/Endless-v0"))
    assert list(session.changes) == ["drive", "noise", "scale"]
    with pytest.raises(ValueError, match="`change` must be one of drive, noise, scale"):
        session.turn(gravity=2.0)
    assert session.frame() is None and "gives no picture" in session.why_blind


class GLError(Exception):
    """What a renderer raises that Gymnasium knows nothing of."""


@pytest.mark.parametrize("kind", [gym.error.DependencyNotInstalled, ImportError, GLError])
def test_whatever_a_renderer_raises_is_said_in_place_of_the_picture(session, monkeypatch, kind):
    def render():
        raise kind("there is no display")

    monkeypatch.setattr(session.env.unwrapped, "render", render)
    assert session.frame() is None
    assert session.why_blind == f"There is no picture ({kind.__name__}: there is no display)."
    assert session.step() and session.frame() is None


def test_the_page_works_where_the_environment_does_not_render(agent, monkeypatch):
    def render(env):
        raise GLError("there is no display")

    monkeypatch.setattr(worlds.Reach, "render", render)
    page = Page(Networks(agent("aru-tests/Reach-v0").run))
    assert page.episode.world.picture is None and page.episode.advance(3)
    assert "Episode 0, step 3" in page.episode.status.text
    page.close()


def test_an_agent_whose_units_have_no_signals_is_refused(tmp_path):
    write_json(tmp_path / "config.json", control.ControlConfig(f"gym:{CARTPOLE}", "lstm").to_dict())
    with pytest.raises(ValueError, match="an LSTM, whose gates"):
        Networks(tmp_path)


def test_the_page_shows_the_environment_and_goes_on_to_the_next_episode(agent):
    page = Page(Networks(agent("aru-tests/Reach-v0").run))
    view, said = page.episode, page.message
    assert view.advance(3) and not view.advance(1) and not view.advance(1)
    np.testing.assert_array_equal(view.world._frame._source.data["image"][0], 0xFFA0A0A0)
    total = view.session.acted.rewards.sum()
    assert f"Episode 0 is over: return {total:.5g} in 4 steps." in view.status.text
    shown = [view.world._observations._source.data[f"x{k}"] for k in range(2)]
    np.testing.assert_array_equal(np.transpose(shown), view.session.acted.observations)
    np.testing.assert_array_equal(view.views[0].traces.source.data["t"], range(4))
    view.begin_next()
    assert view.controls.index.value == 1 and "Episode 1, step 0" in view.status.text
    assert not len(view.views[0].traces.source.data["t"])
    page.rig.open()
    assert page.rig._steps(1)
    page.takeaway.show()
    assert "index=1" in page.takeaway.python.value and said.object == ""
    page.close()


def test_a_long_episode_scrolls(agent):
    page = Page(Networks(agent("aru-tests/Endless-v0").run))
    view = page.episode
    view.advance(150)
    traces = view.views[0].traces
    assert traces.time.range.start == -0.5
    view.advance(100)
    assert (traces.time.range.start, traces.time.range.end) == (49.5, 249.5)
    for source in (
        traces.source,
        view.world._rewards._source,
        view.views[0].answers._lines._source,
    ):
        assert len(source.data["t"]) == 200 and source.data["t"][-1] == 249
    view._choose([1, 2])
    np.testing.assert_array_equal(traces.source.data["t"], range(50, 250))
    n = view.session.acted.signals["n"]
    np.testing.assert_array_equal(traces.source.data["n_0"], n[50:, 1])
    view.begin_again()
    assert traces.time.range.start == -0.5
    page.close()
