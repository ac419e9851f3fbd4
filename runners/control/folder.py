"""The folder of an agent's run: a `RunFolder` whose epochs are stretches between checkpoints."""

from aru_keras._util import checked_files
from aru_keras._util.files import write_json
from aru_keras.runners.control.config import ControlConfig
from aru_keras.runners.run_folder import RunError, RunFolder

MOMENTS = ("return_count", "return_mean", "return_squares")
"""Columns of the history from which the scale of the rewards goes on."""

NEEDED = ("epoch", "seconds", "environment_steps", "mean_return", *MOMENTS)
_NUMBER = checked_files.number()
_ROW = checked_files.record(dict.fromkeys(NEEDED, _NUMBER), others=_NUMBER)
_RESULTS = {
    **dict.fromkeys(("task", "model"), checked_files.text),
    **dict.fromkeys(
        ("mean_return", "units", "parameters", "environment_steps", "train_seconds"), _NUMBER
    ),
}


class AgentFolder(RunFolder):
    """Reads and writes the files of an agent's run.

    `model.keras` is the network after the last checkpoint.

    Args:
        path: The folder, which need not exist.
    """

    schema = staticmethod(
        checked_files.record(
            {"checkpoint": checked_files.text, "history": checked_files.rows(_ROW, least=1)}
        )
    )
    scores = frozenset({"mean_return"})

    def begin(self, config: ControlConfig) -> None:
        """Write what a run begins with.

        Raises:
            RunError: If a run with something to lose is in the folder already.
        """
        self.check_free()
        self.config.unlink(missing_ok=True)
        self.checkpoint.mkdir(exist_ok=True)
        write_json(self.config, config.to_dict())

    def load_agent_config(self) -> ControlConfig:
        """The configuration of the run in this folder.

        Raises:
            RunError: If there is none, or it is not that of an agent.
        """
        if not self.config.exists():
            raise RunError(
                f"{self.path} holds no run: there is no config.json in it. Start one with "
                f"aru-keras train gym:ID --run-dir {self.path}."
            )
        return ControlConfig.from_file(self.config)

    def load_results(self) -> dict:
        return checked_files.read_json(
            self.results,
            checked_files.record(_RESULTS),
            holds="the results of a run",
            way_out=f"Remove it, and make it anew with aru-keras train --resume {self.path}.",
            error=RunError,
        )
