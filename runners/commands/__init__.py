"""The commands of `aru-keras`, one module for each.

A module has `HELP`, one line; `add_options(parser)`; `check(options, parser)`, which refuses bad
options before Keras is imported; and `run(options, checked)`, which gets the result of `check`.
"""

NAMES = (
    "train",
    "probe",
    "live",
    "analyze",
    "reproduce",
    "sweep",
    "compare",
    "benchmark",
    "summary",
    "export",
)
