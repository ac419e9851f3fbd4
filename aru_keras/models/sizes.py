"""The parameter counts of the paper's networks, and the numbers of units that give such a count."""

import bisect
import math
import os
from pathlib import Path

from aru_keras._util.arguments import LARGEST_SIZE, finite, flag, one_of, whole

NETWORKS = {
    "arun": "adaptive recurrent units: a controller sets n and s at every step",
    "gamma": "RNN+γ: n and s constant in time, shared or per unit, fixed or trained",
    "relu": "simple recurrent network with ReLU",
    "lstm": "LSTM",
    "gru": "GRU",
}
GATED = ("lstm", "gru")
UNITS = 400
CONTROLLER_UNITS = 50
COUNT_TOLERANCE = 0.02
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
LARGEST_COUNT = 2**63 - 1
"""The most parameters that can be asked for: tensors count their elements in 64 bits."""


def recurrent_parameters(
    name: str,
    units: int,
    features: int,
    classes: int,
    controller_units: int = CONTROLLER_UNITS,
    *,
    shared: bool = False,
    fixed: bool = False,
) -> int:
    """Count the trainable parameters of a network's recurrent layer and read-out.

    The encoder is not counted: it is the same in every network.

    Args:
        name: Name in `models.NETWORKS`.
        units: Number of recurrent units N.
        features: Number of input features I; 256 behind the convolutional encoder.
        classes: Number of classes.
        controller_units: Number of controller units G of an ARUN.
        shared: Whether all units of `gamma` share one n and s.
        fixed: Whether n and s of `gamma` do not train.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> recurrent_parameters("arun", 400, features=1, classes=10, controller_units=50)
        167512
    """
    one_of("name", name, NETWORKS)
    units = whole("units", units, 1)
    controller_units = whole("controller_units", controller_units, 1)
    features = whole("features", features, 1, most=LARGEST_SIZE)
    classes = whole("classes", classes, 1, most=LARGEST_SIZE)
    shared, fixed = flag("shared", shared), flag("fixed", fixed)
    simple = units * features + units * units + units
    gamma = 0 if fixed else 2 if shared else 2 * units
    controller = controller_units**2 + 4 * controller_units + 2
    layer = {
        "arun": simple + controller,
        "gamma": simple + gamma,
        "relu": simple,
        "lstm": 4 * simple,
        "gru": 3 * (simple + units),
    }[name]
    return layer + (units + 1) * classes


def matched_units(
    name: str,
    count: int,
    features: int,
    classes: int,
    *,
    shared: bool = False,
    fixed: bool = False,
    tolerance: float = COUNT_TOLERANCE,
) -> int:
    """Find the number of units with which a network comes nearest to a parameter count.

    Args:
        name: Name in `models.NETWORKS`.
        count: Number of trainable parameters of the recurrent layer and the read-out together.
        features: Number of input features I.
        classes: Number of classes.
        shared: Whether all units of `gamma` share one n and s.
        fixed: Whether n and s of `gamma` do not train.
        tolerance: Largest deviation from `count`, as a fraction of it.

    Raises:
        ValueError: If the nearest count deviates by more, which happens below some 25 units with
            2 %, or an argument is out of its range.
    """
    if whole("count", count, 1) > LARGEST_COUNT:
        raise ValueError(f"`count` must be at most {LARGEST_COUNT}. Received: {count}.")
    if not (isinstance(tolerance, float) and tolerance == math.inf):
        tolerance = finite("tolerance", tolerance, 0)

    def size(units):
        return recurrent_parameters(name, units, features, classes, shared=shared, fixed=fixed)

    # The count grows with the units, by more than one each.
    above = 1 + bisect.bisect_left(range(1, count + 1), count, key=size)
    units = min((max(above - 1, 1), above), key=lambda n: abs(size(n) - count))
    if abs(size(units) - count) > tolerance * count:
        raise ValueError(
            f"No number of {name} units has {count} parameters within "
            f"{tolerance:.0%}; the nearest, {units} units, has {size(units)}. Choose other "
            f"`units` for the network to match, or match_parameters=False "
            f"(--no-match-parameters) with units={units}."
        )
    return units


TRAINING_COPIES = 4
"""Numbers that training holds for each weight: itself, its gradient, and the two means of Adam."""


def check_memory(name: str, count: int, units: int, copies: int = 1) -> None:
    """Refuse weights that cannot be held, before the machine runs out of memory over them.

    Args:
        name: Name of the network.
        count: Number of weights.
        units: Number of recurrent units that brings them.
        copies: How many float32 numbers are held for each weight.

    Raises:
        ValueError: They take more than the memory that this process can have.
    """
    needed, available = 4 * copies * count / 2**30, _memory() / 2**30
    if needed > available:
        trained = f" ({copies} numbers for each while it trains)" if copies > 1 else ""
        raise ValueError(
            f"`units` must give a network that fits into memory. Received: {units} units of "
            f"{name}, whose {count:,} weights take {needed:,.0f} GiB{trained}; this machine has "
            f"{available:,.0f}. Choose fewer units."
        )


def _memory():
    """Bytes of memory that this process can have; infinite where the system does not say."""
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        machine = math.inf
    return min(machine, _container_memory())


def _container_memory():
    """The limit that a container sets; infinite without one."""
    try:
        return int(CONTAINER_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):  # "max" stands for none.
        return math.inf
