"""Experiments 13 and 13b: fractional orders of the population, and integrals of n and s (Geadah et
al. 2024, Fig 4d and 9)."""

import numpy as np

from aru_keras.analysis.statistics import paired_t_test
from aru_keras.analysis.step_response import (
    HIGH,
    LOW,
    StepProtocol,
    StepResponses,
    compare_tasks,
    population_alphas,
    population_fits,
    signal_integral,
)
from aru_keras.plots import fractional as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    LEAST_SEEDS,
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.fractional import STEPS, responses_of
from aru_keras.runners.experiments.measured import cell, required
from aru_keras.runners.experiments.trainings import DRIVEN, SECOND_TASK

TASK_STEPS = (*STEPS, HIGH)
"""ξ at which tasks are compared, with both of the paired test."""

LEVELLING = (LOW, 15.0, HIGH)
"""At a plateau α grows between the first two of these ξ more than it changes between the last."""

PAPER_SEEDS, SIGNIFICANT = 5, 0.05

SECOND_TASK_INPUTS = {"mean": 0.05, "deviation": 0.4}
"""What the authors feed the network of the second task, with W_xh = 1 and b = 0."""

PLAIN = "h_plain"
"""Name of the responses to that."""

SIGNALS = ("n", "s")
INTEGRALS = {
    "periodic": {"alpha": -1.0},
    "causal": {"alpha": -1.0, "method": "causal"},
    "half, periodic": {"alpha": -0.5},
}
"""Options of `step_response.signal_integral`; the first as the paper, with an order of ours."""

STRAIGHT = 0.99
"""R² of a line. The half integral of a step, a square root, has 0.96."""


def _measure_population(network, preset):
    """Mean responses of isolated units, (D, T), of the second task to the authors' inputs too."""
    options = {"isolated": True, "signals": "h"}
    found = {"h": responses_of(network, preset, TASK_STEPS, **options)}
    if network.name == SECOND_TASK:
        inputs = {"inputs": SECOND_TASK_INPUTS, "input_weights": False}
        found[PLAIN] = responses_of(network, preset, TASK_STEPS, **inputs, **options)
    return {name: responses.of("h").mean(axis=-1) for name, responses in found.items()}


def _conclude_population(results, preset):
    """Orders of the population over ξ, of two tasks."""
    names = required(results, (*DRIVEN, SECOND_TASK))
    labels = NETWORK_LABELS
    if SECOND_TASK in names:
        labels = NETWORK_LABELS | {"arun": preset.task, SECOND_TASK: preset.second_task}
    responses = {
        labels[name]: [_rebuilt(TASK_STEPS, {"h": one["h"]}) for one in results[name]]
        for name in names
    }
    if SECOND_TASK in names:
        plain = f"{preset.second_task}, W_xh = 1"
        responses[plain] = [_rebuilt(TASK_STEPS, {"h": one[PLAIN]}) for one in results[SECOND_TASK]]
    fits, free = (
        {
            label: [population_fits(one, free_gain=gain) for one in found]
            for label, found in responses.items()
        }
        for gain in (False, True)
    )
    seeds = {label: [population_alphas(one) for one in found] for label, found in fits.items()}
    tasks = {labels[name]: seeds[labels[name]] for name in names if name in ("arun", SECOND_TASK)}
    comparison = None
    if len(tasks) == 2 and min(len(one) for one in tasks.values()) > 1:
        comparison = compare_tasks(*tasks.values())
    growing = [claim for label, found in tasks.items() for claim in _growth(label, found)]
    differing = [_difference(tasks, comparison)] if len(tasks) == 2 else []
    return Conclusion(
        claims=(*differing, *growing),
        figures={"population": plots.population_orders(seeds, comparison)},
        tables=(_population_table(fits, free, comparison),),
        note="Claims: each unit hears its input through its own W_xh and b, on both tasks. The "
        "authors feed the network of the second task with W_xh = 1, b = 0 and other inputs, "
        "x ~ N(.05, .4²): there the tasks differ in what the units hear as well as in what was "
        "learned. It is shown beside. "
        "α of the mean response of isolated units, by the paper's estimate; R² as in "
        "experiment 12; a free gain c ≤ 0 has no order, and is counted. A t-test needs "
        f"two seeds. With p ≥ {SIGNIFICANT} a claim is not decided below the paper's "
        f"{PAPER_SEEDS} seeds, and fails with as many.",
    )


def _measure_signals(network, preset):
    """The mean of n and of s over connected units under the step, (D, T)."""
    responses = responses_of(network, preset, STEPS, isolated=False, signals=SIGNALS)
    return {signal: responses.of(signal).mean(axis=-1) for signal in SIGNALS}


