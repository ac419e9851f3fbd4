"""Tasks by name: those of the table, registered ones, files, and functions of modules.

This module needs neither Keras nor the data before a task is loaded.
"""

import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aru_keras._util.arguments import one_of, shown
from aru_keras._util.imports import find_in_working_folder
from aru_keras.tasks._user_code import called, described
from aru_keras.tasks.specs import TASKS

SYNTHETIC = {
    "copy-memory": "aru_keras.tasks.synthetic:copy_memory",
    "adding": "aru_keras.tasks.synthetic:adding",
    "noisy-evidence": "aru_keras.tasks.synthetic:noisy_evidence",
}
"""The names of the synthetic tasks, and the functions that make them."""

GYM = "gym:"
"""The text before the id of an environment of Gymnasium that stands for a task."""

_REGISTERED: dict[str, Callable[[], Any]] = {}

OTHER_DATA = (".npy", ".csv", ".tsv", ".txt", ".mat", ".h5", ".hdf5", ".nc", ".pkl", ".parquet")
"""The ends of the names of files that hold data in another form."""

WAYS = (
    "It can also be the path of an .npz of your own sequences; module:function or "
    "file.py:function, for a function that returns a task; or a name that this process has "
    "registered with tasks.register."
)


def register(name: str, function: Callable[[], Any]) -> None:
    """Give a task of your own a name that `load_task` takes.

    Only this process knows the name. On the command line, write module:function instead.

    Args:
        name: The name, which must not be that of a task of this package. A task that has been
            registered under this name before is replaced.
        function: A function without arguments that returns a task, for example of `from_arrays`.

    Raises:
        ValueError: If the name is that of a task of the paper or cannot be a name, or `function`
            is no function.

    Example:
        >>> register("oscillations", lambda: from_arrays((x, y)))
        >>> load_task("oscillations")
    """
    plain = isinstance(name, str) and name.replace("-", "_").isidentifier()
    if not plain or name in {*TASKS, *SYNTHETIC}:
        raise ValueError(
            "`name` must be letters, digits and hyphens, and the name of no task of this package. "
            f"Received: {shown(name)}."
        )
    if not callable(function):
        raise ValueError(
            f"`function` must be a function that returns a task. Received: {shown(function)}."
        )
    _REGISTERED[name] = function


def is_registered(name: str) -> bool:
    """Whether this process, and no other, has given a name to a task."""
    return name in _REGISTERED


def is_file(name: str) -> bool:
    """Whether a name is the path of a file of sequences."""
    return name.endswith(".npz")


def is_environment(task: object) -> bool:
    """Whether the name of a task is that of an environment of Gymnasium, in which an agent learns.

    Args:
        task: The name of a task, or anything else.
    """
    return isinstance(task, str) and task.startswith(GYM) and len(task) > len(GYM)


def checked_name(argument: str, name: Any) -> str:
    """A name that a task can be loaded by, with the whole path of a file.

    Args:
        argument: The argument that the name was given for.
        name: The name of a task, the path of an .npz, or module:function.

    Raises:
        ValueError: If it is none of these, or missing. It is not checked whether the file or the
            module exists.
    """
    name = os.fspath(name) if isinstance(name, os.PathLike) else name
    known = [*TASKS, *SYNTHETIC, *_REGISTERED]
    if name is None:
        raise ValueError(f"`{argument}` is missing. Name a task, one of {', '.join(known)}. {WAYS}")
    if isinstance(name, str) and name not in known:
        if is_file(name):
            return os.path.abspath(os.path.expanduser(name))
        module, colon, function = name.rpartition(":")
        if colon and module and function.isidentifier():
            return f"{os.path.abspath(module)}:{function}" if module.endswith(".py") else name
        if hint := _other_form(name):
            received = f"Received: {shown(name)}. {hint}"
            raise ValueError(f"`{argument}` must be the name of a task. {received} {WAYS}")
    try:
        return one_of(argument, name, known)
    except ValueError as error:
        raise ValueError(f"{error} {WAYS}") from None


def _other_form(name):
    """What to do with the name of a file or a folder that is no task; "" for another name."""
    if name.endswith(".py"):
        return f"Name the function in it that returns a task: {shown(name + ':FUNCTION')}."
    if os.path.isfile(f"{name}.npz"):
        return f"Did you mean {shown(name + '.npz')}?"
    if os.path.isdir(name) or os.path.isfile(name) or name.endswith(OTHER_DATA):
        return "Only an .npz is read as it is: write a function that reads this, and name that."
    return ""


def made(name: str) -> Any:
    """What the registered function, or the function of a module, returns.

    Args:
        name: A registered name, or module:function.

    Raises:
        ValueError: If there is no such module or function, if it needs arguments, or if it raises
            an error, whose line is then in the message.
    """
    if is_registered(name):
        return called(_REGISTERED[name], name)
    module_name, _, function = SYNTHETIC.get(name, name).rpartition(":")
    module = _imported(module_name, name)
    if not callable(getattr(module, function, None)):
        raise ValueError(
            f"The name of a task must be that of a function. Received: {name!r}, but {module_name} "
            f"has no function {function!r}."
        )
    return called(getattr(module, function), name)


def _imported(module: str, name: str) -> Any:
    try:
        if module.endswith(".py"):
            return _run_file(Path(module))
        find_in_working_folder()
        return importlib.import_module(module)
    except Exception as error:
        raise ValueError(
            "The name of a task must be that of a module that can be imported, or of a file. "
            f"Received: {name!r} ({described(error, module)}). Run the command where the module "
            "is, or name its file: path/to/file.py:function."
        ) from error


def _run_file(path: Path) -> Any:
    # A file may have the name of a module that is loaded already.
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()
    name = f"_task_file_{digest[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # Where dataclasses and pickles look for their module.
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
