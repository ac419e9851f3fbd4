"""The paper's initializers: what they draw, and that a seed settles it."""

import json

import keras
import numpy as np
import pytest
from support import array, dtype_of

from aru_keras import initializers
from aru_keras.initializers import HenaffOrthogonal, ReadoutBias, ReadoutKernel, SharedGain


@pytest.mark.parametrize("size", [1, 2, 9, 50])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-6), ("float64", 1e-12)])
def test_henaff_is_a_block_rotation(size, dtype, tolerance):
    w = array(HenaffOrthogonal(seed=3)((size, size), dtype=dtype))
    assert w.dtype == dtype
    assert np.abs(w @ w.T - np.eye(size)).max() < tolerance
    assert abs(np.linalg.det(w) - 1) < 10 * tolerance
    blocks = np.zeros_like(w)
    for k in range(0, size - 1, 2):
        block = w[k : k + 2, k : k + 2]
        assert block[0, 0] == block[1, 1] and block[0, 1] == -block[1, 0]
        assert -np.pi < np.arctan2(block[1, 0], block[0, 0]) < 0
        blocks[k : k + 2, k : k + 2] = block
    if size % 2:
        blocks[-1, -1] = 1
    assert (w == blocks).all()


def test_henaff_angles_are_uniform():
    w = array(HenaffOrthogonal(seed=0)((2000, 2000)))
    angles = np.arctan2(np.diagonal(w, -1)[::2], np.diagonal(w)[::2])
    counts, _ = np.histogram(angles, bins=5, range=(-np.pi, 0))
    assert counts.sum() == 1000 and np.abs(counts - 200).max() < 60


@pytest.mark.parametrize("shape", [(3, 4), (4,), (2, 2, 2)])
def test_henaff_fills_square_matrices_only(shape):
    with pytest.raises(ValueError, match=r"must be \(N, N\).*Received: shape="):
        HenaffOrthogonal()(shape)


CASES = [
    (HenaffOrthogonal, (6, 6)),
    (SharedGain, (4,)),
    (ReadoutKernel, (5, 2)),
    (ReadoutBias, (2,)),
    (initializers.kaiming_normal, (1, 6)),
    (initializers.gain_normal, (6,)),
]


