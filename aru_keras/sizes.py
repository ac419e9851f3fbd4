"""How many weights the paper's networks have, and the units that a number of weights takes."""

import bisect
import math
import os

from aru_keras.arguments import LARGEST_SIZE, finite, flag, one_of, whole

NETWORKS = {
    "arun": "adaptive recurrent units: a controller sets n and s at every step",
    "gamma": "RNN+γ: n and s constant in time, shared or per unit, fixed or trained",
    "relu": "simple recurrent network with ReLU",
    "lstm": "LSTM",
    "gru": "GRU",
}
CONTROLLER_UNITS = 50
COUNT_TOLERANCE = 0.02
LARGEST_COUNT = 2**63 - 1
"""Of parameters, as tensors count their elements."""


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
    """Trainable weights of a network's recurrent layer and read-out (every encoder is the same).

    Args:
        name: One of `models.NETWORKS`.
        units: Number of recurrent units N.
        features: Number of input features I; 256 after the convolutional encoder.
        classes: Number of classes.
        controller_units: Number of controller units G of an ARUN.
        shared: As in `models.build_network`.
        fixed: As in `models.build_network`.

    Raises:
        ValueError: An argument is out of its range.
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
    """The number of units with which network `name` has nearest to `count` parameters.

    Args:
        name: One of `models.NETWORKS`.
        count: Trainable weights of the recurrent layer and the read-out together.
        features: Number of input features I.
        classes: Number of classes.
        shared: As in `models.build_network`.
        fixed: As in `models.build_network`.
        tolerance: How far from `count` it may be, as a part of it.

    Raises:
        ValueError: If the nearest is further off, as happens below some 25 units with 2 %, or an
            argument is out of its range.
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


def check_memory(name: str, count: int, units: int) -> None:
    """Refuse weights that cannot be made, before the machine runs out of memory over them.

    Args:
        name: Of the network.
        count: Number of weights.
        units: Number of recurrent units that brings them.

    Raises:
        ValueError: They take more than the memory of this machine.
    """
    needed, there = 4 * count / 2**30, _memory() / 2**30
    if needed > there:
        raise ValueError(
            f"`units` must give a network that fits into memory. Received: {units} units of "
            f"{name}, whose {count:,} weights take {needed:,.0f} GiB; this machine has "
            f"{there:,.0f}. Choose fewer units."
        )


def _memory():
    """Bytes of memory of this machine; infinite where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return math.inf
