"""The figure of transients holds what it is given."""

import numpy as np
import pytest
from drawings import drawn, holds
from figures import transient_seed

from aru_keras.plots import transients as transients_plot


def test_transients_show_traces_decays_and_levels():
    seed = transient_seed(5.0)
    figure = transients_plot.transient_courses([seed])
    traces, levels = figure.axes[:2]
    for one in seed:
        assert holds(traces, one.n.mean)
        assert holds(traces, one.n.decay(np.arange(199)), np.arange(201, 400))
    assert len(drawn(figure.axes[2])) == 2  # s does not move: traces alone.
    assert holds(levels, [one.n.steady for one in seed], [1, 2])
    assert holds(levels, [one.n.onset for one in seed], [1, 2])


def test_transients_of_seeds_are_compared_by_their_change():
    seeds = [transient_seed(5.0), transient_seed(6.0, growth=3.0)]
    figure = transients_plot.transient_courses(seeds)
    traces, levels = figure.axes[:2]
    assert len(drawn(traces)) == 2 * (1 + len(seeds)), "the mean, and each seed"
    assert holds(traces, np.mean([seed[1].n.mean for seed in seeds], axis=0))
    assert holds(levels, np.mean([[one.n.steady for one in seed] for seed in seeds], axis=0))
    # At onset 2 ξ ± ξ above what it was before the drive, where the seeds agree.
    band = traces.collections[1].get_paths()[0].vertices
    assert np.ptp(band[band[:, 0] == 201, 1]) == pytest.approx(4)
    assert np.ptp(band[band[:, 0] == 150, 1]) == pytest.approx(0)
    assert "2 seeds" in figure.legends[0].get_title().get_text()
