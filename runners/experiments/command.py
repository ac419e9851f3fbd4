"""The commands `aru-keras reproduce` and `aru-keras analyze`."""

from aru_keras.plots import style
from aru_keras.runners import figure_options
from aru_keras.runners.experiments import report
from aru_keras.runners.experiments.analyze import analyze
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.reproduce import reproduce


def run_reproduce(parser, arguments: list[str]) -> None:
    """Parse and run `reproduce`.

    Args:
        parser: Of the command, without arguments yet.
        arguments: Of the command line.
    """
    parser.add_argument(
        "--preset",
        default="quick",
        metavar="NAME",
        help=f"one of {', '.join(PRESETS)} (default: quick)",
    )
    parser.add_argument("--dir", metavar="DIR", help="default: reproductions/PRESET")
    parser.add_argument("--seeds", type=int, metavar="INT", help="how many (default: the preset's)")
    _add_only(parser, EXPERIMENTS)
    figure_options.add(parser, report.FORMATS, style.DPI, " besides PNG")
    options = parser.parse_args(arguments)
    drawn = {"formats": options.format, "dpi": options.dpi}
    _tell(reproduce(options.preset, options.dir, seeds=options.seeds, only=options.only, **drawn))


def run_analyze(parser, arguments: list[str]) -> None:
    """Parse and run `analyze`; arguments as for `run_reproduce`."""
    parser.add_argument("run", metavar="RUN", help="folder of a finished run")
    parser.add_argument("--dir", metavar="DIR", help="of the report (default: RUN/analysis)")
    parser.add_argument("--preset", metavar="NAME", help="whose grids (default: by the task)")
    _add_only(parser, [name for name, one in EXPERIMENTS.items() if one.alone])
    figure_options.add(parser, report.FORMATS, style.DPI, " besides PNG")
    options = parser.parse_args(arguments)
    drawn = {"formats": options.format, "dpi": options.dpi}
    _tell(analyze(options.run, options.dir, preset=options.preset, only=options.only, **drawn))


def _add_only(parser, names):
    text = "experiments, of " + ", ".join(names)
    parser.add_argument("--only", nargs="+", metavar="NAME", help=text)


def _tell(files):
    for file in files:
        print(f"Report: {file}")
