"""One small example of every figure, with negative numbers wherever there can be some."""

import numpy as np

from aru_keras.analysis import ActivationDynamics
from aru_keras.analysis import slow_drive as slow
from aru_keras.analysis.controller import Controller, portrait
from aru_keras.analysis.evaluation import Scores
from aru_keras.analysis.family import activation_family
from aru_keras.analysis.fitting import fit_decay
from aru_keras.analysis.fixed_points import find_fixed_points
from aru_keras.analysis.fractional import FractionalOrder, fractional_derivative
from aru_keras.analysis.fractional_signals import signal_integral
from aru_keras.analysis.fractional_tasks import compare_tasks
from aru_keras.analysis.gain_scaling import GainScaling, Settled
from aru_keras.analysis.gradients import Propagation
from aru_keras.analysis.heterogeneity import Cloud
from aru_keras.analysis.jacobian import jacobian_norms
from aru_keras.analysis.landscape import Landscape
from aru_keras.analysis.lyapunov import AdaptedExponents, LyapunovExponents
from aru_keras.analysis.spectrum import recurrent_spectrum
from aru_keras.analysis.stationary_distribution import state_distribution, stationary_lines
from aru_keras.analysis.step_response import StepProtocol, StepResponses, fractional_orders
from aru_keras.analysis.transients import transient
from aru_keras.perturbations import StepDrive
from aru_keras.plots import (
    accuracy,
    acting,
    changed_worlds,
    controller,
    fractional_order,
    fractional_signals,
    fractional_tasks,
    gain_scaling,
    gradients,
    jacobian,
    lyapunov,
    noise_boundary,
    reading_picture,
    robustness,
    sensitivity,
    slow_drive,
    spectrum,
    stationary_distribution,
    transients,
)
from aru_keras.plots import family as family_figure
from aru_keras.plots import fixed_points as fixed_points_figure
from aru_keras.plots import heterogeneity as heterogeneity_figure
from aru_keras.plots import landscape as landscape_figure
from aru_keras.probing.reading import Reading
from aru_keras.tasks import TASKS

CONDITIONS = ("connected", 1.0), ("isolated", 7.0)
AMPLITUDES = np.array([1, 2.5, 5, 10, 20.0])


def rng(seed=0):
    return np.random.default_rng(seed)


def scores(shape, seed=0):
    return Scores(loss=rng(seed).random(shape) + 0.5, accuracy=rng(seed).random(shape), n=10)


def scaling(n, amplitudes=AMPLITUDES):
    trace, zero = np.tile([0.0, 2.0], (1, 150)), np.ones(1)
    runs = [Settled(trace, trace, np.array([one]), zero, zero, zero) for one in n]
    return GainScaling(amplitudes, tuple(runs))


def transient_seed(offset, growth=1.0, drives=(1, 2)):
    t = np.arange(784)
    course = np.where((t > 200) & (t < 400), np.exp(-(t - 201) / 30), 0.0)
    return [
        transient(
            {"n": offset + growth * xi * course[None, :, None], "s": 0 * course[None, :, None]},
            StepDrive(xi),
        )
        for xi in drives
    ]


def responses(drives=(0.0, 1.0, 5.0)):
    drives = np.array(drives)
    drive = np.stack([StepProtocol().drive(one) for one in drives])
    h = np.stack([[fractional_derivative(one, -alpha) for alpha in (-0.3, 0.2)] for one in drive])
    h = np.concatenate([h, np.ones_like(h[:, :1])], axis=1)
    return StepResponses(drives, drive, {"h": np.moveaxis(h, 1, 2)}, isolated=True)


def order(alpha):
    alpha = np.asarray(alpha, "float64")
    return FractionalOrder(
        alpha, np.ones(len(alpha)), np.zeros(len(alpha)), np.isfinite(alpha), 1.0
    )


def reading_of(classes=10, drive=None):
    class Task:
        spec = TASKS["digits"]
        name, timesteps, image_shape = "digits", 4, (2, 2)

        def images(self, split):
            return np.zeros((1, 2, 2))

        def pixel_index(self, t):
            return t

    signals = {name: rng(1).normal(size=(4, 6)) for name in "nsh"}
    drive = -np.ones((4, 6)) if drive is None else drive
    probabilities = np.full((4, classes), 1 / classes)
    return Reading(Task(), "test", 0, 1, rng().random((4, 1)), drive, signals, probabilities)


def _fitted():
    found = responses((-5.0, 1.0))
    return fractional_order.fitted_responses(found, fractional_orders(found), -5.0, [0, 1])


def _integrals():
    found = signal_integral(responses((-5.0, 1.0)), "h", -1.0, method="causal")
    return fractional_signals.signal_integrals({"h": found, "n": found})


def _population():
    drives = (1.0, 5.0, 30.0)
    first = [dict(zip(drives, 0.1 * rng(k).normal(size=3), strict=True)) for k in range(4)]
    second = [dict(zip(drives, rng(k + 4).normal(size=3) - 5, strict=True)) for k in range(4)]
    return fractional_tasks.population_orders(
        {"a": first, "b": second}, compare_tasks(first, second)
    )


def _stationary():
    states = {drive: rng(1).normal(-drive, 1 + abs(drive), 500) for drive in (-1.0, 1.0, 5.0)}
    found = stationary_lines([state_distribution(h, drive) for drive, h in states.items()])
    return stationary_distribution.state_distributions(states, found)


