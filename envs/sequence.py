"""Tasks as environments that show one step of a sequence after another."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from aru_keras import perturbations, tasks
from aru_keras._util.arguments import flag, one_of, whole
from aru_keras.envs._drives import DriveBuffer
from aru_keras.envs._images import ImageStream, checked_subset, pixel_task, requested_indices
from aru_keras.envs._in_force import InForce
from aru_keras.envs._judging import REWARDS, Judge
from aru_keras.envs._targets import TargetBuffer
from aru_keras.envs.base import NativeVectorEnv, SingleEnv
from aru_keras.envs.rendering._screen import Screen
from aru_keras.probing._datasets import contrast_factors

__all__ = ["REWARDS", "SequenceEnv", "SequenceVectorEnv"]


class SequenceEnv(InForce, SingleEnv):
    """Read a sequence step by step and name its class, or tell its values.

    ## Description

    The sequential tasks of Geadah et al. 2024 (Methods, "Tasks"), one pixel at each step:
    `aru/Digits-v0` (8×8 digits, permuted, T = 64, no download), `aru/sMNIST-v0` (T = 784),
    `aru/psMNIST-v0` (permuted, T = 784) and `aru/sCIFAR10-v0` (grey scale, T = 1024); and with
    `aru/Sequence-v0` and its argument `task` every other task, for example one of
    `tasks.from_arrays`. The perturbations of the paper's Fig 2 can act during an episode: a
    contrast changes the inputs, and a drive is added to the pre-activations of a network.

    ## Action space

    `Discrete(classes)`: action t is the class that the agent names after the steps 0…t. With
    `reward="log_probability"` it is `Box(-inf, inf, (classes,), float32)`: the logits of the
    classes. For a task of D values it is `Box(-inf, inf, (D,), float32)`.

    ## Observation space

    `Box(low, high, (I,), float32)`: the I channels at step t, of images `Box(0, 1, (1,))`, of
    arrays between the bounds of their channels. A contrast extends the bounds.

    ## Rewards

    - `"final"`: the last action gives 1 for the right class and 0 otherwise.
    - `"every_step"`: every action gives 1 for the right class and 0 otherwise. It is the default
      where every step has a target.
    - `"log_probability"`: the last action gives the log-probability of the right class; where every
      step has a target, every action does.

    For values it is the negative mean squared error. All other actions give 0.

    ## Starting state

    Step 0 of a sequence. It is the next one of the split, in its order or shuffled, where all are
    shown once before any is shown again; or the sequence options["index"] of `reset`.

    ## Episode end

    The episode is terminated after as many actions as the sequence has steps: T, or its own length.
    The last observation repeats the last step.

    ## Info

    `t`; the row-major `pixel_index` of the pixel in an image; the `index` of the sequence in the
    split; the `drive` ξ_t, (1,) or (N,); the factor `contrast` on positive inputs of the step
    without noise, a number or (I,) where channels differ; and at the end the `label`, the class or
    values. Where every step has a target, `label` is that of the action just taken. A `Probe` adds
    the signals of the step just shown.

    ## Arguments

    Args:
        task: A name that `tasks.load_task` takes, of a task that is read step by step, or a loaded
            `tasks.Task`.
        split: The split: "train", "validation" or "test".
        shuffle: Whether the images are shown in a random order, and not in that of the split.
        subset: The number of sequences to use from the start of the split, or their indices.
        perturbation: A `perturbations` value, or another form that `as_perturbation` takes.
        units: The number of units N, which is needed if the drive differs between units.
        reward: The reward: "final", "every_step" or "log_probability"; None for the default.
        reveal_label: Whether `info` has the label of the step shown from the start.
        permutation_seed: The seed of the order of pixels.
        downsample: The side of the squares over which the image is averaged first.
        data_dir: The folder of TensorFlow Datasets, as in `tasks.load_task`.
        source: An .npz from `aru-keras export`, which is read instead.
        render_mode: The render mode: "rgb_array", "human" or None.

    ## Vectorized version

    `gym.make_vec(id, num_envs=B, vectorization_mode="vector_entry_point")` makes a
    `SequenceVectorEnv`, with `autoreset_mode` next-step, same-step or disabled, and with
    options["reset_mask"].

    ## Version history

    v0: first version.
    """

    metadata: ClassVar[dict] = {"render_modes": ["rgb_array", "human"], "render_fps": 30}
    vector_env: "SequenceVectorEnv"

    def __init__(self, task: str | tasks.Task = "digits", **options: Any):
        super().__init__(
            SequenceVectorEnv(1, task, autoreset_mode=AutoresetMode.DISABLED, **options)
        )
        self.task, self.timesteps = self.vector_env.task, self.vector_env.timesteps

    def perturb(self, perturbation: Any, units: int | None = None) -> None:
        """Add a perturbation to those in force, as in the vector form."""
        self.vector_env.perturb(perturbation, units)

    def expect_units(self, units: int) -> None:
        """Set the number of units N of a network, as in the vector form."""
        self.vector_env.expect_units(units)


class SequenceVectorEnv(NativeVectorEnv):
    """The vector form of `SequenceEnv`: B sub-environments, each with an episode of its own.

    Spaces, rewards and info are those of `SequenceEnv`, batched. All sub-environments draw their
    images from a common stream; those that restart together do so in the order of their indices.

    Args:
        num_envs: The number of sub-environments B.
        task: The task, as in `SequenceEnv`.
        autoreset_mode: `AutoresetMode.NEXT_STEP`, `SAME_STEP` or `DISABLED`.
        **options: All other arguments of `SequenceEnv`.

    Raises:
        ValueError: If an argument has a wrong value.
        DatasetError: If the data of the task is missing or damaged.
    """

    options = ("index",)
    metadata: ClassVar[dict] = {
        **SequenceEnv.metadata,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        task: str | tasks.Task = "digits",
        *,
        split: str = "train",
        shuffle: bool = True,
        subset: int | Sequence[int] | None = None,
        perturbation: Any = None,
        units: int | None = None,
        reward: str | None = None,
        reveal_label: bool = False,
        permutation_seed: int = 0,
        downsample: int = 1,
        data_dir: str | os.PathLike | None = None,
        source: str | os.PathLike | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.task = pixel_task(
            task,
            downsample=downsample,
            permutation_seed=permutation_seed,
            data_dir=data_dir,
            source=source,
        )
        self.timesteps = self.task.timesteps
        self.split = one_of("split", split, self.task.sizes)
        self.shuffle = flag("shuffle", shuffle)
        self.subset = checked_subset(subset, self.task.sizes[split])
        self._judge = Judge(self.task.spec, reward)
        self.reward = self._judge.reward
        self.reveal_label = flag("reveal_label", reveal_label)
        self.units = None if units is None else whole("units", units, 1)
        self.perturbation = perturbations.as_perturbation(perturbation)
        spaces = self._input_space(self.perturbation), self._judge.action_space
        super().__init__(num_envs, *spaces, autoreset_mode=autoreset_mode, render_mode=render_mode)
        pixels = range(self.timesteps if self.task.image_shape else 0)
        self._pixel_indices = np.array([self.task.pixel_index(t) for t in pixels])
        self._allocate(DriveBuffer(self.perturbation, num_envs, self.timesteps, self.units))
        self.screen = Screen(self) if render_mode else None

    def perturb(self, perturbation: Any, units: int | None = None) -> None:
        """Add a perturbation to those in force; the next call must be a reset without a mask.

        Args:
            perturbation: A `perturbations` value, or another form that `as_perturbation` takes.
            units: The number of units N, which is needed if the drive differs between units.
        """
        added = perturbations.as_perturbation(perturbation)
        units = self.units if units is None else whole("units", units, 1)
        self._use(self.perturbation + added, units)

    def expect_units(self, units: int) -> None:
        """Set the number of units N of a network, for a drive that differs between units.

        Raises:
            ValueError: If there is such a drive for another number of units.
        """
        self._use(self.perturbation, units)

    def _use(self, perturbation, units):
        if perturbation.per_unit and self.units not in (None, units):
            raise ValueError(
                "`units` must be the same for the drive and the network. Received: "
                f"{self.units} and {units}. Leave it out, and the probe sets it."
            )
        same = perturbation is self.perturbation
        if same and (units == self.units or not perturbation.per_unit):
            self.units = units
            return
        # Both may refuse it, and then the environment stays as it was.
        space = self._input_space(perturbation)
        drives = DriveBuffer(perturbation, self.num_envs, self.timesteps, units)
        self.perturbation, self.units, self._started = perturbation, units, False
        self.set_spaces(space, self._judge.action_space)
        self._allocate(drives)

    def render(self) -> Any:
        """A frame (H, W, 3) uint8 for each sub-environment; "human" shows the first in a window."""
        if self.screen is None:
            gym.logger.warn('Nothing to render: make the environment with render_mode="rgb_array".')
            return None
        return self.screen.render()

    def close_extras(self, **kwargs: Any) -> None:
        """Close the window, if there is one."""
        if self.screen is not None:
            self.screen.close()

    def _input_space(self, perturbation):
        channels = self.task.spec.channels
        low, high = perturbation.input_range(*self.task.bounds, self.timesteps, channels)
        return gym.spaces.Box(low, high, dtype=np.float32)

    def _allocate(self, drives):
        self._inputs = np.zeros((self.num_envs, *self.task.input_shape), np.float32)
        self._indices, self._t, self._lengths = np.zeros((3, self.num_envs), np.int64)
        self._targets = TargetBuffer(self.task.spec, self.num_envs, self.timesteps)
        self._factors = contrast_factors(self.perturbation, self.task)
        self._drives = drives

    def _seeded(self):
        self._stream = ImageStream(self.np_random, self.subset, self.shuffle)

    def _begin(self, mask, options):
        self._drives.check_units()
        if "index" in options and options["index"] is not None:
            indices = requested_indices(options["index"], mask, self.task.sizes[self.split])
        else:
            indices = self._stream.take(int(mask.sum()))
        self._drives.begin(mask, indices)
        x, targets = self.task.examples(self.split, indices)
        self._targets.begin(mask, targets)
        self._inputs[mask] = self.perturbation.changed_pixels(x, indices, self.task.spec.channels)
        self._indices[mask], self._t[mask] = indices, 0
        self._lengths[mask] = self.task.lengths(self.split)[indices]
        if self.screen is not None:
            self.screen.restart(mask)
            self._show(mask)

    def _advance(self, actions, mask):
        last = self._t == self._lengths - 1
        terminated = mask & last
        targets = self._targets.answer(mask, self._t)
        rewarded = mask if self._judge.every_step else terminated
        rewards = np.where(rewarded, self._judge.rewards(actions, targets), 0.0)
        moved = mask & ~last
        self._t += moved
        if self.screen is not None:
            self._show(moved)
        return rewards, terminated, np.zeros(self.num_envs, bool)

    def _show(self, mask):
        self.screen.show(mask, self._t, self._observation(), self._drives.at(self._t))

    def _observation(self):
        return self._inputs[np.arange(self.num_envs), self._t]

    def _info(self, mask):
        info = {"t": self._t.copy()}
        if self.task.image_shape:
            info["pixel_index"] = self._pixel_indices[self._t]
        info |= {
            "index": self._indices.copy(),
            "drive": self._drives.at(self._t),
            "contrast": self._factors[self._t],
        }
        info |= {f"_{name}": mask.copy() for name in info}
        if self.reveal_label:
            return info | self._targets.revealed(mask, self._t)
        return info | self._targets.info(mask, self._over & self._started)
