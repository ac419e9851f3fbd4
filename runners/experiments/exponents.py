"""Experiment 17: Lyapunov exponents, adapted and frozen (Geadah et al. 2024, Fig 5c–d, App. D)."""

import keras
import numpy as np

from aru_keras.analysis.dynamics import dynamics_of
from aru_keras.analysis.lyapunov import (
    AdaptedExponents,
    LyapunovExponents,
    adapted_and_frozen,
    exponents_after_onset,
    lyapunov_exponents,
)
from aru_keras.analysis.stationary import draw_recorded
from aru_keras.layers import ARUCell
from aru_keras.perturbations import PAPER_TIMESTEPS, StepDrive
from aru_keras.plots import lyapunov as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    Table,
    larger,
)
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    adaptation,
    adaptation_table,
    cell,
    later_half,
    required,
    sequence_length,
    under_drives,
    where_adapted,
)
from aru_keras.runners.experiments.trainings import DRIVEN

OFFSETS = tuple(range(0, 151, 25))
"""Steps whose (n, s) are taken, of the paper's 784; scaled by T/784. As the authors count, the
first is the last step before the drive."""

AVERAGED = {"units": "own (n, s)", "population": "mean (n, s)"}
"""Whose (n, s) the map has: each unit's own, or the population's mean, as the authors feed it."""

MAPS = {"": "", "driven": ", ξ in the map"}

AFTER_ONSET = (0, 1, 5, 30)
"""ξ for which all of them are."""

SPECTRUM_SHARE = 5
"""A whole spectrum has one initial condition, and a trajectory so many times shorter."""

OWN_SHARE = 4
"""A network's own dynamics have so many times fewer initial conditions, two at the least."""

OWN_NOTE = (
    "The table of networks on their own is not in the paper: λ₁ of each one's own autonomous map, "
    "of the ARUN with its controllers at work, from states that it visits undriven."
)


_KEPT = {
    "drives": "ξ",
    "offsets": "K",
    **{f"{averaged}_after_onset": "few K H 1" for averaged in AVERAGED},
    **{
        "_".join(part for part in (averaged, where, name) if part): "ξ H 1"
        for averaged in AVERAGED
        for where in MAPS
        for name in ("adapted", "frozen")
    },
    "spectra": "few 1 N",
}
"""Axes of what is kept of an ARUN."""


