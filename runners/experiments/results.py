"""What was measured of networks over seeds."""

from collections.abc import Mapping, Sequence

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Results(Mapping):
    """By name of a training, a list over seeds of arrays by name.

    All networks have the same seeds in the same order, as they are compared within seeds.

    Args:
        found: By name of a training, a list over seeds 0, 1, … of arrays by name; or, for other
            seeds, arrays by seed. None stands for a network that there is not, as its loss became
            NaN: a network without any seed is left out, and a seed that another network lacks; if
            no seed would remain, the networks that lack one are left out instead.

    Attributes:
        seeds: Those of every network.
        left_out: A sentence on what was left out, empty where nothing was.
    """

    def __init__(self, found: Mapping[str, Sequence[Arrays | None] | Mapping[int, Arrays | None]]):
        every = {name: _by_seed(seeds) for name, seeds in found.items() if len(seeds)}
        names, self.seeds = _complete(every)
        self._found = {name: [every[name][seed] for seed in self.seeds] for name in names}
        self.left_out = _sentence(every, names, self.seeds)

    def __getitem__(self, name):
        return self._found[name]

    def __iter__(self):
        return iter(self._found)

    def __len__(self):
        return len(self._found)

    def stacked(self, name: str, key: str) -> np.ndarray:
        """An array of every seed, (seeds, …)."""
        return np.stack([one[key] for one in self[name]])

    def select(self, names: Mapping[str, str]) -> "Results":
        """Those that were measured of the keys of `names`, under its values as names."""
        return Results(
            {
                new: dict(zip(self.seeds, self[name], strict=True))
                for name, new in names.items()
                if name in self
            }
        )

    def present(self, *names: str) -> list[str]:
        """Those of the names that were measured, in their order."""
        return [name for name in names if name in self]


def _by_seed(seeds):
    return dict(seeds) if isinstance(seeds, Mapping) else dict(enumerate(seeds))


def _complete(every):
    """Names and seeds of which every combination was measured."""
    trained = [name for name, seeds in every.items() if any(_there(seeds))]
    common = _common(every, trained)
    if not common:
        trained = [name for name in trained if all(_there(every[name]))]
        common = _common(every, trained)
    return trained, common


def _there(seeds):
    return [one is not None for one in seeds.values()]


def _common(every, names):
    """Seeds of which every one of these networks was measured."""
    seeds = dict.fromkeys(seed for name in names for seed in every[name])
    return [seed for seed in seeds if all(every[name].get(seed) is not None for name in names)]


def _sentence(every, names, seeds):
    lost = {
        name: [seed for seed, one in found.items() if one is None] for name, found in every.items()
    }
    if not any(lost.values()):
        return ""
    diverged = "; ".join(
        f"{name} with seed {', '.join(map(str, one))}" for name, one in lost.items() if one
    )
    kept = f"seeds {', '.join(map(str, seeds))} of {', '.join(names)}" if names else "nothing"
    return f"The training diverged of {diverged}. What is shown is {kept}."
