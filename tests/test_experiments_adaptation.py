"""Experiments 1, 10, 11, 14 and 19: γ, n and s under drives, and gradients through time."""

import dataclasses

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from aru_keras.analysis.gain_scaling import AMPLITUDES
from aru_keras.models import build_network
from aru_keras.perturbations import StepDrive
from aru_keras.probing import record
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments import activation, adaptation, gradients
from aru_keras.runners.experiments import measured as measures
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import (
    Network,
    Workspace,
    read_arrays,
    write_arrays,
)
from aru_keras.tasks import load_task

FAMILY, CONTROLLER = activation.EXPERIMENTS
SCALING, TRANSIENTS = adaptation.EXPERIMENTS
(GRADIENTS,) = gradients.EXPERIMENTS

TINY = dataclasses.replace(
    PRESETS["quick"],
    recorded_images=5,
    noise_seeds=(0, 1),
    step_amplitudes=(0, 1, 5, 10, 30),
)


ADAPTED, NOT_ADAPTED = np.array([[1, 0.5], [0.1, 0.01]]), np.array([[1, 0.01], [0.1, 0.01]])
"""Δn and Δs, trained and before training."""


class Untrained(Network):
    """A small network as it starts."""

    config = property(lambda self: TrainConfig("digits", model=self.name, units=5))
    task = property(lambda self: load_task("digits"))
    model = None
    start = property(lambda self: self.model)


def untrained(name):
    keras.utils.set_random_seed(0)
    made = Untrained(name, 0, None)
    made.model = build_network(name, (64, 1), units=5, controller_units=3, match_parameters=False)
    return made


def measured(experiment, names, path, seeds=1):
    """Results as they come back from the disk, of one network that stands for so many seeds."""
    found = {}
    for name in names:
        write_arrays(path / f"{name}.npz", experiment.measure(untrained(name), TINY))
        found[name] = [read_arrays(path / f"{name}.npz")] * seeds
    return Results(found)


def seeds(arrays, count=3):
    """Results of one ARUN that stands for several seeds."""
    return Results({"arun": [arrays] * count})


def holds(experiment, results):
    return [claim.holds for claim in experiment.conclude(results, TINY).claims]


def test_the_family_needs_no_network_and_reaches_its_limits(tmp_path):
    workspace = Workspace(tmp_path, TINY, say=pytest.fail)
    found = FAMILY.conclude(workspace.results(FAMILY, range(2)), TINY)
    assert found.verdict == "agrees" and len(found.claims) == 3
    # ln 2/n at n = 1000.
    assert found.claims[1].evidence.startswith("0.00069 ")
    assert isinstance(found.figures["curves"], Figure)


def test_a_limit_that_is_not_reached_is_a_claim_that_fails(monkeypatch):
    monkeypatch.setattr(activation, "LARGE_GAIN", 100)  # ln 2/100 = 0.0069.
    assert holds(FAMILY, Results({})) == [True, False, True]


@pytest.mark.parametrize(
    ("experiment", "names"),
    [
        (SCALING, ["arun"]),
        (TRANSIENTS, ["arun"]),
        (CONTROLLER, ["arun"]),
        (GRADIENTS, ["arun", "gamma", "relu"]),
    ],
)
def test_networks_are_measured_and_concluded_from_the_disk(experiment, names, tmp_path):
    assert list(experiment.trainings(TINY)) == names
    assert EXPERIMENTS[experiment.name] is experiment
    found = experiment.conclude(measured(experiment, names, tmp_path, seeds=2), TINY)
    assert found.figures and found.claims and found.tables
    for figure in found.figures.values():
        figure.draw_without_rendering()
    assert all(len(row) == len(table.header) for table in found.tables for row in table.rows)
    with pytest.raises(ValueError, match="needs one of arun"):
        experiment.conclude(Results({}), TINY)


