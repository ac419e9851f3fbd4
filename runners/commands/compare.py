"""`aru-keras compare`."""

import glob
import os
import sys

HELP = "a Markdown table of finished runs (aru-keras compare runs/*)"

HEADER = (
    "| run | task | network | units | parameters | epochs | test {score} | train, s | memory, MiB |"
)
ROW = (
    "| {run} | {task} | {model} | {units} | {parameters:,} | {epochs} | {test:.4f} | "
    "{train_seconds:.0f} | {memory} |"
)
AGENTS = "| run | environment | network | units | parameters | steps | mean return | train, s |"
AGENT = (
    "| {run} | {task} | {model} | {units} | {parameters:,} | {environment_steps:,} | "
    "{mean_return:.1f} | {train_seconds:.0f} |"
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
    """One table for every score, and one for agents."""
    from aru_keras.runners import scores

    agents = [results for results in runs if "mean_return" in results]
    others = [results for results in runs if "mean_return" not in results]
    tables = [
        _table(name, [results for results in others if scores.score_of(results) == name])
        for name in scores.WORDS
        if name in map(scores.score_of, others)
    ]
    if agents:
        agents.sort(key=lambda results: (results["task"], -results["mean_return"]))
        tables.append(_lines(AGENTS, [AGENT.format(**results) for results in agents]))
    print("\n\n".join(tables))


def _table(name, runs):
    """The runs with a score, of each task the best first."""
    from aru_keras.runners import scores

    rows = []
    runs = sorted(runs, key=lambda results: (results["task"], -results[f"test_{name}"]))
    for results in runs:
        memory = results["peak_memory_mb"]
        memory = "–" if memory is None else f"{memory:.0f}"
        rows.append(ROW.format(**results, test=results[f"test_{name}"], memory=memory))
    return _lines(HEADER.format(score=scores.WORDS[name]), rows)


def _lines(header, rows):
    return "\n".join([header, "|" + "---|" * (header.count("|") - 1), *rows])


def _expanded(paths):
    """The paths, each once, and what matches patterns, which the shells of Windows leave alone."""
    found = {}
    for path in paths:
        for one in [path] if os.path.exists(path) else sorted(glob.glob(path)) or [path]:
            found.setdefault(os.path.realpath(one), one)
    return found.values()


def _read(paths):
    """The results of the finished runs, and the reasons why the others are left out."""
    from aru_keras.runners.control.config import describes_agent
    from aru_keras.runners.control.folder import AgentFolder
    from aru_keras.runners.run_folder import RunError, RunFolder

    runs, left_out = [], []
    for path in _expanded(paths):
        try:
            folder = RunFolder(path)
            if describes_agent(folder.config):
                folder = AgentFolder(path)
            # For a name that no file can have, os.path returns False, and pathlib may raise.
            if os.path.exists(folder.results):
                runs.append({**folder.load_results(), "run": folder.path.name, "path": path})
            else:
                left_out.append(_without_results(path))
        except (RunError, ValueError) as error:
            left_out.append(f"left out: {error}")
    names = [results["run"] for results in runs]
    for results in runs:
        if names.count(results["run"]) > 1:
            results["run"] = results["path"]
    return runs, left_out


def _without_results(path):
    """Why a path is left out, and which paths may be meant."""
    if os.path.isdir(os.path.join(path, "runs")):
        pattern = os.path.join(path, "runs", "*")
        return f"{path} holds runs, and is none: left out. Name them, as in {pattern}"
    return f"{path} holds no finished run: left out"
