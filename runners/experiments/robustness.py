"""Experiments 3 and 4: accuracy and loss under perturbations that training did not see (Geadah et
al. 2024, Figs 2 and 13–16)."""

import math
import sys

import numpy as np

from aru_keras.analysis import robustness as analysis
from aru_keras.analysis.robustness import Evaluator, Score, Scores, fractional_drop
from aru_keras.analysis.score_file import ScoreFile
from aru_keras.models import GATED
from aru_keras.plots import robustness as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Claim,
    Conclusion,
    Experiment,
    Table,
    above,
    larger,
)
from aru_keras.runners.experiments.measured import cell, required
from aru_keras.runners.experiments.trainings import MAIN

STEP, CONTRAST = "step", "contrast"
PHRASES = {STEP: "under the step drive", CONTRAST: "under contrast"}
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
    return _measured(network, curves, preset.test_images)


def _measure_maps(network, preset):
    durations = analysis.scaled_durations(network.task.timesteps, preset.durations)
    maps = {
        STEP: analysis.step_map(preset.step_amplitudes, durations),
        CONTRAST: analysis.contrast_map(preset.contrast_amplitudes, preset.phases),
    }
    return _measured(network, maps, preset.map_images) | {"durations": np.array(durations)}


def _measured(network, grids, limit):
    """Accuracy and loss over grids of perturbations, as far as the network takes them."""
    evaluate = Evaluator(network.model, network.task, limit=limit)
    identity = evaluate.identity()
    kept = network.folder.path / f"scores-{identity['images']}-images.json"
    done = ScoreFile(kept, identity)
    score = _overflowing(evaluate, network.task.classes, identity["images"])
    found = {"images": np.array(identity["images"])}
    for kind, grid in grids.items():
        if kind == STEP and network.config.model in GATED:
            continue
        scores = analysis.measure(score, grid, done=done, progress=sys.stdout.isatty())
        found |= {f"{kind}_accuracy": scores.accuracy, f"{kind}_loss": scores.loss}
    return found


def _overflowing(evaluate, classes, images):
    """`evaluate`, but an infinite loss and the accuracy of chance where the network overflows."""

    def score(perturbation):
        try:
            return evaluate(perturbation)
        except analysis.NetworkOverflowError:
            # What fails without a perturbation as well is a mistake.
            if not perturbation.parts:
                raise
            return Score(math.inf, 1 / classes, images)

    return score


def _by_kind(results, preset):
    """Names of the networks measured under each perturbation, and its amplitudes."""
    names = required(results, MAIN)
    for kind, amplitudes in (
        (STEP, preset.step_amplitudes),
        (CONTRAST, preset.contrast_amplitudes),
    ):
        there = [name for name in names if f"{kind}_loss" in results[name][0]]
        if there:
            yield kind, there, amplitudes


