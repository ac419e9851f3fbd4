"""Networks that no score can be taken of are refused in one sentence, when they are given."""

import keras
import numpy as np
import pytest

from aru_keras import ARU, GammaRNN, tasks
from aru_keras.analysis.evaluation import Evaluator

T, I, CLASSES = 5, 2, 3  # noqa: E741
X, Y = np.random.default_rng(0).normal(size=(9, T, I)), np.arange(9) % CLASSES


def task():
    return tasks.from_arrays((X, Y), (X, Y), (X, Y), name="own")


def classifier(classes=CLASSES, **options):
    pixels = keras.Input((T, I))
    return keras.Model(pixels, keras.layers.Dense(classes)(ARU(4, 2, **options)(pixels)))


def driven(second):
    """A model with a drive that has two recurrent layers, or both directions of one."""
    pixels, drive = keras.Input((T, I), name="pixels"), keras.Input((T, 1), name="drive")
    if second == "bidirectional":
        layer = keras.layers.Bidirectional(GammaRNN(4, return_sequences=True))
        h = ARU(4, 2)(layer(pixels), drive=drive)
        h = keras.layers.Concatenate()([h, keras.layers.Bidirectional(ARU(4, 2))(pixels)])
    else:
        h = ARU(4, 2)(ARU(5, 3, return_sequences=True)(pixels, drive=drive))
    return keras.Model([pixels, drive], keras.layers.Dense(CLASSES)(h))


@pytest.mark.parametrize("second", ["stacked", "bidirectional"])
def test_a_drive_of_a_network_of_several_layers_is_refused(second):
    with pytest.raises(ValueError, match=r"only input.*'pixels', 'drive'.*without the drive"):
        Evaluator(driven(second), task())


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (lambda: classifier(2), r"\(None, 2\)"),
        (lambda: classifier(1), r"\(None, 1\)"),
        (lambda: classifier(return_sequences=True), rf"\(None, {T}, {CLASSES}\)"),
    ],
    ids=["fewer classes", "one output", "every step"],
)
def test_a_network_that_does_not_fit_the_classes_is_refused(network, shape):
    with pytest.raises(ValueError, match=rf"`network` must give \(B, 3\).* which gives {shape}"):
        Evaluator(network(), task())


@pytest.mark.parametrize("classes", [CLASSES, CLASSES + 1])
def test_a_network_may_have_more_outputs_than_the_task_has_classes(classes):
    assert np.isfinite(Evaluator(classifier(classes), task())().loss)
