"""One valid call of each public function, and what it may answer to bad arguments.

A `Case` holds a valid call by argument names. `answers` replaces one argument at a time by each bad
value: nothing may come but a ValueError or TypeError of this package that names the argument, or a
right result: finite, and of the shape of the valid call's.
"""

import dataclasses
import inspect
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

import aru_keras
from aru_keras import envs, runners, tasks

OURS = tuple(str(Path(package.__file__).resolve().parent) for package in (aru_keras, envs, runners))

BAD = {
    "None": None,
    "text": "text",
    "long text": "a" * 10_000,
    "bytes": b"text",
    "an object": object(),
    "a class": object,
    "a dict": {},
    "an empty list": [],
    "a ragged list": [[1.0], [1.0, 2.0]],
    "a list of text": ["text"],
    "a list with None": [1.0, None],
    "a list of 10**30": [10**30],
    "NaN": np.nan,
    "infinity": np.inf,
    "-infinity": -np.inf,
    "1e300": 1e300,
    "10**30": 10**30,
    "10**12": 10**12,
    "10**5000": 10**5000,
    "-1": -1,
    "1.5": 1.5,
    "a complex number": 1 + 2j,
    "a rank too high": np.zeros((2,) * 6),
    "an empty array": np.zeros((0, 3)),
    "many numbers": np.full(5000, np.nan),
}

POISON = {
    "NaN in it": lambda array: _with_first(array.astype("float64"), np.nan),
    "infinity in it": lambda array: _with_first(array.astype("float64"), np.inf),
    "1e300 in it": lambda array: _with_first(array.astype("float64"), 1e300),
    "None in it": lambda array: _with_first(array.astype(object), None),
    "complex numbers": lambda array: array * (1 + 1j),
    "text of numbers": lambda array: array.astype(str),
    "an axis too many": lambda array: array[None],
    "one number too many": lambda array: np.concatenate([array, array[:1]]),
}


def numbers(values):
    """Infinity is a right result, NaN is none."""
    return ~np.isnan(values)


def anything(values):
    """NaN is the right result of NaN."""
    return np.full(np.shape(values), True)


@dataclasses.dataclass(frozen=True)
class Case:
    """A valid call.

    Attributes:
        function: What is called.
        arguments: Gives its arguments by name, all of them.
        shapes: False where the result has the shape of the arguments, whatever it is.
        sound: Which numbers are right results.
        skipped: Arguments that Keras, or the user's own function, answers for.
        known_as: Another name by which the message may call an argument.
        needs: A package without which the case is skipped.
    """

    function: Callable
    arguments: Callable[[], dict]
    shapes: bool = True
    sound: Callable = np.isfinite
    skipped: tuple[str, ...] = ()
    known_as: Mapping[str, str] = dataclasses.field(default_factory=dict)
    needs: str = "numpy"

    @property
    def name(self) -> str:
        return f"{self.function.__module__.rpartition('.')[2]}.{self.function.__qualname__}"

    def names(self) -> set[str]:
        """The arguments of the function, but for *args and **kwargs."""
        variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        parameters = inspect.signature(self.function).parameters.values()
        return {one.name for one in parameters if one.kind not in variable} - {"self"}

    def call(self, **changed):
        return self.function(**{**self.arguments(), **changed})


def answers(case):
    """Complaints about what a function answered to bad arguments; none if all is well."""
    arguments = case.arguments()
    wanted = _shapes(case.call())
    for name in [name for name in arguments if name not in ("self", *case.skipped)]:
        for label, value in bad_values(arguments[name]).items():
            complaint = _complaint(case, name, value, wanted)
            if complaint:
                yield f"{case.name}({name}: {label}): {complaint}"


def bad_values(valid):
    """All bad values, and the valid one with something wrong in it."""
    bad = BAD | {"a dict": {}, "an empty list": []}  # New ones: a function may fill them.
    if callable(valid):  # What a class says to the arguments of a function is its own affair.
        return {label: value for label, value in bad.items() if label != "a class"}
    if not isinstance(valid, np.ndarray) or valid.dtype.kind not in "fiu":
        return bad
    return bad | {label: spoil(valid) for label, spoil in POISON.items()}


def _complaint(case, name, value, wanted):
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Of a deprecated argument.
            found = case.call(**{name: value})
    except (ValueError, TypeError) as error:
        return _complaint_about(case, name, error)
    except tasks.DatasetError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    if not all(case.sound(leaf).all() for leaf in _leaves(found) if leaf.dtype.kind == "f"):
        return f"nonsense: {str(found)[:200]}"
    if case.shapes and [len(shape) for shape in _shapes(found)] != [len(one) for one in wanted]:
        return f"another shape: {_shapes(found)}"
    return None


def _complaint_about(case, name, error):
    text = str(error)
    last = traceback.extract_tb(error.__traceback__)[-1].filename
    if not str(Path(last).resolve()).startswith(OURS):
        return f"not ours, from {last}: {text[:200]}"
    names = (name, case.known_as.get(name, name))
    if not any(f"`{one}`" in text for one in names):
        return f"does not name it: {text[:200]}"
    return f"too long: {text[:200]}…" if len(text) > 900 else None


def _with_first(array, value):
    array = array.copy()
    array.flat[0] = value
    return array


def _leaves(found):
    """The arrays and numbers in a result."""
    if dataclasses.is_dataclass(found):
        found = [getattr(found, field.name) for field in dataclasses.fields(found)]
    elif isinstance(found, Mapping):
        found = list(found.values())
    elif isinstance(found, np.ndarray) and found.dtype == object:
        found = found.tolist()
    if isinstance(found, list | tuple):
        return [leaf for one in found for leaf in _leaves(one)]
    if isinstance(found, bool | str | range | type(None)):
        return []
    return [np.asarray(found)] if np.ndim(found) or isinstance(found, int | float) else []


def _shapes(found):
    return [leaf.shape for leaf in _leaves(found)]
