"""Grids of perturbations."""

import itertools

import numpy as np

from aru_keras._util.arguments import array


def perturbation_grid(make, **axes):
    """An array of perturbations over the product of the axes."""
    axes = [array(name, values, ("K",)).tolist() for name, values in axes.items()]
    grid = np.empty([len(axis) for axis in axes], dtype=object)
    grid.flat = [make(*values) for values in itertools.product(*axes)]
    return grid
