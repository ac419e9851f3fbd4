"""The steps after the onset of the step drive at which experiment 17 takes n and s."""

from aru_keras.perturbations import PAPER_TIMESTEPS, StepDrive

OFFSETS = tuple(range(0, 151, 25))
"""Steps at which (n, s) is taken, for 784 steps; scaled by T/784. As in the authors' scripts, step
0 is the last one before the drive."""


def from_before_onset(timesteps: int) -> range:
    """The steps of the drive, and the step before them."""
    window = StepDrive().window(timesteps)
    return range(window.start - 1, window.stop)


def offsets_after_onset(timesteps: int) -> list[int]:
    """`OFFSETS` for sequences of this length, as indices of `from_before_onset`.

    Raises:
        ValueError: The sequences are so short that the drive ends before the last offset.
    """
    offsets = {round(offset * timesteps / PAPER_TIMESTEPS) for offset in OFFSETS}
    recorded = len(from_before_onset(timesteps))
    if max(offsets) >= recorded:
        raise ValueError(
            f"`timesteps` must leave a driven step for the last of `OFFSETS`, {max(offsets)} steps "
            f"after the one before the drive. Received: {timesteps} steps, of which "
            f"{recorded - 1} are driven. Use longer sequences."
        )
    return sorted(offsets)
