"""Experiments on how networks train: claims hold on data that satisfy them, and fail on others."""

import dataclasses

import numpy as np
import pytest

from aru_keras.runners.experiments import workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import (
    SHARED,
    TRANSPLANTED,
    landscape_name,
    on_task,
)

SMALL = {
    "units": 6,
    "controller_units": 3,
    "limit": 64,
    "batch_size": 32,
    "epochs": 2,
    "match_parameters": False,
}
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options=SMALL,
    second_options=SMALL,
    transfer_epochs=1,
    landscape_epochs=1,
    gains=(1.0, 5.0, 20.0),
    saturations=(0.0, 1.0),
    trained_gains=(5.0,),
    trained_saturations=(0.0,),
    exponent_steps=20,
)
NOISE = np.array([-0.002, 0.0, 0.002])


def claims_of(name, found, preset=TINY):
    """Of arrays over three seeds by network."""
    seeds = {
        network: [{key: np.asarray(value)[seed] for key, value in one.items()} for seed in range(3)]
        for network, one in found.items()
    }
    return EXPERIMENTS[name].conclude(Results(seeds), preset).claims


def verdicts(name, found, preset=TINY):
    return [claim.holds for claim in claims_of(name, found, preset)]


def accuracies(**values):
    return {name: {"plain": value + NOISE} for name, value in values.items()}


def test_the_order_of_the_networks():
    paper = accuracies(arun=0.95, gamma=0.95, relu=0.9, lstm=0.85, gru=0.88)
    assert verdicts("accuracy", paper) == [True] * 4
    reverse = accuracies(arun=0.8, gamma=0.7, relu=0.9, lstm=0.95, gru=0.98)
    assert verdicts("accuracy", reverse) == [False] * 4
    assert verdicts("accuracy", accuracies(gamma=0.9, gru=0.9)) == [None]


def test_homogeneous_against_heterogeneous():
    same = accuracies(gamma=0.9) | {SHARED: {"plain": 0.9 + NOISE[::-1]}}
    assert verdicts("homogeneous", same) == [True]
    assert verdicts("homogeneous", accuracies(gamma=0.9) | {SHARED: {"plain": 0.5 + NOISE}}) == [
        False
    ]


def test_two_scenarios_of_evolution():
    names = ("plain", "noise", "step", "sine")
    first = {name: 0.9 + NOISE for name in names}
    second = {name: 0.9 + NOISE[::-1] for name in names}
    worse = second | {"step": 0.3 + NOISE}
    assert verdicts("evolution", {"arun": first, TRANSPLANTED: second}) == [True] * 4
    found = verdicts("evolution", {"arun": first, TRANSPLANTED: worse})
    assert found == [True, True, False, True]


def plane(accuracy):
    """A landscape over TINY's grid with norms about 1, and its networks beside it."""
    found = {}
    for place, (n, s) in enumerate((n, s) for n in TINY.gains for s in TINY.saturations):
        norm = 0.4 * 1.7**place
        values = {"norm": norm, "exponent": np.log(norm), "accuracy": accuracy(np.log(norm))}
        found[landscape_name("fixed", n, s)] = {
            key: np.array([value] * 3) for key, value in values.items()
        }
    path = {"path": np.array([[[5.0, 0.0], [6.0, 0.1]]] * 3), "accuracy": 0.9 + NOISE}
    found[landscape_name("trained", 5.0, 0.0)] = path
    return found | {SHARED: {"accuracy": 0.95 + NOISE}, "relu": {"accuracy": 0.9 + NOISE}}


def test_the_landscape():
    peaked = plane(lambda log: 0.9 - abs(log) / 10 - 0.01 * (log > 0))
    assert verdicts("landscape", peaked) == [True] * 4
    hollow = plane(lambda log: 0.5 + abs(log) / 10 + 0.01 * (log > 0))
    hollow["relu"]["accuracy"] = 0.99 + NOISE
    assert verdicts("landscape", hollow) == [False] * 4


