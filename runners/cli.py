"""The command line `aru-keras`."""

import argparse
import difflib
import importlib
import signal
import sys

from aru_keras.runners import console
from aru_keras.runners.commands import NAMES
from aru_keras.runners.interrupts import ending_by_signals

_NOT_INSTALLED = (
    "aru-keras {} needs the package {}, which is not installed. Install it with pip install {}"
)

DISTRIBUTIONS = {
    "PIL": "pillow",
    "tensorflow_datasets": "tensorflow-datasets",
    "sklearn": "scikit-learn",
    "dask": "'dask[distributed]'",
    "distributed": "'dask[distributed]'",
}
"""Modules that pip knows by another name."""

_READER_LEFT = 141
"""The exit code of what SIGPIPE ends, 128 + 13, where the system has it or not."""


class _Parser(argparse.ArgumentParser):
    """Answers a bad argument with one line and exit code 2.

    Options must be written out: an abbreviation may be the option of another command, or mean
    another option in a later release.
    """

    def __init__(self, **options):
        super().__init__(allow_abbrev=False, **options)

    def parse_args(self, args=None, namespace=None):
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._hint(unknown[0])}")
        return options

    def _hint(self, argument):
        flag = argument.partition("=")[0]
        known = [name for name in self._option_string_actions if name.startswith("--")]
        near = difflib.get_close_matches(flag, known, n=1)
        return f". Did you mean {near[0]}?" if near else ""

    def error(self, message):
        end = "" if message.endswith("?") else "."
        self.exit(2, f"{self.prog}: error: {message}{end} See {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Command line without the program's name; by default that of the process.

    Returns:
        The exit code: 0, 2 for bad input, 1 for a run that failed, 130 if interrupted, 141 if the
        reader of the output left, 143 if ended by SIGTERM or SIGUSR1, and 129 if ended by SIGHUP.
    """
    name, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    console.show_any_character()
    if name in ("-h", "--help"):
        return _ending_well(name, lambda: print(_overview()))
    if name == "--version":
        return _ending_well(name, _print_version)
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return _fail(f"unknown command {name!r}; there are {', '.join(NAMES)}.{hint}", 2)
    return _ending_well(name, lambda: _run(name, rest))


def _ending_well(name, run):
    """Run a command; an error or a signal that ends it becomes one line and an exit code."""
    try:
        with ending_by_signals():
            _run_to_the_last_line(run)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("aru_keras"):
            raise
        package = error.name.partition(".")[0]
        package = DISTRIBUTIONS.get(package, package)
        return _fail(_NOT_INSTALLED.format(name, package, package), 2)
    except OSError as error:
        if isinstance(error, BrokenPipeError) and console.reader_left():
            return _READER_LEFT
        return _fail(f"a file could not be read or written: {error}", 1)
    except KeyboardInterrupt as stop:
        if sys.stdout.isatty():
            print()  # Below a progress bar.
        return _fail(_last_words(name, stop), 128 + getattr(stop, "number", signal.SIGINT))
    except Exception as error:
        code = _exit_code(error)
        if code is None:
            raise
        return _fail(error, code)
    return 0


def _run_to_the_last_line(run):
    """Run a command, and write what is left of its output while errors are still handled."""
    try:
        run()
    except SystemExit:  # As after --help.
        print(end="", flush=True)
        raise
    print(end="", flush=True)


def _run(name, arguments):
    command = _command(name)
    parser = _Parser(prog=f"aru-keras {name}", description=command.HELP)
    command.add_options(parser)
    options = parser.parse_args(arguments)
    _refuse_empty(options)
    checked = command.check(options, parser)
    console.load_keras()
    command.run(options, checked)


def _refuse_empty(options):
    """Refuse an empty value, as a variable of the shell gives that is not set."""
    for name, value in vars(options).items():
        if value == "" or (isinstance(value, list) and "" in value):
            raise ValueError(
                f"`{name}` must not be empty. Received: ''. Perhaps the variable of the shell that "
                "it comes from is not set."
            )


def _exit_code(error):
    """The exit code for an expected error; None for a bug."""
    if isinstance(error, ValueError):
        return 2
    from aru_keras.runners.callbacks import DivergedError
    from aru_keras.runners.cluster import ClusterError
    from aru_keras.runners.run_folder import RunError, WorldError, WriteError
    from aru_keras.tasks import DatasetError

    if isinstance(error, DivergedError | WriteError | WorldError | ClusterError):
        return 1
    return 2 if isinstance(error, RunError | DatasetError) else None


def _last_words(name, stop):
    """What ended a command, and how to continue."""
    what = str(stop) or "interrupted"
    command = sys.modules.get(_module(name))  # None if it was interrupted while it was imported.
    if getattr(command, "GOES_ON", False):
        return f"{what}; the same command goes on where it was"
    return " ".join([what + ("." if name == "train" else ""), *getattr(stop, "__notes__", ())])


def _command(name):
    return importlib.import_module(_module(name))


def _module(name):
    return f"aru_keras.runners.commands.{name}"


def _print_version():
    from aru_keras import __version__

    print(__version__)


def _overview():
    return "\n".join(
        [
            "usage: aru-keras COMMAND [options]",
            "",
            "Adaptive Recurrent Units on Keras 3. Commands (each has --help):",
            "",
            *(f"  {name:<10} {_command(name).HELP}" for name in NAMES),
        ]
    )


def _fail(message, code):
    print(f"aru-keras: error: {' '.join(str(message).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
