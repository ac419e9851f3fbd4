"""Experiment 18: the spectrum of W_hh (Geadah et al. 2024, Fig 5e)."""

import keras

from aru_keras.analysis.spectrum import Spectrum, recurrent_spectrum
from aru_keras.plots.spectrum import eigenvalues
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import (
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    below,
    decided,
    larger,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import DRIVEN

EXCESS = 0.1
"""Mean (|λ| − 1)₊ below which a spectrum counts as staying within the unit circle."""

STAGES = ("start", "trained")

COLUMNS = {
    "excess": "mean (|λ| − 1)₊",
    "radius": "spectral radius",
    "outside": "share with |λ| > 1",
    "circle_distance": "mean ||λ| − 1|",
}
"""Headings of the table's columns, by property of a `Spectrum`."""


def _measure(network, preset):
    cells = {"start": network.start.get_layer("recurrent").cell, "trained": network.cell}
    arrays = {}
    for stage, cell in cells.items():
        spectrum = recurrent_spectrum(keras.ops.convert_to_numpy(cell.recurrent_kernel))
        arrays |= to_arrays(spectrum, names={"eigenvalues": stage})
    return arrays


def _conclude(results, preset):
    names = required(results, DRIVEN)
    spectra = {
        (name, stage): [
            from_arrays(Spectrum, arrays, names={"eigenvalues": stage}) for arrays in results[name]
        ]
        for name in names
        for stage in STAGES
    }
    labelled = {
        f"{NETWORK_LABELS[name]}, {stage}": seeds for (name, stage), seeds in spectra.items()
    }
    rows = (
        (label, *([getattr(seed, key) for seed in seeds] for key in COLUMNS))
        for label, seeds in labelled.items()
    )
    trained = {name: spectra[name, "trained"] for name in names}
    return Conclusion(
        claims=decided(CLAIMS, trained, results=results),
        figures={"spectra": eigenvalues({label: seeds[0] for label, seeds in labelled.items()})},
        tables=(over_seeds(("W_hh of", *COLUMNS.values()), rows),),
        note=f"The figure shows {results.drawn}. W_hh is orthogonal before training (start).",
    )


def _values(seeds, key):
    return [getattr(seed, key) for seed in seeds]


def _relu_stays(relu):
    text = f"ReLU's eigenvalues stay within the unit circle (mean (|λ| − 1)₊ below {EXCESS})"
    return below(text, _values(relu, "excess"), EXCESS)


def _arun_reaches_farther(arun, relu):
    text = "ARUN's eigenvalues reach farther beyond the unit circle than ReLU's"
    return [
        larger(f"{text} ({COLUMNS[key]})", _values(arun, key), _values(relu, key))
        for key in ("excess", "radius")
    ]


CLAIMS = (
    ClaimAbout(("relu",), _relu_stays),
    ClaimAbout(("arun", "relu"), _arun_reaches_farther),
)

EXPERIMENT = Experiment(
    number="18",
    name="spectrum",
    title="Eigenvalues of the recurrent weights",
    paper="Fig 5e",
    expected="The eigenvalues of ReLU stay near the unit circle; those of the ARUN go beyond it.",
    trainings=lambda preset: ("arun", "relu"),
    measure=_measure,
    conclude=_conclude,
    keeps=dict.fromkeys(STAGES, Array("N")),
)