def test_gradients_are_concluded_for_one_network(tmp_path):
    found = GRADIENTS.conclude(measured(GRADIENTS, ["gamma"], tmp_path), TINY)
    assert found.figures and not found.claims
    assert [row[0] for row in found.tables[0].rows] == ["RNN+γ"]
    found = GRADIENTS.conclude(measured(GRADIENTS, ["relu"], tmp_path), TINY)
    assert len(found.claims) == 2 and all("ReLU" in claim.text for claim in found.claims)


def test_the_noise_enters_in_three_places():
    made = untrained("arun")
    made.cell.kernel.assign(0 * made.cell.kernel.value)
    arrays = SCALING.measure(made, TINY)
    assert np.array_equal(arrays["input_input_spread"], arrays["drive_input_spread"])
    # Behind W_xh = 0 no input is heard, whatever its amplitude, to the last bits of float32; a
    # drive is.
    assert np.ptp(arrays["input_steady_n"]) < 1e-6
    assert min(np.ptp(arrays[f"{entry}_steady_n"]) for entry in ("units", "drive")) > 1e-3
    # On images of 64 steps, with the window of the paper's 784 scaled.
    assert arrays["units_n"].shape[2] == 64 and arrays["drive_n"].shape[2] == 600


def settled(n, s):
    """Arrays of experiment 10 with steady states n(ξ) and s(ξ)."""
    amplitudes = np.asarray(AMPLITUDES, "float64")
    found = {}
    for place in ("units", "input", "drive"):
        for name, value in (("n", n), ("s", s)):
            levels = np.stack([value(amplitudes)] * 2, axis=1)
            found[f"{place}_steady_{name}"] = levels
            found[f"{place}_{name}"] = np.repeat(levels[..., None], 600, axis=2)
        for name in ("input_spread", "output_spread"):
            found[f"{place}_{name}"] = np.stack([amplitudes] * 2, axis=1)
    return {**found, "adaptation": ADAPTED}


def power_law(xi):
    return 0.3 * xi**-0.5 + 5.4


def exponential(xi):
    return 0.004 * np.exp(-0.2 * xi)


@pytest.mark.parametrize(
    ("n", "s", "expected"),
    [
        (power_law, exponential, [True, True]),
        (lambda xi: -0.3 * xi**-0.5 + 5.4, exponential, [False, True]),  # It rises.
        (lambda xi: 0.3 * xi**0.5 + 5.4, exponential, [False, True]),
        (lambda xi: 0 * xi + 5, lambda xi: 0 * xi, [False, False]),  # No fits.
        (power_law, lambda xi: exponential(xi) + 0.001 * np.sin(7 * xi), [True, False]),  # R² .77.
    ],
)
def test_gain_scaling_is_judged_by_the_fits(n, s, expected):
    assert holds(SCALING, seeds(settled(n, s))) == expected


@pytest.mark.parametrize(
    ("experiment", "arrays"),
    [
        (SCALING, lambda: settled(power_law, exponential)),
        (TRANSIENTS, lambda: courses(lambda xi: 5.1 - 0.01 * xi, 3)),
    ],
)
def test_units_that_adapt_no_more_than_before_training_decide_nothing(experiment, arrays):
    results = seeds({**arrays(), "adaptation": NOT_ADAPTED})
    found = experiment.conclude(results, TINY)
    assert [claim.holds for claim in found.claims] == [None, None]
    assert all("no more than before training" in claim.evidence for claim in found.claims)
    assert found.tables[0].rows[1][2].startswith("0.01 ")


def test_how_far_units_move_is_measured_before_and_after_training():
    made, still = untrained("arun"), untrained("arun")
    still.cell.readout_kernel.assign(0 * still.cell.readout_kernel.value)
    made.__class__ = type("Trained", (Untrained,), {"start": still.model})
    found = measures.adaptation(made, TINY)
    assert (found[0] > 0).all() and (found[1] == 0).all()
    # The mean over units of what the strongest drive moves, in the later half of 17 … 31.
    x = made.task.examples("test", range(5))[0]
    n = [
        record(made.model, x, "n", StepDrive(xi).drive([0], 64))["n"][:, 24:32].mean(axis=(0, 1))
        for xi in (0, 30)
    ]
    assert found[0, 0] == pytest.approx(np.abs(n[1] - n[0]).mean(), rel=1e-5)


