"""Experiment 13: fractional orders of populations on two tasks (Geadah et al. 2024, Fig 4d)."""

import numpy as np

from aru_keras.analysis.fractional_tasks import (
    HIGH_DRIVE,
    LOW_DRIVE,
    compare_tasks,
    population_alphas,
    population_fits,
)
from aru_keras.analysis.statistics import paired_t_test
from aru_keras.plots.fractional_tasks import population_orders
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    LEAST_SEEDS,
    Array,
    Claim,
    Conclusion,
    Experiment,
    larger,
)
from aru_keras.runners.experiments.measured import required, where_described
from aru_keras.runners.experiments.responses import STEPS, population_responses, responses_of
from aru_keras.runners.experiments.tables import entry, over_seeds
from aru_keras.runners.experiments.trainings import DRIVEN, SECOND_TASK

TASK_STEPS = (*STEPS, HIGH_DRIVE)
"""Amplitudes ξ at which the tasks are compared, with both ξ of the paired test."""

LEVELLING = (LOW_DRIVE, 15.0, HIGH_DRIVE)
"""α counts as reaching a plateau if it grows more between the first two of these ξ than it changes
between the last two."""

PAPER_SEEDS, SIGNIFICANT = 5, 0.05

SECOND_TASK_INPUTS = {"mean": 0.05, "deviation": 0.4}
"""Inputs that the authors give the network of the second task, with W_xh = 1 and b = 0."""

PLAIN = "h_plain"
"""Name of the responses to `SECOND_TASK_INPUTS`."""


def _measure(network, preset):
    """Mean responses of isolated units, (D, T); on the second task also to the authors' inputs."""
    options = {"isolated": True, "signals": "h"}
    recordings = {"h": responses_of(network, preset, TASK_STEPS, **options)}
    if network.name == SECOND_TASK:
        inputs = {"inputs": SECOND_TASK_INPUTS, "input_weights": False}
        recordings[PLAIN] = responses_of(network, preset, TASK_STEPS, **inputs, **options)
    return {name: responses.of("h").mean(axis=-1) for name, responses in recordings.items()}


def _conclude(results, preset):
    """The orders of the population over ξ, on two tasks."""
    names = required(results, (*DRIVEN, SECOND_TASK))
    labels = NETWORK_LABELS
    if SECOND_TASK in names:
        labels = NETWORK_LABELS | {"arun": preset.task, SECOND_TASK: preset.second_task}
    responses = {
        labels[name]: [_isolated(arrays["h"]) for arrays in results[name]] for name in names
    }
    if SECOND_TASK in names:
        plain = f"{preset.second_task}, W_xh = 1"
        responses[plain] = [_isolated(arrays[PLAIN]) for arrays in results[SECOND_TASK]]
    fits, free = (
        {
            label: [population_fits(response, free_gain=gain) for response in by_seed]
            for label, by_seed in responses.items()
        }
        for gain in (False, True)
    )
    seeds = {
        label: [population_alphas(by_drive) for by_drive in by_seed]
        for label, by_seed in fits.items()
    }
    tasks = {labels[name]: seeds[labels[name]] for name in names if name in ("arun", SECOND_TASK)}
    quality = {label: _r_squared(fits[label]) for label in tasks}
    comparison = None
    if len(tasks) == 2 and min(len(alphas) for alphas in tasks.values()) > 1:
        comparison = compare_tasks(*tasks.values())
    growing = [
        claim
        for label, alphas in tasks.items()
        for claim in where_described(_growth(label, alphas), {label: quality[label]})
    ]
    pair = [_difference(tasks, comparison)] if len(tasks) == 2 else []
    differing = where_described(pair, quality)
    return Conclusion(
        claims=(*differing, *growing),
        figures={"population": population_orders(seeds, comparison)},
        tables=(_population_table(fits, free, comparison),),
        note="α is that of the mean response of isolated units, by the paper's estimate; R² is "
        "defined as in experiment 12. For the claims, each unit receives its input through the "
        "network's own W_xh and b, on both tasks. The authors give the network of the second task "
        "W_xh = 1, b = 0 and other inputs, x ~ N(.05, .4²), so that the tasks differ in the inputs "
        "as well as in what was learned. These results are shown without a claim. A fit whose free "
        "gain is c ≤ 0 gives no order; the table counts such fits. A t-test needs two seeds. "
        f"With p ≥ {SIGNIFICANT}, a claim is undecided with fewer than the paper's {PAPER_SEEDS} "
        "seeds, and otherwise fails. Claims about orders with R² ≤ 0, at any of these ξ and with "
        "any seed, are undecided.",
    )


