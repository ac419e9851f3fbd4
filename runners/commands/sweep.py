"""`aru-keras sweep`."""

from aru_keras._util.arguments import one_of, whole
from aru_keras._util.extras import check_optuna
from aru_keras.runners import cluster_options, config, grid, search_space
from aru_keras.runners.options import LARGEST_SEED

HELP = "train with many options and seeds (aru-keras sweep digits --units 64 128 --seeds 5)"
GOES_ON = True

SEARCHES = ("optuna",)
OF_SWEEPS = ("seeds", "dir", "random", "search", "trials", "draw_seed")
NOT_OPTIONS = (*OF_SWEEPS, "workers", "scheduler", "resources")


def add_options(parser):
    """Add the options to the command's parser."""
    config.add_options(parser, several=True)
    parser.add_argument("--seeds", type=int, metavar="INT", help="number of seeds, 0, 1, …")
    parser.add_argument("--dir", metavar="DIR", help="folder of the runs (default: sweeps/TASK)")
    parser.add_argument(
        "--random",
        type=int,
        metavar="INT",
        help="draw this many combinations at random (default: all)",
    )
    parser.add_argument(
        "--search",
        metavar="|".join(SEARCHES),
        help="choose by earlier results, with the extra search: an option may then have a range, "
        "as in --units 16:128 or --learning-rate 1e-4:1e-2:log",
    )
    parser.add_argument(
        "--trials", type=int, metavar="INT", help="how many combinations --search tries"
    )
    parser.add_argument(
        "--draw-seed", type=int, default=0, metavar="INT", help="seed of the draw (default: 0)"
    )
    cluster_options.add(parser)


def check(options, parser):
    """Check the values in all combinations; return them by option, the seeds, and the workers."""
    given = {
        name: values
        for name, values in vars(options).items()
        if values is not None and name not in NOT_OPTIONS
    }
    seeds = given.pop("seed", None)
    if seeds and options.seeds is not None:
        raise ValueError(
            "`seeds` is the number of seeds, and `seed` lists them. Received: both, "
            f"{options.seeds} and {' '.join(map(str, seeds))}. Leave one of the two out."
        )
    if seeds is None:
        seeds = 1 if options.seeds is None else whole("seeds", options.seeds, 1)
    search_space.check_no_ranges({"seed": seeds})
    for seed in [] if isinstance(seeds, int) else seeds:
        whole("seed", seed, 0, most=LARGEST_SEED)
    if options.search is None and options.trials is None:
        search_space.check_no_ranges(given)
        if options.random is not None:
            whole("random", options.random, 1)
        grid.configurations(given, options.random, options.draw_seed)
        return given, seeds, cluster_options.checked(options)
    _check_search(options, given)
    workers = cluster_options.checked(options)
    check_optuna()
    return given, seeds, workers


def run(options, checked):
    """Train, and print the table."""
    from aru_keras.runners.cluster import Workers

    given, seeds, workers = checked
    common = {
        "seeds": seeds,
        "folder": options.dir,
        "draw_seed": options.draw_seed,
        "workers": Workers(**workers) if workers else None,
    }
    if options.search is None:
        from aru_keras.runners.sweep import sweep

        table = sweep(given.pop("task"), draws=options.random, **common, **given)
    else:
        from aru_keras.runners.search import search

        table = search(given.pop("task"), trials=options.trials, **common, **given)
    print(f"\n{table}")


def _check_search(options, given):
    if options.search is None or options.trials is None or options.random is not None:
        raise ValueError(
            "`search` and `trials` must be given together, without `random`, as in --search optuna "
            f"--trials 50. Received: search={options.search}, trials={options.trials}, "
            f"random={options.random}."
        )
    one_of("search", options.search, SEARCHES)
    whole("trials", options.trials, 1)
    search_space.check_workers(options.scheduler)
    search_space.SearchSpace(given)
