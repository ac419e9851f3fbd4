"""Programs of a step: made and checked once for each form, of no more operations than needed."""

import keras
import numpy as np
import pytest
from contract import CASES, B, X
from support import array, only_on

from aru_keras._util.step_programs import step_program


def ones(*shape):
    return keras.ops.ones(shape, "float32")


def test_a_program_is_made_and_checked_once_for_each_form():
    made, checked = [], []
    program = step_program(
        lambda x, y: made.append(x.shape) or [x + 1], [], check=lambda x, y: checked.append(x)
    )
    for shape in ((2, 3), (2, 3), (4, 3), (2, 3), (4, 3)):
        np.testing.assert_array_equal(array(program(ones(*shape), None)[0]), np.full(shape, 2.0))
    assert [tuple(shape) for shape in made] == [(2, 3), (4, 3)]
    assert [tuple(x.shape) for x in checked] == [(2, 3), (4, 3)]


def test_a_form_that_the_check_refuses_is_refused_each_time():
    def check(x):
        if x.shape[0] != 2:
            raise ValueError(f"two rows, not {x.shape[0]}")

    program = step_program(lambda x: [x], [], check=check)
    for _ in range(2):
        with pytest.raises(ValueError, match="two rows, not 3"):
            program(ones(3))
    program(ones(2))


def test_arguments_that_are_none_are_another_form():
    program = step_program(lambda x, y: [x if y is None else x + y], [])
    for y, expected in ((None, 1), (ones(2), 2), (None, 1)):
        assert array(program(ones(2), y)[0]).tolist() == [expected] * 2


def test_a_program_follows_its_variables():
    weight = keras.Variable(np.ones(2, "float32"))
    program = step_program(lambda x: [x * weight], [weight])
    assert array(program(ones(2))[0]).tolist() == [1, 1]
    weight.assign([3, 4])
    assert array(program(ones(2))[0]).tolist() == [3, 4]


@only_on("tensorflow", reason="the others have no graphs of graphs")
def test_a_program_inside_a_tf_function():
    import tensorflow as tf

    program = step_program(lambda x: [x + 1], [])
    assert array(tf.function(lambda x: program(x)[0])(ones(2))).tolist() == [2, 2]
    assert array(program(ones(2))[0]).tolist() == [2, 2]


def recorded(function, *arguments):
    """The names of the operations that torch records of a function, and whether it agrees."""
    from aru_keras._util import torch_graphs

    forward = torch_graphs.recorded(function, arguments)
    nodes = forward.__self__.graph.nodes
    found, expected = forward(*arguments), function(*arguments)
    np.testing.assert_allclose(array(found[0]), array(expected[0]), rtol=1e-6)
    assert found[0].dtype == expected[0].dtype
    return [node.target.__name__ for node in nodes if node.op == "call_function"]


@only_on("torch", reason="the others compile")
def test_fewer_operations_on_torch():
    import torch

    a, b, c = torch.rand(2, 3), torch.rand(3, 4), torch.rand(4)
    assert recorded(lambda a, b, c: [a @ b + c], a, b, c) == ["addmm"]
    assert recorded(lambda a, b, c: [c + a @ b], a, b, c) == ["addmm"]
    assert recorded(lambda a, b, c: [a * b + c], c, c + 1, c + 2) == ["addcmul"]
    assert recorded(lambda a, b, c: [c + a * b], c, c + 1, c + 2) == ["addcmul"]
    assert recorded(lambda a, b: [a + (b - a).detach()], a, a + 1) == []


def test_a_tensor_that_is_given_twice_is_so_once():
    program = step_program(lambda x, y: [x + 2 * y], [])
    one = ones(2)
    assert array(program(one, one)[0]).tolist() == [3, 3]
    assert array(program(one, 2 * one)[0]).tolist() == [5, 5]


@only_on("torch", reason="the others compile")
def test_a_later_tensor_may_lie_otherwise_in_memory():
    import torch

    program = step_program(lambda x: [keras.ops.reshape(x, (-1, 6))], [])
    program(torch.ones(4, 2, 3))
    turned = torch.arange(24.0).reshape(3, 2, 4).permute(2, 1, 0)
    np.testing.assert_array_equal(array(program(turned)[0]), array(turned).reshape(-1, 6))


@only_on("torch", reason="the others compile")
def test_operations_that_torch_cannot_join_are_left():
    import torch

    row, b, many = torch.rand(1, 3), torch.rand(3, 4), torch.rand(5, 4)
    assert recorded(lambda a, b, c: [a @ b + c], row, b, many) == ["mm", "add"]
    assert recorded(lambda a, b, c: [a @ b + c], row, b, many.double()) == ["mm", "add"]
    assert recorded(lambda a, b, c: [torch.add(a @ b, c, alpha=2)], row, b, many[0]) == [
        "mm",
        "add",
    ]
    assert recorded(lambda a, b: [2.0 * a + b], row, row) == ["mul", "add"]
    assert recorded(lambda a, b: [a * b + 2.0], row, row) == ["mul", "add"]
    one = torch.ones(())
    assert len(recorded(lambda a, b: [a + (b - a).detach()], row, one)) > 1
    assert recorded(lambda a, b: [torch.cumsum(a, 0) + b], row, row) == ["cumsum.default", "add"]


@only_on("torch", reason="the others compile")
def test_the_step_of_an_aru_on_torch():
    """No product and sum apart, nothing for gradients alone, no slow look-up of an operation."""
    import torch

    cell = CASES[-1].make_layer().cell

    def step(x, *state):
        return cell.step(x, state, None, False)[1]

    names = recorded(step, torch.as_tensor(X[:, 0]), *cell.get_initial_state(B))
    assert {"addmm", "addcmul", "tanh", "sigmoid"} <= set(names)
    assert not any("." in name or name in ("add_", "detach") for name in names)