def test_a_landscape_without_an_exploding_region_decides_nothing_about_it():
    found = plane(lambda log: 0.9 - abs(log) / 10)
    for name, arrays in found.items():
        if "fixed" in name:
            arrays["norm"] = arrays["norm"] / 100
    claim = claims_of("landscape", found)[2]
    assert claim.holds is None and "norm > 1 at 0, 0, 0 of" in claim.evidence
    assert "the poorest is n =" in claim.evidence


def test_a_correlation_of_few_points_may_be_chance():
    # The same on every seed, so certain over seeds; over six points it may be chance.
    ranks = iter([1, 2, 6, 3, 5, 4])
    claim = claims_of("landscape", plane(lambda log: next(ranks) / 10))[0]
    assert claim.holds is None and "6 points" in claim.evidence


def test_grey_and_convolved_images():
    tasks = ("scifar10", "scifar10-conv")
    preset = dataclasses.replace(TINY, table_tasks=tasks, second_task=tasks[1])

    def claims(conv):
        found = accuracies(arun=0.9, gamma=0.9, relu=0.8, lstm=0.8, gru=0.8)
        grey = accuracies(arun=0.4, gamma=0.45, relu=0.4, lstm=0.4, gru=0.6)
        for task, values in zip(tasks, (grey, conv), strict=True):
            found |= {on_task(preset, name, task): one for name, one in values.items()}
        return verdicts("accuracy", found, preset)[-5:]

    networks = ("arun", "gamma", "relu", "lstm", "gru")
    alike = accuracies(**dict.fromkeys(networks, 0.7))
    assert claims(alike) == [True] * 5
    assert claims(alike | accuracies(gru=0.5)) == [True, True, True, False, False]


def test_what_retraining_recovers():
    before = {"accuracy": 0.94 + NOISE, "loss": 0.2 + NOISE}
    before |= {"rotated_accuracy": 0.42 + NOISE, "rotated_loss": 3.0 + NOISE}
    paper = before | {"rotated_accuracy": 0.60 + NOISE, "rotated_loss": 2.0 + NOISE}
    names = ("gamma", "gamma-rotated-activation")
    assert verdicts("transfer", dict(zip(names, (before, paper), strict=True))) == [True] * 2
    assert verdicts("transfer", dict(zip(names, (before, before), strict=True))) == [False] * 2


def clouds(spread):
    points = np.random.default_rng(0).normal(size=(3, 20, 2))
    return {"start": 0 * points + 5, "trained": 5 + spread * points}


def test_clouds_that_spread():
    names = ("gamma-one-point", "gamma-one-point-rotated")
    growing = dict(zip(names, (clouds(1), clouds(2)), strict=True))
    assert verdicts("heterogeneity", growing) == [True, True]
    assert verdicts("heterogeneity", dict(zip(names, (clouds(1), clouds(0.5)), strict=True))) == [
        True,
        False,
    ]


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return workspace.Workspace(tmp_path_factory.mktemp("space"), TINY, lambda line: None)


@pytest.mark.parametrize(
    ("name", "some"),
    [
        ("accuracy", ["arun", "gru"]),
        ("jacobian", ["gamma"]),
        (
            "landscape",
            [landscape_name("fixed", n, s) for n in TINY.gains for s in TINY.saturations],
        ),
        ("heterogeneity", ["gamma-one-point"]),
        ("transfer", ["gamma", "gamma-rotated-activation"]),
        ("homogeneous", ["gamma"]),
        ("evolution", ["arun"]),
    ],
)
def test_trained_networks_are_measured_and_drawn(space, name, some):
    """Whatever subset of the networks is there."""
    experiment = dataclasses.replace(EXPERIMENTS[name], trainings=lambda preset: some)
    conclusion = experiment.conclude(space.results(experiment, [0]), TINY)
    assert conclusion.figures
    for figure in conclusion.figures.values():
        figure.draw_without_rendering()
