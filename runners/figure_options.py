"""The options `--format` and `--dpi` of the commands that draw."""

from aru_keras.plots import style


def add(parser, formats, dpi: int, besides: str = "") -> None:
    """Add the options to those of a command.

    Args:
        parser: Of the command.
        formats: Of the files by default.
        dpi: By default.
        besides: What is written in any case.
    """
    parser.add_argument(
        "--format",
        nargs="+",
        default=formats,
        metavar="NAME",
        help=f"formats of the figures{besides}, of {', '.join(style.FORMATS)} "
        f"(default: {' '.join(formats)})",
    )
    parser.add_argument(
        "--dpi", type=int, default=dpi, metavar="INT", help=f"dots an inch of PNGs (default: {dpi})"
    )
