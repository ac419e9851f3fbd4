"""The paper's tasks as environments that show one pixel a step."""

from typing import ClassVar

from gymnasium.vector import AutoresetMode

from aru_keras import tasks
from aru_keras.envs.lanes import OneLaneEnv
from aru_keras.envs.sequence_lanes import SequenceVectorEnv


class SequenceEnv(OneLaneEnv):
    """Read an image pixel by pixel and name its class.

    ## Description

    The sequential tasks of Geadah et al. 2024 (Methods, "Tasks"), one pixel a step: `aru/Digits-v0`
    (8×8 digits, permuted, T = 64, no download), `aru/sMNIST-v0` (T = 784), `aru/psMNIST-v0`
    (permuted, T = 784) and `aru/sCIFAR10-v0` (grey scale, T = 1024). Perturbations of the paper's
    Fig 2 act while it is read: a contrast on the pixels, a drive on a network's pre-activations.

    ## Action space

    `Discrete(10)`: action t is the class that the agent would name now, after pixels 0…t. With
    `reward="log_probability"`, `Box(-inf, inf, (10,), float32)`: logits of the classes.

    ## Observation space

    `Box(0, 1, (1,), float32)`: the pixel shown at step t. A contrast widens it to what it can make
    of a pixel.

    ## Rewards

    `"final"`: at the last action 1 for the right class, otherwise 0. `"every_step"`: the same at
    every action. `"log_probability"`: at the last action the log-probability of the right class.

    ## Starting state

    Pixel 0 of an image: the next of the split, in its order or shuffled, every image once before
    any comes again; or the image options["index"] of `reset`.

    ## Episode end

    After exactly T actions, terminated; the last observation repeats the last pixel.

    ## Info

    `t`; `pixel_index`, row-major, of the pixel in the image; `index` of the image in the split;
    `drive` ξ_t, (1,) or (N,); `contrast`, the factor on the pixel; at the end `label`. With a
    `Probe`, the signals of the pixel just shown.

    ## Arguments

    Args:
        task: Name of a task that is read pixel by pixel, or a loaded `tasks.Task`.
        split: "train", "validation" or "test".
        shuffle: Draw images in shuffled order, else in the order of the split.
        subset: Number of images to take from the start of the split, or their indices.
        perturbation: A `perturbations` value, its list of settings, or a text as "step:5".
        units: Number of units N, which noise of their own for all units needs.
        reward: "final", "every_step" or "log_probability".
        reveal_label: Tell the label from the start, not at the end alone.
        permutation_seed: Of the order of pixels.
        downsample: Average the image over squares of this side first.
        data_dir: Folder of TensorFlow Datasets.
        source: An .npz from `aru-keras export`.
        render_mode: "rgb_array" or "human".

    ## Vectorized version

    `gym.make_vec(id, num_envs=B, vectorization_mode="vector_entry_point")`, with `autoreset_mode`
    next-step, same-step or disabled, and options["reset_mask"]: `SequenceVectorEnv`.

    ## Version history

    v0: first version.
    """

    metadata: ClassVar[dict] = {"render_modes": ["rgb_array", "human"], "render_fps": 30}

    def __init__(self, task: str | tasks.Task = "digits", **options):
        super().__init__(
            SequenceVectorEnv(1, task, autoreset_mode=AutoresetMode.DISABLED, **options)
        )
        self.task, self.timesteps = self.lanes.task, self.lanes.timesteps

    def perturb(self, perturbation, units: int | None = None) -> None:
        """Add a perturbation to those in force; the next call must be a reset."""
        self.lanes.perturb(perturbation, units)

    def expect_units(self, units: int) -> None:
        """Say how many units N a network has, whose units get noise of their own."""
        self.lanes.expect_units(units)