def test_a_fit_that_fails_gives_its_reason_and_seeds_that_differ_decide_nothing():
    flat = settled(lambda xi: 0 * xi + 5, exponential)
    claims = SCALING.conclude(seeds(flat), TINY).claims
    assert "the data are constant" in claims[0].evidence
    good = settled(power_law, exponential)
    claims = SCALING.conclude(Results({"arun": [flat, good, good]}), TINY)
    assert [claim.holds for claim in claims.claims] == [None, True]


def courses(level, tau, wobble=0.0):
    """Arrays of experiment 11 that relax from 5 to `level` of ξ in the drive, 17 ≤ t < 32."""
    t = np.arange(64.0)
    amplitudes = np.array(TINY.step_amplitudes, "float64")[:, None]
    relaxed = level(amplitudes) + (5 - level(amplitudes)) * np.exp(-(t - 17) / tau)
    driven = (t >= 17) & (t < 32) & (amplitudes > 0)
    n = np.where(driven, relaxed + wobble * np.cos(3 * t), 5.0)
    return {"n": n, "s": n / 100, "adaptation": ADAPTED}


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (courses(lambda xi: 5 - 0.01 * xi, 3), [True, True]),
        (courses(lambda xi: 5.1 - 0.01 * xi, 3, wobble=1.0), [False, True]),
        # The level goes up and down with ξ; or not at all.
        (courses(lambda xi: 5.5 + np.sin(7 * xi), 3), [True, False]),
        (courses(lambda xi: 0 * xi + 5.1, 3), [True, False]),
    ],
)
def test_a_transient_is_judged_by_its_decay_and_its_level(arrays, expected):
    found = TRANSIENTS.conclude(seeds(arrays), TINY)
    assert [claim.holds for claim in found.claims] == expected


def test_what_the_images_do_to_n_is_not_fitted():
    arrays = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    images = np.cumsum(np.random.default_rng(0).normal(size=64))
    seen = {**arrays, "n": arrays["n"] + images - images.mean()}
    before, after = (TRANSIENTS.conclude(seeds(one), TINY) for one in (arrays, seen))
    assert before.tables[1].rows == after.tables[1].rows
    assert before.claims[0].holds and after.claims[0].holds


def test_the_table_of_transients_has_what_was_put_in():
    arrays = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    found = TRANSIENTS.conclude(seeds(arrays, 1), TINY)
    last = dict(zip(found.tables[1].header, found.tables[1].rows[-1], strict=True))
    assert (last["ξ"], last["n at onset"], last["n τ (steps)"]) == ("30", "5", "3")
    failed = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    failed["n"][:] = 5
    found = TRANSIENTS.conclude(seeds(failed, 1), TINY)
    assert found.tables[1].rows[-1][3:5] == ("no fit", "")
    assert "4 × the data are constant" in found.claims[0].evidence


def controller(kernel, bias):
    """Arrays of experiment 14, of two units that end at tanh(kernel·a + bias)."""
    return {
        "kernel": np.array([kernel], "float64"),
        "recurrent_kernel": np.zeros((2, 2)),
        "bias": np.array(bias, "float64"),
        "readout_kernel": np.eye(2),
        "readout_bias": np.array([5.0, 0.0]),
        "seed": np.array(0),
    }


CHAOTIC = {
    "kernel": np.full((1, 8), 0.1),
    "recurrent_kernel": np.random.default_rng(1).normal(size=(8, 8)),
    "bias": np.zeros(8),
    "readout_kernel": np.eye(8)[:, :2],
    "readout_bias": np.array([5.0, 0.0]),
    "seed": np.array(0),
}


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        # Both units alike: a straight line.
        (controller([0.1, 0.1], [0, 0]), True),
        # One moves about a = 0.4, the other about a = 2: a bent one.
        (controller([10, 2], [-4, -4]), True),
        (CHAOTIC, False),
    ],
)
def test_end_points_are_judged_by_whether_they_follow_a_curve(arrays, expected):
    before = {f"{activation.STARTED}{name}": values for name, values in CHAOTIC.items()}
    found = CONTROLLER.conclude(seeds({**arrays, **before}), TINY)
    assert [claim.holds for claim in found.claims] == [expected]
    untrained = CONTROLLER.conclude(seeds({**CHAOTIC, **before}), TINY)
    # The row before training is the curve's, of the controller before training.
    assert found.tables[0].rows[3][1] == untrained.tables[0].rows[2][1]


