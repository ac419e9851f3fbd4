"""`aru-keras export`."""

from aru_keras.tasks.origins import SYNTHETIC, checked_name
from aru_keras.tasks.specs import TASKS

HELP = "write a task's data to one .npz, to use without TensorFlow (aru-keras export smnist a.npz)"


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "task",
        help="one of "
        + ", ".join([*TASKS, *SYNTHETIC])
        + "; or, for sequences of your own, the path of an .npz, module:function or "
        "file.py:function",
    )
    parser.add_argument("path", help="the .npz to write")
    parser.add_argument("--data-dir", metavar="DIR", help="folder of TensorFlow Datasets")


def check(options, parser):
    """Check the task."""
    checked_name("task", options.task)


def run(options, checked):
    """Write the file."""
    from aru_keras import tasks

    print(tasks.export(options.task, options.path, data_dir=options.data_dir))
