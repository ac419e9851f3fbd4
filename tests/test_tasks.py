"""The promises of `aru_keras.tasks`: what each task shows, in which order, to whom."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.tasks._splits import halves, spread
from aru_keras.tasks._transforms import rotated


def _tiled(count: int, shape: tuple[int, ...]) -> np.ndarray:
    """Images that compress well, each with its number in its first two pixels."""
    few = np.random.default_rng(1).integers(0, 256, (10, *shape), dtype="uint8")
    images = np.tile(few, (count // 10, *[1] * len(shape)))
    number = np.arange(count).reshape(-1, *[1] * (len(shape) - 2))
    images[:, 0, 0], images[:, 0, 1] = number % 256, number // 256
    return images


def _labels(count: int) -> np.ndarray:
    labels = (np.arange(count) % 10).astype("uint8")
    labels[-1] = 0  # One 0 too many and one 9 too few: odd numbers of both.
    return labels


def _archive(path, name, train, shape):
    np.savez_compressed(
        path,
        name=name,
        version=1,
        train_images=_tiled(train, shape),
        train_labels=_labels(train),
        test_images=_tiled(10_000, shape),
        test_labels=_labels(10_000),
    )
    return path


@pytest.fixture(scope="module")
def mnist(tmp_path_factory):
    return _archive(tmp_path_factory.mktemp("mnist") / "m.npz", "mnist", 60_000, (28, 28))


@pytest.fixture(scope="module")
def cifar(tmp_path_factory):
    return _archive(tmp_path_factory.mktemp("cifar") / "c.npz", "cifar10", 50_000, (32, 32, 3))


@pytest.fixture
def source(request):
    """The file that a task needs, by the task's name; None for the digits."""

    def find(name):
        collection = tasks.TASKS[name].collection
        fixture = {"mnist": "mnist", "cifar10": "cifar"}.get(collection)
        return fixture and request.getfixturevalue(fixture)

    return find


def test_import_stays_light():
    heavy = "{'tensorflow', 'tensorflow_datasets', 'scipy', 'matplotlib', 'gymnasium'}"
    code = f"import sys, keras; before = set(sys.modules); import aru_keras.tasks as t; \
t.load_task('digits').batches('train')[0]; new = set(sys.modules) - before; \
print(sorted({heavy} & new))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip().splitlines()[-1:] == ["[]"], done.stderr[-500:]


@pytest.mark.parametrize("name", tasks.TASKS)
def test_shapes_types_and_sizes_are_as_announced(name, source):
    task = tasks.load_task(name, source=source(name))
    assert task.sizes == dict(task.spec.sizes)
    assert list(task.sizes) == ["train", "validation", "test"]
    x, y = task.arrays("test")
    assert x.shape == (task.sizes["test"], *task.input_shape) and x.dtype == np.float32
    assert y.shape == (task.sizes["test"],) and y.dtype == np.int32
    assert 0 <= x.min() < 0.1 and 0.9 < x.max() <= 1
    assert task.images("test").shape == (task.sizes["test"], *task.image_shape)
    assert set(y) == set(range(task.classes)) and task.spec.description in str(task.spec)


def test_timesteps_are_the_papers():
    expected = {
        "digits": 64,
        "sdigits": 64,
        "rotated-digits": 64,
        "smnist": 784,
        "psmnist": 784,
        "rotated-psmnist": 784,
    }
    expected |= {"scifar10": 1024, "scifar10-conv": 64}
    assert {name: spec.timesteps for name, spec in tasks.TASKS.items()} == expected


@pytest.mark.parametrize("name", ["digits", "smnist", "psmnist", "rotated-psmnist", "scifar10"])
@pytest.mark.parametrize("downsample", [1, 2])
def test_step_t_shows_the_pixel_of_the_permutation(name, downsample, source):
    task = tasks.load_task(name, downsample=downsample, source=source(name))
    pixels = task.images("test").reshape(task.sizes["test"], -1)
    x, _ = task.arrays("test")
    shown = [task.pixel_index(t) for t in range(task.timesteps)]
    assert sorted(shown) == list(range(task.timesteps))
    np.testing.assert_array_equal(x[..., 0], pixels[:, shown])
    if name in ("smnist", "scifar10"):
        assert task.permutation is None and task.permutation_hash == "none"
        assert shown == list(range(task.timesteps))
    else:
        assert shown == task.permutation.tolist() != sorted(shown)


