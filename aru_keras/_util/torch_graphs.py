"""Functions of torch, recorded as their operations, and called with as few of them as possible."""

from collections.abc import Callable, Sequence

import torch
from torch.fx import subgraph_rewriter
from torch.fx.experimental.proxy_tensor import make_fx
from torch.fx.passes.shape_prop import ShapeProp

aten = torch.ops.aten


def recorded(function: Callable, arguments: Sequence[torch.Tensor]) -> Callable:
    """The operations that a function makes of arguments of these shapes and dtypes.

    The results are those of `function` to rounding; they carry no gradients.

    Args:
        function: A function of tensors that returns a list of tensors.
        arguments: Tensors of the shapes and dtypes that the program will be called with.
    """
    with torch.no_grad():
        graph = make_fx(function)(*arguments)
        for pattern, replacement in _SHORTER:
            ShapeProp(graph).propagate(*arguments)
            subgraph_rewriter.replace_pattern_with_filters(
                graph, pattern, replacement, match_filters=[_is_of_one_kind]
            )
    _call_directly(graph)
    return graph.forward


def _is_of_one_kind(match, *_):
    """Whether all of a match are tensors of one dtype, and fewer operations give the same shape."""
    nodes = list(match.nodes_map.values())
    if not all(isinstance(node, torch.fx.Node) for node in nodes):
        return False  # A number in place of a tensor.
    values = {node: node.meta["tensor_meta"] for node in nodes if "tensor_meta" in node.meta}
    shape = values[match.returning_nodes[0]].shape
    equal = [node for node in values if node.target is aten.mm.default]
    if any(node.target is aten.detach.default for node in nodes):
        equal = list(values)
    one_dtype = len({value.dtype for value in values.values()}) == 1
    return one_dtype and all(values[node].shape == shape for node in equal)


def _call_directly(graph):
    """Call torch's own functions for operations, whose look-up by overload takes as long again."""
    for node in graph.graph.nodes:
        if node.op == "call_function" and isinstance(node.target, torch._ops.OpOverload):
            node.target = _DIRECT.get(node.target, node.target)
    graph.recompile()


_SHORTER = [
    (  # A product in a sum.
        lambda a, b, c: aten.add.Tensor(aten.mm.default(a, b), c),
        lambda a, b, c: aten.addmm.default(c, a, b),
    ),
    (
        lambda a, b, c: aten.add.Tensor(c, aten.mm.default(a, b)),
        lambda a, b, c: aten.addmm.default(c, a, b),
    ),
    (
        lambda a, b, c: aten.add.Tensor(aten.mul.Tensor(a, b), c),
        lambda a, b, c: aten.addcmul.default(c, a, b),
    ),
    (
        lambda a, b, c: aten.add.Tensor(c, aten.mul.Tensor(a, b)),
        lambda a, b, c: aten.addcmul.default(c, a, b),
    ),
    (  # A value whose gradient is another's.
        lambda a, b: aten.add.Tensor(a, aten.detach.default(aten.sub.Tensor(b, a))),
        lambda a, b: b,
    ),
]
"""Operations, and fewer ones with the same result."""

_DIRECT = {
    aten.abs.default: torch.abs,
    aten.add.Tensor: torch.add,
    aten.addcmul.default: torch.addcmul,
    aten.addmm.default: torch.addmm,
    aten.clamp.default: torch.clamp,
    aten.diagonal.default: torch.diagonal,
    aten.div.Tensor: torch.div,
    aten.lt.Scalar: torch.lt,
    aten.mm.default: torch.mm,
    aten.mul.Tensor: torch.mul,
    aten.neg.default: torch.neg,
    aten.relu.default: torch.relu,
    aten.rsub.Scalar: torch.rsub,
    aten.select.int: torch.select,
    aten.sigmoid.default: torch.sigmoid,
    aten.softplus.default: torch.nn.functional.softplus,
    aten.sub.Tensor: torch.sub,
    aten.tanh.default: torch.tanh,
    aten.view.default: torch.reshape,  # A later argument may lie otherwise in memory.
    aten.where.self: torch.where,
}
"""Functions of torch with the arguments of an operation in the same order."""
