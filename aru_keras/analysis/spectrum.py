"""Eigenvalues of the recurrent weights (Geadah et al. 2024, Fig 5e)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from aru_keras._util.deprecated import renamed
from aru_keras.analysis._checks import checked_kernel


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of a square matrix.

    Attributes:
        eigenvalues: Complex eigenvalues λ, (N,), in descending order of |λ|.
    """

    eigenvalues: np.ndarray

    @property
    def moduli(self) -> np.ndarray:
        """The moduli |λ|, (N,), in descending order."""
        return np.abs(self.eigenvalues)

    @property
    def radius(self) -> float:
        """The spectral radius, the largest |λ|."""
        return float(self.moduli[0])

    @property
    def excess(self) -> float:
        """The mean of (|λ| − 1)₊, the distance of the spectrum beyond the unit circle."""
        return float(np.maximum(self.moduli - 1, 0).mean())

    @property
    def circle_distance(self) -> float:
        """The mean over eigenvalues of ||λ| − 1|, the distance from the unit circle."""
        return float(np.abs(self.moduli - 1).mean())

    @property
    def farthest_from_circle(self) -> float:
        """The largest ||λ| − 1|."""
        return float(np.abs(self.moduli - 1).max())

    @property
    def outside(self) -> float:
        """The share of eigenvalues with |λ| > 1."""
        return float((self.moduli > 1).mean())


def recurrent_spectrum(recurrent_kernel: ArrayLike) -> Spectrum:
    """The eigenvalues of W_hh. They are the same in both layouts, h·W and W·h.

    Args:
        recurrent_kernel: W_hh, (N, N).

    Raises:
        ValueError: W_hh is not square, or not finite.
    """
    eigenvalues = np.linalg.eigvals(checked_kernel(recurrent_kernel)).astype("complex128")
    return Spectrum(eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")])


__getattr__ = renamed(__name__, {"spectrum": "recurrent_spectrum"})
