"""Scores in a file, each kept as soon as it is measured, so that a killed run goes on."""

import json
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from aru_keras.analysis.robustness import Score
from aru_keras.files import write_json
from aru_keras.perturbations import Perturbation, from_config


class ScoreFile(MutableMapping):
    """Scores by perturbation, as `robustness.measure` keeps them, in a JSON file.

    The file is rewritten at each new score, whole or not at all.

    Args:
        path: Of the file; its folder must exist. What it holds is read first.
        identity: What the scores belong to, JSON-able, as `Evaluator.identity` gives it.

    Raises:
        ValueError: The file is damaged, or its scores belong to something else.
    """

    def __init__(self, path: str | os.PathLike, identity: dict):
        self._path, self._identity = Path(path), json.loads(json.dumps(identity))
        self._scores = self._read() if self._path.exists() else {}

    def __getitem__(self, perturbation: Perturbation) -> Score:
        return self._scores[perturbation]

    def __setitem__(self, perturbation: Perturbation, score: Score) -> None:
        self._scores[perturbation] = score
        self._write()

    def __delitem__(self, perturbation: Perturbation) -> None:
        del self._scores[perturbation]
        self._write()

    def __iter__(self) -> Iterator[Perturbation]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def _write(self):
        rows = [
            {"perturbation": perturbation.to_config(), **vars(score)}
            for perturbation, score in self._scores.items()
        ]
        write_json(self._path, {"identity": self._identity, "scores": rows})

    def _read(self):
        try:
            held = json.loads(self._path.read_text(encoding="utf-8"))
            identity = held["identity"]
            scores = {from_config(row.pop("perturbation")): Score(**row) for row in held["scores"]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self._path} must hold scores. Received: a damaged file ({error}). Remove it to "
                "measure anew."
            ) from error
        if identity != self._identity:
            raise ValueError(
                f"{self._path} must hold scores of {self._identity}. Received: those of "
                f"{identity}. Choose another file."
            )
        return scores
