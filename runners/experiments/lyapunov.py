"""Experiment 17: Lyapunov exponents, adapted and frozen (Geadah et al. 2024, Fig 5c–d, App. D)."""

import keras
import numpy as np

from aru_keras.analysis.dynamics import dynamics_of
from aru_keras.analysis.lyapunov import (
    AdaptedExponents,
    LyapunovExponents,
    adapted_and_frozen_exponents,
    exponents_after_onset,
    lyapunov_exponents,
)
from aru_keras.analysis.stationary_distribution import draw_recorded_states
from aru_keras.layers import ARUCell
from aru_keras.perturbations import PAPER_TIMESTEPS
from aru_keras.plots import lyapunov as plots
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.experiments.arrays import from_arrays, to_arrays
from aru_keras.runners.experiments.experiment import (
    Array,
    Conclusion,
    Experiment,
    larger,
    open_claim,
)
from aru_keras.runners.experiments.measured import (
    ADAPTATION,
    adaptation,
    adaptation_table,
    later_half,
    required,
    sequence_length,
    under_drives,
    where_adapted,
)
from aru_keras.runners.experiments.onset import OFFSETS, from_before_onset, offsets_after_onset
from aru_keras.runners.experiments.tables import over_seeds
from aru_keras.runners.experiments.trainings import DRIVEN

AVERAGED = {"units": "own (n, s)", "population": "mean (n, s)"}
"""The (n, s) in the map: each unit's own, or the population mean, as in the authors' scripts."""

MAPS = {"": "", "driven": ", ξ in the map"}

AFTER_ONSET = (0, 1, 5, 30)
"""Amplitudes ξ for which all offsets are measured."""

SPECTRUM_SHARE = 5
"""A whole spectrum has one initial condition, and a trajectory shorter by this factor."""

OWN_SHARE = 4
"""Factor by which a network's own dynamics have fewer initial conditions; at least two."""

