"""Experiments 10, 11, 14 and 19: from small networks to a conclusion, by way of the disk."""

import numpy as np
import pytest
from adapting import (
    CONTROLLER,
    GRADIENTS,
    NOT_ADAPTED,
    SCALING,
    TINY,
    TRANSIENTS,
    Untrained,
    courses,
    exponential,
    measured,
    power_law,
    seeds,
    settled,
    untrained,
)

from aru_keras.perturbations import StepDrive
from aru_keras.probing import record
from aru_keras.runners.experiments import measured as measures
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.results import Results


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


@pytest.mark.parametrize(
    ("trained", "start", "decides"),
    [
        ([1, 0.5], [0.1, 0.01], True),
        ([0.09, 0.5], [0.01, 0.001], False),  # More than before, but hardly.
        ([1, 0.009], [0.01, 0.001], False),
        ([1, 0.5], [2, 0.01], False),
    ],
)
def test_one_seed_that_does_not_adapt_leaves_the_claims_undecided(trained, start, decides):
    good = {**settled(power_law, exponential)}
    third = {**good, "adaptation": np.array([trained, start], "float64")}
    found = SCALING.conclude(Results({"arun": [good, good, third]}), TINY)
    assert [claim.holds for claim in found.claims] == ([True, True] if decides else [None, None])
    assert all(("(seed 2)" in claim.evidence) != decides for claim in found.claims)
    assert found.tables[0].rows[2][1:] == ("0.1", "0.01")


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
