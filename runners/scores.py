"""The score of a run in words: the accuracy of a classification, R² of a regression."""

WORDS = {"accuracy": "accuracy", "r2": "R²"}
"""The scores by their names in `results.json`, and what they are called."""


def score_of(results: dict) -> str:
    """The name of the score in the results of a run, "accuracy" or "r2"."""
    return "r2" if "test_r2" in results else "accuracy"


def text(results: dict) -> str:
    """The score on the test split, in words."""
    return f"{WORDS[score_of(results)]} {number(results)}"


def number(results: dict) -> str:
    """The score on the test split, with four decimals."""
    return f"{results[f'test_{score_of(results)}']:.4f}"
