"""A valid call of each function of `aru_keras.analysis` that belongs to an experiment."""

import functools

import keras
import numpy as np
from bad_arguments import Case, numbers

from aru_keras import GammaRNN
from aru_keras.analysis import (
    classification,
    evaluation,
    fractional_signals,
    fractional_tasks,
    gain_scaling,
    gradients,
    heterogeneity,
    landscape,
    robustness,
    sensitivity,
    stationary_distribution,
    step_response,
    transfer,
    transients,
)
from aru_keras.perturbations import StepDrive

N, G = 3, 2
DRAWS = np.random.default_rng(0)
KERNEL = 0.5 * np.linalg.qr(DRAWS.normal(size=(N, N)))[0]
DRIVE = np.repeat([0.0, 1.0, 0.0], [10, 20, 10])
STATES = DRAWS.normal(size=(2, 5, N))
SHORT = step_response.StepProtocol(40, start=10, duration=20, repeats=2)
BURST = gain_scaling.NoiseBurst(2, 4, 2, steady=3)
RECORDING = {name: DRAWS.normal(size=(2, 8, N)) for name in ("n", "s", "h")}
LONG = {name: DRAWS.normal(size=(1, 784, 2)) for name in ("n", "s")}
CLOUDS = {"start": heterogeneity.Cloud(np.ones((2, 2))), "end": heterogeneity.Cloud(np.eye(2))}
POPULATION = [{1.0: 0.1, 30.0: 0.3}, {1.0: 0.2, 30.0: 0.5}]


@functools.cache
def layer():
    made = GammaRNN(N, name="small")
    made.build((None, None, 1))
    return made


@functools.cache
def classifier():
    inputs = keras.Input((4, 1))
    return keras.Model(inputs, keras.layers.Dense(2)(GammaRNN(N)(inputs)))


@functools.cache
def responses():
    signals = {name: np.cumsum(DRAWS.normal(size=(2, 40, N)), axis=1) for name in ("h", "n", "s")}
    drive = np.stack([0 * DRIVE, DRIVE])
    return step_response.StepResponses(np.array([0.0, 1.0]), drive, signals, False)


def orders(**options):
    return {"window": (5, 35), "baseline": 5, **options}


def distribution():
    return stationary_distribution.state_distribution(STATES, 1.0)


def land():
    n = np.arange(1.0, 5)
    return landscape.Landscape(n, n, n, -n, n**2)


