"""The measurements of an experiment, by network and seed."""

from collections.abc import Mapping, Sequence

import numpy as np

from aru_keras._util.deprecated import renamed_argument

Arrays = Mapping[str, np.ndarray]


class Results(Mapping):
    """A mapping from the name of a network to a list over seeds of arrays by name.

    All networks have the same seeds in the same order, because they are compared within seeds.

    If a training diverged, its seed is left out for all networks. A network is left out if all its
    trainings diverged. If no common seed would remain, every network with a diverged training is
    left out instead.

    Args:
        measurements: Measurements by the name of the network: either a list for the seeds 0, 1, …,
            or a mapping from seeds. A measurement is a mapping of arrays by name, or None if the
            training diverged (its loss became NaN).

    Attributes:
        seeds: Seeds of all networks.
        diverged: Networks that are left out.
        left_out: Sentence that says what was left out; empty if nothing was.
    """

    @renamed_argument("found", "measurements")
    def __init__(
        self, measurements: Mapping[str, Sequence[Arrays | None] | Mapping[int, Arrays | None]]
    ):
        every = {name: _by_seed(seeds) for name, seeds in measurements.items() if len(seeds)}
        names, self.seeds = _complete(every)
        self.diverged = tuple(name for name in every if name not in names)
        self._by_name = {name: [every[name][seed] for seed in self.seeds] for name in names}
        self.left_out = _sentence(every, names, self.seeds)

    def __getitem__(self, name):
        return self._by_name[name]

    def __iter__(self):
        return iter(self._by_name)

    def __len__(self):
        return len(self._by_name)

    def stacked(self, name: str, key: str) -> np.ndarray:
        """The array `key` of a network, stacked over seeds, (seeds, …)."""
        return np.stack([arrays[key] for arrays in self[name]])

    @property
    def drawn(self) -> str:
        """The seed whose network is shown in figures of a single network, in words: "seed 7"."""
        return f"seed {self.seeds[0]}"

    def select(self, names: Mapping[str, str]) -> "Results":
        """The results of the networks in `names`, renamed from its keys to its values."""
        missing = dict.fromkeys(self.seeds)
        return Results(
            {
                new: dict(zip(self.seeds, self[name], strict=True)) if name in self else missing
                for name, new in names.items()
                if name in self or name in self.diverged
            }
        )

    def present(self, *names: str) -> list[str]:
        """Those of the names that were measured, in the given order."""
        return [name for name in names if name in self]


def _by_seed(seeds):
    return dict(seeds) if isinstance(seeds, Mapping) else dict(enumerate(seeds))


def _complete(every):
    """Names and seeds such that every combination was measured."""
    trained = [name for name, seeds in every.items() if any(_measured(seeds))]
    common = _common(every, trained)
    if not common:
        trained = [name for name in trained if all(_measured(every[name]))]
        common = _common(every, trained)
    return trained, common


def _measured(seeds):
    return [arrays is not None for arrays in seeds.values()]


def _common(every, names):
    """The seeds with which all of these networks were measured."""
    seeds = dict.fromkeys(seed for name in names for seed in every[name])
    return [seed for seed in seeds if all(every[name].get(seed) is not None for name in names)]


def _sentence(every, names, seeds):
    diverged = {
        name: [seed for seed, arrays in by_seed.items() if arrays is None]
        for name, by_seed in every.items()
    }
    if not any(diverged.values()):
        return ""
    listed = "; ".join(
        f"{name} with seed {', '.join(map(str, missing))}"
        for name, missing in diverged.items()
        if missing
    )
    shown = f"seeds {', '.join(map(str, seeds))} of {', '.join(names)}" if names else "nothing"
    return f"These trainings diverged: {listed}. The section shows {shown}."
