"""The fields of a configuration, each with its help text, type and range, and their checks."""

import os
from dataclasses import field

from aru_keras._util.arguments import finite, one_of, whole

LARGEST = 2**31 - 1
LARGEST_SEED = 2**32 - 1
"""Greatest whole numbers of an option: those of tensors' sizes, and of NumPy's seeds."""


DEVICES = ("one", "all")
"""On which devices of the machine a run trains."""


def option(help_text, default=None, *, type=str, least=None, most=LARGEST):
    """A field of `TrainConfig`: help text, type, least value (None: above 0), most of an int."""
    bounds = {"least": least, "most": most}
    return field(default=default, metadata={"help": help_text, "type": type, **bounds})


def count(help_text, default=None, *, least=1, most=LARGEST):
    """A field that holds a whole number from `least` to `most`."""
    return option(help_text, default, type=int, least=least, most=most)


def switch(help_text):
    """A field that is False or True."""
    return option(help_text, False, type=bool)


def yes_or_no(text: str) -> bool:
    """The value of a switch of which several values are tried.

    Raises:
        ValueError: It is neither "yes" nor "no".
    """
    return {"yes": True, "no": False}[one_of("switch", text, ("yes", "no"))]


def parsed_weights(text):
    """Weights of classes as a command line has them: "balanced", or numbers between commas."""
    if text is None or text == "balanced":
        return text
    try:
        return [finite("class_weights", float(number), 0) for number in str(text).split(",")]
    except ValueError as error:
        raise ValueError(
            "`class_weights` must be balanced, or numbers of at least 0 joined by commas, one for "
            f"each class. Received: {text!r}."
        ) from error


def checked(item, value):
    """A value of a field, which must be of its type and in its range."""
    name, kind, least = item.name, item.metadata["type"], item.metadata["least"]
    if kind is int:
        return _whole(name, value, least, item.metadata["most"])
    if kind is float:
        return _number(name, value, least)
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


def check_contrast(share, learner):
    """Refuse a share of batches with a contrast that is no share, or that `fit` would not see."""
    if share > 1 or (share and learner != "fit"):
        raise ValueError(
            "`contrast_share` must be from 0 to 1, and 0 unless the learner is fit. Received: "
            f"{share} with learner {learner!r}."
        )


def check_batch(size, fewest):
    """Refuse a batch that the smallest split does not fill, where the remainder is dropped."""
    if size > fewest:
        raise ValueError(
            f"`batch_size` must be at most {fewest}, the images of the smallest split, with "
            f"drop_remainder. Received: {size}."
        )


def check_learner(learner, data):
    """Refuse a learner that the targets of a task do not fit."""
    spec = data.spec
    if learner != "fit" and (spec.target != "class" or spec.every_step or spec.ragged):
        raise ValueError(
            "`learner` must be fit for a task without one class at the end of sequences of one "
            f"length. Received: {learner!r} for {data!r}."
        )
