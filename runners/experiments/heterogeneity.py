"""Experiment 8: the cloud of (n, s) (Geadah et al. 2024, Fig 3a)."""

from aru_keras.analysis.heterogeneity import Cloud, cloud_shifts, parameter_cloud
from aru_keras.plots.heterogeneity import parameter_clouds
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import (
    Array,
    ClaimAbout,
    Conclusion,
    Experiment,
    decided,
    larger,
)
from aru_keras.runners.experiments.measured import required
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import ONE_POINT, ONE_POINT_ROTATED

SHIFT = {
    "distance": "shift of the mean",
    "displacement": "RMS shift of a unit",
    "growth": "ratio of spreads",
}
"""Columns of the table by the fields of an `analysis.Shift`."""

START, TRAINED, ROTATED = "start", "trained", "rotated task"

CLAIMS = (
    ClaimAbout(
        (TRAINED, START),
        lambda trained, start: larger("training spreads the cloud of (n, s)", trained, start),
    ),
    ClaimAbout(
        (ROTATED, TRAINED),
        lambda rotated, trained: larger(
            "retraining on the rotated task spreads it further", rotated, trained
        ),
    ),
)
"""Claims about one network at two stages of its training."""


def _measure(network, preset):
    models = {TRAINED: network.model, START: network.start}
    return {
        name: points
        for stage, model in models.items()
        for name, points in to_arrays(parameter_cloud(model), names={"points": stage}).items()
    }


def _cloud(arrays, stage):
    return from_arrays(Cloud, arrays, names={"points": stage})


def _conclude(results, preset):
    (name, *_) = required(results, (ONE_POINT, "gamma", *results))
    clouds = {
        stage: [_cloud(arrays, stage) for arrays in results[name]] for stage in (START, TRAINED)
    }
    if name == ONE_POINT and ONE_POINT_ROTATED in results:
        clouds[ROTATED] = [_cloud(arrays, TRAINED) for arrays in results[ONE_POINT_ROTATED]]
    spreads = {stage: [cloud.spread for cloud in seeds] for stage, seeds in clouds.items()}
    by_seed = [
        dict(zip(clouds, stages, strict=True)) for stages in zip(*clouds.values(), strict=True)
    ]
    by_stage = results.select({name: TRAINED, ONE_POINT_ROTATED: ROTATED})
    return Conclusion(
        claims=decided(CLAIMS, spreads, results=by_stage),
        figures={"clouds": parameter_clouds(by_seed[0])},
        tables=(_shift_table([cloud_shifts(stages) for stages in by_seed]),),
        note="A shift is a distance in the plane of (n, s). RMS: root mean square over units. "
        f"The figure shows {results.drawn}.",
    )


def _shift_table(seeds):
    rows = (
        (
            shifts[0].start,
            shifts[0].end,
            *([getattr(shift, key) for shift in shifts] for key in SHIFT),
        )
        for shifts in zip(*seeds, strict=True)
    )
    return over_seeds(("from", "to", *SHIFT.values()), rows)


EXPERIMENT = Experiment(
    number="8",
    name="heterogeneity",
    title="The cloud of (n, s)",
    paper="Fig 3a",
    expected="Training spreads one common point into a cloud, and a change of task spreads it "
    "further.",
    trainings=lambda preset: [ONE_POINT, ONE_POINT_ROTATED],
    measure=_measure,
    conclude=_conclude,
    keeps=dict.fromkeys((START, TRAINED), Array("N 2")),
)
