"""A valid call of each instrument of `aru_keras.analysis` that takes arrays and dynamics."""

import functools

import numpy as np
from bad_arguments import Case, numbers

from aru_keras import GammaRNN
from aru_keras.analysis import (
    comparison,
    controller,
    dynamics,
    family,
    fitting,
    fractional,
    jacobian,
    lyapunov,
    maps,
    noise_boundary,
    slow_drive,
    spectrum,
    statistics,
)

N, G = 3, 2
DRAWS = np.random.default_rng(0)
KERNEL = 0.5 * np.linalg.qr(DRAWS.normal(size=(N, N)))[0]
CONTROLLER = {
    "kernel": DRAWS.normal(size=(1, G)),
    "recurrent_kernel": DRAWS.normal(size=(G, G)),
    "bias": DRAWS.normal(size=G),
    "readout_kernel": DRAWS.normal(size=(G, 2)),
    "readout_bias": np.array([5.0, 0.0]),
}
WEIGHTS = {
    f"controller_{name}" if not name.startswith("readout") else name: value
    for name, value in CONTROLLER.items()
} | {"recurrent_kernel": KERNEL}
RESPONSE = np.cumsum(DRAWS.normal(size=(40, 2)), axis=0)
DRIVE = np.repeat([0.0, 1.0, 0.0], [10, 20, 10])
WAVE = np.sin(np.pi * np.arange(16) / 2)
STATES = DRAWS.normal(size=(2, 5, N))


@functools.cache
def layer():
    made = GammaRNN(N, name="small")
    made.build((None, None, 1))
    return made


def orders(**options):
    return {"window": (5, 35), "baseline": 5, **options}


def ranked():
    return {"first": np.array([1.0, 4, 2, 3]), "second": np.array([2.0, 3, 1, 5])}


def points(count=6):
    x = np.arange(1.0, count + 1)
    return {"x": x, "y": 2 * x**-0.5 + 0.01 * np.sin(9 * x)}


