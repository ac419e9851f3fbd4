"""`aru-keras probe`."""

from pathlib import Path

from aru_keras._util.extras import INSTALL_LABELS, has_xarray
from aru_keras.perturbations import as_perturbation
from aru_keras.runners import figure_options
from aru_keras.runners.control.config import describes_agent
from aru_keras.runners.recordings import FORMATS, checked_format

HELP = (
    "step a network through a sequence, perturbed if you like, or an agent through an episode "
    "(aru-keras probe RUN)"
)


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument("run", metavar="RUN", help="folder of a run, or pretrained:NAME")
    parser.add_argument("--split", default="test", help="train, validation or test (default: test)")
    parser.add_argument(
        "--index",
        type=int,
        default=0,
        help="index of the sequence in the split, or of an agent's episode (default: 0)",
    )
    parser.add_argument(
        "--perturb",
        metavar="TEXT",
        help="step:5, noise:mean=5,variance=2, contrast:0.5, or several joined by + "
        "(default: nothing)",
    )
    parser.add_argument(
        "--units",
        type=int,
        nargs="+",
        metavar="UNIT",
        help="units to draw (default: those whose gain, or else output, moves most)",
    )
    parser.add_argument(
        "--isolated", action="store_true", help="each unit receives input from itself alone"
    )
    parser.add_argument("--device", help="cpu:0 or gpu:0 (default: Keras' choice)")
    parser.add_argument(
        "--out",
        metavar="DIR",
        help="folder of the files (default: RUN/probes, or runs/NAME/probes)",
    )
    parser.add_argument(
        "--recording",
        choices=FORMATS,
        help="netcdf: named dimensions, for xarray; csv: a row for each step "
        "(default: netcdf where xarray is installed, else csv)",
    )
    figure_options.add(parser, figure_options.PROBE_FORMATS, figure_options.PROBE_DPI)


def check(options, parser):
    """Check the format of the recording; return the checked perturbation."""
    checked_format(options.recording)
    return as_perturbation(options.perturb)


def run(options, perturbation):
    """Probe the run, and print what was written."""
    if describes_agent(Path(options.run) / "config.json"):
        _run_agent(options)
        return
    from aru_keras.runners import probe

    arguments = vars(options) | {"perturbation": options.perturb}
    arguments["formats"] = arguments.pop("format")
    del arguments["perturb"]
    probed = probe.probe(arguments.pop("run"), **arguments)
    print(probe.describe(probed.reading))
    for picture in probed.pictures:
        print(f"Picture: {picture}")
    print(f"Recording: {probed.recording}")
    if options.recording is None and not has_xarray():
        print(f"For a netCDF file with named dimensions instead: {INSTALL_LABELS}")


def _run_agent(options):
    from aru_keras.runners.control import acting

    for name, default in {"perturb": None, "split": "test", "recording": None}.items():
        if getattr(options, name) != default:
            raise ValueError(
                f"`{name}` is for runs on a task. Received: {getattr(options, name)!r} for the run "
                "of an agent. Leave it out."
            )
    acted = acting.act(
        options.run,
        index=options.index,
        units=options.units,
        isolated=options.isolated,
        device=options.device,
        out=options.out,
        formats=options.format,
        dpi=options.dpi,
    )
    print(f"Return {acted.rewards.sum():g} in {len(acted.rewards)} steps.")
    for picture in acted.pictures:
        print(f"Picture: {picture}")
    print(f"Recording: {acted.recording}")
