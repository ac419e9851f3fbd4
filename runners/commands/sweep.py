"""`aru-keras sweep`."""

from aru_keras._util.arguments import whole
from aru_keras.runners import cluster_options, config, grid

HELP = "train with many options and seeds (aru-keras sweep digits --units 64 128 --seeds 5)"
GOES_ON = True

NOT_OPTIONS = ("seeds", "dir", "random", "draw_seed", "workers", "scheduler", "resources")


def add_options(parser):
    """Add the options to the command's parser."""
    config.add_options(parser, several=True)
    parser.add_argument("--seeds", type=int, metavar="INT", help="how many seeds, 0, 1, …")
    parser.add_argument("--dir", metavar="DIR", help="folder of the runs (default: sweeps/TASK)")
    parser.add_argument(
        "--random", type=int, metavar="INT", help="draw so many combinations (default: all)"
    )
    parser.add_argument(
        "--draw-seed", type=int, default=0, metavar="INT", help="seed of the draw (default: 0)"
    )
    cluster_options.add(parser)


def check(options, parser):
    """The values by option, checked in all combinations; the seeds; and what workers there are."""
    given = {
        name: values
        for name, values in vars(options).items()
        if values is not None and name not in NOT_OPTIONS
    }
    seeds = given.pop("seed", None)
    if seeds and options.seeds is not None:
        raise ValueError(
            f"`seeds` is how many there are. Received: {options.seeds} besides --seed. Leave one "
            "of the two out."
        )
    if seeds is None:
        seeds = 1 if options.seeds is None else whole("seeds", options.seeds, 1)
    grid.configurations(given, options.random, options.draw_seed)
    return given, seeds, cluster_options.checked(options)


def run(options, checked):
    """Train, and print the table."""
    from aru_keras.runners.cluster import Workers
    from aru_keras.runners.sweep import sweep

    given, seeds, workers = checked
    table = sweep(
        given.pop("task"),
        seeds=seeds,
        folder=options.dir,
        draws=options.random,
        draw_seed=options.draw_seed,
        workers=Workers(**workers) if workers else None,
        **given,
    )
    print(f"\n{table}")
