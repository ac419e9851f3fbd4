"""`aru-keras train`."""

from aru_keras._util.arguments import one_of
from aru_keras.runners import config
from aru_keras.runners.options import DEVICES
from aru_keras.tasks.specs import TASKS

HELP = "train a network on a task, or continue a run (aru-keras train digits)"


def add_options(parser):
    """Add the options to the command's parser."""
    config.add_options(parser)
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
    if resumed:
        if given or run_dir or file:
            parser.error("--resume takes the options of the run itself: give no other options")
        return None
    if file:
        return config.TrainConfig.from_file(file, **given)
    return config.TrainConfig(**{"task": None, **given})


def run(options, configuration):
    """Train, and print the results."""
    from aru_keras.runners import devices, train
    from aru_keras.runners.run_folder import RunFolder

    actual = configuration or RunFolder(options.resume).load_config()
    with devices.sharing(options.devices, actual):
        if configuration is None:
            results = train.resume(options.resume)
        else:
            results = train.train(configuration, run_dir=options.run_dir)
    _report(results)


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
