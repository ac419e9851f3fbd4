"""The command line `aru-keras`."""

import argparse
import difflib
import os
import signal
import sys

from aru_keras.runners.interrupts import ending_by_signals


class _Parser(argparse.ArgumentParser):
    """Answers a bad argument with one line and exit code 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: error: {message}. See {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: Command line without the program's name; by default that of the process.

    Returns:
        The exit code: 0, 2 for bad input, 1 for a run that failed, 130 if interrupted, 143 and
        129 if ended by SIGTERM and SIGHUP.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0
    name, *rest = arguments
    if name == "--version":
        from aru_keras import __version__

        print(__version__)
        return 0
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        return _fail(f"unknown command {name!r}; there are {', '.join(COMMANDS)}.{hint}", 2)
    return _guarded(name, rest)


def _guarded(name, arguments):
    from aru_keras.runners.callbacks import DivergedError
    from aru_keras.runners.run_folder import RunError, WriteError
    from aru_keras.tasks import DatasetError

    try:
        with ending_by_signals():
            COMMANDS[name](arguments)
    except (DivergedError, WriteError) as error:
        return _fail(error, 1)
    except (ValueError, RunError, DatasetError) as error:
        return _fail(error, 2)
    except OSError as error:
        return _fail(f"a file could not be read or written: {error}", 1)
    except KeyboardInterrupt as stop:
        if sys.stdout.isatty():
            print()  # Below a progress bar.
        return _fail(_last_words(name, stop), 128 + getattr(stop, "number", signal.SIGINT))
    return 0


def _last_words(name, stop):
    """What ended a command, and how it goes on."""
    what = str(stop) or "interrupted"
    if name in GOING_ON:
        return f"{what}; the same command goes on where it was"
    return " ".join([what + ("." if name == "train" else ""), *getattr(stop, "__notes__", ())])


def _train(arguments):
    """train a network on a task, or continue a run (aru-keras train digits)"""
    from aru_keras.runners import config
    from aru_keras.runners import train as runner

    parser = _parser("train", _train)
    config.add_options(parser)
    parser.add_argument("--run-dir", metavar="DIR", help="folder of the run (default: in runs/)")
    parser.add_argument("--resume", metavar="DIR", help="continue the run in DIR; nothing else")
    parser.add_argument("--config", metavar="FILE", help="take the options of this config.json")
    options = vars(parser.parse_args(arguments))
    given = {name: value for name, value in options.items() if value is not None}
    run_dir, resumed, file = (given.pop(name, None) for name in ("run_dir", "resume", "config"))
    if resumed:
        if given or run_dir or file:
            parser.error("--resume takes the options of the run itself: give no others")
        return _report(runner.resume(resumed))
    if file:
        options = config.TrainConfig.from_file(file, **given)
    else:
        options = config.TrainConfig(**{"task": None, **given})
    return _report(runner.train(options, run_dir=run_dir))


def _report(results):
    from aru_keras.runners.run_folder import RunFolder

    print(
        f"\nTest accuracy {results['test_accuracy']:.4f} ({results['model']} on {results['task']}, "
        f"best epoch {results['best_epoch']} of {results['epochs']}, "
        f"{results['train_seconds']:.0f} s of training)"
    )
    folder = RunFolder(results["run_dir"])
    print(f"Run folder: {folder.path}")
    if folder.picture.exists():
        print(f"An image being read, and units adapting: {folder.picture}")


def _summary(arguments):
    """parameter counts of the five networks, and one in full (aru-keras summary psmnist)"""
    from aru_keras import models, tasks
    from aru_keras.arguments import one_of, whole
    from aru_keras.runners.config import preset

    parser = _parser("summary", _summary)
    parser.add_argument("task", nargs="?", default="psmnist", help="task, for input and sizes")
    parser.add_argument("--model", default="arun", help="network to show layer by layer")
    parser.add_argument("--units", type=int, metavar="INT", help="recurrent units of the ARUN")
    parser.add_argument("--controller-units", type=int, metavar="INT", help="controller units")
    options = parser.parse_args(arguments)
    one_of("task", options.task, tasks.TASKS)
    one_of("model", options.model, models.NETWORKS)
    spec = tasks.TASKS[options.task]
    sizes = {
        name: preset(options.task)[name] if value is None else whole(name, value, 1)
        for name, value in (
            ("units", options.units),
            ("controller_units", options.controller_units),
        )
    }
    encoder = "conv" if len(spec.input_shape) == 3 else "linear"
    build = {"classes": spec.classes, "encoder": encoder, **sizes}
    print(f"{'network':<8} {'units':>6} {'parameters':>11} {'of the ARUN':>12}")
    for row in models.parameter_table(spec.input_shape, **build):
        print("{network:<8} {units:>6} {parameters:>11,} {ratio:>12.3f}".format(**row))
    models.build_network(options.model, spec.input_shape, **build).summary()


def _export(arguments):
    """write a task's data to one .npz, to use without TensorFlow (aru-keras export smnist a.npz)"""
    from aru_keras import tasks

    parser = _parser("export", _export)
    parser.add_argument("task", help="one of " + ", ".join(tasks.TASKS))
    parser.add_argument("path", help="the .npz to write")
    parser.add_argument("--data-dir", metavar="DIR", help="folder of TensorFlow Datasets")
    options = parser.parse_args(arguments)
    print(tasks.export(options.task, options.path, data_dir=options.data_dir))


