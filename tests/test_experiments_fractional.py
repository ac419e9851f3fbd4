"""Experiments 12, 13 and 13b without the networks that they need."""

import pytest
from responding import ORDERS, PRESET, SIGNALS, TASKS

from aru_keras.runners.experiments.results import Results


def test_experiments_without_their_networks_say_so():
    for experiment in (ORDERS, TASKS, SIGNALS):
        with pytest.raises(ValueError, match=r"needs one of .*arun.*Received: lstm"):
            experiment.conclude(Results({"lstm": [{}]}), PRESET)
