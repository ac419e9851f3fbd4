"""The parts of a network, to train some of them alone or to take them from another network.

- `recurrent`: W_xh, W_hh and b, or all of a gated layer.
- `activation`: what sets γ: n and s of RNN+γ, of an ARUN its controller with the read-outs of n
  and s. The other networks have none.
- `readout`: W_hy and b_y.
- `encoder`: what stands before the recurrent layer.

So Geadah et al. 2024 retrain n and s alone on another task (section B.3), and train a network
around the controller of another one (C.4).
"""

from collections.abc import Sequence

import keras

from aru_keras import arguments
from aru_keras.arguments import instance

PARTS = ("recurrent", "activation", "readout", "encoder")
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
"""The weights of a cell that are a network's activation part."""


def parse(text: str, argument: str = "parts") -> tuple[str, ...]:
    """Parts as they are written on a command line: "all", or names joined by "+".

    Raises:
        ValueError: names the argument and the parts that there are.
    """
    if not isinstance(text, str):
        return named(text, argument)
    return PARTS if text == "all" else named(text.split("+"), argument)


def named(parts: str | Sequence[str], argument: str = "parts") -> tuple[str, ...]:
    """Parts by their names, in the order of `PARTS`; text is read as by `parse`.

    Raises:
        ValueError: names the argument and the parts that there are.
    """
    if isinstance(parts, str):
        return parse(parts, argument)
    names = arguments.named(argument, parts, PARTS)
    if not names:
        raise ValueError(f"`{argument}` must be names out of {', '.join(PARTS)}. Received: none.")
    return tuple(name for name in PARTS if name in names)


def frozen_weights(network: str, trained: Sequence[str]) -> tuple[str, ...]:
    """Names of the weights of a network's cell that do not train if these parts do.

    Raises:
        ValueError: `trained` names no part, or one that the network does not have.
    """
    trained, network = named(trained, "trained"), instance("network", network, str)
    if "activation" in trained and trained != PARTS and network not in ACTIVATION_WEIGHTS:
        raise ValueError(
            "`trained` can name the activation of arun and gamma alone: in other networks nothing "
            f"sets it. Received: {'+'.join(trained)} for {network!r}."
        )
    owners = {"recurrent": RECURRENT_WEIGHTS, "activation": ACTIVATION_WEIGHTS.get(network, ())}
    return tuple(name for part, names in owners.items() if part not in trained for name in names)


def copy_parts(source: keras.Model, target: keras.Model, parts: Sequence[str] = PARTS) -> None:
    """Give a network the weights that another of the same shape has in some parts.

    Args:
        source: A network of `models.build_network`.
        target: Another, of the same kind; its weights are replaced.
        parts: Names in `PARTS`.

    Raises:
        ValueError: The weights have other shapes, or the networks are of different kinds. Then the
            target stays as it was.
    """
    pairs = []
    for argument, model in (("source", source), ("target", target)):
        instance(argument, model, keras.Model, "models.build_network makes one.")
    for part in named(parts):
        ours, theirs = _variables(target, part), _variables(source, part)
        shapes = [[tuple(one.shape) for one in group] for group in (theirs, ours)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                f"`source` must have the same {part} as the network that takes it. Received: "
                f"{source.name!r} with weights of shapes {shapes[0]} for {target.name!r} with "
                f"{shapes[1]}."
            )
        pairs += zip(ours, theirs, strict=True)
    for ours, theirs in pairs:
        ours.assign(theirs)


def _variables(model, part):
    recurrent = model.get_layer("recurrent")
    if part == "readout":
        return model.get_layer("readout").weights
    if part == "encoder":
        others = [one for one in model.layers if one.name not in ("recurrent", "readout")]
        return [variable for layer in others for variable in layer.weights]
    names = RECURRENT_WEIGHTS if part == "recurrent" else ACTIVATION_WEIGHTS.get(model.name, ())
    if part == "recurrent" and not hasattr(recurrent.cell, "signal_sizes"):
        return recurrent.weights
    return [getattr(recurrent.cell, name) for name in names]
