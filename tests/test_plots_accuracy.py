"""The figure of accuracies holds what it is given."""

import numpy as np
import pytest

from aru_keras.plots import accuracy, style


def test_accuracies_have_their_interval_and_one_seed_has_none():
    figure = accuracy.accuracies({"psmnist": {"arun": [0.9, 0.92], "gru": [0.8]}})
    bars = [one for one in figure.axes[0].containers]
    # t(0.975, 1) = 12.7062, standard error 1 per cent.
    segment = bars[0].lines[2][0].get_segments()[0]
    np.testing.assert_allclose(segment[:, 1], [91 - 12.7062, 91 + 12.7062], atol=1e-4)
    assert not bars[1].lines[2] and bars[1].lines[0].get_markerfacecolor() == "white"


def test_networks_of_other_names_have_colours_and_labels_of_their_own():
    row = {"arun": [0.9], "esn": [0.7], "reservoir": [0.6]}
    figure = accuracy.accuracies({"task": row}, {"esn": "echo state"})
    handles, labels = figure.axes[0].get_legend_handles_labels()
    assert labels == ["ARUN", "echo state", "reservoir"]
    colours = [handle.get_color() for handle in handles]
    five = {look["color"] for look in style.NETWORK_STYLES.values()}
    assert len(set(colours)) == 3 and not five & set(colours[1:])
    with pytest.raises(ValueError, match=r"in \[0, 1\], not per cent.*80.*'arun' on 'task'"):
        accuracy.accuracies({"task": {"arun": [80.0]}})