def test_permutation_comes_from_its_seed_and_its_hash_names_it(mnist):
    first, again = (tasks.load_task("psmnist", source=mnist) for _ in range(2))
    other = tasks.load_task("psmnist", permutation_seed=1, source=mnist)
    np.testing.assert_array_equal(first.permutation, again.permutation)
    np.testing.assert_array_equal(other.permutation, np.random.default_rng(1).permutation(784))
    digest = hashlib.sha256(np.asarray(first.permutation, "<i4").tobytes()).hexdigest()
    assert first.permutation_hash == digest[:8] == "a7c8a41d" != other.permutation_hash
    assert tasks.load_task("digits").permutation_hash == "011372db"


def test_downsampling_averages_squares(mnist):
    fine = tasks.load_task("smnist", source=mnist).images("test")[:5]
    task = tasks.load_task("smnist", downsample=2, source=mnist)
    assert task.timesteps == 196 and task.image_shape == (14, 14)
    coarse = task.images("test")[:5]
    by_hand = (
        fine[:, ::2, ::2] + fine[:, 1::2, ::2] + fine[:, ::2, 1::2] + fine[:, 1::2, 1::2]
    ) / 4
    np.testing.assert_allclose(coarse, by_hand, atol=1e-6)


def test_grey_is_the_weighted_sum_of_colours(cifar):
    colour = tasks.load_task("scifar10-conv", source=cifar).images("test")[:5]
    shade = tasks.load_task("scifar10", source=cifar).images("test")[:5]
    np.testing.assert_allclose(shade, colour @ [0.299, 0.587, 0.114], atol=1e-6)


def test_validation_is_the_end_of_training_and_nothing_is_shared(mnist):
    task = tasks.load_task("smnist", source=mnist)
    with np.load(mnist) as archive:
        images = archive["train_images"] / np.float32(255)
    np.testing.assert_array_equal(task.images("train"), images[:50_000])
    np.testing.assert_array_equal(task.images("validation"), images[50_000:])


def test_digits_splits_are_stratified_fixed_and_disjoint():
    task = tasks.load_task("digits")
    seen = [image.tobytes() for split in task.sizes for image in task.images(split)]
    everything = tasks.load_task("digits")._collection["all"][0]
    whole = {(image / np.float32(16)).tobytes() for image in everything}
    assert len(seen) == 1797 and set(seen) == whole
    shares = [np.bincount(task.arrays(split)[1]) / size for split, size in task.sizes.items()]
    assert np.abs(np.array(shares) - 0.1).max() < 0.01
    digest = hashlib.sha256(task.arrays("test")[1].astype("<i4").tobytes()).hexdigest()
    assert digest[:8] == "389244c6"


@pytest.mark.parametrize("count", [0, 1, 37, 100])
def test_spread_takes_exactly_its_count_from_every_class_alike(count):
    labels = np.random.default_rng(0).integers(0, 4, 100)
    mask = spread(labels, count)
    assert mask.sum() == count
    expected = np.bincount(labels) * count / 100
    assert (np.abs(np.bincount(labels[mask], minlength=4) - expected) < 1).all()


def test_rotation_is_counter_clockwise():
    image = np.zeros((1, 29, 29), "uint8")
    image[0, 14, 24] = 255  # Right of the centre, at the centre's height.
    row, column = np.unravel_index(rotated(image, 45.0)[0].argmax(), (29, 29))
    assert (row, column) == (7, 21)


def test_rotated_digits_are_the_test_digits_turned():
    task, plain = tasks.load_task("rotated-digits"), tasks.load_task("digits")
    assert task.permutation_hash == plain.permutation_hash
    labels = [task.arrays(split)[1] for split in ("train", "test")]
    np.testing.assert_array_equal(*(np.bincount(one) for one in labels))
    # Every turned image is one of the test images turned, and none stands in both halves.
    turned = rotated((plain.images("test") * 16).round().astype("uint8"), 45.0)
    known = {image.tobytes() for image in turned}
    halves = [
        {(image * 16).round().astype("uint8").tobytes() for image in task.images(split)}
        for split in ("train", "test")
    ]
    assert halves[0] | halves[1] <= known and not halves[0] & halves[1]
    row_by_row = tasks.load_task("sdigits").arrays("test")[0]
    np.testing.assert_array_equal(row_by_row[:, plain.permutation], plain.arrays("test")[0])


