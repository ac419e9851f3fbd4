"""Experiments 3 and 4: accuracy and loss under perturbations that training did not see (Geadah et
al. 2024, Figs 2 and 13–16)."""

import numpy as np

from aru_keras.analysis import robustness as analysis
from aru_keras.analysis.robustness import Scores, fractional_drop
from aru_keras.plots import robustness as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Array,
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    alike,
    larger,
)
from aru_keras.runners.experiments.measured import cell
from aru_keras.runners.experiments.perturbed import (
    CONTRAST,
    PHRASES,
    STEP,
    cases,
    measured,
    trainings,
)

LABELS = {STEP: plots.STEP_LABEL, CONTRAST: plots.CONTRAST_LABEL}

COMPARED = {
    STEP: {"arun": ("gamma", "relu")},
    CONTRAST: {"arun": ("gamma", "relu", "lstm", "gru"), "gamma": ("relu", "lstm", "gru")},
}
"""Of each perturbation, the networks that lose less accuracy, and than which others."""

ORDER_OF_MAGNITUDE = 10


def _measure_curves(network, preset):
    curves = {
        STEP: analysis.step_drives(preset.step_amplitudes),
        CONTRAST: analysis.contrasts(preset.contrast_amplitudes),
    }
    return measured(network, curves, preset.test_images)


def _measure_maps(network, preset):
    durations = analysis.scaled_durations(network.task.timesteps, preset.durations)
    maps = {
        STEP: analysis.step_map(preset.step_amplitudes, durations),
        CONTRAST: analysis.contrast_map(preset.contrast_amplitudes, preset.phases),
    }
    return measured(network, maps, preset.map_images) | {"durations": np.array(durations)}


