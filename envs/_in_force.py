"""What is in force in the vector form of a sequence environment, seen from its scalar form."""

from typing import Any

from aru_keras.perturbations import Perturbation


class InForce:
    """Properties that cannot be set, with the values of `vector_env`."""

    vector_env: Any

    @property
    def perturbation(self) -> Perturbation:
        """The perturbation in force."""
        return self.vector_env.perturbation

    @property
    def units(self) -> int | None:
        """The number of units N of a drive that differs between them, as far as it is known."""
        return self.vector_env.units

    @property
    def split(self) -> str:
        """The name of the split."""
        return self.vector_env.split
