"""`aru-keras benchmark`."""

import os
import subprocess
import sys
from pathlib import Path

from aru_keras._util.arguments import one_of, whole
from aru_keras._util.files import make_folder, replacing
from aru_keras.plots.style import FORMATS
from aru_keras.runners.benchmark.choices import (
    DEFAULT_KINDS,
    DEFAULT_SIZES,
    KINDS,
    LIVE_SIZES,
    NUM_ENVS,
    ONLINE_SIZES,
    SIZES,
    checked_backends,
)
from aru_keras.runners.benchmark.timing import ROUNDS

HELP = "measure speed and memory, as tables in Markdown (aru-keras benchmark training)"


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "what", help="; ".join(f"{name}: {_summary(measure)}" for name, measure in MEASURES.items())
    )
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, metavar="INT", help="number of turns of each variant"
    )
    parser.add_argument(
        "--backends",
        nargs="+",
        metavar="NAME",
        help="Keras backends (default: all that are installed)",
    )
    parser.add_argument(
        "--sizes",
        nargs="+",
        metavar="NAME",
        help="training: " + ", ".join(f"{name} {size}" for name, size in SIZES.items()),
    )
    parser.add_argument(
        "--kinds",
        nargs="+",
        metavar="NAME",
        help="training: what to compare, of " + ", ".join(map(repr, KINDS)),
    )
    parser.add_argument(
        "--picture", metavar="FILE", help="training: a bar chart to write, and its numbers as .csv"
    )
    parser.add_argument(
        "--units", type=int, metavar="INT", help="environments, online, live: units N"
    )
    parser.add_argument(
        "--controller-units",
        type=int,
        metavar="INT",
        help="environments, online, live: controller units G",
    )
    parser.add_argument(
        *("--num-envs", "--lanes"),
        type=int,
        nargs="+",
        metavar="B",
        help="environments: numbers of sub-environments that are stepped together "
        f"(default: {' '.join(map(str, NUM_ENVS))})",
    )


def check(options, parser):
    """Check the options; return the function that measures."""
    measure = MEASURES[one_of("what", options.what, MEASURES)]
    whole("rounds", options.rounds, 1)
    _check_own(options)
    if options.backends:
        options.backends = checked_backends(options.backends)
    return measure


def _check_own(options):
    """Check the options that not all measures have."""
    for name in dict.fromkeys(name for names in OWN_OPTIONS.values() for name in names):
        if getattr(options, name) is not None and name not in OWN_OPTIONS[options.what]:
            where = ", ".join(what for what, names in OWN_OPTIONS.items() if name in names)
            raise ValueError(
                f"`{name}` must be left out with {options.what}: it is an option of {where}. "
                f"Received: {getattr(options, name)}."
            )
    for name in ("units", "controller_units"):
        if getattr(options, name) is not None:
            whole(name, getattr(options, name), 1)
    for count in options.num_envs or ():
        whole("num_envs", count, 1)
    if options.picture:
        one_of("The suffix of picture", Path(options.picture).suffix[1:], FORMATS)
        make_folder("The folder of picture", Path(options.picture).parent)


def run(options, measure):
    """Measure, and print."""
    measure(options)


def _training(options):
    """Time and memory of a training step of the ARU and of other networks."""
    from aru_keras.runners.benchmark import report, training

    rows = training.training(
        options.sizes or DEFAULT_SIZES,
        backends=options.backends,
        kinds=options.kinds or DEFAULT_KINDS,
        rounds=options.rounds,
        progress=sys.stderr.isatty(),
    )
    print(report.training_table(rows))
    if options.picture:
        path = Path(options.picture)
        with replacing(path) as temporary:
            report.training_chart(rows).savefig(temporary, dpi=150)
        table = report.save_rows(rows, path.with_suffix(".csv"))
        print(f"Picture: {path}\nTable: {table}")


def _online(options):
    """Time of one step of one sequence."""
    from aru_keras.runners.benchmark import online, report

    rows = online.online(
        _one_size(options) or ONLINE_SIZES,
        backends=options.backends,
        rounds=options.rounds,
        progress=sys.stderr.isatty(),
    )
    print(report.online_table(rows))


def _environments(options):
    """Steps per second of an environment, alone and with a network attached."""
    from aru_keras.runners.benchmark import environments

    if options.backends:
        _on_backends("environments", options)
        return
    sizes = _one_size(options) or ONLINE_SIZES
    rows = environments.environments(sizes, options.num_envs or NUM_ENVS, options.rounds)
    print(environments.environments_table(rows))


def _live(options):
    """Steps a second of the page in the browser, and what they take of a core."""
    from aru_keras.runners.benchmark import live

    if options.backends:
        _on_backends("live", options)
        return
    print(live.live_table(live.live(_one_size(options) or LIVE_SIZES, rounds=options.rounds)))


MEASURES = {
    "training": _training,
    "online": _online,
    "environments": _environments,
    "live": _live,
}

OWN_OPTIONS = {
    "training": ("sizes", "kinds", "picture"),
    "online": ("units", "controller_units"),
    "environments": ("units", "controller_units", "num_envs"),
    "live": ("units", "controller_units"),
}
"""The options that not all measures have."""


def _summary(measure):
    """The docstring of a measure, as part of a sentence."""
    return measure.__doc__[0].lower() + measure.__doc__[1:].rstrip(".")


def _one_size(options):
    if not (options.units or options.controller_units):
        return None
    units, controller_units = ONLINE_SIZES[0]
    return [(options.units or units, options.controller_units or controller_units)]


def _on_backends(what, options):
    """Measure on each backend, in a process of its own, until one of them fails."""
    rest = ["--rounds", options.rounds]
    if options.num_envs:
        rest += ["--num-envs", *options.num_envs]
    for size in _one_size(options) or ():
        rest += ["--units", size[0], "--controller-units", size[1]]
    for backend in options.backends:
        command = [sys.executable, "-m", "aru_keras.runners.cli", "benchmark", what]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        code = subprocess.run([*command, *map(str, rest)], env=environment).returncode
        if code > 0:  # The process has said why.
            sys.exit(code)
        if code < 0:
            sys.exit(f"aru-keras: error: the benchmark on {backend} was ended by signal {-code}")
