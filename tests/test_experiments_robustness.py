"""Experiments 3 and 4: curves and maps of robustness, and what they are held against."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure

from aru_keras.models import build_network
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.experiments import perturbed, robustness
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import MAIN
from aru_keras.runners.experiments.workspace import Network, read_arrays, write_arrays
from aru_keras.runners.run_folder import RunFolder
from aru_keras.tasks import load_task

CURVES, MAPS = robustness.EXPERIMENTS

TINY = dataclasses.replace(
    PRESETS["quick"],
    test_images=20,
    map_images=20,
    step_amplitudes=(0, 1, 30),
    contrast_amplitudes=(0, 1),
    phases=(0.0, 3.0),
    durations=(100, 400),
)


class Untrained(Network):
    """A small network as it starts, in a folder of its own."""

    config = property(lambda self: TrainConfig("digits", model=self.name, units=5))
    task = property(lambda self: load_task("digits"))
    model = None


def network(name, path):
    keras.utils.set_random_seed(1)
    (path / name).mkdir(exist_ok=True)
    made = Untrained(name, 0, RunFolder(path / name))
    made.model = build_network(name, (64, 1), units=5, controller_units=2, match_parameters=False)
    return made


def measured(experiment, names, path):
    """Results of one seed, as they come back from the disk."""
    found = {}
    for name in names:
        write_arrays(path / f"{name}.npz", experiment.measure(network(name, path), TINY))
        found[name] = [read_arrays(path / f"{name}.npz")]
    return Results(found)


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
    assert found.claims and "RNN+γ" not in " ".join(claim.text for claim in found.claims)


@pytest.mark.parametrize("experiment", [CURVES, MAPS])
def test_a_gated_network_by_itself_has_no_step_drive_and_no_claims(experiment, tmp_path):
    found = experiment.conclude(measured(experiment, ["lstm"], tmp_path), TINY)
    assert set(found.figures) == {"contrast"} and not found.claims
    with pytest.raises(ValueError, match="needs one of arun, gamma"):
        experiment.conclude(Results({}), TINY)


def test_scores_are_kept_one_by_one_in_the_folder_of_the_run(tmp_path, monkeypatch):
    one = network("relu", tmp_path)
    arrays = CURVES.measure(one, TINY)
    (kept,) = one.folder.path.iterdir()
    # No perturbation is measured once, for both curves.
    assert len(json.loads(kept.read_text())["scores"]) == 4
    monkeypatch.setattr(perturbed.Evaluator, "__call__", None)
    again = CURVES.measure(one, TINY)
    assert all(np.array_equal(again[name], arrays[name]) for name in arrays)
    # A map of as many images finds them as well, and needs others.
    with pytest.raises(TypeError, match="NoneType"):
        MAPS.measure(one, TINY)


def exploding(path):
    """A ReLU network that a drive, and nothing else, takes beyond float32."""
    one = network("relu", path)
    layer = one.model.get_layer("recurrent")
    kernel, matrix, bias = (np.zeros(weight.shape, "float32") for weight in layer.get_weights())
    # 30 after t = 17 of 64 is 30·10^46; without a drive all states are 0.
    layer.set_weights([kernel, matrix + 10 * np.eye(5, dtype="float32"), bias])
    return one


def test_a_network_that_overflows_counts_as_chance_and_says_so(tmp_path):
    one = exploding(tmp_path)
    arrays = CURVES.measure(one, TINY)
    assert arrays["step_loss"][0] < 3 and np.isposinf(arrays["step_loss"][1:]).all()
    assert (arrays["step_accuracy"][1:] == 0.1).all()  # Ten classes.
    write_arrays(tmp_path / "relu.npz", arrays)
    assert np.array_equal(CURVES.measure(one, TINY)["step_loss"], arrays["step_loss"])
    found = CURVES.conclude(Results({"relu": [read_arrays(tmp_path / "relu.npz")]}), TINY)
    assert "ReLU overflows under the step drive in 2 cells" in found.note
    found.figures["step"].draw_without_rendering()
    found = MAPS.conclude(Results({"relu": [MAPS.measure(one, TINY)]}), TINY)
    assert "in 4 cells" in found.note and "under contrast in" not in found.note
    found.figures["step"].draw_without_rendering()


def test_a_network_that_fails_without_a_perturbation_is_refused(tmp_path):
    one = network("relu", tmp_path)
    one.model.get_layer("recurrent").set_weights(
        [np.full(weight.shape, np.nan) for weight in one.model.get_layer("recurrent").get_weights()]
    )
    with pytest.raises(ValueError, match="loss must be finite"):
        CURVES.measure(one, TINY)


def curve(end, seed):
    """Accuracies that fall in a line from 0.9 to `end`."""
    drop = np.linspace(0, 0.9 - end, 3) + np.array([0, 0.001 * seed, 0])
    step = {"step_accuracy": 0.9 - drop, "step_loss": drop + 1}
    contrast = {"contrast_accuracy": 0.9 - drop[[0, 2]], "contrast_loss": drop[[0, 2]] + 1}
    return {**step, **contrast, "images": np.array(20)}


def curves(ends):
    found = {name: [curve(end, seed) for seed in range(3)] for name, end in ends.items()}
    return CURVES.conclude(Results(found), TINY)


def test_the_curves_agree_where_arun_loses_least_and_gamma_is_second():
    ends = {"arun": 0.8, "gamma": 0.6, "relu": 0.4, "lstm": 0.3, "gru": 0.2}
    found = curves(ends)
    assert found.verdict == "agrees" and len(found.claims) == 9
    # From 0.9 to 0.8 in a line: on average (0.9 − 0.85)/0.9 is lost. To three digits.
    assert found.tables[1].rows[0][-1].startswith("0.0556 ± 0 (0.0556, ")
    found = curves({**ends, "arun": 0.5})
    wrong = [claim.text for claim in found.claims if claim.holds is False]
    assert len(wrong) == 2 and all("RNN+γ loses more accuracy than ARUN" in text for text in wrong)
    found = curves({**ends, "gamma": 0.1})
    wrong = [claim.text for claim in found.claims if claim.holds is False]
    assert len(wrong) == 3 and all("more accuracy than RNN+γ" in text for text in wrong)


def maps(losses, infinite=False):
    """Conclusion of maps with one loss for each network, and one infinite cell of ARUN's."""
    found = {}
    for name, loss in losses.items():
        arrays = {"images": np.array(20), "durations": np.array([8, 33])}
        for kind, shape in (("step", (3, 2)), ("contrast", (2, 2))):
            values = np.full(shape, float(loss))
            arrays |= {f"{kind}_loss": values, f"{kind}_accuracy": np.full(shape, 0.5)}
        arrays["step_loss"][0] = 0.5 * loss if np.isfinite(loss) else 1
        found[name] = [arrays] * 3
    if infinite:
        found["arun"][0]["step_loss"][2, 1] = np.inf
    return MAPS.conclude(Results(found), TINY)


