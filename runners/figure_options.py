"""The options `--format` and `--dpi` of the commands that draw."""

from argparse import ArgumentParser
from collections.abc import Iterable

from aru_keras.plots.style import DPI
from aru_keras.plots.style import FORMATS as ALL_FORMATS

__all__ = ["DPI", "FORMATS", "PROBE_DPI", "PROBE_FORMATS", "add"]

FORMATS = ("png", "svg")
"""The default formats of the figures of a report."""

PROBE_FORMATS, PROBE_DPI = ("png",), 150


def add(parser: ArgumentParser, formats: Iterable[str], dpi: int, besides: str = "") -> None:
    """Add the options to those of a command.

    Args:
        parser: Parser of the command.
        formats: Default formats of the figures.
        dpi: Default resolution of PNGs, in dots per inch.
        besides: Words on the formats that are written in any case.
    """
    parser.add_argument(
        "--format",
        nargs="+",
        default=formats,
        metavar="NAME",
        help=f"formats of the figures, one or more of {', '.join(ALL_FORMATS)}{besides} "
        f"(default: {' '.join(formats)})",
    )
    parser.add_argument(
        "--dpi",
        type=int,
        default=dpi,
        metavar="INT",
        help=f"dots per inch of PNGs (default: {dpi})",
    )