def _boundary():
    onset = np.array([[[2.0, 3.0], [1.0, 2.0]], [[0.2, 0.3], [0.1, 0.2]]])
    return noise_boundary.noise_boundaries([-1.0, 5.0], onset, onset + 1)


def _exponents(shape):
    return LyapunovExponents(rng().normal(size=shape), 10)


def _controller():
    weights = (rng().normal(size=(1, 3)), 0.3 * np.eye(3), np.zeros(3), rng().normal(size=(3, 2)))
    return controller.controller_states(
        portrait(Controller(*weights, np.zeros(2)), (-1, 1, 2), settle=5, hold=9)
    )


def _landscape():
    n, s = (one.ravel() for one in np.meshgrid([1.0, 5.0], [-1.0, 0.0]))
    maps = (np.array([0.5, 2, 1, 4]), np.array([-0.5, 0.2, -np.inf, 1]), np.array([0.1, 0.4, 0, 1]))
    return landscape_figure.landscape_maps(
        Landscape(n, s, *maps), [np.array([[2.0, -0.5], [3, -0.2]])]
    )


def _distributions():
    orders = {-1.0: order([-1, -1, -0.4, 0.3, 1, np.nan]), 5.0: order([0.1, 0.1, 0.2])}
    return fractional_order.order_distributions({"connected": orders, "isolated": {**orders}})


def _slow_drive():
    waves = {period: slow.sinusoid(period, 2.0)[period:] for period in (8, 16)}
    phases = {period: slow.phase(-wave, wave, period) for period, wave in waves.items()}
    t = np.arange(8)
    decays = {8: fit_decay(t, np.exp(-t / 2)), 16: fit_decay(t, np.ones(8))}
    return slow_drive.periodic_responses({"ARUN": [phases] * 2}, {"ARUN": [decays] * 2})


def _fixed_points():
    starts = rng().normal(size=(20, 2))
    found = find_fixed_points(ActivationDynamics(-2 * np.eye(2), "tanh"), starts)
    return fixed_points_figure.fixed_point_map(found, starts)


FIGURES = {
    "fixed-points": _fixed_points,
    "flow": lambda: landscape_figure.parameter_flow([np.array([[2.0, -0.5], [3, -0.2]])]),
    "slow-drive": _slow_drive,
    "errors-over-orders": lambda: fractional_order.errors_over_orders(
        [-1, 0, 1], {"unit 3": np.array([3.0, 1, 2])}
    ),
    "mean-responses": lambda: fractional_order.mean_responses(
        np.repeat([0.0, 5, 0], 5),
        {condition: {"negative": -size * rng().random(15)} for condition, size in CONDITIONS},
    ),
    "accuracy": lambda: accuracy.accuracies({"a": {"arun": [0.9, 0.8], "gru": [0.7]}}),
    "agent-episode": lambda: acting.agent_episode(
        rng().normal(size=(9, 2)), -np.ones(9), {name: rng(1).normal(size=(9, 5)) for name in "nsh"}
    ),
    "return-curves": lambda: changed_worlds.return_curves(
        {"arun": rng().normal(size=(2, 3)), "gru": -rng().random((1, 3))}, [-1, 0, 1], "drive ξ"
    ),
    "adapted-and-frozen": lambda: lyapunov.adapted_and_frozen_exponents(
        [AdaptedExponents(np.array([-5.0, 1]), *[_exponents((2, 3, 1))] * 2)]
    ),
    "controller": _controller,
    "exponents-after-onset": lambda: lyapunov.exponents_after_onset(
        [-1.0, 5.0], [0, 50], [_exponents((2, 2, 3, 1))] * 2
    ),
    "exponents": lambda: lyapunov.exponent_spectra({-1.0: _exponents((2, 3))}),
    "family": lambda: family_figure.activation_curves(activation_family((1, 8), (-1, 0, 1))),
    "fitted-responses": _fitted,
    "gain-scaling": lambda: gain_scaling.gains_under_noise(scaling(5 - 2 * AMPLITUDES**-0.5)),
    "gradients": lambda: gradients.gradient_norms(
        {"arun": [Propagation(rng().random(6), rng().random(6) + 0.1, np.zeros((2, 2)))]}
    ),
    "heterogeneity": lambda: heterogeneity_figure.parameter_clouds(
        {"start": Cloud([[-5, 0]]), "trained": Cloud([[4, 0], [6, 0], [5, 0.1]])}
    ),
    "integrals": _integrals,
    "jacobian": lambda: jacobian.jacobian_map(jacobian_norms(1.5 * np.eye(4), [1.0, 9], [-1.0, 1])),
    "landscape": _landscape,
    "maps": lambda: sensitivity.sensitivity_maps(
        {"arun": scores((2, 2)), "relu": scores((2, 2), 1)}, (-1, 0), (-2, 0)
    ),
    "noise-boundary": _boundary,
    "order-distributions": _distributions,
    "population": _population,
    "reading": lambda: reading_picture.picture_of(reading_of()),
    "robustness": lambda: robustness.robustness_curves(
        {"arun": [scores(5), scores(5, 1)], "lstm": [scores(5)]}, AMPLITUDES - 5
    ),
    "spectra": lambda: spectrum.eigenvalues(
        {"start": recurrent_spectrum(np.diag([1, -1.2, 1 + 1e-9]))}
    ),
    "stationary": _stationary,
    "transients": lambda: transients.transient_courses([transient_seed(5.0, drives=(-1, 2))]),
}
"""What draws each, by name."""