def _conclude_curves(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for case in cases(results, preset):
        amplitudes = case.amplitudes(preset)
        drops = {
            name: np.array([fractional_drop(amplitudes, one) for one in seeds])
            for name, seeds in case.stacked("accuracy").items()
        }
        claims += _curve_claims(case.kind, drops) if case.main else []
        curves = {name: _curves(case, name) for name in case.names}
        figures[case.figure] = plots.robustness(curves, amplitudes, LABELS[case.kind])
        tables.append(_curve_table(case, curves, drops, amplitudes))
        notes += case.overflows()
    note = (
        "Lost: the fraction of the unperturbed accuracy, on average over the amplitudes. LSTM and "
        "GRU have no place for a drive. Claims are about the main task."
    )
    return Conclusion(tuple(claims), figures, tuple(tables), " ".join([note, *notes]))


def _curve_claims(kind, drops):
    """That a network loses less accuracy than another, of those that are there."""
    return [
        larger(
            f"{PHRASES[kind].capitalize()} {NETWORK_LABELS[other]} loses more accuracy than "
            f"{NETWORK_LABELS[name]} (mean fraction lost)",
            drops[other],
            drops[name],
        )
        for name, others in COMPARED[kind].items()
        for other in others
        if {name, other} <= set(drops)
    ]


def _curves(case, name):
    """`Scores` of each seed; an infinite loss is a gap in its curve."""
    losses, accuracies = (case.stacked(what)[name] for what in ("loss", "accuracy"))
    losses = np.where(np.isinf(losses), np.nan, losses)
    return [Scores(*pair, case.images) for pair in zip(losses, accuracies, strict=True)]


def _curve_table(case, curves, drops, amplitudes):
    symbol = "ξ" if case.kind == STEP else "A"
    ends = [f"accuracy at {symbol} = {amplitudes[place]:g} (%)" for place in (0, -1)]
    rows = [
        (
            NETWORK_LABELS[name],
            *(cell([100 * one.accuracy[place] for one in seeds]) for place in (0, -1)),
            cell(drops[name]),
        )
        for name, seeds in curves.items()
    ]
    return Table((case.phrase, *ends, "fraction lost"), tuple(rows))


def _conclude_maps(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for case in cases(results, preset):
        losses, accuracies = _capped(case.stacked("loss")), case.stacked("accuracy")
        claims += _map_claims(case, losses) if case.main else _alike_claims(case, accuracies)
        drawn = {
            name: Scores(losses[name].mean(axis=0), accuracies[name].mean(axis=0), case.images)
            for name in case.names
        }
        figures[case.figure] = plots.maps(drawn, case.amplitudes(preset), *_columns(case, preset))
        tables.append(_map_table(case, losses, accuracies))
        notes += case.overflows()
    note = (
        "Means over the cells of a map; figures are means over seeds. Durations are those of the "
        "paper's 784 steps, scaled to the sequence."
    )
    if notes:
        notes.append(
            "In the maps an infinite loss is drawn, and counts, as the largest finite one."
        )
    return Conclusion(tuple(claims), figures, tuple(tables), " ".join([note, *notes]))


def _capped(losses):
    """Losses by network, infinite ones at the largest finite one of all."""
    every = np.concatenate([one.ravel() for one in losses.values()])
    largest = every[np.isfinite(every)].max()
    return {name: np.minimum(one, largest) for name, one in losses.items()}


def _columns(case, preset):
    """Values of a map's columns, and the labels of its rows and columns."""
    if case.kind == STEP:
        durations = case.results[case.names[0]][0]["durations"]
        return durations, LABELS[case.kind], plots.DURATION_LABEL
    return preset.phases, LABELS[case.kind], plots.PHASE_LABEL


def _map_claims(case, losses):
    """That ARUN's mean loss is lower than that of the best other network."""
    means = {name: one.mean(axis=(1, 2)) for name, one in losses.items()}
    if len(means) < 2 or "arun" not in means:
        return []
    arun = means.pop("arun")
    best = np.min(list(means.values()), axis=0)
    where = f"{case.phrase.capitalize()} ARUN's mean loss is"
    claims = [larger(f"{where} lower than any other network's", best, arun)]
    if case.kind == STEP:
        text = f"{where} an order of magnitude lower (ratio of the best other network's to it)"
        claims.append(above(text, best / arun, ORDER_OF_MAGNITUDE))
    if np.isinf(case.stacked("loss")["arun"]).any():
        # Its capped mean would be too low.
        return [Claim(one.text, False, "ARUN overflows") for one in claims]
    return claims


def _alike_claims(case, accuracies):
    """That on another task no network differs from ARUN."""
    means = {name: one.mean(axis=(1, 2)) for name, one in accuracies.items()}
    arun = means.pop("arun", None)
    if arun is None:
        return []
    return [
        alike(f"ARUN and {NETWORK_LABELS[name]} do not differ {case.phrase}", arun, one)
        for name, one in means.items()
    ]


def _map_table(case, losses, accuracies):
    rows = [
        (
            NETWORK_LABELS[name],
            cell(100 * accuracies[name].mean(axis=(1, 2))),
            cell(100 * accuracies[name].min(axis=(1, 2))),
            cell(losses[name].mean(axis=(1, 2))),
            cell(losses[name].max(axis=(1, 2))),
        )
        for name in losses
    ]
    header = ("mean accuracy (%)", "worst accuracy (%)", "mean loss (nats)", "worst loss (nats)")
    return Table((case.phrase, *header), tuple(rows))


def _kept(axes):
    """Arrays of the grids; networks without a place for a drive have none of the step drives."""
    ranges = {"accuracy": (0, 1), "loss": (0, np.inf)}
    return {"images": Array(least=1)} | {
        f"{kind}_{what}": Array(axes[kind], *bounds, optional=kind == STEP)
        for kind in axes
        for what, bounds in ranges.items()
    }


EXPERIMENTS = (
    Experiment(
        "3",
        "robustness",
        "Robustness to a step drive and to contrast",
        "Fig 2",
        "psMNIST: ARUN degrades least, RNN+γ is second under contrast. sCIFAR10: less clear.",
        trainings,
        _measure_curves,
        _conclude_curves,
        keeps=_kept({STEP: "ξ", CONTRAST: "A"}),
    ),
    Experiment(
        "4",
        "sensitivity",
        "Sensitivity to the shape of the perturbations",
        "Figs 13–16",
        "psMNIST: ARUN is best; under the step drive its loss is an order of magnitude lower. "
        "sCIFAR10: no significant difference.",
        trainings,
        _measure_maps,
        _conclude_maps,
        keeps={**_kept({STEP: "ξ τ", CONTRAST: "A φ"}), "durations": Array("τ", least=1)},
    ),
)
