"""The figure of gain scaling holds what it is given."""

import numpy as np
from drawings import drawn, holds
from figures import AMPLITUDES, scaling

from aru_keras.plots import gain_scaling


def test_a_fit_that_failed_is_not_drawn():
    found = scaling(2 * AMPLITUDES**-0.5 + 5)
    gain, saturation = (gain_scaling.gains_under_noise(found).axes[place] for place in (1, 4))
    assert "steady gain" in gain.get_ylabel() and "steady saturation" in saturation.get_ylabel()
    assert len(drawn(gain)) == 1 and "R^2" in gain.texts[0].get_text()
    assert found.saturation_fit().failed
    assert not drawn(saturation) and not saturation.texts


def test_courses_under_noise_are_running_means_in_proportion_to_the_papers_600_steps():
    courses = gain_scaling.gains_under_noise(scaling(AMPLITUDES)).axes[0]
    steps = np.arange(12, 288)
    means = np.tile([24 / 25, 26 / 25], 138)  # Of values that alternate between 0 and 2.
    assert len(drawn(courses)) == len(AMPLITUDES)
    assert holds(courses, means, steps)
    assert "running mean of 25" in courses.get_xlabel()
