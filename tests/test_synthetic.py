"""The synthetic tasks are what the literature says, and so are the numbers to compare with."""

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.tasks import synthetic


def test_copy_memory_repeats_its_symbols_after_the_signal():
    task = synthetic.copy_memory(delay=4, length=3, symbols=5, sizes=(20, 5, 5), seed=2)
    x, y = task.arrays("train")
    seen = x.argmax(axis=-1)
    assert task.input_shape == (10, 7) and task.classes == 6 and (x.sum(axis=-1) == 1).all()
    np.testing.assert_array_equal(y[:, 7:], seen[:, :3])
    assert (seen[:, :3] < 5).all() and len(np.unique(seen[:, :3])) == 5
    assert (y[:, :7] == 5).all() and (seen[:, 6] == 6).all()
    blanks = np.delete(np.arange(3, 10), 3)
    assert (seen[:, blanks] == 5).all()


def test_guessing_the_symbols_costs_the_entropy_of_the_literature():
    assert synthetic.chance(delay=100, length=10, symbols=8) == pytest.approx(10 * np.log(8) / 120)
    task = synthetic.copy_memory()
    _, y = task.arrays("test")
    answers = np.full((*y.shape, 9), -np.inf)
    answers[:, :-10, 8] = 0
    answers[:, -10:, :8] = -np.log(8)
    cost = -np.take_along_axis(answers, y[..., None], axis=-1).mean()
    assert cost == pytest.approx(synthetic.chance())


def test_adding_adds_the_two_marked_numbers():
    x, y = synthetic.adding(steps=9, sizes=(2000, 5, 5)).arrays("train")
    marks = x[..., 1]
    assert (marks[:, :4].sum(axis=1) == 1).all() and (marks[:, 4:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(y[:, 0], (x[..., 0] * marks).sum(axis=1), rtol=1e-6)
    assert np.mean((y - 1) ** 2) == pytest.approx(synthetic.mean_error(), rel=0.1)


@pytest.mark.parametrize("every_step", [False, True])
def test_the_best_observer_of_the_evidence_has_the_accuracy_that_is_said(every_step):
    task = synthetic.noisy_evidence(every_step=every_step, sizes=(4000, 5, 5))
    x, y = task.arrays("train")
    assert task.spec.every_step == every_step and task.spec.channels == ("evidence",)
    y = y[:, -1] if every_step else y
    contrast = np.where(np.arange(60) < 30, 0.3, 1.0)
    right = ((x[..., 0] @ contrast > 0) == y).mean()
    assert right == pytest.approx(synthetic.best_accuracy(), abs=0.015)
    assert ((x[..., 0].sum(axis=1) > 0) == y).mean() < right


@pytest.mark.parametrize("name", tasks.origins.SYNTHETIC)
def test_they_are_loaded_by_name_and_made_of_their_seed(name):
    task = tasks.load_task(name)
    assert (task.name, task.origin) == (name, name)
    function = getattr(synthetic, name.replace("-", "_"))
    assert function().hash == task.hash != function(seed=1).hash
    assert tasks.load_task(**task.config()).hash == task.hash


@pytest.mark.parametrize("sizes", [(5, 5), 5, (5, 5, 0)])
def test_wrong_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="`sizes` must be"):
        synthetic.adding(sizes=sizes)
