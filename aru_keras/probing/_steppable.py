"""What a network must be to be taken step by step."""

from typing import Any

import keras

from aru_keras.probing import graph


def check_without_output(signals: Any, network: keras.Model, layer: keras.layers.RNN) -> None:
    """Refuse "y" for a model whose output is not made of a single step."""
    if signals != "y" and (isinstance(signals, str) or "y" not in (signals or ())):
        return
    reason = "its output is not made of the last output of that layer alone"
    if layer.return_sequences:
        reason = (
            "that layer has return_sequences=True, and the layers above it are not all known to "
            "treat each step alike, as Dense does"
        )
    raise ValueError(
        '`signals` has "y", the output if the sequence ended at this step. Received: '
        f"{network.name!r} with the recurrent layer {layer.name!r}, but {reason}. Ask for "
        '"h" and apply the layers above to it, or build the model with return_sequences=False.'
    )


def check_reads_forwards(network: keras.layers.Layer, layer: keras.layers.RNN) -> None:
    """Refuse a layer whose input at a step depends on other steps."""
    if layer.go_backwards:
        raise ValueError(
            "`network` must read in the order of time to be stepped. Received: a layer with "
            "go_backwards=True. Record whole sequences with `record` instead."
        )
    if network is layer:
        return
    sequences, mask = graph.sequences_into(network, layer)
    if graph.skips_padding(network, sequences):
        return
    if mask is not None:
        raise ValueError(
            "`network` must not mask its input to be stepped. Received: a model that masks the "
            f"input of its layer {layer.name!r}. Pass the layer itself, step it with its own "
            "input, and keep the previous states with `chosen` where a step is to be skipped."
        )
    if not any(sequences is pixels for pixels in network.inputs):
        raise ValueError(
            "`network` must have a recurrent layer that reads its pixels directly to be stepped. "
            f"Received: {network.name!r}, whose layer {layer.name!r} reads the output of other "
            "layers. Pass the layer itself, and step it with its own input, or record whole "
            "sequences with `record`."
        )