@pytest.mark.parametrize(("make", "shape"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_seeds(make, shape):
    def draw(seed=None):
        return array(make(seed=seed)(shape))

    assert (draw(1) == draw(1)).all()
    assert (draw(1) != draw(2)).any()
    assert (draw() != draw()).any()
    keras.utils.set_random_seed(5)
    first = draw(), draw()
    keras.utils.set_random_seed(5)
    assert all((a == b).all() for a, b in zip(first, (draw(), draw()), strict=True))


@pytest.mark.parametrize(("make", "shape"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_round_trip(make, shape):
    initializer = make(seed=7)
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    assert (array(again(shape)) == array(initializer(shape))).all()


@pytest.mark.parametrize(("make", "shape"), CASES, ids=lambda v: getattr(v, "__name__", ""))
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_dtype_and_shape(make, shape, dtype):
    values = make(seed=7)(shape, dtype=dtype)
    assert tuple(values.shape) == shape and dtype_of(values) == dtype


@pytest.mark.parametrize(("make", "shape"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_a_generator_of_seeds_survives_the_round_trip(make, shape):
    config = keras.initializers.serialize(make(seed=keras.random.SeedGenerator(3)))
    again = keras.initializers.deserialize(json.loads(json.dumps(config)))
    assert keras.initializers.serialize(again) == config
    draws = [array(again(shape)) for _ in range(2)]
    assert (draws[0] != draws[1]).any()  # A generator gives a new seed for each draw.
    anew = make(seed=keras.random.SeedGenerator(3))
    assert all((array(anew(shape)) == draw).all() for draw in draws)


@pytest.mark.parametrize("wrong", [{}, {"class_name": "Dense"}, {"class_name": "Nothing"}])
def test_what_is_no_generator_is_no_seed(wrong):
    with pytest.raises(ValueError, match=r"`seed` must be .* Received: {"):
        HenaffOrthogonal(seed=wrong)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64"])
@pytest.mark.parametrize("kind", [np.asarray, keras.ops.convert_to_tensor])
def test_an_array_gives_its_values_and_survives_the_round_trip(dtype, kind):
    values = np.array([[1, -2, 3], [4, 5, 7]], dtype) / 3
    values = values.astype(dtype)
    given = initializers.get(kind(values))
    config = json.loads(json.dumps(keras.initializers.serialize(given)))
    for initializer in (given, initializers.get(config), initializers.get(given)):
        drawn = initializer((2, 3), dtype="float32")
        assert dtype_of(drawn) == "float32"
        np.testing.assert_array_equal(array(drawn), values.astype("float32"))
    with pytest.raises(ValueError, match=r"shape of the weight, \(3, 2\).* of shape \(2, 3\)"):
        given((3, 2))


def test_a_later_change_of_an_array_does_not_change_what_it_initializes():
    values = np.ones(3)
    initializer = initializers.get(values)
    values[:] = 5
    assert array(initializer((3,))).tolist() == [1, 1, 1]


def test_settings_survive_the_round_trip():
    for initializer in (SharedGain(1.0, 0.5), ReadoutKernel(0.3, 0.2), ReadoutBias(2.0, 1.0)):
        again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
        assert again.get_config() == initializer.get_config()
    assert 1.0 <= array(SharedGain(1.0, 0.5)((1,)))[0] < 1.5


def test_shared_gain_is_one_draw():
    draws = np.stack([array(SharedGain(seed=k)((7,))) for k in range(200)])
    assert (draws == draws[:, :1]).all()
    assert draws.min() >= 5 and draws.max() < 7
    assert abs(draws[:, 0].mean() - 6) < 0.15 and abs(draws[:, 0].std() - 2 / 12**0.5) < 0.1


def test_gain_normal():
    draws = array(initializers.gain_normal(seed=0)((40000,)))
    assert abs(draws.mean() - 5) < 0.05 and abs(draws.std() - 2) < 0.04
    assert 0.003 < (draws < 0).mean() < 0.01


def test_readout_kernel_scales_each_column_by_itself():
    size = 50
    draws = np.stack([array(ReadoutKernel(seed=k)((size, 2))) for k in range(200)])
    expected = np.array([0.1, 0.01]) * np.sqrt(2 / (size + 1))
    assert np.allclose(draws.std(axis=(0, 1)), expected, rtol=0.03)
    assert (np.abs(draws.mean(axis=(0, 1))) < 4 * expected / np.sqrt(200 * size)).all()


def test_readout_bias():
    draws = np.stack([array(ReadoutBias(seed=k)((2,))) for k in range(50)])
    assert (draws[:, 1] == 0).all()
    assert draws[:, 0].min() >= 5 and draws[:, 0].max() < 7 and draws[:, 0].std() > 0.3


@pytest.mark.parametrize(("make", "wrong"), [(ReadoutKernel, (5, 3)), (ReadoutBias, (2, 2))])
def test_readouts_are_pairs(make, wrong):
    with pytest.raises(ValueError, match=r"read-out of n and s.*Received: shape="):
        make()(wrong)


def test_kaiming_normal_is_not_truncated():
    draws = array(initializers.kaiming_normal(seed=0)((1, 40000)))
    assert abs(draws.std() - 2**0.5) < 0.02
    assert abs(draws).max() > 3 * 2**0.5


@pytest.mark.parametrize("name", sorted(initializers.NAMED))
def test_names(name):
    made = initializers.NAMED[name]()
    found = initializers.get(name)
    assert type(found) is type(made)
    assert {**found.get_config(), "seed": None} == {**made.get_config(), "seed": None}


def test_numbers_and_keras_names():
    assert array(initializers.get(2)((3,))).tolist() == [2, 2, 2]
    assert array(initializers.get(np.float32(0.5))((1,))).tolist() == [0.5]
    assert isinstance(initializers.get("glorot_uniform"), keras.initializers.GlorotUniform)
    with pytest.raises(ValueError):
        initializers.get("no_such_initializer")
