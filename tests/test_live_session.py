"""The page `aru-keras live` without a browser: episodes that are perturbed by hand."""

import functools

import numpy as np
import pytest
from own_runs import untrained_run
from support import relative_error

from aru_keras import perturbations, probing, tasks
from aru_keras.perturbations import Contrast, NoisyDrive, StepDrive, Waveform
from aru_keras.runners.live.hand import Hand, History
from aru_keras.runners.live.networks import LiveNetwork, Networks
from aru_keras.runners.live.reading_view import ReadingView
from aru_keras.runners.live.session import Session

RUN, OTHER = "pretrained:arun-digits", "pretrained:gamma-digits"

ROUNDING = 1e-4
"""A whole sequence and single steps round differently in float32, and the recurrence amplifies it.
An episode and its replay are both of single steps, and agree to 1e-5."""


@functools.cache
def network(run=RUN):
    return LiveNetwork(run)


def finished(session, turns=None):
    """The session after its last step; controls are turned before the steps that `turns` names."""
    for t in range(session.timesteps):
        session.turn(**(turns or {}).get(t, {}))
        assert session.step()
    assert session.over and not session.step()
    return session


def turned(values):
    """The history of a drive that was turned at every step."""
    history = History(len(values), 0, perturbations.parse("none"))
    for value in values:
        history.add(Hand(drive=value))
    return history


def test_an_undisturbed_episode_is_the_networks_reading():
    session = finished(Session(network(), index=3))
    reading = probing.read(RUN, session.task, "test", 3)
    assert session.perturbation.to_text() == "none" and session.label == reading.label
    np.testing.assert_array_equal(session.pixels, reading.pixels)
    assert relative_error(session.probabilities[0], reading.probabilities) < ROUNDING
    for name, values in reading.signals.items():
        assert relative_error(session.signals[0][name], values) < ROUNDING
    np.testing.assert_array_equal(session.image, session.task.images("test")[3])


TURNS = {
    "a drive": {5: {"drive": 4.0}, 20: {"drive": 0.0}},
    "a drive from the first step": {0: {"drive": 4.0}, 20: {"drive": 0.0}},
    "a drive in several steps": {5: {"drive": 0.1}, 9: {"drive": -2.5}, 12: {"drive": 0.0}},
    "noise": {0: {"noise": 0.7}, 9: {"noise": 0.0}, 30: {"noise": 1.3}, 40: {"noise": 0.2}},
    "contrast": {3: {"contrast": 0.8}, 10: {"phase": 1.1}, 40: {"contrast": 0.0}},
    "everything": {
        2: {"drive": 1.5, "contrast": -1.5, "noise": 0.3},
        30: {"phase": 2.0, "noise": 0.0, "drive": 0.7},
        50: {"noise": 0.3},
    },
}


BASES = [None, "step:5+contrast:0.5", "noise:mean=1,seed=1", "input-noise:0.2+channels:0.5"]


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("turns", TURNS.values(), ids=TURNS)
def test_what_was_turned_can_be_replayed(turns, base):
    session = Session(network(), index=7)
    session.restart(base)
    live = finished(session, turns)
    seen = [live.pixels, live.drives[0], live.probabilities[0], *live.signals[0].values()]
    if base is not None and base.startswith("input-noise"):
        assert np.abs(live.pixels - live.sequence).mean() > 0.1
    told = perturbations.parse(live.perturbation.to_text())
    assert told == live.perturbation == perturbations.from_config(told.to_config())
    reading = probing.read(RUN, live.task, "test", 7, told)
    np.testing.assert_allclose(reading.pixels, live.pixels, atol=1e-6)
    drive = 0.0 if reading.drive is None else reading.drive
    np.testing.assert_allclose(
        np.broadcast_to(drive, live.drives[0].shape), live.drives[0], rtol=1e-5, atol=1e-5
    )
    assert relative_error(live.signals[0]["h"], reading.signals["h"]) < ROUNDING
    assert relative_error(live.probabilities[0], reading.probabilities) < ROUNDING
    live.replay()
    assert live.hand == Hand()
    again = finished(live)
    now = [again.pixels, again.drives[0], again.probabilities[0], *again.signals[0].values()]
    for before, after in zip(seen, now, strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 0, 3, 3, 0], StepDrive(3.0, 1, 3)),
        ([3, 3, 0, 0, 0], Waveform([3, 3])),
        ([0, 1, 0, 2, 0], Waveform([1, 0, 2], 1)),
    ],
)
def test_a_drive_that_was_turned_is_the_simplest_perturbation(values, expected):
    assert turned(values).perturbation() == expected


def test_controls_act_from_the_next_step_on_and_not_before():
    session = Session(network())
    for _ in range(10):
        session.step()
    session.turn(drive=5.0, contrast=0.5)
    session.step()
    assert not session.drives[0][:10].any() and (session.drives[0][10] == 5).all()
    assert (session.contrast[:10] == 1).all()
    assert session.contrast[10] == Contrast(0.5).factors(session.timesteps)[0][10]


