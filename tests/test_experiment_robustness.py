"""Experiment 3: curves of robustness."""

import dataclasses
import json

import numpy as np
import pytest
from perturbing import CURVES, MAPS, TINY, curve, network

from aru_keras.runners.experiments import perturbed
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.workspace import read_arrays, write_arrays


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
    assert "ReLU overflows under the step drive in 2 entries" in found.note
    found.figures["step"].draw_without_rendering()
    found = MAPS.conclude(Results({"relu": [MAPS.measure(one, TINY)]}), TINY)
    assert "in 4 entries" in found.note and "under contrast in" not in found.note
    found.figures["step"].draw_without_rendering()


def test_a_network_that_fails_without_a_perturbation_is_refused(tmp_path):
    one = network("relu", tmp_path)
    one.model.get_layer("recurrent").set_weights(
        [np.full(weight.shape, np.nan) for weight in one.model.get_layer("recurrent").get_weights()]
    )
    with pytest.raises(ValueError, match="loss must be finite"):
        CURVES.measure(one, TINY)


SEARCHED = dataclasses.replace(TINY, pilot_rates=(1e-3,))


def curves(ends, preset=SEARCHED):
    found = {name: [curve(end, seed) for seed in range(3)] for name, end in ends.items()}
    return CURVES.conclude(Results(found), preset)


def test_the_curves_agree_where_arun_loses_least_and_gamma_is_second():
    ends = {"arun": 0.8, "gamma": 0.6, "relu": 0.4, "lstm": 0.3, "gru": 0.2}
    found = curves(ends)
    assert found.verdict == "agrees" and len(found.claims) == 9
    # From 0.9 to 0.8 in a line: on average (0.9 − 0.85)/(0.9 − 0.1) is lost. To three digits.
    assert found.tables[1].rows[0][-1].startswith("0.0625 ± 0 (0.0625, ")
    # Without a search for all networks, nothing is decided about LSTM and GRU.
    undecided = [claim.text for claim in curves(ends, TINY).claims if claim.holds is None]
    assert len(undecided) == 4 and all("LSTM" in text or "GRU" in text for text in undecided)
    found = curves({**ends, "arun": 0.5})
    wrong = [claim.text for claim in found.claims if claim.holds is False]
    assert len(wrong) == 2 and all("RNN+γ loses more accuracy than ARUN" in text for text in wrong)
    found = curves({**ends, "gamma": 0.1})
    wrong = [claim.text for claim in found.claims if claim.holds is False]
    assert len(wrong) == 3 and all("more accuracy than RNN+γ" in text for text in wrong)


def test_claims_about_networks_that_diverged_stay_and_are_undecided():
    found = {
        name: [curve(end, s) for s in range(3)] for name, end in {"arun": 0.8, "gamma": 0.6}.items()
    }
    shown = CURVES.conclude(Results(found), SEARCHED)
    assert shown.verdict == "agrees" and len(shown.claims) == 2  # The others were not trained.
    lost = dict.fromkeys(("relu", "lstm", "gru"), [None] * 3)
    partly = CURVES.conclude(Results({**found, **lost}), SEARCHED)
    assert partly.verdict == "agrees in part" and len(partly.claims) == 9
    missing = [claim for claim in partly.claims if claim.holds is None]
    assert len(missing) == 7 and all("diverged" in claim.evidence for claim in missing)
    assert missing[0].text.startswith("Under the step drive ReLU loses more accuracy than ARUN")
    assert missing[0].evidence.endswith(": relu")


@pytest.mark.parametrize("guessing", ["arun", "relu"])
def test_nothing_is_decided_about_a_network_that_guesses(guessing):
    ends = {"arun": 0.8, "gamma": 0.6, "relu": 0.4}
    found = {name: [curve(end, seed) for seed in range(3)] for name, end in ends.items()}
    for kind in ("step", "contrast"):  # One seed is enough.
        accuracy = found[guessing][1][f"{kind}_accuracy"]
        found[guessing][1] |= {f"{kind}_accuracy": np.full_like(accuracy, 0.15)}
    claims = CURVES.conclude(Results(found), SEARCHED).claims
    undecided = [claim.text for claim in claims if claim.holds is None]
    label = {"arun": "ARUN", "relu": "ReLU"}[guessing]
    assert undecided == [claim.text for claim in claims if label in claim.text] != []
    assert any("only guesses" in claim.evidence for claim in claims)


def test_a_network_that_only_guesses_has_lost_nothing():
    guess = {"contrast_accuracy": np.array([0.1, 0.1]), "contrast_loss": np.array([2.3, 2.3])}
    found = CURVES.conclude(Results({"gru": [{**guess, "images": np.array(20)}]}), TINY)
    assert found.tables[0].rows[0][-1] == "0"
