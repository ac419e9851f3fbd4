"""Put a finished run into the package as a pretrained network, with its model card.

    python docs/scripts/ship_pretrained.py RUN NAME "aru-keras train digits --model gamma"

It copies the run without the state of its optimizer, measures the accuracy on the test images under
perturbations, and adds the network with the SHA-256 of its files to the list
`aru_keras/models/pretrained_runs/index.json`.
"""

import hashlib
import json
import math
import shutil
import sys

from aru_keras import models
from aru_keras._util.files import replacing, write_json
from aru_keras.analysis import Evaluator, contrasts, score_grid, step_drives
from aru_keras.analysis.robustness import CONTRAST_AMPLITUDES, STEP_AMPLITUDES
from aru_keras.models.pretrained import CARD_FILE, INDEX_FILE, RUNS
from aru_keras.runners.experiments.trained_run import TrainedRun
from aru_keras.runners.run_folder import RunFolder

LICENCES = {
    "digits": "CC BY 4.0 (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository)",
    "psmnist": "CC BY-SA 3.0 (Y. LeCun and C. Cortes, MNIST)",
}
IMAGES = 1000
"""The number of test images, at most, on which perturbations are measured."""

FILES = ("config.json", "history.csv", "permutation.npy")


def ship(run, name, command):
    """Copy a run into the package, and list it."""
    network = TrainedRun(name, 0, RunFolder(run))
    network.check()
    folder = RUNS / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        shutil.copyfile(network.folder.path / file, folder / file)
    write_json(folder / "results.json", {**network.results, "run_dir": f"pretrained:{name}"})
    # A clone would keep the optimizer, whose state is twice as large as the weights.
    model = type(network.model).from_config(network.model.get_config())
    model.set_weights(network.model.get_weights())
    with replacing(folder / "model.keras") as temporary:
        model.save(temporary)
    evaluate = Evaluator(model, network.task, limit=IMAGES)
    curves = robustness(evaluate, network.config.model)
    write_json(folder / CARD_FILE, {"images": evaluate().n, "robustness": curves})
    index = RUNS / INDEX_FILE
    listed = json.loads(index.read_text(encoding="utf-8")) if index.exists() else {}
    listed[name] = entry(network, command, folder)
    write_json(index, listed)
    print(name, json.dumps(listed[name], indent=2))


def robustness(evaluate, network):
    """Accuracy over the amplitude of the perturbations that the network takes."""
    grids = {"contrast": (CONTRAST_AMPLITUDES, contrasts())}
    if network not in models.GATED:
        grids = {"step": (STEP_AMPLITUDES, step_drives()), **grids}
    return {
        kind: {
            "amplitudes": list(amplitudes),
            "accuracy": score_grid(evaluate, grid).accuracy.round(4).tolist(),
        }
        for kind, (amplitudes, grid) in grids.items()
    }


def entry(network, command, folder):
    """The network in the list."""
    config, results, task = network.config, network.results, network.task
    accuracy, images = round(results["test_accuracy"], 6), task.sizes["test"]
    return {
        "task": config.task,
        "downsample": config.downsample,
        "timesteps": task.timesteps,
        "network": config.model,
        "units": results["units"],
        "controller_units": config.controller_units if config.model == "arun" else None,
        "parameters": results["parameters"],
        "test_accuracy": accuracy,
        "interval": wilson(accuracy, images),
        "test_images": images,
        "seed": config.seed,
        "epochs": results["epochs"],
        "command": command,
        "data_licence": LICENCES[config.task],
        "files": {file.name: digest(file) for file in sorted(folder.iterdir())},
    }


def wilson(share, count, z=1.96):
    """Wilson's 95 % interval of a share of `count` images."""
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    return [round(centre - half, 4), round(centre + half, 4)]


def digest(file):
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


if __name__ == "__main__":
    ship(*sys.argv[1:])
