"""A valid call of each layer, initializer, network and probe."""

import functools

import numpy as np
from bad_arguments import Case, anything

from aru_keras import (
    ARU,
    ARUCell,
    DrivenRNN,
    DrivenRNNCell,
    Gamma,
    GammaRNN,
    GammaRNNCell,
    gamma,
    initializers,
    models,
    probing,
    tasks,
)
from aru_keras.activations import gamma_slope
from aru_keras.models import weight_groups
from aru_keras.probing import reading

CONTROLLER = ("controller_kernel", "controller_recurrent", "controller_bias")
READOUT = ("readout_kernel", "readout_bias")
VALUES = {"initializer": "zeros", "regularizer": "l2", "constraint": "non_neg"}


def weights(*others):
    names = ("kernel", "recurrent", "bias", *others)
    rates = {"dropout": 0.1, "recurrent_dropout": 0.1, "seed": 0}
    options = {f"{name}_{kind}": value for kind, value in VALUES.items() for name in names}
    return {"use_bias": True, **options, **rates, "frozen": ["bias"]}


def controller():
    return {"controller_units": 2, **weights(*CONTROLLER, *READOUT)}


def gains():
    return {"shared": False, "fixed": False, "n_initializer": 2.0, "s_initializer": "zeros"}


def of_gamma():
    return {**weights("n", "s"), **gains()}


def fused():
    return {"fused": "auto", "checkpoint_every": 2}


@functools.cache
def task():
    return tasks.load_task("digits", downsample=4)


@functools.cache
def network(name="gamma"):
    return models.build_network(name, task().input_shape, units=3, controller_units=2)


def network_arguments(name, **changed):
    return {
        "name": name,
        "input_shape": (4, 1),
        "classes": 2,
        "units": 30,
        "controller_units": 2,
        "encoder": "linear",
        "shared": False,
        "fixed": False,
        "n": 2.0,
        "s": None,
        "frozen": ["activation"],
        "trained": None,
        "drive": False,
        "every_step": False,
        "padding": None,
        "match_parameters": False,
        **changed,
    }


LAYERS = [
    Case(gamma, lambda: {"x": np.ones(3), "n": 2.0, "s": 0.5}, shapes=False, sound=anything),
    Case(gamma_slope, lambda: {"x": np.ones(3), "n": 2.0, "s": 0.5}, shapes=False, sound=anything),
    Case(ARU, lambda: {"units": 3, **controller(), **fused()}),
    Case(ARUCell, lambda: {"units": 3, **controller()}),
    Case(GammaRNN, lambda: {"units": 3, **of_gamma(), **fused()}),
    Case(GammaRNNCell, lambda: {"units": 3, **of_gamma()}),
    Case(DrivenRNN, lambda: {"units": 3, "activation": "relu", **weights()}),
    Case(DrivenRNNCell, lambda: {"units": 3, "activation": "relu", **weights()}),
    Case(Gamma, gains),
    Case(initializers.HenaffOrthogonal, lambda: {"seed": 0}),
    Case(initializers.SharedGain, lambda: {"low": 5.0, "width": 2.0, "seed": 0}),
    Case(
        initializers.ReadoutKernel, lambda: {"gain_scale": 0.1, "saturation_scale": 0.01, "seed": 0}
    ),
    Case(initializers.ReadoutBias, lambda: {"low": 5.0, "width": 2.0, "seed": 0}),
    Case(initializers.kaiming_normal, lambda: {"seed": 0}),
    Case(initializers.gain_normal, lambda: {"seed": 0}),
    Case(
        initializers.get,
        lambda: {"identifier": 2.0, "argument": "identifier"},
        skipped=("argument",),
    ),
]
NETWORKS = [
    Case(models.build_network, lambda: network_arguments("gamma")),
    Case(
        models.build_network,
        lambda: network_arguments("lstm", units=64, n=None, match_parameters=True),
    ),
    Case(
        models.matched_units,
        lambda: {
            "name": "gru",
            "count": 5000,
            "features": 1,
            "classes": 2,
            "shared": False,
            "fixed": False,
            "tolerance": 0.02,
        },
    ),
    Case(
        models.recurrent_parameters,
        lambda: {
            "name": "gamma",
            "units": 3,
            "features": 1,
            "classes": 2,
            "controller_units": 2,
            "shared": False,
            "fixed": False,
        },
    ),
    Case(
        models.parameter_table,
        lambda: {"input_shape": (4, 1), "units": 3, "classes": 2, "match_parameters": False},
        skipped=("match_parameters",),
    ),
    Case(models.load_pretrained, lambda: {"name": "relu-digits"}),
    Case(models.model_card, lambda: {"name": "relu-digits"}),
    Case(models.trainable_parameters, lambda: {"model": network()}),
    Case(
        weight_groups.parse,
        lambda: {"text": "recurrent", "argument": "text"},
        skipped=("argument",),
    ),
    Case(
        weight_groups.named,
        lambda: {"groups": ["recurrent"], "argument": "groups"},
        skipped=("argument",),
    ),
    Case(
        weight_groups.named_or_none,
        lambda: {"groups": ["recurrent"], "argument": "groups"},
        skipped=("argument",),
    ),
    Case(weight_groups.frozen_groups, lambda: {"network": "gamma", "trained": ["recurrent"]}),
    Case(weight_groups.frozen_weights, lambda: {"network": "gamma", "frozen": ["recurrent"]}),
    Case(
        weight_groups.copy_weights,
        lambda: {"source": network(), "target": network(), "groups": ["recurrent"]},
    ),
    Case(
        probing.Record,
        lambda: {"signals": ["h"], "steps": [0, 1], "isolated": False, "masked": "hold"},
        shapes=False,
    ),
    Case(
        probing.record,
        lambda: {
            "network": network(),
            "x": np.ones((2, 4, 1)),
            "signals": ["h"],
            "drive": np.ones((2, 4, 1)),
            "mask": None,
            "memory_limit": 2**20,
            "progress": False,
        },
        shapes=False,
        known_as={"x": "drive"},
    ),
    Case(probing.Recorder, lambda: {"network": network(), "signals": ["h"]}),
    Case(
        probing.OnlineStep,
        lambda: {
            "network": network(),
            "signals": ["h"],
            "isolated": False,
            "hold_weights": False,
            "device": None,
        },
    ),
    Case(probing.load_network, lambda: {"network": network()}),
    Case(
        probing.recurrent_layer,
        lambda: {"layer_or_model": network()},
        known_as={"layer_or_model": "network"},
    ),
    Case(
        reading.read,
        lambda: {
            "model": network(),
            "task": task(),
            "split": "test",
            "index": 0,
            "perturbation": None,
        },
        known_as={"index": "indices", "model": "network"},
    ),
]
CASES = [*LAYERS, *NETWORKS]
