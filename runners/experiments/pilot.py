"""The pilot: each network's learning rate, by the same small search."""

from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    SHARE,
    Array,
    Conclusion,
    Experiment,
    Table,
)
from aru_keras.runners.experiments.trainings import MAIN, best_rate, pilot_names


def _trainings(preset):
    return [
        name
        for network in MAIN
        for names in pilot_names(preset, network).values()
        for name in names
    ]


def _measure(network, preset):
    return {"accuracy": network.validation_accuracy, "epoch": network.results["best_epoch"]}


def _conclude(results, preset):
    rows = tuple(_row(results, preset, network) for network in MAIN)
    rates = [f"{rate:g}" for rate in preset.pilot_rates]
    return Conclusion(
        tables=(Table(("validation accuracy (%)", *rates, "chosen"), rows),),
        note=f"{preset.pilot_epochs} epochs each, of two ARUNs and one of every other network. A "
        "network trains everywhere with the learning rate of its highest mean validation "
        "accuracy here; test images and perturbations have no part in the choice.",
    )


def _row(results, preset, network):
    accuracies = {
        rate: [_accuracy(results, name) for name in names]
        for rate, names in pilot_names(preset, network).items()
    }
    cells = (", ".join(map(_cell, found)) for found in accuracies.values())
    return (NETWORK_LABELS[network], *cells, f"{best_rate(accuracies):g}")


def _accuracy(results, name):
    """Of one training; 0 where it diverged, as for the choice."""
    return float(results[name][0]["accuracy"]) if name in results else 0.0


def _cell(accuracy):
    return f"{100 * accuracy:.1f}" if accuracy else "diverged"


EXPERIMENTS = (
    Experiment(
        "0",
        "pilot",
        "Learning rates from a pilot",
        "not in the paper, whose networks all train with 1e-4",
        "The same effort for every network.",
        _trainings,
        _measure,
        _conclude,
        alone=False,
        keeps={"accuracy": SHARE, "epoch": Array(least=1)},
        applies=lambda preset: bool(preset.pilot_rates),
        seeds=1,
    ),
)
