"""Experiment 0, the pilot: a search for the learning rate of each network."""

from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import SHARE, Array, Conclusion, Experiment, Table
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.trainings import best_rate, pilot_names


def _trainings(preset):
    return [
        name
        for network in preset.networks
        for names in pilot_names(preset, network).values()
        for name in names
    ]


def _measure(network, preset):
    return {"accuracy": network.validation_accuracy, "epoch": network.results["best_epoch"]}


def _conclude(results, preset):
    required(results, _trainings(preset))
    rows = tuple(_row(results, preset, network) for network in preset.networks)
    rates = [f"{rate:g}" for rate in preset.pilot_rates]
    return Conclusion(
        tables=(Table(("validation accuracy (%)", *rates, "chosen"), rows),),
        note=f"Each training has {preset.pilot_epochs} epochs. ARUN is trained with two seeds at "
        "each learning rate, and every other network with one. In all experiments a network trains "
        "with the learning rate of its highest mean validation accuracy here. Test images and "
        "perturbations play no part in the choice.",
    )


def _row(results, preset, network):
    accuracies = {
        rate: [_accuracy(results, name) for name in names]
        for rate, names in pilot_names(preset, network).items()
    }
    entries = (", ".join(map(_entry, values)) for values in accuracies.values())
    return (NETWORK_LABELS[network], *entries, f"{best_rate(accuracies):g}")


def _accuracy(results, name):
    """The validation accuracy of a training; 0 if it diverged, as in the choice of the rate."""
    return float(results[name][0]["accuracy"]) if name in results else 0.0


def _entry(accuracy):
    return f"{100 * accuracy:.1f}" if accuracy else "diverged"


EXPERIMENT = Experiment(
    number="0",
    name="pilot",
    title="Learning rates from a pilot",
    paper="not in the paper, whose networks all train with 1e-4",
    expected="No claim: the learning rate of every network is searched in the same way.",
    trainings=_trainings,
    measure=_measure,
    conclude=_conclude,
    alone=False,
    keeps={"accuracy": SHARE, "epoch": Array(least=1)},
    applies=lambda preset: bool(preset.pilot_rates),
    seeds=1,
)