def test_end_points_on_a_curve_say_nothing_where_an_untrained_controller_has_them_too():
    arrays = controller([0.1, 0.1], [0, 0])
    before = {f"{activation.STARTED}{name}": values for name, values in arrays.items()}
    (claim,) = CONTROLLER.conclude(seeds({**arrays, **before}), TINY).claims
    assert claim.holds is None and "an untrained controller passes" in claim.evidence


def propagated(contributions, scale=1.0):
    """Arrays of experiment 19; the norms add up as if all terms pointed one way."""
    contributions = scale * np.concatenate([[0.0], contributions])
    return {
        "contributions": contributions,
        "detached": np.cumsum(contributions[::-1])[::-1],
    }


RISING, FALLING, STEEP = np.linspace(1, 3, 30), np.linspace(3, 1, 30), np.linspace(0.1, 3, 30)


def turning():
    """The first eight positions pull the other way: the norm falls from 38, at length 22, to 16."""
    arrays = propagated(FALLING)
    pulls = np.where(np.arange(31) < 9, -1, 1) * arrays["contributions"]
    return {**arrays, "detached": np.cumsum(pulls[::-1])[::-1]}


TURNING = turning()


@pytest.mark.parametrize(
    ("arun", "gamma", "relu", "expected"),
    [
        (TURNING, propagated(STEEP, 20), propagated(RISING, 30), [True] * 7),
        (TURNING, propagated(STEEP, 2), propagated(RISING, 30), [1, 1, 1, 1, 0, 1, 1]),
        (TURNING, propagated(STEEP, 20), propagated(RISING, 2), [1, 1, 1, 1, 1, 0, 1]),
        (propagated(RISING), propagated(STEEP, 20), propagated(RISING, 30), [1, 1, 1, 0, 1, 1, 0]),
        (TURNING, propagated(STEEP, 20), propagated(FALLING, 30), [1, 0, 1, 1, 1, 1, 1]),
        (TURNING, propagated(FALLING, 20), propagated(RISING, 30), [1, 1, 0, 1, 1, 1, 1]),
    ],
)
def test_gradients_are_judged_by_length_size_and_position(arun, gamma, relu, expected):
    results = Results({"arun": [arun] * 3, "gamma": [gamma] * 3, "relu": [relu] * 3})
    assert holds(GRADIENTS, results) == [bool(one) for one in expected]


def test_gradients_are_held_against_each_other_over_the_whole_sequence():
    arun, relu = propagated(FALLING), propagated(RISING)
    arun["detached"][0], relu["detached"][0] = 0.02, 2
    claims = GRADIENTS.conclude(Results({"arun": [arun] * 3, "relu": [relu] * 3}), TINY).claims
    assert "of ReLU" in claims[3].text and claims[3].evidence.startswith("2 ±")  # 10² times.
    # At a tenth of 31 steps the last three terms add up: 3 + 2.93 + 2.86 = 8.8, more than 2.
    assert claims[0].holds is False and claims[0].evidence.startswith("-0.6431 ±")


def test_a_gradient_that_vanishes_is_smaller_than_any_other_and_like_itself():
    dead, alive = propagated(0 * RISING), propagated(RISING)
    assert holds(GRADIENTS, Results({"relu": [dead] * 3})) == [None, None]
    found = holds(GRADIENTS, Results({"arun": [dead] * 3, "relu": [alive] * 3}))
    assert found == [True, True, False, True, None]