def _measure(network, preset):
    found = {"own": _own(network, preset)}
    if not isinstance(network.cell, ARUCell):
        return found
    drives = np.array(preset.step_amplitudes, "float64")
    offsets = _offsets(sequence_length(network, preset))
    n, s, start = _adapted(network, preset, drives, offsets)
    kernel = keras.ops.convert_to_numpy(network.cell.recurrent_kernel)
    options = {"steps": preset.exponent_steps, "seed": network.seed}
    few = _few(drives)
    found |= {"drives": drives, "offsets": offsets, ADAPTATION: adaptation(network, preset)}
    for averaged, pair in _averages(n, s).items():
        onset = exponents_after_onset(kernel, *(one[few] for one in pair), start[few], **options)
        found[f"{averaged}_after_onset"] = onset.exponents
        last = (*(one[:, -1] for one in pair), start)
        for where in MAPS:
            bias = drives[:, None, None, None] if where else None
            ends = adapted_and_frozen(kernel, drives, *last, bias=bias, **options)
            found[_key(averaged, where, "adapted")] = ends.adapted.exponents
            found[_key(averaged, where, "frozen")] = ends.frozen.exponents
    options |= {"steps": max(preset.exponent_steps // SPECTRUM_SHARE, 1), "count": None}
    single = (n[few, -1:], s[few, -1:], start[few, :1])
    spectra = exponents_after_onset(kernel, *single, **options).exponents[:, 0]
    return found | {"spectra": spectra}


def _averages(n, s):
    """(n, s) of every unit, and the population's mean in all of them."""
    means = (np.broadcast_to(one.mean(axis=-1, keepdims=True), one.shape) for one in (n, s))
    return dict(zip(AVERAGED, ((n, s), tuple(means)), strict=True))


def _key(averaged, where, name):
    return "_".join(part for part in (averaged, where, name) if part)


def _offsets(timesteps):
    return np.unique([round(offset * timesteps / PAPER_TIMESTEPS) for offset in OFFSETS])


def _few(drives):
    return np.flatnonzero(np.isin(drives, AFTER_ONSET))


def _adapted(network, preset, drives, offsets):
    """n and s, (D, K, N), at some steps after onset; h_0 ~ π(ξ), (D, H, N)."""
    n, s, start = [], [], []
    for kept in under_drives(network, preset, drives, ("h", "n", "s"), _from_before_onset):
        n.append(kept["n"][:, offsets].mean(axis=0, dtype="float64"))
        s.append(kept["s"][:, offsets].mean(axis=0, dtype="float64"))
        h = kept["h"][:, kept["h"].shape[1] // 2 :]
        start.append(draw_recorded(h, preset.exponent_starts, network.seed))
    return np.array(n), np.array(s), np.array(start)


def _from_before_onset(timesteps):
    """The steps of the drive, and the one before them."""
    window = StepDrive().window(timesteps)
    return range(window.start - 1, window.stop)


def _own(network, preset):
    """λ₁ of the network's own autonomous map, from states that it visits undriven, (H,)."""
    dynamics = dynamics_of(network.model)
    signals = ("h", "g") if isinstance(network.cell, ARUCell) else ("h",)
    count = max(preset.exponent_starts // OWN_SHARE, 2)
    (kept,) = under_drives(
        network, preset, (0.0,), signals, lambda timesteps: later_half(timesteps)[-1:], count
    )
    start = np.concatenate([kept[name][:, 0] for name in signals], axis=-1)
    found = lyapunov_exponents(dynamics, start, steps=preset.exponent_steps, seed=network.seed)
    return found.exponents[:, 0]


def _conclude(results, preset):
    names = required(results, DRIVEN)
    own = _own_table(results, names)
    if "arun" not in names:
        return Conclusion((), {}, (own,), OWN_NOTE)
    seeds = results["arun"]
    found = {
        (averaged, where): [_rebuilt(one, preset, averaged, where) for one in seeds]
        for averaged in AVERAGED
        for where in MAPS
    }
    claims = [_claim(text, found[averaged, ""]) for averaged, text in AVERAGED.items()]
    figures = {
        "-".join(("adapted-frozen", averaged, where)).rstrip("-"): plots.adapted_and_frozen(one)
        for (averaged, where), one in found.items()
    }
    return Conclusion(
        where_adapted(claims, results),
        {**_figures(seeds, preset), **figures},
        (adaptation_table(results), _drive_table(found), own),
        f"{_note(preset, seeds[0]['offsets'][-1], results.seeds[0])} {OWN_NOTE}",
    )


def _rebuilt(arrays, preset, averaged, where):
    adapted, frozen = (
        LyapunovExponents(arrays[_key(averaged, where, name)], preset.exponent_steps)
        for name in ("adapted", "frozen")
    )
    return AdaptedExponents(arrays["drives"], adapted, frozen)


def _leading(found, name):
    """λ₁ over ξ, (seeds, D)."""
    return np.array([getattr(one, name).mean[:, 0] for one in found])


def _claim(averaged, found):
    driven = found[0].drives > 0
    adapted, frozen = (
        np.abs(_leading(found, name))[:, driven].mean(axis=1) for name in ("adapted", "frozen")
    )
    text = (
        "Adapted units are nearer to criticality: |λ₁|, mean over ξ > 0, is larger frozen "
        f"({averaged})"
    )
    return larger(text, frozen, adapted)


def _figures(seeds, preset):
    first = seeds[0]
    few = first["drives"][_few(first["drives"])]
    steps = max(preset.exponent_steps // SPECTRUM_SHARE, 1)
    spectra = {
        float(drive): LyapunovExponents(exponents, steps)
        for drive, exponents in zip(few, first["spectra"], strict=True)
    }
    onsets = {
        f"after-onset-{averaged}": [
            LyapunovExponents(one[f"{averaged}_after_onset"], preset.exponent_steps)
            for one in seeds
        ]
        for averaged in AVERAGED
    }
    drawn = {
        name: plots.exponents_after_onset(few, first["offsets"], onset)
        for name, onset in onsets.items()
    }
    return drawn | {"spectra": plots.spectra_of_exponents(spectra)}


def _drive_table(found):
    columns = {
        f"{name}, {AVERAGED[averaged]}{MAPS[where]}": _leading(one, name)
        for (averaged, where), one in found.items()
        for name in ("adapted", "frozen")
    }
    (first, *_) = found.values()
    rows = [
        (f"{drive:g}", *(cell(one[:, place]) for one in columns.values()))
        for place, drive in enumerate(first[0].drives)
    ]
    return Table(("λ₁ at ξ", *columns), tuple(rows))


def _own_table(results, names):
    systems = {"arun": "main units and controllers"}
    rows = [
        (NETWORK_LABELS[name], systems.get(name, "main units"), _own_cell(results[name]))
        for name in names
    ]
    return Table(("network on its own", "system", "λ₁"), tuple(rows))


def _own_cell(seeds):
    dead = sum(np.count_nonzero(np.isinf(one["own"])) for one in seeds)
    if dead:
        return f"−∞ from {dead} of {sum(one['own'].size for one in seeds)} initial conditions"
    return cell([one["own"].mean() for one in seeds])


def _note(preset, last, seed):
    return (
        "Exponents in nats per step (the paper's figures are in bits: 1 nat is 1.44 bits), of "
        "h ← γ(W_hh h; n, s) without input, drive and bias. (n, s) is the mean over "
        f"{preset.recorded_images} test images, of each unit, or of the whole population, which is "
        "what the authors stored; their first step is the last one before the drive. h_0 are whole "
        f"states recorded in the later half of the drive; {preset.exponent_starts} of them, "
        f"{preset.exponent_steps} steps. Adapted: (n, s) {last} steps after that ({OFFSETS[-1]} of "
        f"the paper's {PAPER_TIMESTEPS}); frozen: the same at ξ = 0. Whole spectra: seed {seed}, "
        f"each unit's own (n, s), one initial condition, a {SPECTRUM_SHARE}th of the steps. Not in "
        "the paper, and without a claim: the same with ξ in the map, h ← γ(W_hh h + ξ; n, s), as "
        "the units have it while they are driven."
    )


EXPERIMENTS = (
    Experiment(
        "17",
        "lyapunov",
        "Lyapunov exponents, adapted and frozen",
        "Fig 5c–d, App. D",
        "With adapted (n, s) the largest exponent is far closer to 0 than with those of ξ = 0.",
        lambda preset: DRIVEN,
        _measure,
        _conclude,
        keeps={"own": Array("starts"), **{k: Array(v, optional=True) for k, v in _KEPT.items()}},
        revision=2,
    ),
)
