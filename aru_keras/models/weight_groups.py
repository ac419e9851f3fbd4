"""The groups of weights in a network, which can be frozen, or copied from another network.

- `recurrent`: W_xh, W_hh and b, or all weights of an LSTM or GRU.
- `activation`: the weights that set γ: n and s of RNN+γ; the controller of an ARUN, with its
  read-outs of n and s. The other networks have none.
- `readout`: W_hy and b_y.
- `encoder`: the weights of the layers before the recurrent one.

With them Geadah et al. 2024 retrain n and s alone on another task (section B.3), and train a
network around the controller of another one (C.4).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aru_keras._util import arguments
from aru_keras._util.arguments import instance
from aru_keras._util.deprecated import renamed

if TYPE_CHECKING:
    import keras

WEIGHT_GROUPS = ("recurrent", "activation", "readout", "encoder")
RECURRENT_WEIGHTS = ("kernel", "recurrent_kernel", "bias")
ACTIVATION_WEIGHTS = {
    "arun": (
        "controller_kernel",
        "controller_recurrent_kernel",
        "controller_bias",
        "readout_kernel",
        "readout_bias",
    ),
    "gamma": ("n", "s"),
}
"""Network -> names of the weights of its cell that are its activation group."""


def parse(text: str, argument: str = "groups") -> tuple[str, ...]:
    """Read groups as a command line has them: "all", or names joined by "+".

    Args:
        text: The text.
        argument: Name of the argument that the text was given for.

    Raises:
        ValueError: If a name is no group.
    """
    if not isinstance(text, str):
        return named(text, argument)
    return WEIGHT_GROUPS if text == "all" else named(text.split("+"), argument)


def named(groups: str | Sequence[str], argument: str = "groups") -> tuple[str, ...]:
    """Put names of groups in the order of `WEIGHT_GROUPS`.

    Args:
        groups: One name or more, or text as `parse` reads it.
        argument: Name of the argument that they were given for.

    Raises:
        ValueError: If a name is no group, or there is none.
    """
    names = named_or_none(groups, argument)
    if not names:
        raise ValueError(
            f"`{argument}` must be names out of {', '.join(WEIGHT_GROUPS)}. Received: none."
        )
    return names


def named_or_none(groups: str | Sequence[str], argument: str = "groups") -> tuple[str, ...]:
    """Put names of groups in the order of `WEIGHT_GROUPS`, as `named` does; there may be none.

    Args:
        groups: Names, or text as `parse` reads it.
        argument: Name of the argument that they were given for.

    Raises:
        ValueError: If a name is no group.
    """
    if isinstance(groups, str):
        return parse(groups, argument)
    names = arguments.named(argument, groups, WEIGHT_GROUPS)
    return tuple(name for name in WEIGHT_GROUPS if name in names)


def frozen_groups(network: str, trained: str | Sequence[str]) -> tuple[str, ...]:
    """The groups that are frozen in a network where only some train.

    Args:
        network: Name in `models.NETWORKS`.
        trained: Names of the groups that train.

    Raises:
        ValueError: If `trained` names no group, or one that the network does not have.
    """
    trained, network = named(trained, "trained"), instance("network", network, str)
    if "activation" in trained and trained != WEIGHT_GROUPS and network not in ACTIVATION_WEIGHTS:
        raise ValueError(
            "`trained` can name the activation of arun and gamma alone: in other networks nothing "
            f"sets it. Received: {'+'.join(trained)} for {network!r}."
        )
    return tuple(group for group in WEIGHT_GROUPS if group not in trained)


def frozen_weights(network: str, frozen: str | Sequence[str]) -> tuple[str, ...]:
    """The names of the weights in a network's cell that are frozen with some groups.

    Args:
        network: Name in `models.NETWORKS`.
        frozen: Names of the groups that do not train; there may be none.

    Raises:
        ValueError: If `frozen` holds the name of no group.
    """
    frozen, network = named_or_none(frozen, "frozen"), instance("network", network, str)
    owners = {"recurrent": RECURRENT_WEIGHTS, "activation": ACTIVATION_WEIGHTS.get(network, ())}
    return tuple(name for group in frozen for name in owners.get(group, ()))


def copy_weights(
    source: "keras.Model", target: "keras.Model", groups: Sequence[str] = WEIGHT_GROUPS
) -> None:
    """Copy some groups of weights from a network to another one of the same shape.

    Args:
        source: Network of `models.build_network`.
        target: Another network of the same kind, whose weights are replaced.
        groups: Names of the groups, out of `WEIGHT_GROUPS`.

    Raises:
        ValueError: If the weights have other shapes, or the networks are of different kinds. The
            target then stays as it was.
    """
    import keras

    pairs: list[tuple[keras.Variable, keras.Variable]] = []
    for argument, model in (("source", source), ("target", target)):
        instance(argument, model, keras.Model, "models.build_network makes one.")
    for group in named(groups):
        ours, theirs = _variables(target, group), _variables(source, group)
        shapes = [[tuple(weight.shape) for weight in weights] for weights in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"`source` must have the same {group} as the network that takes it. Received: "
                f"{source.name!r} with weights of shapes {shapes[0]} for {target.name!r} with "
                f"{shapes[1]}."
            )
        pairs += zip(ours, theirs, strict=True)
    for ours, theirs in pairs:
        ours.assign(theirs)


def _variables(model, group):
    recurrent = model.get_layer("recurrent")
    if group == "readout":
        return model.get_layer("readout").weights
    if group == "encoder":
        others = [layer for layer in model.layers if layer.name not in ("recurrent", "readout")]
        return [variable for layer in others for variable in layer.weights]
    names = RECURRENT_WEIGHTS if group == "recurrent" else ACTIVATION_WEIGHTS.get(model.name, ())
    if group == "recurrent" and not hasattr(recurrent.cell, "signal_sizes"):
        return recurrent.weights
    weights = [getattr(recurrent.cell, name) for name in names]
    return [weight for weight in weights if weight is not None]  # There may be no bias.


__getattr__ = renamed(__name__, {"PARTS": "WEIGHT_GROUPS", "copy_parts": "copy_weights"})