@pytest.mark.parametrize(
    ("losses", "holds"),
    [
        ({"arun": 1, "gamma": 11, "relu": 30}, [True, True, True]),
        ({"arun": 1, "gamma": 9, "relu": 30}, [True, False, True]),
        ({"arun": 2, "gamma": 1, "relu": 30}, [False, False, False]),
        ({"arun": 1, "gamma": 9, "relu": 11}, [True, False, True]),
    ],
)
def test_the_maps_hold_arun_against_the_best_other_network(losses, holds):
    assert [claim.holds for claim in maps(losses).claims] == holds


def test_an_infinite_loss_in_a_map_is_never_to_the_advantage_of_arun():
    others = {"gamma": 20, "relu": 30}
    finite = maps({"arun": 1, **others})
    assert [claim.holds for claim in finite.claims] == [True, True, True]
    # Of RNN+γ it counts as 30, the largest finite loss: a lower bound.
    capped = maps({"arun": 4, "gamma": np.inf, "relu": 30})
    assert [claim.holds for claim in capped.claims] == [True, False, True]
    # A single one of ARUN's is the end, though 30 in its place would leave it below the others.
    ended = maps({"arun": 1, **others}, infinite=True)
    assert [claim.holds for claim in ended.claims] == [False, False, True]
    assert ended.claims[0].evidence == "ARUN overflows"


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