CASES = [
    Case(classification.Classifier, lambda: {"network": classifier()}),
    Case(
        gain_scaling.NoiseBurst,
        lambda: {"before": 2, "duration": 4, "after": 2, "background": 0.1, "steady": 3},
    ),
    Case(
        gain_scaling.settled,
        lambda: {"recording": RECORDING, "noise": DRAWS.normal(size=(2, 8, 1)), "protocol": BURST},
    ),
    Case(
        gain_scaling.measure_gain_scaling,
        lambda: {
            "network": layer(),
            "amplitudes": np.ones(1),
            "seeds": [0],
            "protocol": BURST,
            "x": None,
            "enters": "drive",
            "as_drive": None,
            "progress": False,
        },
        shapes=False,
    ),
    Case(
        gradients.propagation,
        lambda: {
            "network": classifier(),
            "x": np.ones((2, 4, 1)),
            "labels": np.array([0, 1]),
            "batch_size": 2,
        },
    ),
    Case(gradients.propagation_from_adjoints, lambda: {"h": STATES, "adjoints": STATES}),
    Case(
        gradients.propagation_of_simple_rnn,
        lambda: {
            "weights": [np.ones((1, N)), KERNEL, np.ones(N)],
            "readout": [np.ones((N, 2)), np.ones(2)],
            "x": np.ones((2, 4, 1)),
            "labels": np.array([0, 1]),
            "activation": "tanh",
        },
    ),
    Case(heterogeneity.Cloud, lambda: {"points": np.ones((N, 2))}),
    Case(heterogeneity.cloud_shifts, lambda: {"stages": CLOUDS}),
    Case(landscape.Landscape, lambda: {**vars(land())}, sound=numbers),
    Case(landscape.landscape_correlations, lambda: {"landscape": land()}),
    Case(landscape.accuracy_by_side, lambda: {"landscape": land()}),
    Case(
        evaluation.score_grid,
        lambda: {
            "evaluate": lambda p: evaluation.Score(1.0, 0.5, 2),
            "perturbations": np.array([StepDrive(1)], dtype=object),
            "done": None,
            "progress": False,
        },
    ),
    Case(robustness.step_drives, lambda: {"amplitudes": np.ones(2)}, shapes=False),
    Case(robustness.contrasts, lambda: {"amplitudes": np.ones(2)}, shapes=False),
    Case(
        sensitivity.contrast_map,
        lambda: {"amplitudes": np.ones(2), "phases": np.ones(2)},
        shapes=False,
    ),
    Case(
        sensitivity.step_map, lambda: {"amplitudes": np.ones(2), "durations": [5, 6]}, shapes=False
    ),
    Case(
        sensitivity.scaled_durations, lambda: {"timesteps": 64, "durations": [25, 50]}, shapes=False
    ),
    Case(
        robustness.fractional_drop,
        lambda: {"amplitudes": np.array([0.0, 1]), "values": np.array([1, 0.5]), "chance": 0.1},
    ),
    Case(stationary_distribution.state_distribution, lambda: {"h": STATES, "drive": 1.0}),
    Case(
        stationary_distribution.stationary_lines,
        lambda: {"distributions": [distribution()] * 3},
        shapes=False,
    ),
    Case(
        stationary_distribution.draw_states,
        lambda: {"distribution": distribution(), "count": 2, "units": 3, "seed": 0},
    ),
    Case(stationary_distribution.unit_gaussian_distances, lambda: {"h": STATES}),
    Case(
        stationary_distribution.draw_recorded_states, lambda: {"h": STATES, "count": 2, "seed": 0}
    ),
    Case(step_response.StepProtocol, lambda: {**vars(SHORT)}, shapes=False),
    Case(
        step_response.step_responses,
        lambda: {
            "network": layer(),
            "drives": np.array([0.0, 1]),
            "isolated": False,
            "protocol": SHORT,
            "input_weights": True,
            "signals": ["h"],
        },
        shapes=False,
    ),
    Case(
        step_response.fractional_orders,
        lambda: {"responses": responses(), "signal": "h", **orders()},
    ),
    Case(fractional_tasks.population_fits, lambda: {"responses": responses(), **orders()}),
    Case(fractional_tasks.population_orders, lambda: {"responses": responses(), **orders()}),
    Case(
        fractional_tasks.population_alphas,
        lambda: {"fits": fractional_tasks.population_fits(responses(), **orders())},
        shapes=False,
    ),
    Case(
        fractional_tasks.compare_tasks,
        lambda: {"first": POPULATION, "second": POPULATION[::-1], "low": 1.0, "high": 30.0},
    ),
    Case(
        fractional_signals.signal_integral,
        lambda: {
            "responses": responses(),
            "signal": "n",
            "alpha": -0.5,
            "method": "causal",
            "baseline": 5,
        },
    ),
    Case(
        transfer.recovery,
        lambda: {
            "accuracy": np.array([[0.9], [0.4], [0.5]]),
            "loss": np.array([[0.1], [2.0], [1.0]]),
        },
    ),
    Case(transients.steady_state, lambda: {"drive": StepDrive(5), "timesteps": 784}),
    Case(transients.transient, lambda: {"recording": LONG, "drive": StepDrive(5)}),
    Case(
        transients.measure_transients,
        lambda: {
            "network": layer(),
            "x": np.ones((1, 40, 1)),
            "amplitudes": np.array([1.0, 2.0]),
            "progress": False,
        },
        shapes=False,
    ),
]
