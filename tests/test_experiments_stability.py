"""Experiments 15 to 18: round trips of small networks, and claims on numbers known beforehand."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from aru_keras import models
from aru_keras.analysis.dynamics import GammaDynamics
from aru_keras.analysis.lyapunov import lyapunov_exponents
from aru_keras.analysis.stationary import stationary_distribution, unit_distances
from aru_keras.analysis.transients import transients
from aru_keras.perturbations import StepDrive
from aru_keras.probing import record
from aru_keras.runners.experiments import exponents, measured, noise_boundary, stability
from aru_keras.runners.experiments.presets import preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import read_arrays, write_arrays
from aru_keras.tasks import load_task

DRIVES = (0, 1, 2.5, 30)
PRESET = dataclasses.replace(
    preset("quick"), step_amplitudes=DRIVES, recorded_images=4, exponent_steps=20, exponent_starts=3
)
(BOUNDARY,) = noise_boundary.EXPERIMENTS
STATIONARY, SPECTRUM = stability.EXPERIMENTS
(LYAPUNOV,) = exponents.EXPERIMENTS
UNITS = 6
ADAPTED = np.array([[1, 0.5], [0.1, 0.01]])
"""Δn and Δs, trained and before training."""


def model_of(name, seed):
    keras.utils.set_random_seed(seed)
    return models.build_network(name, (64, 1), units=UNITS, controller_units=2)


def network(name, seed=0):
    model, start = model_of(name, seed), model_of(name, seed + 1)
    cell = model.get_layer("recurrent").cell
    task = load_task("digits")
    return SimpleNamespace(name=name, seed=seed, model=model, start=start, cell=cell, task=task)


@pytest.fixture(scope="module")
def arun():
    return network("arun")


def round_trip(experiment, one, folder):
    path = folder / f"{experiment.name}-{one.name}.npz"
    write_arrays(path, experiment.measure(one, PRESET))
    return read_arrays(path)


def conclude(experiment, found):
    return experiment.conclude(Results(found), PRESET)


def verdicts(experiment, found):
    """Of one network that stands for three seeds."""
    thrice = {name: 3 * seeds for name, seeds in found.items()}
    return [claim.holds for claim in conclude(experiment, thrice).claims]


@pytest.mark.parametrize("experiment", [BOUNDARY, STATIONARY, SPECTRUM, LYAPUNOV])
def test_a_network_goes_round(experiment, arun, tmp_path):
    arrays = round_trip(experiment, arun, tmp_path)
    found = conclude(experiment, {"arun": [arrays, arrays]})
    assert found.figures and found.tables and found.note
    with pytest.raises(ValueError, match=r"needs one of .*arun.*Received: lstm"):
        conclude(experiment, {"lstm": [{}]})


def test_recordings_under_drives_are_those_of_the_probe(arun):
    x = measured.recorded(arun, PRESET)
    steps = list(measured.later_half(64))
    kept = list(measured.under_drives(arun, PRESET, (0, 30), "h", measured.later_half))
    whole = record(arun.model, x, "h", StepDrive(30).drive([0], 64))["h"]
    # The window of T = 64 is 17 … 31.
    assert steps == list(range(24, 32)) and len(kept) == 2
    np.testing.assert_allclose(kept[1]["h"], whole[:, steps], rtol=1e-6)


def test_points_of_the_boundary_are_onset_and_steady_state_of_the_transients(arun):
    found = BOUNDARY.measure(arun, PRESET)
    for place, one in enumerate(transients(arun.model, measured.recorded(arun, PRESET), DRIVES)):
        for name, level in (("onset", "onset"), ("late", "steady")):
            expected = [getattr(course, level) for course in (one.n, one.s)]
            # Means of float32 signals in another order.
            np.testing.assert_allclose(found[name][place].mean(axis=-1), expected, rtol=1e-6)


def points(onset, late):
    """Points with these s; at n = 5 and ξ ≥ 2.5 the boundary is within 1e-5 of s = 0."""
    shape = (len(DRIVES), 2, UNITS)
    pair = [np.broadcast_to(np.array([[5.0], [s]]), shape) for s in (onset, late)]
    return {
        "drives": np.array(DRIVES),
        "onset": pair[0],
        "late": pair[1],
        "adaptation": ADAPTED,
    }


def test_boundary_claims_follow_the_points():
    assert verdicts(BOUNDARY, {"arun": [points(0.1, 0.02)]}) == [True, True, True]
    assert verdicts(BOUNDARY, {"arun": [points(0.1, -0.02)]}) == [True, False, True]
    assert verdicts(BOUNDARY, {"arun": [points(-0.1, 0.2)]}) == [False, True, False]
    assert verdicts(BOUNDARY, {"arun": [points(-0.1, -0.02)]}) == [False, False, False]
    unmoved = {**points(0.1, 0.02), "adaptation": ADAPTED[::-1]}
    assert verdicts(BOUNDARY, {"arun": [unmoved]}) == [None, None, None]


def moments(distances, mean, deviation):
    """Of each unit and of the mean over units the distance from a Gaussian."""
    drives = np.array(DRIVES, "float64")
    columns = [mean(drives), deviation(drives), 0, 0, 0.5, 100]
    found = np.stack([np.broadcast_to(one, drives.shape) for one in columns], axis=-1)
    gaussian = np.broadcast_to(distances, (len(drives), 2))
    quantiles = np.zeros((len(drives), 10))
    return {"drives": drives, "moments": found, "gaussian": gaussian, "quantiles": quantiles}


def test_stationary_claims_follow_the_moments():
    def line(drive):
        return 2 + 3 * drive

    def wave(drive):
        return 2 + (drive == 1)

    def claimed(*arguments):
        return verdicts(STATIONARY, {"arun": [moments(*arguments)]})

    # Pooled units are far from Gaussian here, and nothing is claimed of them.
    assert claimed([0.04, 0.03], line, line) == [True, True, True, True]
    assert claimed([0.06, 0.04], line, wave) == [False, True, True, False]
    constant = moments([0.04, 0.06], np.ones_like, line)
    assert verdicts(STATIONARY, {"arun": [constant]}) == [True, False, None, True]
    assert verdicts(STATIONARY, {"relu": [constant]}) == []


def test_units_of_different_means_are_gaussian_each_and_not_together():
    h = np.random.default_rng(0).normal(loc=[0, 5, 10], size=(4000, 3))
    distances = unit_distances(h.reshape(40, 100, 3))
    assert distances.shape == (3,) and distances.max() < 0.02
    assert stationary_distribution(h, 1.0).gaussian_distance > 0.1
    assert stationary_distribution(h.mean(axis=-1), 1.0).gaussian_distance < 0.02
    constant = np.concatenate([h, np.ones((4000, 1))], axis=1)
    np.testing.assert_array_equal(unit_distances(constant), distances)


def test_spectra_are_those_of_start_and_trained_weights(arun, tmp_path):
    arrays = round_trip(SPECTRUM, arun, tmp_path)
    for stage, model in (("start", arun.start), ("trained", arun.model)):
        kernel = keras.ops.convert_to_numpy(model.get_layer("recurrent").cell.recurrent_kernel)
        # Of orthogonal matrices in float32: the trace is the sum of the eigenvalues.
        assert arrays[stage].sum().real == pytest.approx(np.trace(kernel), abs=1e-5)


def eigenvalues(modulus):
    return {"start": np.ones(4, "complex128"), "trained": modulus * np.array([1, -1, 1j, -1j])}


def test_spectrum_claims_follow_the_moduli():
    inside, outside = [eigenvalues(0.7)], [eigenvalues(1.2)]
    # What lies inside the circle is not beyond it, however far from it.
    assert verdicts(SPECTRUM, {"arun": outside, "relu": inside}) == [True, True, True]
    assert verdicts(SPECTRUM, {"arun": inside, "relu": outside}) == [False, False, False]
    assert verdicts(SPECTRUM, {"arun": outside}) == []


def leading(adapted, frozen):
    drives = np.array(DRIVES, "float64")
    tall = np.broadcast_to
    found = {
        "own": np.array([-0.1, -0.2]),
        "drives": drives,
        "offsets": np.array([0, 5]),
        "spectra": tall(adapted, (3, 1, UNITS)),
        "adaptation": ADAPTED,
    }
    for averaged, sign in (("units", 1), ("population", -1)):
        # The population's mean has the two exchanged.
        pair = (adapted, frozen)[::sign]
        found[f"{averaged}_after_onset"] = tall(pair[0], (3, 2, 3, 1))
        for name, value in zip(("adapted", "frozen"), pair, strict=True):
            found[f"{averaged}_{name}"] = tall(value, (4, 3, 1))
            found[f"{averaged}_driven_{name}"] = tall(2 * value, (4, 3, 1))
    return found


def test_the_exponents_claim_is_of_distances_from_0():
    assert verdicts(LYAPUNOV, {"arun": [leading(0.1, -0.2)]}) == [True, False]
    assert verdicts(LYAPUNOV, {"arun": [leading(-0.2, 0.1)]}) == [False, True]
    unmoved = {**leading(0.1, -0.2), "adaptation": ADAPTED[::-1]}
    assert verdicts(LYAPUNOV, {"arun": [unmoved]}) == [None, None]


def test_a_network_that_dies_out_is_reported_and_not_averaged():
    found = conclude(LYAPUNOV, {"relu": [{"own": np.array([-np.inf, -0.1])}]})
    assert found.verdict == "shown"
    assert found.tables[0].rows == (("ReLU", "main units", "−∞ from 1 of 2 initial conditions"),)


def test_units_that_do_not_adapt_have_the_same_exponents_adapted_and_frozen():
    one = network("arun")
    readout = one.cell.readout_kernel
    readout.assign(keras.ops.zeros_like(readout))
    found = LYAPUNOV.measure(one, PRESET)
    for averaged in exponents.AVERAGED:
        adapted, frozen, onset = (
            found[f"{averaged}_{name}"] for name in ("adapted", "frozen", "after_onset")
        )
        np.testing.assert_allclose(adapted, frozen, rtol=1e-6)
        # The steps after onset make no difference either.
        np.testing.assert_allclose(onset[:, 0], onset[:, -1], rtol=1e-6)


def test_exponents_are_those_of_the_recorded_parameters_and_states(arun):
    drives, offsets = np.array(DRIVES, "float64"), exponents._offsets(64)
    n, s, start = exponents._adapted(arun, PRESET, drives, offsets)
    x = measured.recorded(arun, PRESET)
    whole = record(arun.model, x, ("h", "n", "s"), StepDrive(30).drive([0], 64))
    # The first driven step is 17, the first that is taken the one before it; of the steps 16 … 31
    # the later half is 24 … 31.
    for found, name in ((n, "n"), (s, "s")):
        expected = whole[name][:, 16 + offsets].mean(axis=0)
        np.testing.assert_allclose(found[-1], expected, rtol=1e-5)
    states = whole["h"][:, 24:32].reshape(-1, UNITS)
    distances = np.abs(start[-1][:, None] - states).max(axis=-1)
    # Each start is one of the states, up to float32.
    assert distances.min(axis=1).max() < 1e-5 * np.abs(states).max()
    found = LYAPUNOV.measure(arun, PRESET)
    kernel = keras.ops.convert_to_numpy(arun.cell.recurrent_kernel)
    for place, name in ((-1, "adapted"), (0, "frozen")):
        pair = (n[place, -1], s[place, -1])
        means = tuple(np.full(UNITS, one.mean()) for one in pair)
        for averaged, taken in (("units", pair), ("population", means)):
            for bias, kind in ((0.0, name), (30.0, f"driven_{name}")):
                dynamics = GammaDynamics(kernel, *taken, bias)
                direct = lyapunov_exponents(dynamics, start[-1], steps=20, seed=0)
                exponent = found[f"{averaged}_{kind}"][-1]
                np.testing.assert_allclose(exponent, direct.exponents, rtol=1e-9)


def test_the_table_of_exponents_has_each_units_own_and_the_populations_parameters():
    table = conclude(LYAPUNOV, {"arun": [leading(0.1, -0.2)]}).tables[1]
    assert table.header[1] == "adapted, own (n, s)"
    assert table.header[-1] == "frozen, mean (n, s), ξ in the map"
    units = ("0.1", "-0.2", "0.2", "-0.4")
    assert table.rows[-1] == ("30", *units, "-0.2", "0.1", "-0.4", "0.2")


def test_steps_after_onset_are_scaled_to_the_sequence():
    np.testing.assert_array_equal(exponents._offsets(784), np.arange(0, 151, 25))
    assert exponents._offsets(64)[-1] == round(150 * 64 / 784) and exponents._offsets(64)[0] == 0