def test_rotated_halves_hold_the_same_number_of_every_digit(mnist):
    task = tasks.load_task("rotated-psmnist", source=mnist)
    counts = [np.bincount(task.arrays(split)[1]).tolist() for split in ("train", "test")]
    assert counts[0] == counts[1] == [500] * 9 + [499]
    first, second = halves(_labels(10_000))
    assert not set(first) & set(second) and len(first) == len(second) == 4999
    plain = tasks.load_task("psmnist", source=mnist)
    turned = rotated((plain.images("test")[first[:50]] * 255).astype("uint8"), 45.0)
    np.testing.assert_array_equal(task.images("train")[:50], turned / np.float32(255))
    assert np.abs(task.images("validation") - plain.images("validation")).max() > 0.5


def test_config_rebuilds_the_task():
    task = tasks.load_task("digits", downsample=2, permutation_seed=7)
    again = tasks.load_task(**json.loads(json.dumps(task.config())))
    assert again.config() == task.config() and again.permutation_hash == task.permutation_hash
    assert "T=16" in repr(again)


@pytest.mark.parametrize("wrong", ["pmnist", "PSMNIST", 3, None])
def test_unknown_task_is_refused_with_the_names(wrong):
    with pytest.raises(ValueError, match=r"`name` (must be one of|is missing).*, psmnist,"):
        tasks.load_task(wrong)


def test_unknown_task_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'psmnist'"):
        tasks.load_task("pmnist")


@pytest.mark.parametrize("wrong", [0, -2, 1.5, True, "2", 3])
def test_bad_downsample_is_refused(wrong):
    with pytest.raises(ValueError, match=r"`downsample` must .* Received: "):
        tasks.load_task("digits", downsample=wrong)


def test_downsample_error_lists_what_divides():
    with pytest.raises(ValueError, match=r"8×8.*Received: 3\. Use one of \[1, 2, 4, 8\]"):
        tasks.load_task("digits", downsample=3)


def test_whole_images_are_neither_downsampled_nor_indexed(cifar):
    with pytest.raises(ValueError, match="`downsample` must be 1 for 'scifar10-conv'"):
        tasks.load_task("scifar10-conv", downsample=2, source=cifar)
    with pytest.raises(ValueError, match="'scifar10'"):
        tasks.load_task("scifar10-conv", source=cifar).pixel_index(0)


@pytest.mark.parametrize("wrong", [-1, 64, 0.5])
def test_pixel_index_outside_the_sequence_is_refused(wrong):
    with pytest.raises(ValueError, match=r"`t` must"):
        tasks.load_task("digits").pixel_index(wrong)


@pytest.mark.parametrize("wrong", [-1, 1.0, "0", None])
def test_bad_permutation_seed_is_refused(wrong):
    with pytest.raises(ValueError, match=r"`permutation_seed` must .* Received: "):
        tasks.load_task("digits", permutation_seed=wrong)


@pytest.mark.parametrize(
    ("option", "value", "received"),
    [
        ("downsample", 2, "downsample=2"),
        ("permutation_seed", 9, "permutation_seed=9"),
        ("data_dir", "nowhere", "data_dir='nowhere'"),
        ("source", "some.npz", "source='some.npz'"),
    ],
)
def test_a_task_of_another_kind_takes_no_options_of_images(option, value, received):
    message = rf"`{option}` is for the tasks of images, .* Received: {received} for 'adding'"
    with pytest.raises(ValueError, match=message):
        tasks.load_task("adding", **{option: value})


def test_a_task_of_a_function_takes_the_options_that_it_has():
    tasks.register("shrunk", lambda: tasks.load_task("digits", downsample=2, permutation_seed=5))
    expected = tasks.load_task("shrunk").timesteps
    found = tasks.load_task("shrunk", downsample=2, permutation_seed=5, download=False)
    assert found.timesteps == expected == 16
    with pytest.raises(ValueError, match="Received: downsample=4 for 'shrunk'"):
        tasks.load_task("shrunk", downsample=4)


@pytest.mark.parametrize("method", ["arrays", "images", "batches", "dataset"])
def test_wrong_split_is_refused_with_the_nearest(method):
    with pytest.raises(ValueError, match=r"`split` must be one of .*Did you mean 'train'"):
        getattr(tasks.load_task("digits"), method)("training")


@pytest.mark.parametrize("method", ["batches", "dataset"])
@pytest.mark.parametrize("argument", ["batch_size", "limit", "seed", "initial_epoch"])
def test_bad_pipeline_arguments_are_refused(method, argument):
    with pytest.raises(ValueError, match=rf"`{argument}` must be a whole number .* Received: -1"):
        getattr(tasks.load_task("digits"), method)("train", **{argument: -1})
