"""The paper's tasks as vector environments whose lanes show one pixel a step."""

from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from aru_keras import perturbations, tasks
from aru_keras.arguments import one_of, whole
from aru_keras.envs.lanes import LaneVectorEnv
from aru_keras.envs.screen import Screen
from aru_keras.envs.stream import ImageStream

REWARDS = {
    "final": "1 at the last step for the right class, else 0",
    "every_step": "1 at every step for the right class, else 0",
    "log_probability": "actions are logits; at the last step the log-probability of the class",
}


class SequenceVectorEnv(LaneVectorEnv):
    """The vector form of `SequenceEnv`: B lanes, each with an episode of its own.

    Arguments, spaces, rewards and info are those of `SequenceEnv`, batched. All lanes draw images
    from one stream, the lanes that restart together in the order of their numbers.

    Args:
        num_envs: Number of lanes B.
        task: As in `SequenceEnv`.
        autoreset_mode: `AutoresetMode.NEXT_STEP`, `SAME_STEP` or `DISABLED`.
        **options: Of `SequenceEnv`.
    """

    options = ("index",)
    metadata: ClassVar[dict] = {
        "render_modes": ["rgb_array", "human"],
        "render_fps": 30,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        task: str | tasks.Task = "digits",
        *,
        split: str = "train",
        shuffle: bool = True,
        subset=None,
        perturbation=None,
        units: int | None = None,
        reward: str = "final",
        reveal_label: bool = False,
        permutation_seed: int = 0,
        downsample: int = 1,
        data_dir=None,
        source=None,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.task = _loaded(task, permutation_seed, downsample, data_dir, source)
        self.timesteps = self.task.timesteps
        self.split = one_of("split", split, self.task.sizes)
        self.shuffle, self.subset = bool(shuffle), _checked_subset(subset, self.task.sizes[split])
        self.reward = one_of("reward", reward, REWARDS)
        self.reveal_label = bool(reveal_label)
        self.units = None if units is None else whole("units", units, 1)
        self.perturbation = perturbations.as_perturbation(perturbation)
        super().__init__(
            num_envs,
            self._pixel_space(),
            self._class_space(),
            autoreset_mode=autoreset_mode,
            render_mode=render_mode,
        )
        self._pixel_indices = np.array([self.task.pixel_index(t) for t in range(self.timesteps)])
        self._allocate()
        self.screen = Screen(self) if render_mode else None

    def perturb(self, perturbation, units: int | None = None) -> None:
        """Add a perturbation to those in force; the next call must be a reset of all lanes.

        Args:
            perturbation: As in `SequenceEnv`.
            units: Number of units N of a network whose units get noise of their own.
        """
        added = perturbations.as_perturbation(perturbation)
        units = self.units if units is None else whole("units", units, 1)
        self._use(self.perturbation + added, units)

    def expect_units(self, units: int) -> None:
        """Say how many units N a network has, whose units get noise of their own.

        Raises:
            ValueError: If there is noise, for another number.
        """
        self._use(self.perturbation, units)

    def _use(self, perturbation, units):
        if perturbation.per_unit and self.units not in (None, units):
            raise ValueError(
                f"`units` must be the same for the drive and the network. Received: {self.units} "
                f"and {units}. Leave it out, and the probe fills it in."
            )
        same = perturbation is self.perturbation
        kept = same and (units == self.units or not perturbation.per_unit)
        self.perturbation, self.units = perturbation, units
        if not kept:
            self.set_spaces(self._pixel_space(), self._class_space())
            self._allocate()
            self._started = False

    def render(self):
        """One frame a lane, (H, W, 3) uint8; in mode "human" a window shows the first lane."""
        if self.screen is None:
            gym.logger.warn('Nothing to render: make the environment with render_mode="rgb_array".')
            return None
        return self.screen.render()

    def close_extras(self, **kwargs):
        """Close the window, if there is one."""
        if self.screen is not None:
            self.screen.close()

    def _pixel_space(self):
        low, high = self.perturbation.pixel_range(0.0, 1.0, self.timesteps)
        return gym.spaces.Box(low, high, (1,), np.float32)

    def _class_space(self):
        if self.reward == "log_probability":
            return gym.spaces.Box(-np.inf, np.inf, (self.task.classes,), np.float32)
        return gym.spaces.Discrete(self.task.classes)

    def _allocate(self):
        lanes, steps = self.num_envs, self.timesteps
        self._pixels = np.zeros((lanes, steps), np.float32)
        self._labels, self._indices, self._t = np.zeros((3, lanes), np.int64)
        self._factors = np.ones(steps, np.float32)
        for factor in self.perturbation.factors(steps):
            self._factors = self._factors * factor
        self._drives, self._drive_width = [], 1
        if self.perturbation.per_unit and self.units is None:
            return  # A probe will say how many.
        # Made for image 0 to learn windows and widths; each lane's own are filled in as it begins.
        self._drives = [
            (drive.first, np.repeat(drive.values, lanes, axis=0))
            for drive in self.perturbation.drives(np.zeros(1, int), steps, self.units)
        ]
        self._drive_width = max((values.shape[2] for _, values in self._drives), default=1)

    def _seeded(self):
        self._stream = ImageStream(self.np_random, self.subset, self.shuffle)

    def _begin(self, lanes, options):
        if self.perturbation.per_unit and self.units is None:
            raise ValueError(
                "`units` must say for how many units there is noise, or a waveform for each. "
                "Received: None. Give units=N or put a Probe around the environment."
            )
        chosen = self._chosen(lanes, options.get("index"))
        x, self._labels[lanes] = self.task.examples(self.split, chosen)
        self._pixels[lanes] = self.perturbation.pixels(x)[..., 0]
        self._indices[lanes], self._t[lanes] = chosen, 0
        drives = self.perturbation.drives(chosen, self.timesteps, self.units)
        for (_, values), drive in zip(self._drives, drives, strict=True):
            values[lanes] = drive.values
        if self.screen is not None:
            self.screen.restart(lanes)
            self.screen.show(lanes, self._t, self._shown(), self._drive())

    def _chosen(self, lanes, index):
        """Indices of the images that the lanes begin with: asked for, or the next in the stream."""
        count, images = int(lanes.sum()), self.task.sizes[self.split]
        if index is None:
            return self._stream.take(count)
        index, sizes = np.asarray(index), {1, count, self.num_envs}
        fits = index.dtype.kind in "iu" and index.ndim < 2 and index.size in sizes
        if not fits or index.min() < 0 or index.max() >= images:
            raise ValueError(
                f'options["index"] must be the number of an image of {self.split!r}, from 0 to '
                f"{images - 1}, or one for each lane. Received: {index.tolist()}."
            )
        if index.shape == (self.num_envs,):
            return index[lanes]
        return np.broadcast_to(index, (count,))

    def _advance(self, actions, lanes):
        last = self._t == self.timesteps - 1
        terminated = lanes & last
        rewarded = lanes if self.reward == "every_step" else terminated
        rewards = np.where(rewarded, self._rewards(actions), 0.0)
        moved = lanes & ~last
        self._t += moved
        if self.screen is not None:
            self.screen.show(moved, self._t, self._shown(), self._drive())
        return rewards, terminated, np.zeros(self.num_envs, bool)

    def _rewards(self, actions):
        if self.reward != "log_probability":
            return (actions == self._labels).astype(float)
        logits = actions.astype(float)
        logits = logits - logits.max(axis=1, keepdims=True)
        logits -= np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return np.take_along_axis(logits, self._labels[:, None], axis=1)[:, 0]

    def _shown(self):
        return self._pixels[np.arange(self.num_envs), self._t]

    def _observation(self):
        return self._shown()[:, None]

    def _drive(self):
        """ξ_t of every lane, (B, 1) or (B, N)."""
        total = np.zeros((self.num_envs, self._drive_width), np.float32)
        for first, values in self._drives:
            lanes = np.flatnonzero((self._t >= first) & (self._t < first + values.shape[1]))
            total[lanes] += values[lanes, self._t[lanes] - first]
        return total

    def _info(self, lanes):
        ended = self._over if self._started else np.zeros(self.num_envs, bool)
        told = lanes if self.reveal_label else lanes & ended
        entries = {
            "t": self._t.copy(),
            "pixel_index": self._pixel_indices[self._t],
            "index": self._indices.copy(),
            "drive": self._drive(),
            "contrast": self._factors[self._t],
        }
        info = {}
        for name, values in entries.items():
            info[name], info[f"_{name}"] = values, lanes.copy()
        if told.any():
            info["label"], info["_label"] = np.where(told, self._labels, -1), told
        return info


def _loaded(task, permutation_seed, downsample, data_dir, source):
    if not isinstance(task, tasks.Task):
        task = tasks.load_task(
            task,
            downsample=downsample,
            permutation_seed=permutation_seed,
            data_dir=data_dir,
            source=source,
        )
    if not task.spec.sequential:
        raise ValueError(
            "`task` must be one that is read pixel by pixel. Received: "
            f"{task.name!r}, which feeds whole images to an encoder. Use 'scifar10'."
        )
    return task


def _checked_subset(subset, size):
    """Indices of the images to draw from."""
    if subset is None:
        return np.arange(size)
    if np.ndim(subset) == 0:
        count = whole("subset", subset, 1, hint="Or give indices.")
        subset = np.arange(count)
    indices = np.asarray(subset)
    valid = indices.ndim == 1 and indices.dtype.kind in "iu" and len(indices)
    if not valid or indices.min() < 0 or indices.max() >= size:
        raise ValueError(
            f"`subset` must be a number of images or indices from 0 to {size - 1}. "
            f"Received: {subset!r}."
        )
    return indices
