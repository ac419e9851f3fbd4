"""`aru-keras summary`."""

from aru_keras._util.arguments import one_of, whole
from aru_keras.models.sizes import NETWORKS
from aru_keras.runners.config import preset
from aru_keras.tasks.origins import checked_name
from aru_keras.tasks.specs import TASKS

HELP = "parameter counts of the five networks, and one in full (aru-keras summary psmnist)"


def add_options(parser):
    """Add the options to the command's parser."""
    parser.add_argument(
        "task", nargs="?", default="psmnist", help="task that gives the input and the sizes"
    )
    parser.add_argument("--model", default="arun", help="network to show layer by layer")
    parser.add_argument("--units", type=int, metavar="INT", help="recurrent units of the ARUN")
    parser.add_argument("--controller-units", type=int, metavar="INT", help="controller units")


def check(options, parser):
    """Check the arguments of `models.build_network`, and return the sizes."""
    options.task = checked_name("task", options.task)
    one_of("model", options.model, NETWORKS)
    sizes = {}
    for name in ("units", "controller_units"):
        value = getattr(options, name)
        sizes[name] = preset(options.task)[name] if value is None else whole(name, value, 1)
    return sizes


def run(options, sizes):
    """Print the table, and the layers of one network."""
    from aru_keras import models, tasks

    # For a task of the paper, the images are not needed.
    spec = TASKS.get(options.task) or tasks.load_task(options.task).spec
    arguments = {"classes": spec.outputs, "every_step": spec.every_step, **sizes}
    arguments["encoder"] = "linear" if spec.sequential else "conv"
    shape = spec.input_shape
    print(f"{'network':<8} {'units':>6} {'parameters':>11} {'of the ARUN':>12}")
    for row in models.parameter_table(shape, **arguments):
        print("{network:<8} {units:>6} {parameters:>11,} {ratio:>12.3f}".format(**row))
    models.build_network(options.model, shape, **arguments).summary()
