"""Experiments on how networks train: from trained networks to figures."""

import dataclasses

import pytest
from trained import TINY

from aru_keras.runners.experiments import workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.trainings import landscape_name


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return workspace.Workspace(tmp_path_factory.mktemp("space"), TINY, lambda line: None)


@pytest.mark.slow
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