def test_noise_differs_between_units_and_stretches():
    session = finished(Session(network()), {0: {"noise": 1.0}, 9: {"noise": 0}, 20: {"noise": 1}})
    drive = session.drives[0]
    assert np.unique(drive[0]).size == session.networks[0].units
    assert not np.array_equal(drive[:9], drive[20:29])
    kinds = session.perturbation.components
    assert all(isinstance(one, NoisyDrive) for one in kinds) and kinds[0].seed != kinds[1].seed


def test_two_networks_read_the_same_under_the_same():
    both = finished(Session(network(), network(OTHER), index=2), {4: {"drive": 3.0}})
    alone = finished(Session(network(OTHER), index=2), {4: {"drive": 3.0}})
    np.testing.assert_allclose(both.signals[1]["h"], alone.signals[0]["h"], atol=1e-6)
    np.testing.assert_array_equal(both.drives[0][:, 0], both.drives[1][:, 0])


def test_sessions_do_not_disturb_each_other():
    first, second = Session(network(), index=1), Session(network(), index=1)
    first.turn(drive=10.0)
    for _ in range(20):
        first.step(), second.step()
    assert not second.drives[0].any() and first.drives[0][:20].all()
    assert not np.allclose(first.signals[0]["h"], second.signals[0]["h"])


def test_a_drawn_image_is_read():
    task = network().task
    image = task.images("test")[5]
    session = Session(network())
    session.draw(image, label=4)
    drawn, stored = finished(session), finished(Session(network(), index=5))
    np.testing.assert_array_equal(drawn.pixels, stored.pixels)
    np.testing.assert_array_equal(drawn.image, image)
    assert drawn.reading().label == 4 and drawn.reading().task.images("drawn")[0].shape == (8, 8)


def test_an_image_is_seen_as_far_as_it_was_read():
    session = Session(network())
    for _ in range(5):
        session.step()
    seen = np.isfinite(session.image_read)
    assert seen.sum() == 5
    np.testing.assert_array_equal(session.image_read[seen], session.image[seen])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda session: session.turn(drive=np.nan), "`drive`"),
        (lambda session: session.turn(noise=-1), "`noise`"),
        (lambda session: session.show("test", 360), "`index`"),
        (lambda session: session.show("nowhere", 0), "`split`"),
        (lambda session: session.draw(np.ones((8, 9))), "`image`"),
        (lambda session: session.draw(np.full((8, 8), 2.0)), "`image`"),
        (lambda session: session.draw(np.ones((8, 8)), 10), "`label`"),
        (lambda session: session.restart("stop"), "`perturbation`"),
        (lambda session: session.restart("step:5,start=70"), "StepDrive needs a step"),
        (lambda session: session.chosen_units(0, [128]), "`units`"),
        (lambda session: session.reading(), "`t`"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_changes(wrong, message):
    session = Session(network(), index=1)
    with pytest.raises(ValueError, match=message):
        wrong(session)
    assert (session.hand, session.t, session.index, session.split) == (Hand(), 0, 1, "test")
    assert finished(session).perturbation.to_text() == "none"


@pytest.mark.slow
def test_sequences_of_ones_own_are_read_to_their_own_ends(tmp_path):
    x = [np.random.default_rng(k).normal(size=(10 + k % 5, 2)) for k in range(12)]
    examples = x, np.array(["slow", "fast"])[np.arange(12) % 2]
    task = tasks.from_arrays(examples, examples, examples, name="own", channels=("a", "b"))
    run = untrained_run(tmp_path, task)
    page = ReadingView(Networks(run), print)
    for index in (3, 0):
        page.controls.index.value = index
        session = finished(page.session, {4: {"drive": 2.0}})
        assert session.t == len(x[index])
        reading = probing.read(run, session.task, "test", index, session.perturbation)
        np.testing.assert_array_equal(session.reading().pixels, reading.pixels)
        assert relative_error(session.reading().probabilities, reading.probabilities) < ROUNDING
        page.advance(1)
        assert page.world.chart.title.text == f"test[{index}], label {examples[1][index]}"
        np.testing.assert_array_equal(page.world._read.data["x1"], reading.pixels[:, 1])
        read_as = task.spec.class_name(reading.predictions[-1])
        assert f"reads class <b>{read_as}</b>" in page.views[0].title.text


def test_a_network_without_units_to_watch_is_refused():
    with pytest.raises(ValueError, match="an LSTM, whose gates"):
        LiveNetwork("pretrained:lstm-digits")


def test_networks_that_read_otherwise_are_refused():
    session, other = Session(network()), LiveNetwork.__new__(LiveNetwork)
    other.label, other.task = "other", type("Other", (), {"config": lambda self: {}})()
    with pytest.raises(ValueError, match="`other` must read the same task"):
        session.compare(other)
