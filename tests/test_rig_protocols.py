"""The protocols of the unit rig: whole responses equal steps by hand, and closed forms."""

import gymnasium as gym
import keras
import numpy as np
import pytest
from rigs import CLOSE, EVERY_SIGNAL, N, assert_same, by_env, network, played, shared, single
from support import array, relative_error

from aru_keras import ARU, DrivenRNN, GammaRNN
from aru_keras.envs import protocols
from aru_keras.envs.rig import UnitRigEnv, UnitRigVectorEnv


def step(rig):
    return protocols.step_response(rig, 2.0, start=4, duration=5, steps=15)


def noise(rig):
    return protocols.noise_response(
        rig, 1.0, 0.5, 4, 5, steps=15, repeats=3, seed=2, background=0.1
    )


def sinusoid(rig):
    return protocols.sinusoid_response(rig, 1.0, period=7, mean=0.5, phase=1.0, steps=15)


@pytest.mark.parametrize("protocol", [step, noise, sinusoid])
@pytest.mark.parametrize(("isolated", "per_unit"), [(False, False), (True, False), (True, True)])
def test_protocols_equal_steps_by_hand(protocol, isolated, per_unit):
    env = shared(3, features=2, isolated=isolated, per_unit=per_unit)
    response = protocol(env)
    repeats = len(response.current)
    assert response.current.shape == (repeats, 16, N if per_unit else 1)
    assert set(response.signals) == EVERY_SIGNAL and (response.current[:, 0] == 0).all()
    assert response.signals["h"].shape == (repeats, 16, N)
    currents = np.broadcast_to(response.current, (3, *response.current.shape[1:]))
    by_hand = by_env(played(env, currents[:, 1:].swapaxes(0, 1)))
    assert_same(response.signals, {name: values[:repeats] for name, values in by_hand.items()})


@pytest.mark.parametrize("cls", [ARU, DrivenRNN])
def test_f_i_curve_equals_steps_by_hand(cls):
    env, currents = shared(3, cls=cls), np.linspace(-2, 3, 3)
    curve = protocols.f_i_curve(env, currents, steps=12, settle=5)
    actions = np.broadcast_to(currents[:, None].astype("f4"), (12, 3, 1))
    by_hand = played(env, actions)
    np.testing.assert_allclose(curve.currents, currents, rtol=1e-6)
    assert relative_error(curve.onset, by_hand["h"][1]) < CLOSE
    for name in ("n", "s", "h"):
        found = getattr(curve, name)
        if name in by_hand:
            assert relative_error(found, by_hand[name][-5:].mean(axis=0)) < CLOSE
        else:
            assert found is None


@pytest.mark.parametrize("s", [0.0, 0.4, 1.0])
def test_f_i_curve_of_isolated_static_units_is_the_fixed_point(s):
    """h = γ(w·h + b + ξ; n, s) for each unit, w on the diagonal of W_hh, by iteration."""
    layer = network(GammaRNN)
    cell, rng = layer.cell, np.random.default_rng(4)
    n, own = rng.uniform(1, 4, N), rng.uniform(-0.6, 0.6, N)
    kernel = rng.normal(size=(N, N))
    kernel[np.diag_indices(N)] = own
    for weight, value in ((cell.n, n), (cell.s, np.full(N, s)), (cell.recurrent_kernel, kernel)):
        weight.assign(value)
    currents = np.linspace(-2, 2, 9)
    curve = protocols.f_i_curve(UnitRigEnv(layer, isolated=True), currents)

    def gamma(x):
        return (1 - s) * np.logaddexp(0, n * x) / n + s / (1 + np.exp(-n * x))

    drive = array(cell.bias) + currents[:, None]
    h = gamma(array(cell.bias) + np.zeros_like(drive))
    onset = gamma(own * h + drive)
    for _ in range(300):
        h = gamma(own * h + drive)
    assert relative_error(curve.onset, onset) < CLOSE
    assert relative_error(curve.h, h) < CLOSE
    assert relative_error(curve.n, np.broadcast_to(n, (9, N))) < CLOSE