OWN_NOTE = (
    "The last table is not in the paper. It gives λ₁ of each network's own autonomous map; that of "
    "ARUN includes its controllers. The initial conditions are states that the network visits "
    "without a drive."
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
"""Axes of the arrays that are saved for an ARUN."""


def _measure(network, preset):
    arrays = {"own": _own(network, preset)}
    if not isinstance(network.cell, ARUCell):
        return arrays
    drives = np.array(preset.step_amplitudes, "float64")
    offsets = np.array(offsets_after_onset(sequence_length(network, preset)))
    n, s, start = _adapted(network, preset, drives, offsets)
    kernel = keras.ops.convert_to_numpy(network.cell.recurrent_kernel)
    options = {"steps": preset.exponent_steps, "seed": network.seed}
    few = _few(drives)
    arrays |= {"drives": drives, "offsets": offsets, ADAPTATION: adaptation(network, preset)}
    for averaged, pair in _averages(n, s).items():
        onset = exponents_after_onset(
            kernel, *(values[few] for values in pair), start[few], **options
        )
        arrays |= _as_arrays(onset, f"{averaged}_after_onset")
        last = (*(values[:, -1] for values in pair), start)
        for where in MAPS:
            bias = drives[:, None, None, None] if where else None
            ends = adapted_and_frozen_exponents(kernel, drives, *last, bias=bias, **options)
            arrays |= _as_arrays(ends.adapted, _key(averaged, where, "adapted"))
            arrays |= _as_arrays(ends.frozen, _key(averaged, where, "frozen"))
    options |= {"steps": max(preset.exponent_steps // SPECTRUM_SHARE, 1), "count": None}
    single = (n[few, -1:], s[few, -1:], start[few, :1])
    spectra = exponents_after_onset(kernel, *single, **options).exponents[:, 0]
    return arrays | {"spectra": spectra}


def _as_arrays(exponents, key):
    return to_arrays(exponents, names={"exponents": key}, without=("steps",))


def _exponents(arrays, key, preset):
    names = {"exponents": key}
    return from_arrays(LyapunovExponents, arrays, names=names, steps=preset.exponent_steps)


def _averages(n, s):
    """(n, s) of every unit, and the population mean of (n, s) in place of it."""
    means = (
        np.broadcast_to(values.mean(axis=-1, keepdims=True), values.shape) for values in (n, s)
    )
    return dict(zip(AVERAGED, ((n, s), tuple(means)), strict=True))


def _key(averaged, where, name):
    return "_".join(part for part in (averaged, where, name) if part)


def _few(drives):
    return np.flatnonzero(np.isin(drives, AFTER_ONSET))


def _adapted(network, preset, drives, offsets):
    """The arrays n and s, (D, K, N), at steps after onset, and h_0 ~ π(ξ), (D, H, N)."""
    n, s, start = [], [], []
    for recording in under_drives(network, preset, drives, ("h", "n", "s"), from_before_onset):
        n.append(recording["n"][:, offsets].mean(axis=0, dtype="float64"))
        s.append(recording["s"][:, offsets].mean(axis=0, dtype="float64"))
        h = recording["h"][:, recording["h"].shape[1] // 2 :]
        start.append(draw_recorded_states(h, preset.exponent_starts, network.seed))
    return np.array(n), np.array(s), np.array(start)


def _own(network, preset):
    """λ₁ of the network's own autonomous map, from states that it visits without a drive, (H,)."""
    dynamics = dynamics_of(network.model)
    signals = ("h", "g") if isinstance(network.cell, ARUCell) else ("h",)
    count = max(preset.exponent_starts // OWN_SHARE, 2)
    (recording,) = under_drives(
        network, preset, (0.0,), signals, lambda timesteps: later_half(timesteps)[-1:], count
    )
    start = np.concatenate([recording[name][:, 0] for name in signals], axis=-1)
    own = lyapunov_exponents(dynamics, start, steps=preset.exponent_steps, seed=network.seed)
    return own.exponents[:, 0]


def _conclude(results, preset):
    names = required(results, DRIVEN)
    own = _own_table(results, names)
    if "arun" not in names:
        return Conclusion((), {}, (own,), OWN_NOTE)
    seeds = results["arun"]
    exponents = {
        (averaged, where): [_rebuilt(arrays, preset, averaged, where) for arrays in seeds]
        for averaged in AVERAGED
        for where in MAPS
    }
    claims = [_claim(text, exponents[averaged, ""]) for averaged, text in AVERAGED.items()]
    figures = {
        _key("adapted-frozen", averaged, where).replace("_", "-"): (
            plots.adapted_and_frozen_exponents(by_seed)
        )
        for (averaged, where), by_seed in exponents.items()
        if not any(_dead(by_seed, name) for name in ("adapted", "frozen"))
    }
    return Conclusion(
        where_adapted(claims, results),
        {**_figures(seeds, preset), **figures},
        (adaptation_table(results), _drive_table(exponents), own),
        f"{_note(preset, seeds[0]['offsets'][-1], results.drawn)} {OWN_NOTE}",
    )


def _rebuilt(arrays, preset, averaged, where):
    adapted, frozen = (
        _exponents(arrays, _key(averaged, where, name), preset) for name in ("adapted", "frozen")
    )
    return AdaptedExponents(arrays["drives"], adapted, frozen)


def _leading(seeds, name):
    """λ₁ over ξ, (seeds, D)."""
    return np.array([getattr(exponents, name).mean[:, 0] for exponents in seeds])


def _dead(seeds, name):
    """The number of initial conditions from which λ₁ = −∞, over seeds and ξ."""
    return sum(np.isinf(getattr(exponents, name).exponents[..., 0]).sum() for exponents in seeds)


def _claim(averaged, seeds):
    driven = seeds[0].drives > 0
    adapted, frozen = (
        np.abs(_leading(seeds, name))[:, driven].mean(axis=1) for name in ("adapted", "frozen")
    )
    text = (
        "λ₁ is nearer to 0 with adapted than with frozen (n, s): |λ₁|, mean over ξ > 0, is larger "
        f"with frozen ({averaged})"
    )
    dead = {name: _dead(seeds, name) for name in ("adapted", "frozen")}
    if any(dead.values()):
        listed = " and ".join(f"{count} {name}" for name, count in dead.items())
        return open_claim(text, len(seeds), f"λ₁ = −∞ from {listed} initial conditions")
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
            _exponents(arrays, f"{averaged}_after_onset", preset) for arrays in seeds
        ]
        for averaged in AVERAGED
    }
    drawn = {
        name: plots.exponents_after_onset(few, first["offsets"], onset)
        for name, onset in onsets.items()
        if all(np.isfinite(exponents.mean[..., 0]).all() for exponents in onset)
    }
    return drawn | {"spectra": plots.exponent_spectra(spectra)}


def _drive_table(exponents):
    columns = {
        f"{name}, {AVERAGED[averaged]}{MAPS[where]}": _leading(by_seed, name)
        for (averaged, where), by_seed in exponents.items()
        for name in ("adapted", "frozen")
    }
    (first, *_) = exponents.values()
    drives = (f"{drive:g}" for drive in first[0].drives)
    entries = (map(_seeds_entry, leading.T) for leading in columns.values())
    return over_seeds(("λ₁ at ξ", *columns), zip(drives, *entries, strict=True))


def _seeds_entry(leading):
    """λ₁ of each seed, or with how many seeds it is −∞."""
    dead = np.isinf(leading).sum()
    return f"−∞ with {dead} of {len(leading)} seeds" if dead else leading


def _own_table(results, names):
    systems = {"arun": "main units and controllers"}
    rows = [
        (NETWORK_LABELS[name], systems.get(name, "main units"), _own_entry(results[name]))
        for name in names
    ]
    return over_seeds(("network on its own", "system", "λ₁"), rows)


def _own_entry(seeds):
    dead = sum(np.count_nonzero(np.isinf(arrays["own"])) for arrays in seeds)
    if dead:
        return f"−∞ from {dead} of {sum(arrays['own'].size for arrays in seeds)} initial conditions"
    return [arrays["own"].mean() for arrays in seeds]


def _note(preset, last, seed):
    return (
        "The exponents are in nats per step (the paper's figures are in bits; 1 nat is 1.44 bits). "
        "They are those of the map h ← γ(W_hh h; n, s) without input, drive and bias. (n, s) is a "
        f"mean over {preset.recorded_images} test images, for each unit, or also over the whole "
        "population, which is what the authors stored. As in the authors' scripts, step 0 is the "
        "last step before the drive. The initial conditions h_0 are "
        f"{preset.exponent_starts} states of the whole network, recorded in the later half of the "
        f"drive; a trajectory has {preset.exponent_steps} steps. Adapted: (n, s) at step {last} "
        f"(step {OFFSETS[-1]} of the paper's {PAPER_TIMESTEPS}). Frozen: (n, s) at the same step "
        f"for ξ = 0. Whole spectra: {seed}, each unit's own (n, s), one initial condition, "
        f"1/{SPECTRUM_SHARE} of the steps. Not in the paper, and without a claim: the exponents "
        "with ξ in the map, h ← γ(W_hh h + ξ; n, s), as for units that are being driven. Figures "
        "with an exponent of −∞ are left out."
    )


EXPERIMENT = Experiment(
    number="17",
    name="lyapunov",
    title="Lyapunov exponents, adapted and frozen",
    paper="Fig 5c–d, App. D",
    expected="With adapted (n, s) the largest exponent is far closer to 0 than with those of "
    "ξ = 0.",
    trainings=lambda preset: DRIVEN,
    measure=_measure,
    conclude=_conclude,
    keeps={"own": Array("starts"), **{k: Array(v, optional=True) for k, v in _KEPT.items()}},
    revision=2,
)
