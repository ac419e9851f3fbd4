"""The maps of sensitivity hold what they are given."""

import numpy as np
import pytest
from drawings import scores

from aru_keras.plots import sensitivity


def test_maps_share_their_colours():
    networks = {"arun": scores((3, 4)), "relu": scores((3, 4))}
    networks["relu"].loss[1, 2] = 40.0
    figure = sensitivity.sensitivity_maps(networks, (0, 1, 2), (0, 1, 2, 3))
    images = [one.get_images()[0] for one in figure.axes[:4]]
    for image, expected in zip(
        images,
        [100 * one.accuracy for one in networks.values()] + [one.loss for one in networks.values()],
        strict=True,
    ):
        np.testing.assert_allclose(image.get_array(), expected)
    assert images[0].get_clim() == images[1].get_clim() == (0, 100)
    assert images[2].get_clim() == images[3].get_clim() and images[3].get_clim()[1] == 40
    assert [one.get_title() for one in figure.axes[:2]] == ["ARUN", "ReLU"]


def test_the_map_of_a_network_of_your_own_has_its_name():
    figure = sensitivity.sensitivity_maps({"mine": scores((2, 2))}, (0, 1), (0, 1))
    assert figure.axes[0].get_title() == "mine"


@pytest.mark.parametrize("loss", [0.0, np.inf, np.nan])
def test_a_loss_that_a_logarithm_cannot_show_has_no_colour(loss):
    found = scores((2, 2))
    found.loss[:] = [[loss, 2.0], [0.5, 40.0]]
    figure = sensitivity.sensitivity_maps({"arun": found}, (0, 1), (0, 1))
    image = figure.axes[1].get_images()[0]
    assert image.get_clim() == (0.5, 40)
    opaque = image.cmap(image.norm(image.get_array()))[..., 3]
    np.testing.assert_array_equal(opaque, [[0, 1], [1, 1]])
    figure.draw_without_rendering()


@pytest.mark.parametrize("loss", [0.0, np.nan, 2.0])
def test_losses_that_are_all_the_same_are_drawn(loss):
    found = scores((2, 2))
    found.loss[:] = loss
    sensitivity.sensitivity_maps({"arun": found}, (0, 1), (0, 1)).draw_without_rendering()
