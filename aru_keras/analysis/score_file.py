"""Scores in a file, saved one by one, so that an interrupted measurement can be resumed."""

import json
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from aru_keras._util.checked_files import anything, number, read_json, record, rows, writing
from aru_keras._util.files import write_json
from aru_keras.analysis.evaluation import Score
from aru_keras.perturbations import Perturbation, from_config


class ScoreFile(MutableMapping):
    """A mapping from perturbations to scores in a JSON file, for `score_grid`.

    The file is rewritten at each new score, completely or not at all.

    Args:
        path: Path of the file; its folder must exist. Scores in an existing file are read.
        identity: JSON-able description of what the scores belong to, such as that of
            `Evaluator.identity`. It may have an entry "model_file", a hash of the file of the
            network, which earlier files lack.

    Raises:
        ValueError: The file is damaged, cannot be written, or its scores belong to something else.
    """

    _error: type[Exception] = ValueError

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
        entries = [
            {"perturbation": perturbation.to_config(), **vars(score)}
            for perturbation, score in self._scores.items()
        ]
        with writing(self._path, self._error):
            write_json(self._path, {"identity": self._identity, "scores": entries})

    def _read(self):
        held = read_json(
            self._path,
            record({"identity": record({}), "scores": rows(self._row)}),
            holds="scores",
            way_out="Remove it to measure anew.",
            error=self._error,
        )
        identity = held["identity"]
        # Earlier files identify the network by its weights alone.
        later = _LATER - identity.keys()
        if identity != {k: v for k, v in self._identity.items() if k not in later}:
            raise self._error(
                f"{self._path} must hold scores of {self._identity}. Received: those of "
                f"{identity}. Choose another file, or remove it to measure anew."
            )
        return dict(held["scores"])

    def _row(self, name, row):
        """A perturbation and its score, from a row of the file."""
        score = Score(**{field: row[field] for field in _score(name, row) if field in _FIELDS})
        images = self._identity.get("images", score.n)
        if score.n != images:
            raise ValueError(f"`n` of {name} must be {images}, as the images, not {score.n}")
        return from_config(row["perturbation"]), score


_FIELDS = {
    "loss": number(0, infinite=True),
    "accuracy": number(0, 1),
    "n": number(1, whole=True),
}
"""Checks of the fields of a `Score`. The loss is infinite where a network overflows."""

_score = record({"perturbation": anything, **_FIELDS})

_LATER = {"model_file"}