def _probe(arguments):
    """step a run through an image, perturbed, and draw its units (aru-keras probe RUN)"""
    from aru_keras.runners import figure_options
    from aru_keras.runners import probe as runner

    parser = _parser("probe", _probe)
    parser.add_argument("run", metavar="RUN", help="folder of a run")
    parser.add_argument("--split", default="test", help="train, validation or test (default: test)")
    parser.add_argument("--index", type=int, default=0, help="which image of it (default: 0)")
    parser.add_argument(
        "--perturb",
        metavar="TEXT",
        help="step:5, noise:mean=5,variance=2, contrast:0.5, or several joined by + "
        "(default: nothing)",
    )
    parser.add_argument("--units", type=int, nargs="+", metavar="UNIT", help="units to draw")
    parser.add_argument("--isolated", action="store_true", help="each unit hears only itself")
    parser.add_argument("--device", help="cpu:0 or gpu:0 (default: Keras' choice)")
    parser.add_argument("--out", metavar="DIR", help="where to (default: RUN/probes)")
    figure_options.add(parser, runner.FORMATS, runner.DPI)
    options = vars(parser.parse_args(arguments))
    options["perturbation"] = options.pop("perturb")
    options["formats"] = options.pop("format")
    probed = runner.probe(options.pop("run"), **options)
    print(runner.describe(probed.reading))
    for picture in probed.pictures:
        print(f"Picture: {picture}")
    print(f"Recording: {probed.recording}\nTable: {probed.table}")


def _benchmark(arguments):
    """measure speed and memory, as tables in Markdown (aru-keras benchmark training)"""
    from aru_keras.runners.benchmark import command

    command.run(_parser("benchmark", _benchmark), arguments)


def _compare(arguments):
    """a Markdown table of finished runs (aru-keras compare runs/*)"""
    from aru_keras.runners.run_folder import RunError, RunFolder

    parser = _parser("compare", _compare)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders of finished runs")
    paths = parser.parse_args(arguments).runs
    runs, left_out = [], []
    for path in paths:
        try:
            folder = RunFolder(path)
            # os.path says of a name that no file can have, too, that there is none.
            if os.path.exists(folder.results):
                runs.append({**folder.load_results(), "run": folder.path.name})
            else:
                left_out.append(f"{path} holds no finished run: left out")
        except (RunError, ValueError) as error:
            left_out.append(f"left out: {error}")
    if not runs:
        raise ValueError(f"no finished run among {', '.join(paths)}; {'; '.join(left_out)}")
    for reason in left_out:
        print(reason, file=sys.stderr)
    print("| run | network | units | parameters | epochs | test accuracy | train, s | memory, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for run in sorted(runs, key=lambda run: -run["test_accuracy"]):
        memory = run["peak_memory_mb"]
        run["memory"] = "–" if memory is None else f"{memory:.0f}"
        print(
            "| {run} | {model} | {units} | {parameters:,} | {epochs} | {test_accuracy:.4f} | "
            "{train_seconds:.0f} | {memory} |".format(**run)
        )


def _analyze(arguments):
    """measure a run in all the ways of the paper, with a report (aru-keras analyze RUN)"""
    from aru_keras.runners.experiments import command

    command.run_analyze(_parser("analyze", _analyze), arguments)


def _reproduce(arguments):
    """train, measure and report the paper's experiments (aru-keras reproduce --preset quick)"""
    from aru_keras.runners.experiments import command

    command.run_reproduce(_parser("reproduce", _reproduce), arguments)


COMMANDS = {
    "train": _train,
    "probe": _probe,
    "analyze": _analyze,
    "reproduce": _reproduce,
    "compare": _compare,
    "benchmark": _benchmark,
    "summary": _summary,
    "export": _export,
}
GOING_ON = ("analyze", "reproduce")
"""Commands that, given again, go on where they were ended."""


def _parser(name, command):
    return _Parser(prog=f"aru-keras {name}", description=command.__doc__)


def _overview():
    lines = [f"  {name:<10} {command.__doc__}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: aru-keras COMMAND [options]",
            "",
            "Adaptive Recurrent Units on Keras 3. Commands (each has --help):",
            "",
            *lines,
        ]
    )


def _fail(message, code):
    print(f"aru-keras: error: {' '.join(str(message).split())}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
