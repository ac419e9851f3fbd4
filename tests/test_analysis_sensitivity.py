"""Grids of perturbations over two properties."""

from aru_keras.analysis import sensitivity


def test_durations_are_scaled_to_the_sequence():
    assert sensitivity.scaled_durations(784) == list(sensitivity.STEP_DURATIONS)
    assert sensitivity.scaled_durations(64, (5, 196, 392)) == [2, 16, 32]
