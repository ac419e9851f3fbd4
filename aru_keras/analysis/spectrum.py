"""Eigenvalues of the recurrent weights, and how far they leave the unit circle (Geadah et al. 2024,
Fig 5e)."""

from dataclasses import dataclass

import numpy as np

from aru_keras.analysis.dynamics import checked_kernel


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues of a square matrix.

    Attributes:
        eigenvalues: Complex, (N,), the largest moduli first.
    """

    eigenvalues: np.ndarray

    @property
    def moduli(self) -> np.ndarray:
        """|λ|, (N,), in falling order."""
        return np.abs(self.eigenvalues)

    @property
    def radius(self) -> float:
        """The spectral radius, the largest |λ|."""
        return float(self.moduli[0])

    @property
    def excess(self) -> float:
        """How far the spectrum reaches beyond the unit circle: the mean of (|λ| − 1)₊."""
        return float(np.maximum(self.moduli - 1, 0).mean())

    @property
    def circle_distance(self) -> float:
        """The mean over eigenvalues of ||λ| − 1|."""
        return float(np.abs(self.moduli - 1).mean())

    @property
    def farthest_from_circle(self) -> float:
        """The largest ||λ| − 1|."""
        return float(np.abs(self.moduli - 1).max())

    @property
    def outside(self) -> float:
        """The share of eigenvalues with |λ| > 1."""
        return float((self.moduli > 1).mean())


def spectrum(recurrent_kernel) -> Spectrum:
    """The eigenvalues of W_hh; the layout, h·W or W·h, makes no difference.

    Args:
        recurrent_kernel: (N, N).

    Raises:
        ValueError: it is not square, or not finite.
    """
    eigenvalues = np.linalg.eigvals(checked_kernel(recurrent_kernel)).astype("complex128")
    return Spectrum(eigenvalues[np.argsort(-np.abs(eigenvalues), kind="stable")])
