"""Experiment 4: scores over two properties of a perturbation (Geadah et al. 2024, Figs 13–16)."""

import dataclasses
from functools import partial

import numpy as np

from aru_keras.analysis.evaluation import Scores
from aru_keras.analysis.sensitivity import contrast_map, scaled_durations, step_map
from aru_keras.models import GATED
from aru_keras.plots.sensitivity import DURATION_LABEL, PHASE_LABEL, sensitivity_maps
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    GUESSING,
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    above,
    alike,
    decided,
    larger,
    undecided,
)
from aru_keras.runners.experiments.perturbed import (
    CONTRAST,
    LABELS,
    STEP,
    cases,
    measured,
    score_arrays,
    trainings,
)
from aru_keras.runners.experiments.tables import over_seeds, percent

ORDER_OF_MAGNITUDE = 10


def _measure(network, preset):
    durations = scaled_durations(network.task.timesteps, preset.durations)
    maps = {
        STEP: step_map(preset.step_amplitudes, durations),
        CONTRAST: contrast_map(preset.contrast_amplitudes, preset.phases),
    }
    return measured(network, maps, preset.map_images) | {"durations": np.array(durations)}


def _conclude(results, preset):
    claims, figures, tables, notes = [], {}, [], []
    for case in cases(results, preset):
        losses, accuracies = _capped(case.stacked("loss")), case.stacked("accuracy")
        if case.main:
            claims += _map_claims(case, losses, preset)
        else:
            new = _alike_claims(case, accuracies)
            claims += undecided(new, GUESSING) if case.guessing() else new
        drawn = {
            name: Scores(losses[name].mean(axis=0), accuracies[name].mean(axis=0), case.images)
            for name in case.names
        }
        figures[case.figure] = sensitivity_maps(
            drawn, case.amplitudes(preset), *_columns(case, preset)
        )
        tables.append(_map_table(case, losses, accuracies))
        notes += case.overflows()
    note = (
        "The table has means over the entries of a map; the figures are means over seeds. The "
        "durations are given for the paper's 784 steps, and scaled to the length of the sequence."
    )
    if notes:
        notes.append("In maps and means, an infinite loss is replaced by the largest finite loss.")
    return Conclusion(tuple(claims), figures, tuple(tables), " ".join([note, *notes]))


def _capped(losses):
    """Losses by network, with infinite losses replaced by the largest finite loss of all."""
    every = np.concatenate([values.ravel() for values in losses.values()])
    largest = every[np.isfinite(every)].max()
    return {name: np.minimum(values, largest) for name, values in losses.items()}


def _columns(case, preset):
    """The values of a map's columns, and the labels of its rows and columns."""
    if case.kind == STEP:
        durations = case.results[case.names[0]][0]["durations"]
        return durations, LABELS[case.kind], DURATION_LABEL
    return preset.phases, LABELS[case.kind], PHASE_LABEL


def _map_claims(case, losses, preset):
    """The claims that ARUN's mean loss is lower than that of the best other network."""
    others = [name for name in preset.networks if name != "arun" and _takes(name, case.kind)]
    fair = [name for name in others if name not in preset.unsearched]
    groups = {"any other network's": others}
    if fair and fair != others:
        groups[" and ".join(f"{NETWORK_LABELS[name]}'s" for name in fair)] = fair
    about = [
        ClaimAbout(("arun", *names), partial(_lower_claims, case, whose), _lower(case, whose))
        for whose, names in groups.items()
        if names
    ]
    means = {name: (name, values.mean(axis=(1, 2))) for name, values in losses.items()}
    return decided(about, means, preset.unsearched, case.guessing(), case.results)


def _lower(case, whose):
    return f"{case.phrase.capitalize()} ARUN's mean loss is lower than {whose}"


def _takes(name, kind):
    """Whether a network takes this kind of perturbation."""
    return kind == CONTRAST or name not in GATED


def _lower_claims(case, whose, arun, *others):
    """The claims that ARUN's mean loss is lower, for (name, means over the map) of each network."""
    (_, lowest), best = arun, np.min([means for _, means in others], axis=0)
    claims = [larger(_lower(case, whose), best, lowest)]
    if case.kind == STEP:
        where = f"{case.phrase.capitalize()} ARUN's mean loss is"
        text = f"{where} an order of magnitude lower (best other network over ARUN)"
        claims.append(above(text, best / lowest, ORDER_OF_MAGNITUDE))
    return _where_finite(claims, case, [name for name, _ in others])


def _where_finite(claims, case, others):
    """The claims; if ARUN overflows, the mean of its capped losses is too low to decide.

    They fail if one of the other networks overflows in fewer entries with every seed.
    """
    counts = {
        name: np.isinf(values).sum(axis=(1, 2)) for name, values in case.stacked("loss").items()
    }
    if not counts["arun"].any():
        return claims
    worse = any((counts[name] < counts["arun"]).all() for name in others)
    listed = ", ".join(
        f"{NETWORK_LABELS[name]} in {'/'.join(map(str, counts[name]))}"
        for name in ("arun", *others)
    )
    evidence = f"networks overflow in entries of the map (of each seed): {listed}"
    return [
        dataclasses.replace(
            claim, holds=False if worse and not claim.few else None, evidence=evidence
        )
        for claim in claims
    ]


def _alike_claims(case, accuracies):
    """The claims that no network differs from ARUN on another task."""
    means = {name: values.mean(axis=(1, 2)) for name, values in accuracies.items()}
    arun = means.pop("arun", None)
    if arun is None:
        return []
    return [
        alike(f"ARUN and {NETWORK_LABELS[name]} do not differ {case.phrase}", arun, mean)
        for name, mean in means.items()
    ]


def _map_table(case, losses, accuracies):
    rows = [
        (
            NETWORK_LABELS[name],
            percent(accuracies[name].mean(axis=(1, 2))),
            percent(accuracies[name].min(axis=(1, 2))),
            losses[name].mean(axis=(1, 2)),
            losses[name].max(axis=(1, 2)),
        )
        for name in losses
    ]
    header = ("mean accuracy (%)", "worst accuracy (%)", "mean loss (nats)", "worst loss (nats)")
    return over_seeds((case.phrase, *header), rows)


EXPERIMENT = Experiment(
    number="4",
    name="sensitivity",
    title="Sensitivity to the shape of the perturbations",
    paper="Figs 13–16",
    expected="psMNIST: ARUN is best; under the step drive its loss is an order of magnitude lower. "
    "sCIFAR10: no significant difference.",
    trainings=trainings,
    measure=_measure,
    conclude=_conclude,
    keeps={**score_arrays({STEP: "ξ τ", CONTRAST: "A φ"}), "durations": Array("τ", least=1)},
)
