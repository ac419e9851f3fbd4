"""Fields of the dataclasses that are perturbations, and their text."""

from dataclasses import field, fields
from typing import Any


def kind_field(kind: str) -> Any:
    """The field `kind` of a dataclass, which nobody sets and which comparisons leave out."""
    return field(default=kind, init=False, repr=False, compare=False)


def set_value(perturbation: object, name: str, value: object) -> None:
    """Set a checked value while a frozen perturbation is being made."""
    object.__setattr__(perturbation, name, value)


def as_text(component: Any) -> str:
    """A perturbation that is no composition as text, which `parse` reads."""
    first, *others = [item for item in fields(component) if item.init]
    texts = [_value_text(getattr(component, first.name))]
    for item in others:
        value = getattr(component, item.name)
        if value != item.default:
            write = component.writers.get(item.name, _value_text)
            texts.append(f"{item.name}={write(value)}")
    return f"{component.kind}:{','.join(texts)}"


def _value_text(value: Any) -> str:
    if isinstance(value, tuple):
        if any(isinstance(number, tuple) for number in value):
            raise ValueError(
                "`values` of a Waveform must be the same for all units to be written as text. "
                "Received: a column for each unit. Use `to_config`, or a .npy file."
            )
        return " ".join(_value_text(number) for number in value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
