"""The fields of a configuration, each with its help text, type and range, and their checks."""

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import Field, field
from typing import Any

from aru_keras._util.arguments import finite, whole

LARGEST = 2**31 - 1
LARGEST_SEED = 2**32 - 1
"""The largest whole numbers of an option: those of the sizes of tensors, and of NumPy's seeds."""


DEVICES = ("one", "all")
"""The devices of the machine that a run can train on."""


def option(
    help_text: str,
    default: Any = None,
    *,
    type: Callable[..., Any] = str,
    least: float | None = None,
    most: float = LARGEST,
) -> Any:
    """A field of `TrainConfig`: help text, type, minimum (None: above 0), and maximum of an int."""
    bounds = {"least": least, "most": most}
    return field(default=default, metadata={"help": help_text, "type": type, **bounds})


def count(help_text: str, default: Any = None, *, least: int = 1, most: float = LARGEST) -> Any:
    """A field that holds a whole number from `least` to `most`."""
    return option(help_text, default, type=int, least=least, most=most)


def switch(help_text: str) -> Any:
    """A field that is False or True."""
    return option(help_text, False, type=bool)


def default_text(item: Field, default: dict, others: dict) -> str:
    """The default of a field, as its help text ends with it.

    Args:
        item: The field.
        default: The defaults that depend on the task, by the name of the field.
        others: Other such defaults, by the name of the collection.
    """
    if item.name in default:
        values = {"default": default, **others}
        shown = (f"{name}: {_in_words(each[item.name])}" for name, each in values.items())
        return f" ({'; '.join(shown)})"
    return "" if item.default is None or item.default is False else f" (default: {item.default})"


def _in_words(default):
    return "off" if default is None else default


def yes_or_no(text: str) -> bool:
    """The value of a switch in a sweep, where it takes words.

    Raises:
        argparse.ArgumentTypeError: If it is neither "yes" nor "no".
    """
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"must be yes or no. Received: {text!r}")
    return text == "yes"


def parsed_weights(text: str | None) -> str | list[float] | None:
    """Class weights as text on the command line: "balanced", or numbers joined by commas."""
    if text is None or text == "balanced":
        return text
    try:
        return [finite("class_weights", float(number), 0) for number in str(text).split(",")]
    except ValueError as error:
        raise ValueError(
            "`class_weights` must be balanced, or numbers of at least 0 joined by commas, one for "
            f"each class. Received: {text!r}."
        ) from error


def checked(item: Field, value: Any) -> Any:
    """The value of a field, after a check of its type and range."""
    name, kind, least = item.name, item.metadata["type"], item.metadata["least"]
    if kind is int:
        return _whole(name, value, least, item.metadata["most"])
    if kind is float:
        return _number(name, value, least)
    if kind is dict:
        return _by_name(name, value)
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False. Received: {value!r}.")
    if kind is str and not isinstance(value, str | os.PathLike):
        raise ValueError(f"`{name}` must be text. Received: {value!r}.")
    return os.fspath(value) if kind is str else value


def _whole(name, value, least, most):
    number = whole(name, value, least)
    if number > most:
        raise ValueError(
            f"`{name}` must be a whole number from {least} to {most}. Received: {number}."
        )
    return number


def _number(name, value, least):
    if least is not None:
        return finite(name, value, least)
    number = finite(name, value, 0)
    if number == 0:
        raise ValueError(f"`{name}` must be a finite number above 0. Received: {value!r}.")
    return number


def _by_name(name, values):
    """A copy of values by name, which JSON can hold; none for None."""
    try:
        named = dict(values or {})
        if all(isinstance(key, str) for key in named) and json.loads(json.dumps(named)) == named:
            return named
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"`{name}` must be a dictionary by name of what JSON can hold: text, numbers, lists and "
        f"dictionaries. Received: {values!r}."
    )


def named_value(text: str) -> tuple[str, Any]:
    """A name and its value from NAME=VALUE, whose value is JSON, or otherwise text.

    Raises:
        argparse.ArgumentTypeError: If there is no name or no =.
    """
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"must be NAME=VALUE. Received: {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def check_contrast(share: float, learner: str) -> None:
    """Refuse a share of batches that is above 1, or that the learner does not use."""
    if share > 1 or (share and learner != "fit"):
        raise ValueError(
            "`contrast_share` must be from 0 to 1, and 0 unless the learner is fit. Received: "
            f"{share} with learner {learner!r}."
        )


def check_batch(size: int, fewest: float) -> None:
    """Refuse a batch that is larger than the smallest split, if the remainder is dropped."""
    if size > fewest:
        raise ValueError(
            f"`batch_size` must be at most {fewest}, the images of the smallest split, with "
            f"drop_remainder. Received: {size}."
        )


def check_learner(learner: str, data: Any) -> None:
    """Refuse a learner that cannot learn the targets of a task."""
    spec = data.spec
    if learner != "fit" and (spec.target != "class" or spec.every_step or spec.ragged):
        raise ValueError(
            "`learner` must be fit, unless the sequences of the task have one length, and a class "
            f"at the end. Received: {learner!r} for {data!r}."
        )
