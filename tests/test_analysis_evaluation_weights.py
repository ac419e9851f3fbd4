"""Scores of a task whose sequences have weights: those that training and Keras report."""

import functools

import keras
import numpy as np
import pytest

from aru_keras import models, tasks
from aru_keras.analysis.evaluation import Evaluator, Score
from aru_keras.analysis.score_file import ScoreFile
from aru_keras.perturbations import Perturbations

K = 40
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(K, 6, 2)), np.arange(K) % 2
WEIGHTS = np.where(Y == 0, 0.2, 3.0) * RNG.uniform(0.5, 2, K)


def task(weights=WEIGHTS):
    split = {"x": X, "y": Y} if weights is None else {"x": X, "y": Y, "weights": weights}
    return tasks.from_arrays(split, split, split, name="own")


@functools.cache
def network():
    keras.utils.set_random_seed(0)
    model = models.network_for(task(), "gamma", units=4)
    model.compile(**models.objective(task()))
    return model


@pytest.mark.parametrize("weights", [WEIGHTS, None], ids=["weighted", "plain"])
def test_scores_are_those_of_evaluate(weights):
    own, found = task(weights), Evaluator(network(), task(weights), batch_size=16)()
    loss, accuracy = network().evaluate(own.batches("test"), verbose=0)
    assert found.loss == pytest.approx(loss, rel=1e-5)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6) and found.n == K


def test_weights_change_the_score_and_only_they_change_the_identity():
    plain, weighted, other = (
        Evaluator(network(), task(weights)) for weights in (None, WEIGHTS, WEIGHTS[::-1])
    )
    assert abs(plain().accuracy - weighted().accuracy) > 0.01
    assert set(plain.identity()) == {"task", "split", "images", "weights"}
    hashes = [evaluate.identity()["sample_weights"] for evaluate in (weighted, other)]
    assert hashes[0] != hashes[1]


def test_scores_that_were_saved_without_the_weights_are_not_taken(tmp_path):
    path, evaluate = tmp_path / "scores.json", Evaluator(network(), task())
    earlier = {k: v for k, v in evaluate.identity().items() if k != "sample_weights"}
    ScoreFile(path, earlier)[Perturbations()] = Score(0.5, 0.5, K)
    with pytest.raises(ValueError, match="measure anew"):
        ScoreFile(path, evaluate.identity())


def test_a_limit_that_leaves_no_weight_is_an_error():
    own = task(np.where(np.arange(K) < 5, 0.0, 1.0))
    with pytest.raises(ValueError, match="`limit` must leave a sequence"):
        Evaluator(network(), own, limit=5)
    assert Evaluator(network(), own, limit=6)().n == 6
