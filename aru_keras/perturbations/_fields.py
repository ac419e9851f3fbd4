"""Fields of the dataclasses that are perturbations."""

from dataclasses import field
from typing import Any


def kind_field(kind: str) -> Any:
    """The field `kind` of a dataclass, which nobody sets and which comparisons leave out."""
    return field(default=kind, init=False, repr=False, compare=False)


def set_value(perturbation: object, name: str, value: object) -> None:
    """Set a checked value while a frozen perturbation is being made."""
    object.__setattr__(perturbation, name, value)
