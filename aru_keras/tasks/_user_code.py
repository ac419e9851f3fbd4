"""Functions that somebody else wrote: called with the name of the task and the line in errors."""

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


def called(function: Callable[[], Any], name: str) -> Any:
    """What a function returns.

    Args:
        function: A function that needs no arguments.
        name: The name of the task, for the message.

    Raises:
        DatasetError: If the function raises one.
        ValueError: If the function needs arguments, or raises another error, which is the cause.
    """
    _check_signature(function, name)
    try:
        return function()
    except Exception as error:
        code = getattr(inspect.unwrap(function), "__code__", None)
        message = f"{name} raised {described(error, getattr(code, 'co_filename', None))}"
        raise _kind(error)(message) from error


def described(error: Exception, file: str | None) -> str:
    """The class of an error, its line in a file, if there is one, and its message."""
    if isinstance(error, SyntaxError):  # Its own message has the line.
        return f"{type(error).__name__}: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file]
    place = f" at {Path(file).name}:{lines[-1]}" if file and lines else ""
    return f"{type(error).__name__}{place}: {error}"


def _check_signature(function, name):
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # Of a function in C.
        return
    try:
        signature.bind()
    except TypeError as error:
        raise ValueError(
            "The name of a task must be that of a function that can be called without arguments. "
            f"Received: {name!r} ({error}). Give its arguments defaults, or name another function, "
            "which calls it."
        ) from None


def _kind(error):
    from aru_keras.tasks._collection import DatasetError

    return DatasetError if isinstance(error, DatasetError) else ValueError
