"""Names that the command line needs before it imports anything else."""

PRESET_NAMES = ("quick", "small", "medium", "medium-long", "paper")

EXPERIMENT_NAMES = (
    "pilot",
    "family",
    "accuracy",
    "robustness",
    "sensitivity",
    "homogeneous",
    "landscape",
    "jacobian",
    "heterogeneity",
    "transfer",
    "gain-scaling",
    "transients",
    "fractional-order",
    "slow-drive",
    "fractional-tasks",
    "fractional-signals",
    "controller",
    "noise-boundary",
    "stationary-distribution",
    "lyapunov",
    "spectrum",
    "gradients",
    "evolution",
)
"""Names of the experiments, in the order of their numbers."""

OF_SEVERAL = ("pilot", "homogeneous", "landscape", "evolution")
"""Experiments that need several networks."""

ANALYZED = tuple(name for name in EXPERIMENT_NAMES if name not in OF_SEVERAL)
