"""Runs on sequences of one's own, and of agents, without their training."""

from aru_keras import models, tasks
from aru_keras._util.files import write_json
from aru_keras.runners import control
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig


def untrained_run(path, task):
    """The folder of a finished run, whose network was not trained."""
    folder = RunFolder(path / "run")
    folder.path.mkdir()
    file = tasks.export(task, path / "own")
    config = TrainConfig(file, "arun", units=6, controller_units=2)
    model = models.network_for(task, "arun", units=6, controller_units=2)
    folder.create(config, None)
    model.save(folder.model)
    score = "accuracy" if task.classes else "r2"
    results = {f"test_{score}": 0.5, f"validation_{score}": 0.5, "test_loss": 1.0}
    results |= {"run_dir": str(folder.path), "task": "own", "model": "arun", "best_epoch": 1}
    results |= {"epochs": 1, "parameters": models.trainable_parameters(model), "units": 6}
    results |= {"permutation": "none", "train_seconds": 1.0, "test_seconds": 1.0}
    write_json(folder.results, {**results, "peak_memory_mb": None, "versions": {}})
    return folder.path


def untrained_agent(path, environment, model="arun", **options):
    """The folder of an agent's run, whose network was not trained."""
    sizes = {"units": 6, "controller_units": 2}
    config = control.ControlConfig(f"gym:{environment}", model, **sizes, **options)
    folder = control.AgentFolder(path)
    folder.path.mkdir()
    write_json(folder.config, config.to_dict())
    world = control.make_world(environment, 1)
    control.build_agent(model, world.features, world.actions, **sizes).save(folder.model)
    world.env.close()
    return folder.path
