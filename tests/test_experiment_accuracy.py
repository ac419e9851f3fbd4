"""Experiment 2: accuracies of the networks."""

import dataclasses

from trained import TINY, accuracies, claims_of, verdicts

from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.trainings import on_task

SEARCHED = dataclasses.replace(TINY, pilot_rates=(1e-3,))


def test_the_order_of_the_networks():
    paper = accuracies(arun=0.95, gamma=0.95, relu=0.9, lstm=0.85, gru=0.88)
    assert verdicts("accuracy", paper, SEARCHED) == [True] * 4
    reverse = accuracies(arun=0.8, gamma=0.7, relu=0.9, lstm=0.95, gru=0.98)
    assert verdicts("accuracy", reverse, SEARCHED) == [False] * 4
    assert verdicts("accuracy", accuracies(gamma=0.9, gru=0.9), SEARCHED) == [None]


def test_gated_networks_without_a_search_of_their_own_decide_nothing():
    paper = accuracies(arun=0.95, gamma=0.95, relu=0.9, lstm=0.85, gru=0.88)
    claims = claims_of("accuracy", paper)
    assert [claim.holds for claim in claims] == [True, None, None, True]
    assert all("chosen for other networks" in claim.evidence for claim in claims[1:3])
    assert PRESETS["medium"].unsearched == PRESETS["paper"].unsearched == ()
    assert PRESETS["quick"].unsearched == PRESETS["small"].unsearched == ("lstm", "gru")


def test_grey_and_convolved_images():
    tasks = ("scifar10", "scifar10-conv")
    preset = dataclasses.replace(SEARCHED, table_tasks=tasks, second_task=tasks[1])

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