def test_currents_of_the_protocols(monkeypatch):
    monkeypatch.setattr(UnitRigVectorEnv, "respond", lambda rig, current: {})
    rig = shared()
    t = np.arange(16)
    inside = (t >= 4) & (t < 9)
    np.testing.assert_array_equal(step(rig).current[0, :, 0], 2.0 * inside)
    expected = (0.5 + np.sin(2 * np.pi * t / 7 + 1.0)) * (t > 0)
    np.testing.assert_allclose(sinusoid(rig).current[0, :, 0], expected, atol=1e-6)
    drawn = noise(rig).current[..., 0]
    assert len(np.unique(drawn[:, 1:])) == 45
    current = protocols.noise_response(rig, 2.0, 5.0, repeats=40, background=0.01).current
    quiet, burst, late = current[:, 1:200], current[:, 200:400], current[:, 400:]
    assert abs(burst.mean() - 5) < 0.1 and abs(burst.std() - 2) < 0.1
    for part in (quiet, late):
        assert abs(part.mean()) < 0.001 and abs(part.std() - 0.01) < 0.001
    assert current.shape == (40, 601, 1)


def test_noise_comes_from_its_seed():
    rig = shared(per_unit=True)
    options = {"start": 2, "duration": 3, "steps": 6}
    few = protocols.noise_response(rig, 1.0, repeats=2, seed=1, **options).current
    more = protocols.noise_response(rig, 1.0, repeats=4, seed=1, **options).current
    other = protocols.noise_response(rig, 1.0, repeats=2, seed=2, **options).current
    np.testing.assert_array_equal(few, more[:2])
    assert (few[:, 2:5] != other[:, 2:5]).all() and len(np.unique(few[:, 2:5])) == 30
    assert (few[:, [0, 1, 5, 6]] == 0).all()


def test_units_can_get_currents_of_their_own():
    amplitude = np.arange(N, dtype="f4")
    rig = shared(per_unit=True)
    found = protocols.step_response(rig, amplitude, start=1, duration=2, steps=3).current
    np.testing.assert_array_equal(found[0], np.outer([0, 1, 1, 0], amplitude))
    with pytest.raises(ValueError, match="`amplitude` must"):
        protocols.step_response(shared(), amplitude)


def test_protocols_leave_the_rig_as_it_is():
    env = shared()
    expected = played(env, [[1.0], [2.0]])
    played(env, [[1.0]])
    step(env)
    shown, *_, info = env.step([2.0])
    assert_same(shown, single(expected, -1), 1e-7)
    assert info["t"] == 2


def test_protocols_take_rigs_and_networks_in_any_form(tmp_path):
    layer = network()
    model = keras.Sequential([keras.Input((7, 1)), layer, keras.layers.Dense(2)])
    model.save(tmp_path / "model.keras")
    expected = step(shared()).signals
    wrapped = gym.wrappers.TimeLimit(shared(), 5)
    for rig in (layer, model, tmp_path, wrapped, shared(3)):
        assert_same(step(rig).signals, expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda rig: protocols.f_i_curve(rig, []), "`currents` must"),
        (lambda rig: protocols.f_i_curve(rig, 1.0), "`currents` must"),
        (lambda rig: protocols.f_i_curve(rig, [np.nan]), "`currents` must"),
        (lambda rig: protocols.f_i_curve(rig, [1.0], 10, 11), "`settle` must .*Received: 11"),
        (lambda rig: protocols.step_response(rig, np.inf), "`amplitude` must"),
        (lambda rig: protocols.step_response(rig, "5"), "`amplitude` must"),
        (lambda rig: protocols.step_response(rig, 1, start=0), "`start` must .*Received: 0"),
        (lambda rig: protocols.step_response(rig, 1, 10, steps=9), "`start` must .*Received: 10"),
        (lambda rig: protocols.step_response(rig, 1, duration=0), "`duration` must"),
        (lambda rig: protocols.noise_response(rig, -1), "`std` must .* 0.*Received: -1"),
        (lambda rig: protocols.noise_response(rig, 1, repeats=0), "`repeats` must"),
        (lambda rig: protocols.noise_response(rig, 1, background=-1), "`background` must"),
        (lambda rig: protocols.sinusoid_response(rig, 1, 0), "`period` must"),
        (lambda rig: protocols.sinusoid_response(rig, 1, 5, phase=np.nan), "`phase` must"),
    ],
)
def test_bad_protocols_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(shared())


def test_protocols_need_a_rig_that_starts_from_rest():
    with pytest.raises(ValueError, match=r"g0_std=1\.0"):
        step(shared(g0_std=1.0))
    with pytest.raises(ValueError, match="`rig` must"):
        step(gym.make("CartPole-v1"))


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 4)), np.zeros((1, 4, N)), np.ones((1, 4, 1)), np.full((1, 4, 1), np.nan)]
)
def test_bad_whole_currents_are_refused(wrong):
    with pytest.raises(ValueError, match="`current` must"):
        shared(3).respond(wrong)
