"""Names for what a public signature takes and returns."""

from typing import TYPE_CHECKING, Any, TypeAlias

Shape: TypeAlias = tuple[int | None, ...]
"""A shape; None is an axis whose size is not known yet."""

if TYPE_CHECKING:
    Tensor: TypeAlias = Any
else:

    class Tensor:
        """A tensor of the backend; where one is taken, an array or a symbolic tensor serves too."""