CASES = [
    Case(
        noise_boundary.boundary_saturation,
        lambda: {"drive": np.ones(2), "n": np.array([3.0, 4]), "noise": 1.0},
        shapes=False,
        sound=numbers,
    ),
    Case(
        noise_boundary.noise_decays,
        lambda: {"drive": np.ones(2), "n": np.array([3.0, 4]), "s": np.zeros(2), "noise": 1.0},
        shapes=False,
    ),
    Case(
        noise_boundary.boundary_distance,
        lambda: {"drive": np.ones(2), "n": np.array([3.0, 4]), "s": np.zeros(2), "noise": 1.0},
        shapes=False,
    ),
    Case(controller.Controller, lambda: dict(CONTROLLER)),
    Case(
        controller.portrait,
        lambda: {
            "controller": controller.Controller(**CONTROLLER),
            "amplitudes": np.array([0.1, 1, 2]),
            "settle": 3,
            "hold": 4,
            "draws": 2,
            "seed": 0,
        },
    ),
    Case(controller.principal_components, lambda: {"points": STATES, "count": 2}, shapes=False),
    Case(
        maps.FunctionDynamics,
        lambda: {"function": np.tanh, "jacobian": None, "jacobian_product": None, "step": None},
    ),
    Case(
        dynamics.GammaDynamics,
        lambda: {"recurrent_kernel": KERNEL, "n": np.ones(N), "s": np.ones(N), "bias": None},
    ),
    Case(
        dynamics.ActivationDynamics,
        lambda: {"recurrent_kernel": KERNEL, "activation": "tanh", "bias": np.ones(N)},
    ),
    Case(dynamics.ARUDynamics, lambda: {"weights": WEIGHTS, "bias": None}),
    Case(
        dynamics.dynamics_of,
        lambda: {"network": layer(), "n": 2.0, "s": np.zeros(N), "bias": False},
    ),
    Case(dynamics.as_dynamics, lambda: {"value": np.tanh}, known_as={"value": "dynamics"}),
    Case(
        family.activation_family,
        lambda: {"gains": np.ones(2), "saturations": np.ones(2), "x": np.ones(2)},
    ),
    Case(fitting.fit_line, points),
    Case(fitting.fit_power_law, points),
    Case(fitting.fit_exponential, points),
    Case(fitting.fit_decay, lambda: {"t": points()["x"], "y": points()["y"]}),
    Case(comparison.compared_steps, lambda: {"drive": DRIVE}),
    Case(
        fractional.fractional_derivative,
        lambda: {"signal": RESPONSE, "alpha": 0.5, "method": "causal", "baseline": 1},
    ),
    Case(
        fractional.fractional_order,
        lambda: {
            "response": RESPONSE,
            "drive": DRIVE,
            "free_gain": False,
            "method": "periodic",
            **orders(),
        },
    ),
    Case(
        jacobian.jacobian_norms,
        lambda: {
            "recurrent_kernel": KERNEL,
            "n": np.ones(2),
            "s": np.ones(2),
            "samples": 2,
            "bound": 5.0,
            "seed": 0,
        },
    ),
    Case(
        jacobian.jacobian_norms_along, lambda: {"dynamics": np.tanh, "states": STATES}, shapes=False
    ),
    Case(
        lyapunov.lyapunov_exponents,
        lambda: {
            "dynamics": dynamics.GammaDynamics(KERNEL, 1.0, 0.5),
            "start": np.ones((2, N)),
            "count": 1,
            "steps": 3,
            "transient": 1,
            "seed": 0,
        },
        shapes=False,
        sound=numbers,
    ),
    Case(
        lyapunov.exponents_after_onset,
        lambda: {
            "recurrent_kernel": KERNEL,
            "n": np.ones((2, 1, N)),
            "s": np.ones((2, 1, N)),
            "start": np.ones((2, 2, N)),
            "bias": np.ones(N),
            "steps": 3,
        },
        sound=numbers,
    ),
    Case(
        lyapunov.adapted_and_frozen_exponents,
        lambda: {
            "recurrent_kernel": KERNEL,
            "drives": np.array([0.0, 1]),
            "n": np.ones((2, N)),
            "s": np.ones((2, N)),
            "start": np.ones((2, 2, N)),
            "bias": np.ones(N),
            "steps": 3,
        },
        sound=numbers,
    ),
    Case(spectrum.recurrent_spectrum, lambda: {"recurrent_kernel": KERNEL}),
    Case(
        fractional.errors_over_orders,
        lambda: {
            "response": RESPONSE,
            "drive": DRIVE,
            "orders": np.array([-0.5, 0.5]),
            "free_gain": False,
            "method": "periodic",
            **orders(),
        },
    ),
    Case(
        slow_drive.sinusoid,
        lambda: {"period": 4, "amplitude": 1.0, "cycles": 2},
    ),
    Case(
        slow_drive.square_wave,
        lambda: {"period": 4, "amplitude": 1.0, "cycles": 2},
    ),
    Case(
        slow_drive.phase,
        lambda: {"response": WAVE, "drive": WAVE, "period": 4},
    ),
    Case(slow_drive.relaxation, lambda: {"response": WAVE, "period": 8}),
    Case(
        slow_drive.slow_responses,
        lambda: {
            "network": layer(),
            "wave": "square",
            "amplitude": 1.0,
            "periods": [4],
            "signal": "h",
            "isolated": False,
            "cycles": 2,
        },
        shapes=False,
    ),
    Case(statistics.rank_correlation, lambda: {**ranked(), "level": 0.9}),
    Case(statistics.estimate, lambda: {"values": np.arange(3.0), "level": 0.9}, shapes=False),
    Case(
        statistics.independent_t_test, lambda: {"first": np.arange(3.0), "second": np.arange(4.0)}
    ),
    Case(
        statistics.paired_t_test, lambda: {"first": np.arange(3.0), "second": np.array([1.0, 4, 2])}
    ),
]