def _conclude_signals(results, preset):
    """How straight the integral of n and of s is."""
    required(results, ("arun",))
    seeds = [
        _rebuilt(STEPS, {signal: one[signal] for signal in SIGNALS}) for one in results["arun"]
    ]
    found = {
        (signal, name): [signal_integral(one, signal, **options) for one in seeds]
        for signal in SIGNALS
        for name, options in INTEGRALS.items()
    }
    drawn = {signal: found[signal, "periodic"] for signal in SIGNALS}
    return Conclusion(
        claims=tuple(_straight(*pair) for pair in drawn.items()),
        figures={"integrals": plots.signal_integrals({s: one[0] for s, one in drawn.items()})},
        tables=(_line_table(found),),
        note="D^α of the mean over connected units, with α = −1, the plain integral: the order is "
        "our choice. It is a line wherever a signal jumps to a level and stays. Claims and figure "
        f"(seed {results.seeds[0]}): by Fourier transform, as the paper takes D^α, of what departs "
        "from the mean over the whole recording. The table has the causal integral as well, of "
        "what departs from rest, and the half integral, for which a jump gives a square root (R² "
        "of a line: 0.96).",
    )


def _rebuilt(drives, arrays):
    """Responses of one "unit", the population."""
    drive = np.stack([StepProtocol().drive(one) for one in drives])
    kept = {signal: values[..., None] for signal, values in arrays.items()}
    return StepResponses(np.array(drives), drive, kept, isolated=False)


def _difference(tasks, comparison):
    first, second = tasks
    text = f"α differs between {first} and {second} at every ξ ≥ {LOW:g} (independent t-tests)"
    if comparison is None:
        return Claim(text, None, "one seed: no t-test", few=True)
    p = {drive: test.p for drive, test in comparison.by_drive.items()}
    fewest = min(len(one) for one in tasks.values())
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
    """That α grows with ξ, and that it levels off."""
    low, middle, high = (np.array([one[drive] for one in seeds]) for drive in LEVELLING)
    text = f"{label}: α is larger at ξ = {HIGH:g} than at {LOW:g} (paired t-test)"
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
        (f"{what}{label}", found, text)
        for what, by_label, text in (
            ("α, ", fits, _alpha),
            ("R², ", fits, lambda found: cell([fit.r_squared[0] for fit in found])),
            ("free gain, ", free, _alpha),
        )
        for label, found in by_label.items()
    ]
    rows = []
    for drive in TASK_STEPS:
        cells = [text([one[drive] for one in found]) for _, found, text in columns]
        p = [] if comparison is None else [f"{comparison.by_drive[drive].p:.2g}"]
        rows.append((f"{drive:g}", *cells, *p))
    labels = [label for label, _, _ in columns]
    return Table(("ξ", *labels, *([] if comparison is None else ["p"])), tuple(rows))


def _alpha(fits):
    """α over seeds, of the fits with c > 0, and how many have none."""
    positive = [fit.alpha[0] for fit in fits if fit.gain[0] > 0]
    turned = len(fits) - len(positive)
    counted = f"c ≤ 0: {turned} of {len(fits)}" if turned else ""
    return "; ".join(part for part in (cell(positive) if positive else "", counted) if part)


def _straight(signal, seeds):
    """That the integral of a signal is a line; the paper does not say of which slope."""
    text = f"The integral of {signal} is a line during the step (R² ≥ {STRAIGHT}, mean over ξ)"
    failed = [fit for one in seeds for fit in one.lines if fit.failed]
    if failed:
        return Claim(text, None, f"no line: {failed[0].reason}")
    return above(text, [np.mean([fit.r_squared for fit in one.lines]) for one in seeds], STRAIGHT)


def _line_table(found):
    rows = []
    for (signal, name), seeds in found.items():
        for place, drive in enumerate(STEPS):
            fits = [one.lines[place] for one in seeds if not one.lines[place].failed]
            numbers = ([fit.r_squared for fit in fits], [fit["slope"] for fit in fits])
            cells = [cell(one) if fits else "no line" for one in numbers]
            rows.append((signal, name, f"{drive:g}", *cells))
    return Table(("signal", "integral", "ξ", "R² of the line", "slope"), tuple(rows))


EXPERIMENTS = (
    Experiment(
        "13",
        "fractional-tasks",
        "Fractional order across tasks",
        "Fig 4d",
        "The order of the isolated population differs by task (p < .05), and grows with ξ to a "
        "plateau.",
        lambda preset: ("arun", SECOND_TASK),
        _measure_population,
        _conclude_population,
        keeps={"h": Array("drives T"), PLAIN: Array("drives T", optional=True)},
        revision=2,
    ),
    Experiment(
        "13b",
        "fractional-signals",
        "Fractional integral of gain and saturation",
        "Fig 9",
        "The fractional integrals of n and s are lines during the step.",
        lambda preset: ("arun",),
        _measure_signals,
        _conclude_signals,
        keeps=dict.fromkeys(SIGNALS, Array("drives T")),
    ),
)
