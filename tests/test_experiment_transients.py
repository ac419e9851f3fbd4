"""Experiment 11: onset and steady state."""

import numpy as np
import pytest
from adapting import TINY, TRANSIENTS, courses, seeds


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (courses(lambda xi: 5 - 0.01 * xi, 3), [True, True]),
        (courses(lambda xi: 5.1 - 0.01 * xi, 3, wobble=1.0), [False, True]),
        # The level goes up and down with ξ; or not at all.
        (courses(lambda xi: 5.5 + np.sin(7 * xi), 3), [True, False]),
        (courses(lambda xi: 0 * xi + 5.1, 3), [True, False]),
    ],
)
def test_a_transient_is_judged_by_its_decay_and_its_level(arrays, expected):
    found = TRANSIENTS.conclude(seeds(arrays), TINY)
    assert [claim.holds for claim in found.claims] == expected


def test_what_the_images_do_to_n_is_not_fitted():
    arrays = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    images = np.cumsum(np.random.default_rng(0).normal(size=64))
    seen = {**arrays, "n": arrays["n"] + images - images.mean()}
    before, after = (TRANSIENTS.conclude(seeds(one), TINY) for one in (arrays, seen))
    assert before.tables[1].rows == after.tables[1].rows
    assert before.claims[0].holds and after.claims[0].holds


def test_the_table_of_transients_has_what_was_put_in():
    arrays = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    found = TRANSIENTS.conclude(seeds(arrays, 1), TINY)
    last = dict(zip(found.tables[1].header, found.tables[1].rows[-1], strict=True))
    assert (last["ξ"], last["n at onset"], last["n τ (steps)"]) == ("30", "5", "3")
    failed = courses(lambda xi: 5.1 - 0.01 * xi, 3)
    failed["n"][:] = 5
    found = TRANSIENTS.conclude(seeds(failed, 1), TINY)
    assert found.tables[1].rows[-1][3:5] == ("no fit", "")
    assert "4 × the data are constant" in found.claims[0].evidence
