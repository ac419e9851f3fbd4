"""Onset, steady state and decay under a step drive."""

import keras
import numpy as np
import pytest

from aru_keras import ARU, models, probing
from aru_keras.analysis.gain_scaling import measure_gain_scaling
from aru_keras.analysis.transients import measure_transients, steady_state, transient
from aru_keras.perturbations import StepDrive

RNG = np.random.default_rng(0)


def test_the_steady_state_is_the_papers():
    assert steady_state(StepDrive(5), 784) == range(300, 380)
    # Another t0 moves it along.
    assert steady_state(StepDrive(5, start=50, duration=300), 784) == range(150, 230)


@pytest.mark.parametrize("timesteps", [64, 196, 784, 1024])
def test_the_steady_state_is_scaled_with_the_sequence(timesteps):
    window, found = StepDrive(5).window(timesteps), steady_state(StepDrive(5), timesteps)
    assert window.start < found.start < found.stop <= window.stop
    t0 = window.start - 1
    assert abs((found.start - t0) / timesteps - 100 / 784) <= 0.5 / timesteps
    assert abs((found.stop - t0) / timesteps - 180 / 784) <= 0.5 / timesteps


def test_a_decay_is_measured_where_it_is():
    """n jumps at t0 + 1 = 201 and decays with τ = 25; s rises with τ = 40."""
    t = np.arange(784)
    driven = (t > 200) & (t < 400)
    n = np.where(driven, 5 + 2 * np.exp(-(t - 201) / 25), 4.0)
    s = np.where(driven, 0.3 - 0.2 * np.exp(-(t - 201) / 40), 0.0)
    # Spread over batch and units about the mean, exactly.
    spread = RNG.normal(size=(3, 1, 4))
    spread -= spread.mean()
    found = transient(
        {name: v[None, :, None] + spread for name, v in (("n", n), ("s", s))}, StepDrive(7.5)
    )
    np.testing.assert_allclose(found.n.mean, n, atol=1e-12)
    assert found.drive.amplitude == 7.5 and found.window == range(201, 400)
    assert found.n.onset == pytest.approx(7.0) and found.s.onset == pytest.approx(0.1)
    steady = np.arange(300, 380) - 201
    assert found.n.steady == pytest.approx(5 + 2 * np.exp(-steady / 25).mean())
    np.testing.assert_allclose(found.n.decay.values, [2, 25, 5], rtol=1e-6)
    np.testing.assert_allclose(found.s.decay.values, [-0.2, 40, 0.3], rtol=1e-6)


def test_without_a_transient_there_is_no_decay():
    flat = {"n": np.full((2, 784, 3), 5.0), "s": np.zeros((2, 784, 3))}
    found = transient(flat, StepDrive(0))
    assert found.n.decay.failed and found.s.decay.failed
    assert found.n.onset == found.n.steady == 5


def gain_scaling(model, x):
    return measure_gain_scaling(model, (1.0,), (0, 1), x=x)


@pytest.mark.parametrize("encoder", ["linear", "conv"])
def test_a_network_is_run_under_every_drive(encoder):
    shape, steps = ((80, 1), 80) if encoder == "linear" else ((16, 16, 3), 16)
    model = models.build_network("arun", shape, encoder=encoder, units=5, controller_units=3)
    x = RNG.random((3, *shape)).astype("float32")
    found = measure_transients(model, x, (0, 10))
    assert [one.drive.amplitude for one in found] == [0, 10]
    known = probing.record(model, x, "n", StepDrive(10).drive([0], steps))["n"]
    # Means of float32 in another order.
    np.testing.assert_allclose(found[1].n.mean, known.mean(axis=(0, 2)), rtol=1e-5)
    first = StepDrive(10).window(steps).start
    assert found[1].n.onset == found[1].n.mean[first]
    assert (found[1].n.mean[:first] == found[0].n.mean[:first]).all()
    assert found[1].n.onset != found[0].n.onset


def test_what_does_not_fit_is_an_error():
    recording = {name: np.ones((1, 784, 2)) for name in "ns"}
    with pytest.raises(ValueError, match="must hold n and s"):
        transient({"h": np.ones((1, 784, 2))}, StepDrive(1))
    with pytest.raises(ValueError, match="longer `duration`"):
        transient(recording, StepDrive(1, duration=100))
    with pytest.raises(ValueError, match="inside the drive"):
        steady_state(StepDrive(1, start=0, duration=5), 6)
    with pytest.raises(ValueError, match="must hold 'n' of finite numbers"):
        transient({**recording, "n": np.full((1, 784, 2), np.inf)}, StepDrive(1))


@pytest.mark.parametrize("measure", [measure_transients, gain_scaling])
def test_padding_is_no_part_of_a_mean(measure):
    model = keras.Sequential([keras.Input((80, 1)), keras.layers.Masking(-9.0), ARU(5, 3)])
    x = RNG.random((2, 80, 1)).astype("float32")
    assert measure(model, x)
    x[1, 60:] = -9.0
    with pytest.raises(ValueError, match=r"`x` must have no masked .* 1 of 2 sequences"):
        measure(model, x)


def test_a_recording_with_padding_is_refused():
    recording = {name: np.ones((2, 784, 2)) for name in "ns"}
    recording["mask"] = np.arange(784) < np.array([[784], [700]])
    with pytest.raises(ValueError, match="`recording` must have no masked steps"):
        transient(recording, StepDrive(1))