def _isolated(h):
    """The responses of the population of isolated units, from means over units (D, T)."""
    return population_responses(TASK_STEPS, {"h": h}, isolated=True)


def _r_squared(fits):
    """R² at every seed and every ξ that the claims are about."""
    return [
        float(fit.r_squared[0])
        for by_drive in fits
        for drive, fit in by_drive.items()
        if drive >= LOW_DRIVE
    ]


def _difference(tasks, comparison):
    first, second = tasks
    text = (
        f"α differs between {first} and {second} at every ξ ≥ {LOW_DRIVE:g} (independent t-tests)"
    )
    if comparison is None:
        return Claim(text, None, "one seed: no t-test", few=True)
    p = {drive: test.p for drive, test in comparison.by_drive.items()}
    fewest = min(len(alphas) for alphas in tasks.values())
    evidence = ", ".join(f"ξ = {drive:g}: p = {value:.2g}" for drive, value in p.items())
    return Claim(text, _tested(max(p.values()) < SIGNIFICANT, fewest), evidence, _few(fewest))


def _tested(significant, seeds):
    if _few(seeds):
        return None
    if significant:
        return True
    return False if seeds >= PAPER_SEEDS else None


def _few(seeds):
    return seeds < LEAST_SEEDS


def _growth(label, seeds):
    """The claims that α grows with ξ, and that it reaches a plateau."""
    low, middle, high = (np.array([alphas[drive] for alphas in seeds]) for drive in LEVELLING)
    text = f"{label}: α is larger at ξ = {HIGH_DRIVE:g} than at {LOW_DRIVE:g} (paired t-test)"
    holds, evidence = None, f"{low.mean():.3g} and {high.mean():.3g}; one seed: no t-test"
    if len(seeds) > 1:
        test = paired_t_test(high, low)
        evidence = f"{low.mean():.3g} and {high.mean():.3g}; {test}"
        falls = test.statistic < 0 and test.p < SIGNIFICANT
        holds = _tested(test.p < SIGNIFICANT, len(seeds))
        holds = False if falls and holds else holds
    plateau = "{}: α grows more from ξ = {:g} to {:g} than it changes from {:g} to {:g}".format(
        label, *LEVELLING[:2], *LEVELLING[1:]
    )
    claim = Claim(text, holds, evidence, _few(len(seeds)))
    return claim, larger(plateau, middle - low, np.abs(high - middle))


def _population_table(fits, free, comparison):
    columns = [
        (f"{what}{label}", by_seed, text)
        for what, by_label, text in (
            ("α, ", fits, _alpha),
            ("R², ", fits, lambda at_drive: [fit.r_squared[0] for fit in at_drive]),
            ("free gain, ", free, _alpha),
        )
        for label, by_seed in by_label.items()
    ]
    rows = []
    for drive in TASK_STEPS:
        entries = [text([by_drive[drive] for by_drive in by_seed]) for _, by_seed, text in columns]
        p = [] if comparison is None else [f"{comparison.by_drive[drive].p:.2g}"]
        rows.append((f"{drive:g}", *entries, *p))
    labels = [label for label, _, _ in columns]
    return over_seeds(("ξ", *labels, *([] if comparison is None else ["p"])), rows)


def _alpha(fits):
    """The orders α over seeds of the fits with c > 0, and the number of other fits."""
    positive = [fit.alpha[0] for fit in fits if fit.gain[0] > 0]
    turned = len(fits) - len(positive)
    counted = f"c ≤ 0: {turned} of {len(fits)}" if turned else ""
    return "; ".join(part for part in (entry(positive) if positive else "", counted) if part)


EXPERIMENT = Experiment(
    number="13",
    name="fractional-tasks",
    title="Fractional order across tasks",
    paper="Fig 4d",
    expected="The order of the isolated population differs by task (p < .05), and grows with ξ to "
    "a plateau.",
    trainings=lambda preset: ("arun", SECOND_TASK),
    measure=_measure,
    conclude=_conclude,
    keeps={"h": Array("drives T"), PLAIN: Array("drives T", optional=True)},
    revision=2,
)
