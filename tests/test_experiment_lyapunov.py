"""Experiment 17: exponents, adapted and frozen."""

import dataclasses

import keras
import numpy as np
import pytest
from stability import ADAPTED, DRIVES, LYAPUNOV, PRESET, UNITS, conclude, network, verdicts

from aru_keras import tasks
from aru_keras.analysis.dynamics import GammaDynamics
from aru_keras.analysis.lyapunov import lyapunov_exponents
from aru_keras.perturbations import StepDrive
from aru_keras.probing import record
from aru_keras.runners.experiments import lyapunov, measured
from aru_keras.runners.experiments.onset import from_before_onset, offsets_after_onset
from aru_keras.runners.experiments.own_tasks import reason_against


@pytest.fixture(scope="module")
def arun():
    return network("arun")


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
    for averaged in lyapunov.AVERAGED:
        adapted, frozen, onset = (
            found[f"{averaged}_{name}"] for name in ("adapted", "frozen", "after_onset")
        )
        np.testing.assert_allclose(adapted, frozen, rtol=1e-6)
        # The steps after onset make no difference either.
        np.testing.assert_allclose(onset[:, 0], onset[:, -1], rtol=1e-6)


def test_exponents_are_those_of_the_recorded_parameters_and_states(arun):
    drives, offsets = np.array(DRIVES, "float64"), np.array(offsets_after_onset(64))
    n, s, start = lyapunov._adapted(arun, PRESET, drives, offsets)
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
    assert offsets_after_onset(784) == list(range(0, 151, 25))
    assert offsets_after_onset(64)[-1] == round(150 * 64 / 784) and offsets_after_onset(64)[0] == 0


@pytest.mark.parametrize(("timesteps", "fits"), [(8, False), (9, False), (10, True), (784, True)])
def test_sequences_whose_drive_ends_before_the_last_offset_are_refused(timesteps, fits):
    spec = dataclasses.replace(made_of_steps(20).spec, timesteps=timesteps)
    reason = reason_against("lyapunov", spec)
    assert (reason is None) == fits
    if fits:
        assert max(offsets_after_onset(timesteps)) < len(from_before_onset(timesteps))
    else:
        assert f"does not fit into {timesteps} steps" in reason
        with pytest.raises(ValueError, match=f"{timesteps} steps, of which 1 are driven"):
            offsets_after_onset(timesteps)


def made_of_steps(timesteps):
    split = (np.ones((4, timesteps, 1)), np.arange(4) % 2)
    return tasks.from_arrays(split, split, split, name="own")


def test_an_exponent_of_minus_infinity_leaves_its_claim_undecided_and_the_rest_in_the_report():
    dead = {name: np.array(value) for name, value in leading(0.1, -0.2).items()}
    dead["units_frozen"][2, 0] = -np.inf
    found = conclude(LYAPUNOV, {"arun": [leading(0.1, -0.2), dead, leading(0.1, -0.2)]})
    assert [claim.holds for claim in found.claims] == [None, False]
    assert "−∞ from 0 adapted and 1 frozen" in found.claims[0].evidence
    assert found.tables[1].rows[2][2] == "−∞ with 1 of 3 seeds"
    assert "adapted-frozen-units" not in found.figures
    assert "adapted-frozen-population" in found.figures
