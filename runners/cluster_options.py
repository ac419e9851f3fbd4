"""The options `--workers`, `--scheduler` and `--resources` of the commands that use a cluster."""

import argparse
import os
import re
from typing import Any

from aru_keras._util.arguments import finite, whole
from aru_keras._util.extras import check_distributed


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options to those of a command.

    Args:
        parser: Parser of the command.
    """
    group = parser.add_argument_group(
        "on several processes or machines", 'with Dask, the extra "cluster"'
    )
    group.add_argument(
        "--workers",
        type=int,
        metavar="K",
        help="work in K processes of this machine, which share its cores and memory (default: in "
        "this process)",
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="work on the workers of a Dask scheduler, as in tcp://node1:8786, or of a "
        "scheduler file, as in scheduler.json; they must see the same folder",
    )
    group.add_argument(
        "--resources",
        nargs="+",
        metavar="NAME=NUMBER",
        help="what each piece of work takes of a worker of the scheduler, as in GPU=1",
    )


def checked(options: argparse.Namespace) -> dict[str, Any]:
    """The keyword arguments of `cluster.Workers` that the options give; empty without options.

    Args:
        options: Parsed options of the command.

    Raises:
        ValueError: The options do not fit, or Dask is not installed.
    """
    if options.resources and options.scheduler is None:
        raise ValueError(
            "`resources` are those that the workers of a scheduler offer. Received: "
            f"{' '.join(options.resources)} without --scheduler. Give --scheduler ADDRESS."
        )
    if options.workers is None and options.scheduler is None:
        return {}
    if options.workers is not None and options.scheduler is not None:
        raise ValueError(
            "`workers` are started on this machine, and those of `scheduler` are there already. "
            f"Received: {options.workers} and {options.scheduler}. Leave one of the two out."
        )
    chosen: dict[str, Any]
    if options.workers is not None:
        chosen = {"workers": whole("workers", options.workers, 1)}
    else:
        resources = _resources(options.resources or ())
        chosen = {"scheduler": checked_scheduler(options.scheduler), "resources": resources}
    check_distributed()
    return chosen


def checked_scheduler(scheduler: Any) -> str:
    """The address of a scheduler, after a check that it has a port, or the path of its file.

    Args:
        scheduler: The address or the path.

    Raises:
        ValueError: It is neither.
    """
    text = os.fspath(scheduler) if isinstance(scheduler, str | os.PathLike) else ""
    if text.endswith(".json") or re.fullmatch(r"([a-z]+://)?[^/]+:\d+/?", text):
        return text
    raise ValueError(
        "`scheduler` must be the address of a Dask scheduler that runs, with its port, as in "
        f"tcp://node1:8786, or its file, as in scheduler.json. Received: {scheduler!r}."
    )


def _resources(texts):
    return dict(_resource(text) for text in texts)


def _resource(text):
    name, equals, amount = text.partition("=")
    try:
        if not (name and equals):
            raise ValueError
        return name, finite("resources", float(amount), 0)
    except ValueError as error:
        raise ValueError(
            f"`resources` must be of the form NAME=NUMBER, as in GPU=1. Received: {text!r}."
        ) from error
