"""Options of training: the optimizer, and batches whose contrast varies."""

import keras
import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.runners.augmentation import ContrastBatches
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.optimizers import optimizer
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import train

SMALL = {"units": 5, "controller_units": 2, "epochs": 1, "batch_size": 16, "limit": 40}


def two_steps(name):
    """A weight after two steps along a constant gradient of 3, at a rate of 0.1."""
    config = TrainConfig(
        "digits", optimizer=name, learning_rate=0.1, schedule="constant", clip_norm=0,
        weight_decay=0.0,
    )  # fmt: skip
    weight = keras.Variable([0.0])
    steps = optimizer(config, 1)
    for _ in range(2):
        steps.apply([keras.ops.convert_to_tensor([3.0])], [weight])
    return float(keras.ops.convert_to_numpy(weight)[0])


def test_the_optimizers_make_the_steps_of_their_equations():
    # Adam, corrected for its start, goes one learning rate a step.
    assert two_steps("adam") == pytest.approx(-0.2, rel=1e-4)
    # RMSprop divides by the root of the mean square: 9·0.01, then 9·(0.99·0.01 + 0.01).
    assert two_steps("rmsprop") == pytest.approx(-0.1 * (1 / 0.1 + 1 / 0.0199**0.5), rel=1e-4)


def test_a_run_with_rmsprop_resumes_with_it(tmp_path):
    train("digits", "relu", optimizer="rmsprop", run_dir=tmp_path, verbose=0, **SMALL)
    model, _ = RunFolder(tmp_path).load_state()
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert model.optimizer.rho == 0.99


def test_a_share_of_the_batches_has_a_contrast_of_known_form():
    data = tasks.load_task("digits")
    plain = data.batches("train", 16, shuffle=False)
    changed = ContrastBatches(data.batches("train", 16, shuffle=False), 0.5, 0.2, seed=3)
    contrasts = [changed.contrast(0, index) for index in range(len(changed))]
    assert 0.3 < np.mean([contrast is not None for contrast in contrasts]) < 0.7
    t = np.arange(64)
    for index, contrast in enumerate(contrasts):
        (x, y), (original, labels) = changed[index], plain[index]
        np.testing.assert_array_equal(y, labels)
        f = 0 if contrast is None else contrast.frequency
        assert 0 <= f <= 2
        expected = original * (1 + 0.2 * np.sin(2 * np.pi * f * t / 64))[:, None]
        np.testing.assert_allclose(x, expected, atol=1e-6)
    assert len({contrast.frequency for contrast in contrasts if contrast}) > 10


def test_the_contrast_of_a_batch_depends_on_seed_epoch_and_index_alone():
    batches = tasks.load_task("digits").batches("train", 16)
    first, again, other = (ContrastBatches(batches, 1.0, 0.2, seed) for seed in (0, 0, 1))
    assert first.contrast(2, 5) == again.contrast(2, 5)
    others = {other.contrast(2, 5), first.contrast(3, 5), first.contrast(2, 6)}
    assert len(others | {first.contrast(2, 5)}) == 4
    epochs = []
    for _ in range(2):
        epochs.append(batches.epoch)
        first.on_epoch_begin()
        for index in range(len(first)):
            first[index]
        first.on_epoch_end()
    assert epochs == [0, 1]


def test_training_with_a_contrast_is_another_training_and_without_it_the_same(tmp_path):
    losses = {}
    for share in (0.0, 1.0):
        folder = tmp_path / str(share)
        options = {**SMALL, "contrast_share": share, "contrast_amplitude": 0.9}
        train("digits", "relu", run_dir=folder, verbose=0, **options)
        losses[share] = (folder / "history.csv").read_text().splitlines()[1].split(",")[2]
    train("digits", "relu", run_dir=tmp_path / "plain", verbose=0, **SMALL)
    plain = (tmp_path / "plain/history.csv").read_text().splitlines()[1].split(",")[2]
    assert losses[0.0] == plain != losses[1.0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"optimizer": "sgd"}, "`optimizer` must be one of adam, rmsprop"),
        ({"contrast_share": 1.5}, "`contrast_share` must be from 0 to 1"),
        ({"contrast_share": 0.5, "learner": "agent"}, "unless the learner is fit"),
        ({"contrast_amplitude": 0.0}, "`contrast_amplitude` must be a finite number above 0"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        TrainConfig("digits", **options)
