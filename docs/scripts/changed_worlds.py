"""Trained agents in changed worlds: their return over the amplitude of the change, as a figure.

python compare_agents.py CartPole-v1 --mask-velocities --folder runs/agents
python changed_worlds.py scale 0.25 0.5 1 2 4 --folder runs/agents
"""

import argparse
from pathlib import Path

import numpy as np

from aru_keras import plots
from aru_keras.analysis import estimate
from aru_keras.models import GATED, NETWORKS
from aru_keras.plots.style import NETWORK_LABELS
from aru_keras.runners.control.changed_worlds import CHANGES, changed_returns

LABELS = {
    "drive": "constant drive ξ",
    "noise": "noise on observations, σ",
    "scale": "scale of observations",
    "gravity": "gravity, × trained",
    "length": "pole length, × trained",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("change", choices=CHANGES)
    parser.add_argument("amplitudes", type=float, nargs="+")
    parser.add_argument("--folder", type=Path, default=Path("runs/compare-agents"))
    parser.add_argument("--onset", type=int, default=0)
    parser.add_argument("--episodes", type=int, default=40)
    options = parser.parse_args()
    returns = {}
    for network in NETWORKS:
        runs = sorted(options.folder.glob(f"{network}-*"))
        runs = [run for run in runs if (run / "results.json").exists()]
        if not runs or (options.change == "drive" and network in GATED):
            continue
        found = [
            changed_returns(
                run,
                options.change,
                options.amplitudes,
                episodes=options.episodes,
                onset=options.onset,
            )
            for run in runs
        ]
        returns[network] = np.array(found)
        cells = [_text(estimate(values)) for values in returns[network].T]
        print(f"| {NETWORK_LABELS[network]} | {' | '.join(cells)} |", flush=True)
    figure = plots.return_curves(returns, options.amplitudes, LABELS[options.change])
    for path in plots.save(figure, options.folder / f"changed-{options.change}"):
        print(f"Figure: {path}")


def _text(estimated):
    """A mean over seeds, and half its 95 % interval if there are several."""
    half = estimated.half_width
    return f"{estimated.mean:.0f}" + (f" ± {half:.0f}" if half is not None else "")


if __name__ == "__main__":
    main()
