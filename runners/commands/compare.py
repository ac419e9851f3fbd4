"""`aru-keras compare`."""

import os
import sys

HELP = "a Markdown table of finished runs (aru-keras compare runs/*)"

HEADER = "| run | network | units | parameters | epochs | test {score} | train, s | memory, MB |"
ROW = (
    "| {run} | {model} | {units} | {parameters:,} | {epochs} | {test:.4f} | "
    "{train_seconds:.0f} | {memory} |"
)


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "runs", nargs="+", metavar="RUN", help="folders of finished runs, or pretrained:NAME"
    )


def check(options, parser):
    """Check nothing."""


def run(options, checked):
    """Print the table, and which runs are left out of it."""
    runs, left_out = _read(options.runs)
    if not runs:
        raise ValueError(f"no finished run among {', '.join(options.runs)}; {'; '.join(left_out)}")
    for reason in left_out:
        print(reason, file=sys.stderr)
    _print(runs)


def _print(runs):
    """One table for every score."""
    from aru_keras.runners import scores

    names = [name for name in scores.WORDS if name in map(scores.score_of, runs)]
    for index, name in enumerate(names):
        print("\n" * bool(index) + HEADER.format(score=scores.WORDS[name]))
        print("|" + "---|" * (HEADER.count("|") - 1))
        alike = [results for results in runs if scores.score_of(results) == name]
        for results in sorted(alike, key=lambda results: -results[f"test_{name}"]):
            memory = results["peak_memory_mb"]
            memory = "–" if memory is None else f"{memory:.0f}"
            print(ROW.format(**results, test=results[f"test_{name}"], memory=memory))


def _read(paths):
    """The results of the finished runs, and the reasons why the others are left out."""
    from aru_keras.runners.run_folder import RunError, RunFolder

    runs, left_out = [], []
    for path in paths:
        try:
            folder = RunFolder(path)
            # For a name that no file can have, os.path returns False, and pathlib may raise.
            if os.path.exists(folder.results):
                runs.append({**folder.load_results(), "run": folder.path.name})
            else:
                left_out.append(f"{path} holds no finished run: left out")
        except (RunError, ValueError) as error:
            left_out.append(f"left out: {error}")
    return runs, left_out