def _conclude_curves(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for kind, names, amplitudes in _by_kind(results, preset):
        drops = {name: _drops(results, name, kind, amplitudes) for name in names}
        claims += _curve_claims(kind, drops)
        curves = {name: _curves(results, name, kind) for name in names}
        figures[kind] = plots.robustness(curves, amplitudes, LABELS[kind])
        tables.append(_curve_table(kind, curves, drops, amplitudes))
        notes += _overflows(results, names, kind)
    note = (
        "Lost: the fraction of the unperturbed accuracy, on average over the amplitudes. LSTM and "
        "GRU have no place for a drive."
    )
    return Conclusion(tuple(claims), figures, tuple(tables), " ".join([note, *notes]))


def _drops(results, name, kind, amplitudes):
    """The fraction of the accuracy that each seed loses, (seeds,)."""
    accuracies = results.stacked(name, f"{kind}_accuracy")
    return np.array([fractional_drop(amplitudes, one) for one in accuracies])


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


def _curves(results, name, kind):
    """`Scores` of each seed; an infinite loss is a gap in its curve."""
    return [
        Scores(
            np.where(np.isinf(one[f"{kind}_loss"]), np.nan, one[f"{kind}_loss"]),
            one[f"{kind}_accuracy"],
            int(one["images"]),
        )
        for one in results[name]
    ]


def _curve_table(kind, curves, drops, amplitudes):
    symbol = "ξ" if kind == STEP else "A"
    ends = [f"accuracy at {symbol} = {amplitudes[place]:g} (%)" for place in (0, -1)]
    rows = [
        (
            NETWORK_LABELS[name],
            *(cell([100 * one.accuracy[place] for one in seeds]) for place in (0, -1)),
            cell(drops[name]),
        )
        for name, seeds in curves.items()
    ]
    return Table((PHRASES[kind], *ends, "fraction lost"), tuple(rows))


def _overflows(results, names, kind):
    """What a reader must know of networks whose numbers left float32."""
    for name in names:
        count = int(np.isinf(results.stacked(name, f"{kind}_loss")).sum())
        if count:
            yield (
                f"{NETWORK_LABELS[name]} overflows {PHRASES[kind]} in {count} cells: they count as "
                "chance, with an infinite loss."
            )


def _conclude_maps(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for kind, names, amplitudes in _by_kind(results, preset):
        losses = _capped({name: results.stacked(name, f"{kind}_loss") for name in names})
        accuracies = {name: results.stacked(name, f"{kind}_accuracy") for name in names}
        claims += _map_claims(results, kind, losses)
        images = int(results[names[0]][0]["images"])
        drawn = {
            name: Scores(losses[name].mean(axis=0), accuracies[name].mean(axis=0), images)
            for name in names
        }
        figures[kind] = plots.maps(drawn, amplitudes, *_columns(results, names, kind, preset))
        tables.append(_map_table(kind, losses, accuracies))
        notes += _overflows(results, names, kind)
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


def _columns(results, names, kind, preset):
    """Values of a map's columns, and the labels of its rows and columns."""
    if kind == STEP:
        return results[names[0]][0]["durations"], LABELS[kind], plots.DURATION_LABEL
    return preset.phases, LABELS[kind], plots.PHASE_LABEL


def _map_claims(results, kind, losses):
    """That ARUN's mean loss is lower than that of the best other network."""
    means = {name: one.mean(axis=(1, 2)) for name, one in losses.items()}
    if len(means) < 2 or "arun" not in means:
        return []
    arun = means.pop("arun")
    best = np.min(list(means.values()), axis=0)
    where = f"{PHRASES[kind].capitalize()} ARUN's mean loss is"
    claims = [larger(f"{where} lower than any other network's", best, arun)]
    if kind == STEP:
        text = f"{where} an order of magnitude lower (ratio of the best other network's to it)"
        claims.append(above(text, best / arun, ORDER_OF_MAGNITUDE))
    if np.isinf(results.stacked("arun", f"{kind}_loss")).any():
        # Its capped mean would be too low.
        return [Claim(one.text, False, "ARUN overflows") for one in claims]
    return claims


def _map_table(kind, losses, accuracies):
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
    return Table((PHRASES[kind], *header), tuple(rows))


EXPERIMENTS = (
    Experiment(
        "3",
        "robustness",
        "Robustness to a step drive and to contrast",
        "Fig 2",
        "psMNIST: ARUN degrades least, RNN+γ is second under contrast. sCIFAR10: less clear.",
        lambda preset: list(MAIN),
        _measure_curves,
        _conclude_curves,
    ),
    Experiment(
        "4",
        "sensitivity",
        "Sensitivity to the shape of the perturbations",
        "Figs 13–16",
        "psMNIST: ARUN is best; under the step drive its loss is an order of magnitude lower. "
        "sCIFAR10: no significant difference.",
        lambda preset: list(MAIN),
        _measure_maps,
        _conclude_maps,
    ),
)
