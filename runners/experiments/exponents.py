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
    cell,
    later_half,
    required,
    sequence_length,
    under_drives,
)
from aru_keras.runners.experiments.trainings import DRIVEN

OFFSETS = tuple(range(0, 151, 25))
"""Steps after onset whose (n, s) are taken, of the paper's 784; scaled by T/784."""

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
    "after_onset": "few K H 1",
    "adapted": "ξ H 1",
    "frozen": "ξ H 1",
    "driven_adapted": "ξ H 1",
    "driven_frozen": "ξ H 1",
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
    onset = exponents_after_onset(kernel, n[few], s[few], start[few], **options)
    last = (n[:, -1], s[:, -1], start)
    ends = adapted_and_frozen(kernel, drives, *last, **options)
    driven = adapted_and_frozen(kernel, drives, *last, bias=drives[:, None, None, None], **options)
    options |= {"steps": max(preset.exponent_steps // SPECTRUM_SHARE, 1), "count": None}
    single = (n[few, -1:], s[few, -1:], start[few, :1])
    return found | {
        "drives": drives,
        "offsets": offsets,
        "after_onset": onset.exponents,
        "adapted": ends.adapted.exponents,
        "frozen": ends.frozen.exponents,
        "driven_adapted": driven.adapted.exponents,
        "driven_frozen": driven.frozen.exponents,
        "spectra": exponents_after_onset(kernel, *single, **options).exponents[:, 0],
    }


def _offsets(timesteps):
    return np.unique([round(offset * timesteps / PAPER_TIMESTEPS) for offset in OFFSETS])


def _few(drives):
    return np.flatnonzero(np.isin(drives, AFTER_ONSET))


def _adapted(network, preset, drives, offsets):
    """n and s, (D, K, N), at some steps after onset; h_0 ~ π(ξ), (D, H, N)."""
    n, s, start = [], [], []
    for kept in under_drives(network, preset, drives, ("h", "n", "s"), StepDrive().window):
        n.append(kept["n"][:, offsets].mean(axis=0, dtype="float64"))
        s.append(kept["s"][:, offsets].mean(axis=0, dtype="float64"))
        h = kept["h"][:, kept["h"].shape[1] // 2 :]
        start.append(draw_recorded(h, preset.exponent_starts, network.seed))
    return np.array(n), np.array(s), np.array(start)


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
    found, driven = ([_rebuilt(one, preset, prefix) for one in seeds] for prefix in ("", "driven_"))
    return Conclusion(
        (_claim(found),),
        {
            **_figures(seeds, preset),
            "adapted-frozen": plots.adapted_and_frozen(found),
            "driven": plots.adapted_and_frozen(driven),
        },
        (_drive_table(found, driven), own),
        f"{_note(preset, seeds[0]['offsets'][-1], results.seeds[0])} {OWN_NOTE}",
    )


def _rebuilt(arrays, preset, prefix):
    adapted, frozen = (
        LyapunovExponents(arrays[f"{prefix}{name}"], preset.exponent_steps)
        for name in ("adapted", "frozen")
    )
    return AdaptedExponents(arrays["drives"], adapted, frozen)


def _leading(found, name):
    """λ₁ over ξ, (seeds, D)."""
    return np.array([getattr(one, name).mean[:, 0] for one in found])


def _claim(found):
    driven = found[0].drives > 0
    adapted, frozen = (
        np.abs(_leading(found, name))[:, driven].mean(axis=1) for name in ("adapted", "frozen")
    )
    text = "Adapted units are nearer to criticality: |λ₁|, mean over ξ > 0, is larger frozen"
    return larger(text, frozen, adapted)


def _figures(seeds, preset):
    first = seeds[0]
    few = first["drives"][_few(first["drives"])]
    onset = [LyapunovExponents(one["after_onset"], preset.exponent_steps) for one in seeds]
    steps = max(preset.exponent_steps // SPECTRUM_SHARE, 1)
    spectra = {
        float(drive): LyapunovExponents(exponents, steps)
        for drive, exponents in zip(few, first["spectra"], strict=True)
    }
    return {
        "after-onset": plots.exponents_after_onset(few, first["offsets"], onset),
        "spectra": plots.spectra_of_exponents(spectra),
    }


def _drive_table(found, driven):
    columns = {
        f"λ₁ {name}{where}": _leading(maps, name)
        for maps, where in ((found, ""), (driven, ", ξ in the map"))
        for name in ("adapted", "frozen")
    }
    rows = [
        (f"{drive:g}", *(cell(one[:, place]) for one in columns.values()))
        for place, drive in enumerate(found[0].drives)
    ]
    return Table(("ξ", *columns), tuple(rows))


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
        "Exponents in nats per step, of h ← γ(W_hh h; n, s) without input, drive and bias. (n, s) "
        f"of each unit is the mean over {preset.recorded_images} test images at a step after "
        "onset (onset: the first driven step); h_0 are whole states recorded in the later half of "
        f"the drive; {preset.exponent_starts} of them, {preset.exponent_steps} steps. Adapted: "
        f"(n, s) {last} steps after onset ({OFFSETS[-1]} of the paper's {PAPER_TIMESTEPS}); "
        f"frozen: the same at ξ = 0. Whole spectra: seed {seed}, one initial condition, a "
        f"{SPECTRUM_SHARE}th of the steps. Not in the paper, and without a claim: the same with ξ "
        "in the map, h ← γ(W_hh h + ξ; n, s), as the units have it while they are driven."
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
    ),
)
