"""`aru-keras train`."""

import argparse
import dataclasses
from pathlib import Path

from aru_keras._util.arguments import one_of
from aru_keras.runners import config
from aru_keras.runners.control.config import ControlConfig, describes_agent, is_environment
from aru_keras.runners.options import DEVICES, named_value
from aru_keras.tasks.specs import TASKS

HELP = (
    "train a network on a task, or an agent in an environment of Gymnasium, or continue a run "
    "(aru-keras train digits; aru-keras train gym:CartPole-v1)"
)


def add_options(parser):
    """Add the options to the command's parser."""
    config.add_options(parser)
    _add_agent_options(parser)
    parser.add_argument("--run-dir", metavar="DIR", help="folder of the run (default: in runs/)")
    parser.add_argument(
        "--resume", metavar="DIR", help="continue the run in DIR, with its own options"
    )
    parser.add_argument(
        "--devices",
        default=DEVICES[0],
        metavar="|".join(DEVICES),
        help="one: the first device; all: every GPU of this machine takes a share of each batch "
        "(default: one)",
    )
    parser.add_argument("--config", metavar="FILE", help="take the options of this config.json")


def check(options, parser):
    """Check the options, and return the configuration; None if a run is continued."""
    given = {name: value for name, value in vars(options).items() if value is not None}
    one_of("devices", given.pop("devices"), DEVICES)
    run_dir, resumed, file = (given.pop(name, None) for name in ("run_dir", "resume", "config"))
    if "env_options" in given:
        given["env_options"] = dict(given["env_options"])
    if resumed is not None:
        if given or run_dir is not None or file is not None:
            parser.error("--resume takes the options of the run itself: give no other options")
        return None
    if is_environment(given.get("task")) or (file is not None and describes_agent(file)):
        if file is None:
            return ControlConfig.of_options(given)
        return ControlConfig.from_file(file, **given)
    _refuse_agent_options(given)
    if file is not None:
        return config.TrainConfig.from_file(file, **given)
    return config.TrainConfig(**{"task": None, **given})


def run(options, configuration):
    """Train, and print the results."""
    if _is_agent(options, configuration):
        if options.devices != DEVICES[0]:
            raise ValueError(
                f"`devices` must be {DEVICES[0]!r} for an agent, which learns on one device. "
                f"Received: {options.devices!r}. Leave it out."
            )
        _run_agent(options, configuration)
        return
    from aru_keras.runners import devices, train
    from aru_keras.runners.run_folder import RunFolder

    actual = configuration or RunFolder(options.resume).load_config()
    with devices.sharing(options.devices, actual):
        if configuration is None:
            results = train.resume(options.resume)
        else:
            results = train.train(configuration, run_dir=options.run_dir)
    _report(results)


def _is_agent(options, configuration):
    if configuration is None:
        return describes_agent(Path(options.resume) / "config.json")
    return isinstance(configuration, ControlConfig)


def _run_agent(options, configuration):
    from aru_keras.runners.control import training

    if configuration is None:
        results = training.resume(options.resume)
    else:
        results = training.train(configuration, run_dir=options.run_dir)
    print(
        f"\nMean return {results['mean_return']:.1f} ± {results['std_return']:.1f} over "
        f"{results['evaluation_episodes']} episodes ({results['model']} in {results['task']}, "
        f"{results['environment_steps']:,} steps, {results['train_seconds']:.0f} s of training)"
    )
    print(f"Run folder: {results['run_dir']}")


def _add_agent_options(parser):
    """The options of `ControlConfig` that no task of sequences has."""
    group = parser.add_argument_group(
        "agents in environments",
        f"for gym:ID, with {_shared_options()}",
    )
    for item in _agent_fields():
        flag, text = "--" + item.name.replace("_", "-"), item.metadata["help"]
        text += "" if item.default in (False, None) else f" (default: {item.default})"
        if item.metadata["type"] is dict:
            words = {"type": named_value, "metavar": "NAME=VALUE", "dest": item.name}
            group.add_argument(flag.removesuffix("s"), action="append", help=text, **words)
        elif item.default is False:
            group.add_argument(flag, action="store_true", default=None, help=text)
        elif item.metadata["type"] is bool:
            group.add_argument(flag, action=argparse.BooleanOptionalAction, help=text)
        else:
            kind = item.metadata["type"]
            group.add_argument(flag, type=kind, metavar=kind.__name__.upper(), help=text)


def _shared_options():
    """The options that tasks of sequences have too, whose defaults are others for agents."""
    return ", ".join(
        f"--{item.name.replace('_', '-')} (default: {item.default})"
        for item in dataclasses.fields(ControlConfig)
        if item.name in config.TrainConfig.names() and item.name != "task"
    )


def _agent_fields():
    known = config.TrainConfig.names()
    return [item for item in dataclasses.fields(ControlConfig) if item.name not in known]


def _refuse_agent_options(given):
    for item in _agent_fields():
        if item.name in given:
            raise ValueError(
                f"`{item.name}` is for agents in environments. Received: {given[item.name]!r} with "
                f"the task {given.get('task')!r}. Leave it out, or train in one: gym:CartPole-v1."
            )


def _report(results):
    from aru_keras.runners import scores
    from aru_keras.runners.run_folder import RunFolder

    print(
        f"\nTest {scores.text(results)} ({results['model']} on {results['task']}, "
        f"best epoch {results['best_epoch']} of {results['epochs']}, "
        f"{results['train_seconds']:.0f} s of training)"
    )
    folder = RunFolder(results["run_dir"])
    print(f"Run folder: {folder.path}")
    if folder.picture.exists():
        what = "An image" if results["task"] in TASKS else "A sequence"
        print(f"{what} with the signals of some units: {folder.picture}")
