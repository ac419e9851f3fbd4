"""Units under a current, step by step, with what is measured of their responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aru_keras._util.arguments import array, finite, flag, one_of, whole
from aru_keras.analysis import (
    FractionalOrder,
    compared_steps,
    fractional_derivative,
    fractional_order,
)
from aru_keras.envs import UnitRigVectorEnv, protocols
from aru_keras.runners.live.networks import LiveNetwork

STEPS, WINDOW = 300, slice(102, 202)
"""The number of steps under a current, and the steps of the paper's step and noise (Fig 4)."""

CURRENTS = ("step", "ramp", "sinusoid", "noise", "drawn", "by hand")
"""The currents by name. "by hand" is the position of the slider at each step."""

F_I_CURRENTS = tuple(np.linspace(-5.0, 20.0, 26))
"""The constant currents of the f–I curve."""


@dataclass(frozen=True, eq=False)
class Current:
    """The current of an episode.

    Attributes:
        kind: The name of the current, one of `CURRENTS`.
        amplitude: The height of the step, the end of the ramp, the amplitude of the sinusoid, or
            the standard deviation of the noise.
        period: The period of the sinusoid in steps.
        seed: The seed of the noise.
        points: The current as it was drawn, (K, 2): steps and values, between which lines are
            drawn.

    Raises:
        ValueError: If a value is out of its range.
    """

    kind: str = "step"
    amplitude: float = 5.0
    period: float = 50.0
    seed: int = 0
    points: np.ndarray | None = None

    def __post_init__(self):
        one_of("kind", self.kind, CURRENTS)
        finite("amplitude", self.amplitude)
        finite("period", self.period, positive=True)
        whole("seed", self.seed, 0)
        if self.points is not None:
            array("points", self.points, ("K", 2))

    def values(self, steps: int = STEPS) -> np.ndarray:
        """The current ξ_1 … ξ_steps, (steps,); 0 where it is turned by hand, or nothing is drawn.

        Args:
            steps: The number of steps.
        """
        t = np.arange(1, steps + 1)
        inside = (t >= WINDOW.start) & (t < WINDOW.stop)
        if self.kind == "step":
            return np.where(inside, self.amplitude, 0.0)
        if self.kind == "ramp":
            return self.amplitude * t / steps
        if self.kind == "sinusoid":
            return self.amplitude * np.sin(2 * np.pi * t / self.period)
        if self.kind == "noise":
            draws = np.random.default_rng(self.seed).standard_normal(steps)
            return np.where(inside, abs(self.amplitude) * draws, 0.0)
        if self.kind == "drawn" and self.points is not None:
            points = np.asarray(self.points)[np.argsort(self.points[:, 0], kind="stable")]
            return np.interp(t, points[:, 0], points[:, 1], left=0.0, right=0.0)
        return np.zeros(steps)


class RigSession:
    """The units of a network in a rig, under the current of an episode.

    Args:
        network: The network, of which only the recurrent layer is used.
        isolated: Whether each unit receives input from itself alone.

    Attributes:
        t: The number of steps taken.
        current: The current of the episode.
        currents: The current at each step as it was injected, (T,).
        signals: The signals by name, (T, N) each.
    """

    def __init__(self, network: LiveNetwork, isolated: bool = True):
        self.network = network
        self._rigs: dict[bool, UnitRigVectorEnv] = {}
        self.hand = 0.0
        self.begin(Current(), isolated)

    @property
    def over(self) -> bool:
        """Whether the episode is over."""
        return self.t == STEPS

    @property
    def rig(self) -> UnitRigVectorEnv:
        """The rig of the units, isolated or connected."""
        if self.isolated not in self._rigs:
            options: dict[str, Any] = {
                "isolated": self.isolated,
                "steps": None,
                "autoreset_mode": "Disabled",
            }
            self._rigs[self.isolated] = UnitRigVectorEnv(1, self.network.model, **options)
        return self._rigs[self.isolated]

    def begin(self, current: Current, isolated: bool) -> None:
        """Begin an episode under a current."""
        self.isolated, self.current = flag("isolated", isolated), current
        self.t, self._planned = 0, current.values()
        self.currents = np.zeros(STEPS, "float32")
        shape = (STEPS, self.network.units)
        self.signals = {name: np.zeros(shape, "float32") for name in self.network.signals}
        self.rig.reset()

    def turn(self, current: float) -> None:
        """Set the current that is injected by hand, from the next step on."""
        self.hand = finite("current", current)

    def step(self) -> bool:
        """Take a step; False if the episode is over."""
        if self.over:
            return False
        by_hand = self.current.kind == "by hand"
        current = self.hand if by_hand else self._planned[self.t]
        shown, *_ = self.rig.step(np.full((1, 1), current, "float32"))
        self.currents[self.t] = current
        for name, values in self.signals.items():
            values[self.t] = shown[name][0]
        self.t += 1
        return True

    def f_i_curve(self, currents: Sequence[float] = F_I_CURRENTS) -> protocols.FICurve:
        """The response of every unit to constant currents.

        Args:
            currents: The currents.
        """
        return protocols.f_i_curve(self.rig, list(currents))

    def order(self, units: Sequence[int]) -> FractionalOrder | None:
        """The fractional order α of units' responses to a step; None after another current.

        Args:
            units: The units.
        """
        if not self.over or self.current.kind != "step" or not np.ptp(self.currents):
            return None
        return fractional_order(self.signals["h"][:, list(units)], self.currents)

    def derivative(self, unit: int, alpha: float) -> np.ndarray:
        """D^α of a unit's response, which is near the current where α fits, (T,).

        Args:
            unit: The unit.
            alpha: Its order α.
        """
        _, rest = compared_steps(self.currents)
        return fractional_derivative(self.signals["h"][:, unit], alpha, baseline=rest)
