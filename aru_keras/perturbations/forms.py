"""Perturbations from text, from JSON, and from whatever else stands for one."""

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields

from aru_keras.arguments import one_of, shown
from aru_keras.composition import Perturbation, Perturbations, composed
from aru_keras.perturbations.contrast import Contrast
from aru_keras.perturbations.drives import NoisyDrive, StepDrive
from aru_keras.perturbations.waveform import Waveform

KINDS = {one.kind: one for one in (StepDrive, NoisyDrive, Contrast, Waveform)}
"""The perturbations by the names of `parse` and `from_config`."""


def as_perturbation(value) -> Perturbation:
    """A perturbation from whatever stands for one.

    Args:
        value: None for no perturbation; a `Perturbation`; text for `parse`; a list of
            perturbations and of the dicts of `to_config`; or one such dict, or that of
            `dataclasses.asdict`, which a Gymnasium spec holds after a way through JSON.

    Raises:
        ValueError: `value` is something else, or it holds a wrong name or number.
    """
    if value is None:
        return Perturbations()
    if isinstance(value, Perturbation):
        return value
    if isinstance(value, str):
        return parse(value)
    listed = value
    if isinstance(value, Mapping):
        listed = value["parts"] if set(value) == {"parts"} else [value]
    if isinstance(listed, list | tuple):
        return _from_list(listed, "perturbation")
    raise ValueError(
        "`perturbation` must be a perturbation, a list of them or of their configurations, text "
        f'such as "step:5+contrast:0.5", or None. Received: {shown(value)}.'
    )


def from_config(config: Iterable[Mapping | Perturbation]) -> Perturbation:
    """The perturbation that `to_config` described; perturbations in the list stay as they are.

    Raises:
        ValueError: `config` is no such list, or a name or number in it is wrong.
    """
    if not isinstance(config, list | tuple):
        raise ValueError(
            f"`config` must be a list, as `to_config` gives. Received: {shown(config)}."
        )
    return _from_list(config, "config")


def _from_list(items, argument):
    return composed([part for one in items for part in _part_from_config(one, argument).parts])


def parse(text: str) -> Perturbation:
    """A perturbation as it is written on a command line.

    A kind (`step`, `noise`, `contrast`, `waveform`), and after a colon its values, in order or by
    name; several are joined by "+". "none" is no perturbation. Examples: "step:5",
    "noise:mean=5,variance=2,seed=3", "step:5,start=20+contrast:0.5,phase=1.57". The values of a
    waveform stand with spaces between, or in a file: "waveform:0 1 2 1,start=16",
    "waveform:current.npy".

    Raises:
        ValueError: an unknown kind or name, a value that is no number or out of its range, or a
            file that cannot be read.
    """
    if not isinstance(text, str):
        raise ValueError(f"`text` must be text such as 'step:5'. Received: {shown(text)}.")
    # The plus of a number, as in 1e+5, has a digit behind it.
    parts = [part.strip() for part in re.split(r"\+(?![\d.])", text)]
    return composed([_parse_one(part) for part in parts if part != "none"])


def _parse_one(text):
    kind, colon, listed = text.partition(":")
    kind = one_of("perturbation", kind.strip(), KINDS)
    items, names = listed.split(",") if colon else [], _names(kind)
    plain = [item for item in items if "=" not in item]
    if items[: len(plain)] != plain or len(plain) > len(names):
        raise ValueError(
            f"`{kind}` takes {', '.join(names)}, in this order or by name; values without a name "
            f"come first. Received: {text!r}. For example {kind}:{names[0]}=1."
        )
    named = [item.split("=", 1) for item in items[len(plain) :]]
    values = {}
    for name, number in [*zip(names, plain, strict=False), *named]:
        name = one_of(f"value of {kind}", name.strip(), names)
        if name in values:
            raise ValueError(f"`{name}` must be given once. Received: {text!r}.")
        read = KINDS[kind].readers.get(name, _read_number)
        values[name] = read(name, number.strip(), text)
    return KINDS[kind](**values)


def _read_number(name, number, text):
    for read in (int, float):
        with contextlib.suppress(ValueError):
            return read(number)
    raise ValueError(f"`{name}` must be a number. Received: {number!r} in {text!r}.")


def _part_from_config(config, argument):
    if isinstance(config, Perturbation):
        return config
    if not isinstance(config, Mapping) or "kind" not in config:
        raise ValueError(
            f"Each item of `{argument}` must be a perturbation or a dict such as "
            f'{{"kind": "step", "amplitude": 5}}. Received: {shown(config)}.'
        )
    values = {name: value for name, value in config.items() if name != "kind"}
    kind = one_of("kind", config["kind"], KINDS)
    for name in values:
        one_of(f"value of {kind}", name, _names(kind))
    return KINDS[kind](**values)


def _names(kind):
    return [item.name for item in fields(KINDS[kind]) if item.init]
