"""The commands of `aru-keras`, a module each.

A module has `HELP`, one line; `add_options(parser)`; `check(options, parser)`, which refuses bad
options before Keras is imported; and `run(options, checked)`, which gets what `check` returned.
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
