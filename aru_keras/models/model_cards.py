"""Model cards of the pretrained networks, written from the files that come with the package."""

import json
from collections.abc import Sequence

from aru_keras.models.pretrained import CARD_FILE, PRETRAINED, pretrained_folder

_PURPOSES = {
    "arun": "to see units adapt while they read, and to compare it with networks that do not",
    "gamma": "to compare an ARUN with: n and s are trained for each unit, and constant in time",
    "relu": "to compare the others with: a plain recurrent network without n and s",
    "lstm": "to compare accuracy and contrast with; its gates have no n and s, and take no drive",
    "gru": "to compare accuracy and contrast with; its gates have no n and s, and take no drive",
}


def model_card(name: str) -> str:
    """The model card of a pretrained network, as Markdown.

    It says on which data and how the network was trained, its test accuracy with the 95 % interval
    over test images, its accuracy under perturbations, and what it is not good for.

    Args:
        name: The name of the network, one of `PRETRAINED`.

    Raises:
        ValueError: If there is no such network, or one of its files was changed.
    """
    folder = pretrained_folder(name)
    entry = PRETRAINED[name]
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    low, high = entry.interval
    facts = {
        "network": _network(entry),
        "task": _task(entry),
        "trained by": f"`{entry.command}`",
        "epochs, seed": f"{entry.epochs}, {entry.seed}",
        "test accuracy": f"{entry.test_accuracy:.2%} of {entry.test_images:,} images "
        f"(95 % interval over images: {low:.1%} to {high:.1%}; one seed)",
        "good for": _PURPOSES[entry.network] + ".",
        "not good for": "reading handwriting in earnest: it knows images of this data set alone, "
        "in this order of pixels. One seed says nothing about how networks of this kind compare.",
        "licence of the data": entry.data_licence,
    }
    lines = ["| | |", "|---|---|", *(f"| {fact} | {value} |" for fact, value in facts.items())]
    tables = [_curve(*curve) for curve in card["robustness"].items()]
    perturbed = f"Under perturbations, of the first {card['images']:,} test images:"
    return "\n\n".join(["\n".join(lines), perturbed, *tables])


def _task(entry):
    side = entry.downsample
    averaged = f", of images averaged over {side}×{side} pixels" if side > 1 else ""
    return f"`{entry.task}`, T = {entry.timesteps} steps{averaged}"


def _network(entry):
    controller = f", G = {entry.controller_units}" if entry.network == "arun" else ""
    return f"{entry.network}, N = {entry.units}{controller}, {entry.parameters:,} weights"


def _curve(kind: str, curve: dict[str, Sequence[float]]) -> str:
    symbol = {"step": "step drive ξ", "contrast": "contrast A"}[kind]
    rows = [
        [symbol, *(f"{value:g}" for value in curve["amplitudes"])],
        ["test accuracy", *(f"{value:.1%}" for value in curve["accuracy"])],
    ]
    rule = "|" + "---|" * len(rows[0])
    head, values = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, rule, values])
