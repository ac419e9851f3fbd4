"""Experiments 3 and 4: what both do with a network and with a second task."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from perturbing import CURVES, MAPS, TINY, curve, measured

from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import MAIN


@pytest.mark.parametrize("experiment", [CURVES, MAPS])
def test_networks_are_measured_and_concluded_from_the_disk(experiment, tmp_path):
    names = ("arun", "relu", "gru")
    assert set(names) < set(experiment.trainings(TINY)) == set(MAIN)
    found = experiment.conclude(measured(experiment, names, tmp_path), TINY)
    assert set(found.figures) == {"step", "contrast"}
    assert all(isinstance(one, Figure) for one in found.figures.values())
    rows = {table.header[0]: [row[0] for row in table.rows] for table in found.tables}
    assert rows == {
        "under the step drive": ["ARUN", "ReLU"],
        "under contrast": ["ARUN", "ReLU", "GRU"],
    }
    # The maps compare ARUN with all others, and RNN+γ is not there.
    assert bool(found.claims) == (experiment is CURVES)
    assert "RNN+γ" not in " ".join(claim.text for claim in found.claims)


@pytest.mark.parametrize("experiment", [CURVES, MAPS])
def test_a_gated_network_by_itself_has_no_step_drive_and_no_claims(experiment, tmp_path):
    found = experiment.conclude(measured(experiment, ["lstm"], tmp_path), TINY)
    assert set(found.figures) == {"contrast"} and not found.claims
    with pytest.raises(ValueError, match="needs one of arun, gamma"):
        experiment.conclude(Results({}), TINY)


def test_a_second_task_is_shown_beside_the_main_one():
    preset = dataclasses.replace(TINY, table_tasks=("scifar10", "scifar10-conv"))
    names = [*MAIN, *(f"{name}-scifar10" for name in MAIN)]
    assert CURVES.trainings(preset) == MAPS.trainings(preset) == names
    ends = {"arun": 0.8, "gamma": 0.6, "arun-scifar10": 0.5, "gamma-scifar10": 0.5}
    found = {name: [curve(end, seed) for seed in range(3)] for name, end in ends.items()}
    drawn = CURVES.conclude(Results(found), preset)
    assert set(drawn.figures) == {"step", "contrast", "step-scifar10", "contrast-scifar10"}
    assert [table.header[0] for table in drawn.tables][2] == "under the step drive, scifar10"
    assert len(drawn.claims) == 2
    maps = {
        name: [
            {
                "images": np.array(20),
                "durations": np.array([8, 33]),
                "step_loss": np.ones((3, 2)),
                "step_accuracy": np.full((3, 2), end + seed / 1000),
            }
            for seed in range(3)
        ]
        for name, end in ends.items()
    }
    claims = MAPS.conclude(Results(maps), preset).claims
    assert [claim.holds for claim in claims if "scifar10" in claim.text] == [True]
    maps["arun-scifar10"] = maps["arun"]
    claims = MAPS.conclude(Results(maps), preset).claims
    assert [claim.holds for claim in claims if "scifar10" in claim.text] == [False]
