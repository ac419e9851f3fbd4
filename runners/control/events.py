"""TensorBoard events of an agent's training, where TensorFlow is installed."""

import importlib.util
import os

from aru_keras._util.tensorflow import tensorflow


class Events:
    """Writes the numbers of every checkpoint, by the environment steps so far.

    Args:
        folder: Where the events go.
    """

    def __init__(self, folder: str | os.PathLike):
        self.writer = None
        if importlib.util.find_spec("tensorflow"):
            tf = tensorflow()
            self.summary = tf.summary
            self.writer = tf.summary.create_file_writer(str(folder))

    def write(self, row: dict[str, float]) -> None:
        """Write a row of the history."""
        if self.writer is None:
            return
        with self.writer.as_default(step=int(row["environment_steps"])):
            for name, value in row.items():
                self.summary.scalar(name, float(value))
        self.writer.flush()
