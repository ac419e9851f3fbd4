"""The figure of orders over the drive holds what it is given."""

import numpy as np
from drawings import line_labelled

from aru_keras.analysis.fractional_tasks import compare_tasks
from aru_keras.plots import fractional_tasks


def test_stars_stand_where_tasks_differ():
    drives = (1.0, 5.0, 30.0)
    first = [{1.0: 0.1 * k, 5.0: 0.1 * k, 30.0: 0.12 * k} for k in range(4)]
    second = [{1.0: 0.1 * k, 5.0: 5 + 0.1 * k, 30.0: 9 + 0.11 * k} for k in range(4)]
    figure = fractional_tasks.population_orders(
        {"psMNIST": first, "sCIFAR10": second}, compare_tasks(first, second)
    )
    stars = line_labelled(figure.axes[0], "p < 0.05")
    np.testing.assert_array_equal(stars.get_xdata(), [5.0, 30.0])
    line = line_labelled(figure.axes[0], "sCIFAR10")
    expected = [np.mean([one[drive] for one in second]) for drive in drives]
    np.testing.assert_allclose(line.get_ydata(), expected)
