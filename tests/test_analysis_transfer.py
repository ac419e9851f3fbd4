"""What retraining recovers, on numbers that can be checked by hand."""

import numpy as np
import pytest

from aru_keras.analysis.transfer import recovery


def test_the_papers_numbers():
    found = recovery([[0.94], [0.42], [0.56]], [[0.2], [2.2], [1.7]])
    # 14 of the 52 points that were lost, 0.5 of the 2 nats that were added.
    assert found.accuracy == pytest.approx([14 / 52])
    assert found.loss == pytest.approx([0.25])


def test_seeds_stand_side_by_side():
    accuracy = np.array([[0.9, 0.8], [0.5, 0.4], [0.9, 0.2]])
    found = recovery(accuracy, [[0, 0], [1, 1], [1, 2]])
    assert found.accuracy == pytest.approx([1, -0.5])
    assert found.loss == pytest.approx([0, -1])


def test_a_seed_that_lost_nothing_recovers_nothing():
    accuracy = [[0.40, 0.5, 0.9], [0.42, 0.5, 0.5], [0.40, 0.6, 0.7]]
    found = recovery(accuracy, [[2.0, 1.0, 1.0], [1.0, 1.0, 2.0], [2.0, 0.5, 1.5]])
    assert found.accuracy == pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)
    assert found.loss == pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)


@pytest.mark.parametrize(
    ("accuracy", "message"),
    [
        ([0.9, 0.5, 0.6], "three rows"),
        ([[0.9], [0.5]], "three rows"),
        ([[0.9], [0.5], [np.nan]], "1 of 3 numbers NaN"),
    ],
)
def test_bad_input_is_named(accuracy, message):
    with pytest.raises(ValueError, match=f"`accuracy` must .*{message}"):
        recovery(accuracy, [[0], [1], [1]])
