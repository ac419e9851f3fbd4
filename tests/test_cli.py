"""The command line: one line and exit code 2 for bad input, one source for every default."""

import dataclasses
import json

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.runners import cli
from aru_keras.runners.config import PAPER, PRESETS, TrainConfig

LONG = "x" * 1000
SMALL = ["--units", "5", "--controller-units", "3", "--epochs", "1", "--limit", "20"]


def run(capsys, *arguments):
    """Exit code, output and error output of a command."""
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    output = capsys.readouterr()
    return code, output.out, output.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "Did you mean train?"),
        (["train"], "`task` is missing. Name a task"),
        (["train", "digit"], "Did you mean 'digits'?"),
        (["train", "digits", "--model", "aru"], "Did you mean 'arun'?"),
        (["train", "digits", "--units", "many"], "--units"),
        (["train", "digits", "--units", "0"], "`units` must be a whole number of at least 1"),
        (["train", "digits", "--learning-rate", "nan"], "`learning_rate` must be a finite number"),
        (["train", "digits", "--schedule", "cosin"], "Did you mean 'cosine'?"),
        (["train", "digits", "--learner", "agnet"], "Did you mean 'agent'?"),
        (["train", "digits", "--learner", "agent", "--model", "gru"], "arun, gamma and relu"),
        (["train", "digits", "--shared"], "belong to model gamma"),
        (["train", "digits", "--no-such-option"], "--no-such-option"),
        (
            ["train", "digits", "--unit", "3"],
            "unrecognized arguments: --unit 3. Did you mean --units?",
        ),
        (["probe", "there", "--ind=3"], "unrecognized arguments: --ind=3"),
        (["sweep", "digits", "--learn", "fit"], "unrecognized arguments: --learn"),
        (["train", "digits", "--class-weights", "1,2"], 'must be "balanced", or 10 numbers'),
        (["train", "digits", "--resume", "there"], "--resume takes the options of the run"),
        (["train", "--resume", "nowhere"], "holds no run"),
        (["train", "--config", "nowhere.json"], "`config` must be the config.json of a run"),
        (["train", "digits", "--downsample", "3"], "downsample"),
        (["train", "psmnist", "--source", "nowhere.npz"], "nowhere.npz"),
        (["compare", "nowhere"], "no finished run among nowhere"),
        (["train", "--resume", __file__], "holds no run"),
        (["train", "--resume", LONG], "`run_dir` must be a path"),
        (["train", "digits", "--run-dir", LONG], "`run_dir` must be a path"),
        (["train", "digits", "--start", LONG], "`run_dir` must be a path"),
        (["compare", LONG], "1000 characters"),
        (["train", "digits", "--batch-size", "9" * 21], "`batch_size` must be a whole number"),
        (["train", "digits", "--seed", "9" * 10], "from 0 to 4294967295"),
        (["train", "digits", "--drop-remainder", "--batch-size", "2000"], "at most 180"),
        (["summary", "psmnits"], "Did you mean 'psmnist'?"),
        (["summary", "digits", "--units", "0"], "`units` must be a whole number of at least 1"),
        (["export", "psmnits", "there.npz"], "Did you mean 'psmnist'?"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_two(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1
    assert not out
    assert not list(tmp_path.iterdir())


def test_train_prints_accuracy_and_folder(capsys, tmp_path):
    folder = tmp_path / "run"
    code, out, _ = run(capsys, "train", "digits", *SMALL, "--run-dir", folder)
    results = json.loads((folder / "results.json").read_text())
    assert code == 0
    assert f"Test accuracy {results['test_accuracy']:.4f}" in out
    assert out.rstrip().splitlines()[-1].endswith(str(folder / "reading.png"))
    assert "gain $n_t$" in (folder / "reading.csv").read_text(encoding="utf-8")
    assert f"Run folder: {folder}" in out


def test_a_configuration_file_gives_the_options_and_the_command_line_wins(capsys, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(capsys, "train", "digits", *SMALL, "--seed", "3", "--run-dir", first)[0] == 0
    config = first / "config.json"
    code, *_ = run(capsys, "train", "--config", config, "--units", "6", "--run-dir", second)
    assert code == 0
    saved = TrainConfig.from_file(second / "config.json")
    assert (saved.seed, saved.controller_units, saved.limit) == (3, 3, 20)
    assert saved.units == 6


def test_the_default_run_folder_is_new_each_time(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        assert run(capsys, "train", "digits", "--model", "relu", *SMALL)[0] == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_help_shows_every_field_with_its_text_and_default(capsys):
    code, out, _ = run(capsys, "train", "--help")
    shown = " ".join(out.split())
    assert code == 0
    for item in dataclasses.fields(TrainConfig):
        flag = item.name if item.name == "task" else "--" + item.name.replace("_", "-")
        assert flag in out
        assert " ".join((item.metadata["help"] % ()).split()) in shown
    presets = "; ".join(f"{name}: {values['units']}" for name, values in PRESETS.items())
    assert "(default: off; digits: 1.0; arrays: 1.0)" in shown  # The norm of a gradient.
    assert f"(default: {PAPER['units']}; {presets})" in shown and "digits: 128" in presets


def test_saved_configuration_holds_every_field_resolved(tmp_path):
    config = TrainConfig("psmnist")
    assert {name: getattr(config, name) for name in PAPER} == PAPER
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config.to_dict()))
    assert TrainConfig.from_file(path) == config


def test_overview_names_every_command(capsys):
    code, out, _ = run(capsys)
    assert code == 0
    assert all(name in out for name in cli.NAMES)


def test_summary_prints_the_parameter_table(capsys):
    code, out, _ = run(capsys, "summary", "psmnist")
    assert code == 0
    assert "167,512" in out and "165,610" in out and "164,810" in out
    assert "recurrent" in out


def test_export_writes_what_train_reads(capsys, tmp_path):
    path = tmp_path / "digits.npz"
    assert run(capsys, "export", "digits", path)[0] == 0
    for split in ("train", "test"):
        for a, b in zip(
            tasks.load_task("digits", source=path).arrays(split),
            tasks.load_task("digits").arrays(split),
            strict=True,
        ):
            np.testing.assert_array_equal(a, b)
    folder = tmp_path / "run"
    code, *_ = run(capsys, "train", "digits", "--source", path, *SMALL, "--run-dir", folder)
    assert code == 0


def test_compare_prints_a_table_of_runs_best_first(capsys, tmp_path):
    folders = []
    for accuracy, memory in ((0.25, 100.2), (0.75, None)):
        folder = tmp_path / str(accuracy)
        folder.mkdir()
        results = {"model": "arun", "units": 5, "parameters": 1234, "epochs": 2}
        results |= {"test_accuracy": accuracy, "train_seconds": 61.4, "peak_memory_mb": memory}
        results |= {"task": "digits", "test_loss": 2.0, "validation_accuracy": 0.5}
        results |= {"run_dir": str(folder), "best_epoch": 1, "test_seconds": 1.0}
        results |= {"permutation": "none", "versions": {}}
        (folder / "results.json").write_text(json.dumps(results))
        folders.append(folder)
    code, out, _ = run(capsys, "compare", *folders)
    assert code == 0
    rows = out.strip().splitlines()[2:]
    assert rows == [
        f"| {a} | digits | arun | 5 | 1,234 | 2 | {a:.4f} | 61 | {m} |"
        for a, m in ((0.75, "–"), (0.25, 100))
    ]
    assert run(capsys, "compare", tmp_path / "0.*") == (0, out, "")
    assert run(capsys, "compare", *folders, f"{folders[0]}/", tmp_path / "0.*") == (0, out, "")
    code, again, err = run(capsys, "compare", *folders, tmp_path)
    assert (code, again) == (0, out)
    assert "holds no finished run: left out" in err


def test_compare_ranks_runs_of_a_task_among_themselves(capsys):
    names = ["gru-digits", "gru-psmnist14", "arun-digits", "arun-psmnist14"]
    code, out, _ = run(capsys, "compare", *(f"pretrained:{name}" for name in names))
    rows = [[entry.strip() for entry in row.split("|")] for row in out.splitlines()[2:]]
    assert code == 0 and [row[2] for row in rows] == ["digits"] * 2 + ["psmnist"] * 2
    for first, second in (rows[:2], rows[2:]):
        assert float(first[7]) >= float(second[7])


def test_compare_names_runs_of_one_name_by_their_paths_and_a_sweep_by_its_runs(capsys, tmp_path):
    for number, sweep in enumerate(("a", "b")):
        (tmp_path / sweep / "runs/one").mkdir(parents=True)
        results = {"model": "arun", "units": 5, "parameters": 1234, "epochs": 2}
        results |= {"test_accuracy": 0.5 - number / 4, "train_seconds": 1, "peak_memory_mb": None}
        results |= {"task": "digits", "test_loss": 2.0, "validation_accuracy": 0.5}
        results |= {"run_dir": "one", "best_epoch": 1, "test_seconds": 1.0}
        results |= {"permutation": "none", "versions": {}}
        (tmp_path / sweep / "runs/one/results.json").write_text(json.dumps(results))
    paths = [tmp_path / "a/runs/one", tmp_path / "b/runs/one"]
    _, out, err = run(capsys, "compare", *paths, tmp_path / "a")
    assert [row.split(" | ")[0] for row in out.splitlines()[2:]] == [f"| {path}" for path in paths]
    assert f"Name them, as in {tmp_path / 'a/runs/*'}" in err


def test_a_start_that_is_no_run_is_named(capsys, tmp_path):
    arguments = ["train", "digits", *SMALL, "--start", tmp_path / "no", "--run-dir", tmp_path / "r"]
    code, _, err = run(capsys, *arguments)
    assert code == 2 and "`start` must be the folder of a run" in err


def test_compare_has_a_table_for_agents(capsys, tmp_path):
    folders = []
    for name, value in (("worse", 9.0), ("better", 31.25)):
        folder = tmp_path / name
        folder.mkdir()
        config = {"task": "gym:CartPole-v1", "model": "gru"}
        results = config | {"units": 64, "parameters": 13635, "mean_return": value}
        results |= {"environment_steps": 99328, "train_seconds": 9.6}
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "results.json").write_text(json.dumps(results))
        folders.append(folder)
    code, out, err = run(capsys, "compare", *folders, "pretrained:gru-digits")
    assert (code, err) == (0, "")
    of_tasks, of_agents = out.strip().split("\n\n")
    assert "| gru-digits | digits | gru |" in of_tasks
    assert of_agents.splitlines()[2:] == [
        f"| {name} | gym:CartPole-v1 | gru | 64 | 13,635 | 99,328 | {value} | 10 |"
        for name, value in (("better", "31.2"), ("worse", "9.0"))
    ]


NO_CONFIGURATIONS = [
    ("[1]", "config"),
    ("{", "config"),
    ("[" * 100_000, "config"),
    ('{"task": "digits", "unitz": 3}', "config"),
    ('{"task": "digits", "source": 5}', "`source` must be text"),
    ('{"task": "digits", "shared": "no"}', "`shared` must be True or False"),
    ('{"task": "digits", "learning_rate": 1' + "0" * 400 + "}", "`learning_rate` must be a finite"),
]


@pytest.mark.parametrize(("text", "words"), NO_CONFIGURATIONS, ids=range(len(NO_CONFIGURATIONS)))
def test_a_configuration_that_is_none_is_refused(text, words, capsys, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(text)
    code, _, err = run(capsys, "train", "--config", path)
    assert code == 2
    assert words in err and len(err.strip().splitlines()) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["config.json"]


def test_no_clipping_and_no_decay_are_zero():
    config = TrainConfig("digits", clip_norm=0, weight_decay=0.0)
    assert (config.clip_norm, config.weight_decay) == (0, 0.0)
    with pytest.raises(ValueError, match="`clip_norm` must be a finite number of at least 0"):
        TrainConfig("digits", clip_norm=-1.0)


@pytest.mark.parametrize(
    ("module", "package"),
    [("scipy.absent", "scipy"), ("PIL", "pillow"), ("tensorflow_datasets", "tensorflow-datasets")],
)
def test_a_package_that_is_missing_is_named(module, package, capsys, monkeypatch):
    def run_without_it(options, checked):
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr("aru_keras.runners.commands.summary.run", run_without_it)
    code, out, err = run(capsys, "summary")
    assert (code, out) == (2, "")
    assert f"aru-keras summary needs the package {package}, which is not installed" in err
    assert err.endswith(f"Install it with pip install {package}\n")


def test_benchmark_of_the_environments_prints_a_table(capsys):
    sizes = ["--units", "5", "--controller-units", "3", "--lanes", "1", "4", "--rounds", "1"]
    code, out, _ = run(capsys, "benchmark", "environments", *sizes)
    assert code == 0
    rows = [row for row in out.splitlines() if row.startswith("| tensorflow") or "| 5 | 3 |" in row]
    assert len(rows) == 2 and all(float(row.split("|")[-2]) > 0 for row in rows)
    code, _, err = run(capsys, "benchmark", "environments", "--backends", "tensorflo")
    assert code == 2 and "Did you mean 'tensorflow'" in err
    code, _, err = run(capsys, "benchmark", "environment")
    assert code == 2 and "Did you mean 'environments'" in err
