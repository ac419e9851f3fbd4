"""`aru-keras live`."""

import importlib.util

from aru_keras._util.arguments import whole
from aru_keras.runners.live.choices import DEFAULT_RUN, PORT

HELP = "watch a network's units in the browser, and perturb them by hand (aru-keras live)"


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "run",
        nargs="?",
        default=DEFAULT_RUN,
        metavar="RUN",
        help=f"folder of a run, also of an agent, or pretrained:NAME (default: {DEFAULT_RUN})",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        help=f"port on 127.0.0.1; 0: any free one (default: {PORT})",
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="do not open the page in a browser"
    )


def check(options, parser):
    """Check the port, and that the packages of the page are installed."""
    whole("port", options.port, 0, most=65535)
    for package in ("bokeh", "panel"):
        if importlib.util.find_spec(package) is None:
            raise ValueError(
                f"aru-keras live needs the package {package}, which is not installed. Install it "
                "with pip install panel."
            )


def run(options, checked):
    """Serve the page until it is interrupted."""
    from aru_keras.runners.live.server import serve

    serve(options.run, port=options.port, browser=not options.no_browser)
