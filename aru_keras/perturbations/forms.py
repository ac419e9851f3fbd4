"""Perturbations from text, from JSON, and from every other form that an argument may have."""

import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from aru_keras._util.arguments import one_of, shown
from aru_keras.perturbations.base import Perturbation, Perturbations
from aru_keras.perturbations.contrast import Contrast
from aru_keras.perturbations.drives import NoisyDrive, StepDrive
from aru_keras.perturbations.inputs import ChannelContrast, InputNoise
from aru_keras.perturbations.waveform import Waveform

KINDS: Mapping[str, Any] = {
    kind.kind: kind
    for kind in (StepDrive, NoisyDrive, Contrast, Waveform, ChannelContrast, InputNoise)
}
"""The classes of perturbations by the names that `parse` and `from_config` take."""

_KIND = rf"\s*(?:none|{'|'.join(KINDS)})\s*(?:[:+]|$)"
_BETWEEN = rf"\+(?![\d.])(?:(?={_KIND})|(?!(?:(?!\+{_KIND}).)*\.npy))"
"""A plus sign between perturbations: none within a number, 1e+5, or the path of an .npy file."""


def as_perturbation(value: Any) -> Perturbation:
    """A perturbation from any form that the argument `perturbation` of this library takes.

    Args:
        value: One of: None for no perturbation; a `Perturbation`; text for `parse`; a list of
            perturbations and of the dicts of `to_config`; a single such dict; or the dict that
            `dataclasses.asdict` makes, which a Gymnasium spec holds once it was written as JSON.

    Raises:
        ValueError: If `value` is something else, or a name or number in it is wrong.
    """
    if value is None:
        return Perturbations()
    if isinstance(value, Perturbation):
        return value
    if isinstance(value, str):
        return parse(value)
    listed = value
    if isinstance(value, Mapping):
        listed = [value]
        for field in ("components", "parts"):  # Specs of 0.1 say "parts".
            if set(value) == {field}:
                listed = value[field]
    if isinstance(listed, list | tuple):
        return _from_list(listed, "perturbation")
    raise ValueError(
        "`perturbation` must be a perturbation, a list of them or of their configurations, text "
        f'such as "step:5+contrast:0.5", or None. Received: {shown(value)}.'
    )


def from_config(config: Sequence[Mapping | Perturbation]) -> Perturbation:
    """The perturbation that `Perturbation.to_config` described.

    Args:
        config: A list of the dicts of `to_config`. Perturbations in the list stay as they are.

    Raises:
        ValueError: If `config` is not such a list, or a name or number in it is wrong.
    """
    if not isinstance(config, list | tuple):
        raise ValueError(
            f"`config` must be a list, as `to_config` gives. Received: {shown(config)}."
        )
    return _from_list(config, "config")


def parse(text: str) -> Perturbation:
    """A perturbation as it is written on a command line.

    The text names a kind ("step", "noise", "contrast", "waveform", "channels" or "input-noise") and
    after a colon its values, in order or by name. "+" joins several perturbations, and "none" is no
    perturbation. Examples: "step:5", "noise:mean=5,variance=2,seed=3",
    "step:5,start=20+contrast:0.5,phase=1.57". The values of a waveform are separated by spaces, or
    are in a file, whose path may hold "+" and ",": "waveform:0 1 2 1,start=16",
    "waveform:current.npy". Channels have semicolons between them: "channels:0.5,channels=left;2".

    Args:
        text: The text.

    Raises:
        ValueError: If a kind or name is unknown, a value is not a number or out of its range, or
            a file cannot be read.
    """
    if not isinstance(text, str):
        raise ValueError(f"`text` must be text such as 'step:5'. Received: {shown(text)}.")
    items = [item.strip() for item in re.split(_BETWEEN, text)]
    return Perturbations.of(*(_parse_single(item) for item in items if item != "none"))


def _parse_single(text: str) -> Perturbation:
    kind, colon, listed = text.partition(":")
    kind = one_of("perturbation", kind.strip(), KINDS)
    items, names = _items(listed) if colon else [], _names(kind)
    plain = [item for item in items if "=" not in item]
    if items[: len(plain)] != plain or len(plain) > len(names):
        raise ValueError(
            f"`{kind}` takes {', '.join(names)}, in this order or by name; values without a name "
            f"come first. Received: {text!r}. For example {kind}:{names[0]}=1."
        )
    named = [item.split("=", 1) for item in items[len(plain) :]]
    values: dict[str, Any] = {}
    for name, value in [*zip(names, plain, strict=False), *named]:
        name = one_of(f"An argument of `{kind}`", name.strip(), names)
        if name in values:
            raise ValueError(f"`{name}` must be given once. Received: {text!r}.")
        read = KINDS[kind].readers.get(name, _read_number)
        values[name] = read(name, value.strip(), text)
    return KINDS[kind](**values)


def _items(listed):
    """What stands between commas; those within the path of an .npy file are a part of it."""
    path, ending, rest = listed.partition(".npy")
    if not ending or (rest and not rest.startswith(",")):
        return listed.split(",")
    named = re.match(r"(.*,)?(?=\s*values\s*=)", path) or re.match("", path)
    return [*named[0].split(",")[:-1], path[named.end() :] + ending, *rest.split(",")[1:]]


def _read_number(name: str, number: str, text: str) -> int | float:
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(number)
    raise ValueError(f"`{name}` must be a number. Received: {number!r} in {text!r}.")


def _from_list(items: Sequence, argument: str) -> Perturbation:
    return Perturbations.of(*(_from_item(item, argument) for item in items))


def _from_item(item: Any, argument: str) -> Perturbation:
    if isinstance(item, Perturbation):
        return item
    if not isinstance(item, Mapping) or "kind" not in item:
        raise ValueError(
            f"Each item of `{argument}` must be a perturbation or a dict such as "
            f'{{"kind": "step", "amplitude": 5}}. Received: {shown(item)}.'
        )
    values = {name: value for name, value in item.items() if name != "kind"}
    kind = one_of("kind", item["kind"], KINDS)
    for name in values:
        one_of(f"An argument of `{kind}`", name, _names(kind))
    return KINDS[kind](**values)


def _names(kind: str) -> list[str]:
    return [field.name for field in fields(KINDS[kind]) if field.init]
