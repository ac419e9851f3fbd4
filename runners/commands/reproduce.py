"""`aru-keras reproduce`."""

from aru_keras._util.arguments import one_of
from aru_keras.runners import cluster_options, figure_options
from aru_keras.runners.experiments.names import EXPERIMENT_NAMES, PRESET_NAMES

HELP = "train, measure and report the paper's experiments (aru-keras reproduce --preset quick)"
GOES_ON = True


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "--preset",
        default="quick",
        metavar="NAME",
        help=f"one of {', '.join(PRESET_NAMES)} (default: quick)",
    )
    parser.add_argument(
        "--dir", metavar="DIR", help="folder of the reproduction (default: reproductions/PRESET)"
    )
    parser.add_argument(
        "--seeds", type=int, metavar="INT", help="number of seeds (default: that of the preset)"
    )
    add_only(parser, EXPERIMENT_NAMES)
    figure_options.add(parser, figure_options.FORMATS, figure_options.DPI, "; always PNG")
    cluster_options.add(parser)


def check(options, parser):
    """Check the names; return the keyword arguments of `cluster.Workers`."""
    one_of("preset", options.preset, PRESET_NAMES)
    for name in options.only or ():
        one_of("only", name, EXPERIMENT_NAMES)
    return cluster_options.checked(options)


def run(options, checked):
    """Reproduce the experiments, and print where the reports are."""
    from aru_keras.runners.cluster import Workers
    from aru_keras.runners.experiments.reproduce import reproduce

    drawn = {"formats": options.format, "dpi": options.dpi}
    workers = Workers(**checked) if checked else None
    chosen = {"seeds": options.seeds, "only": options.only, "workers": workers}
    say(reproduce(options.preset, options.dir, **chosen, **drawn))


def add_only(parser, names):
    """Add the option that chooses experiments."""
    text = "experiments to do (default: all), of " + ", ".join(names)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=text)


def say(files):
    """Print where the reports are."""
    for file in files:
        print(f"Report: {file}")
