"""The command `aru-keras benchmark`."""

import os
import subprocess
import sys
from pathlib import Path

from aru_keras.arguments import one_of, whole
from aru_keras.files import replacing
from aru_keras.runners.benchmark import environments, online, report, training
from aru_keras.runners.benchmark.timing import ROUNDS


def run(parser, arguments: list[str]) -> None:
    """Parse, measure, print.

    Args:
        parser: Of the command, without arguments yet.
        arguments: Of the command line.

    Raises:
        ValueError: For a bad argument.
    """
    _add_options(parser)
    options = parser.parse_args(arguments)
    measure = MEASURES[one_of("what", options.what, MEASURES)]
    whole("rounds", options.rounds, 1)
    if options.backends:
        options.backends = training.checked_backends(options.backends)
    measure(options)


def _add_options(parser):
    parser.add_argument(
        "what", help="; ".join(f"{name}: {one.__doc__}" for name, one in MEASURES.items())
    )
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="INT", help="turns of each")
    parser.add_argument("--backends", nargs="+", metavar="NAME", help="default: all installed")
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["small", "middle"],
        metavar="NAME",
        help="training: " + ", ".join(f"{name} {size}" for name, size in training.SIZES.items()),
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        default=training.DEFAULT_KINDS,
        metavar="NAME",
        help="training: what to compare, of " + ", ".join(map(repr, training.KINDS)),
    )
    parser.add_argument("--picture", metavar="FILE", help="training: a bar chart to write")
    parser.add_argument("--units", type=int, metavar="INT", help="environments, online: one size N")
    parser.add_argument("--controller-units", type=int, metavar="INT", help="and its G")
    parser.add_argument("--lanes", type=int, nargs="+", default=environments.LANES, metavar="B")


def _training(options):
    """seconds and memory of a training step, at once, step by step, and of others"""
    rows = training.training(
        options.sizes,
        backends=options.backends,
        kinds=options.kinds,
        rounds=options.rounds,
        progress=sys.stderr.isatty(),
    )
    print(report.training_table(rows))
    if options.picture:
        path = Path(options.picture)
        with replacing(path) as temporary:
            report.training_chart(rows).savefig(temporary, dpi=150)
        print(f"Picture: {path}")


def _online(options):
    """microseconds of one step of one sequence"""
    found = online.online(
        _one_size(options) or online.SIZES,
        backends=options.backends,
        rounds=options.rounds,
        progress=sys.stderr.isatty(),
    )
    print(report.online_table(found))


def _environments(options):
    """steps a second, alone and with a network attached"""
    if options.backends:
        _on_backends(options)
        return
    sizes = _one_size(options) or online.SIZES
    rows = environments.environments(sizes, options.lanes, options.rounds)
    print(environments.environments_table(rows))


MEASURES = {"training": _training, "online": _online, "environments": _environments}


def _one_size(options):
    if not (options.units or options.controller_units):
        return None
    units, controller_units = online.SIZES[0]
    return [(options.units or units, options.controller_units or controller_units)]


def _on_backends(options):
    """The environments on each backend, in a process of its own."""
    rest = ["--rounds", options.rounds, "--lanes", *options.lanes]
    for size in _one_size(options) or ():
        rest += ["--units", size[0], "--controller-units", size[1]]
    for backend in options.backends:
        command = [sys.executable, "-m", "aru_keras.runners.cli", "benchmark", "environments"]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        subprocess.run([*command, *map(str, rest)], env=environment, check=True)
