"""`aru-keras analyze`."""

from aru_keras._util.arguments import one_of
from aru_keras.runners import figure_options
from aru_keras.runners.commands.reproduce import add_only, say
from aru_keras.runners.experiments.names import ANALYZED, OF_SEVERAL, PRESET_NAMES

HELP = "analyze a run with the experiments of the paper, in a report (aru-keras analyze RUN)"


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument("run", metavar="RUN", help="folder of a finished run, or pretrained:NAME")
    parser.add_argument(
        "--dir",
        metavar="DIR",
        help="folder of the report (default: RUN/analysis, or runs/NAME/analysis)",
    )
    parser.add_argument(
        "--preset", metavar="NAME", help="preset that gives the grids (default: that of the task)"
    )
    add_only(parser, ANALYZED)
    figure_options.add(parser, figure_options.FORMATS, figure_options.DPI, "; always PNG")


def check(options, parser):
    """Check the names."""
    if options.preset is not None:
        one_of("preset", options.preset, PRESET_NAMES)
    for name in options.only or ():
        if name in OF_SEVERAL:
            raise ValueError(
                f"`only` must be experiments on a single network. Received: {name!r}, which "
                f"compares networks. Use aru-keras reproduce --only {name}."
            )
        one_of("only", name, ANALYZED)


def run(options, checked):
    """Analyze the run, and print where the reports are."""
    from aru_keras.runners.experiments.analyze import analyze

    drawn = {"formats": options.format, "dpi": options.dpi}
    say(analyze(options.run, options.dir, preset=options.preset, only=options.only, **drawn))
