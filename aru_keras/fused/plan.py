"""How a sequence is cut into segments, and which residuals of each are kept or recomputed."""

import math
from dataclasses import dataclass

REVERSE_ALONE = (
    "The whole-sequence path of a recurrent layer has a gradient for reverse mode alone. Make the "
    "layer with fused=False for forward mode (jvp, jacfwd)"
)


@dataclass(frozen=True)
class Block:
    """`count` segments of `length` steps each, from step `start` on.

    Attributes:
        start: First step.
        count: Number of segments.
        length: Steps in a segment; None where a graph does not know them.
        recompute: Whether the forward pass keeps a checkpoint of each segment and the backward pass
            recomputes its residuals. Otherwise the forward pass keeps all residuals.
        ends: Whether this is the last step of a sequence whose last state has a cotangent.
    """

    start: int
    count: int
    length: int | None
    recompute: bool
    ends: bool = False

    @property
    def end(self) -> int:
        """The step after the last one."""
        return self.start + self.count * (self.length or 0)

    @property
    def steps(self) -> slice:
        """The steps of the block; all of the sequence where the length is not known."""
        return slice(self.start, self.length and self.end)


def blocks(
    timesteps: int, checkpoint_every: int | None, *, with_state: bool = False
) -> list[Block]:
    """The blocks of a sequence.

    Args:
        timesteps: Number of steps T.
        checkpoint_every: Number of steps between checkpoints; None to keep all residuals.
        with_state: Whether the last state has a cotangent of its own. Then the last step is a block
            by itself.

    Returns:
        One to three blocks, which cover every step once, in order.
    """
    last = timesteps - (1 if with_state else 0)
    length = min(checkpoint_every or last, last)
    recompute = checkpoint_every is not None
    plan = []
    if last:
        plan.append(Block(0, last // length, length, recompute))
    if last and last % length:
        plan.append(Block(plan[0].end, 1, last % length, recompute))
    if with_state:
        plan.append(Block(last, 1, 1, recompute, ends=True))
    return plan


def default_checkpoint_every(timesteps: int) -> int:
    """The number of steps between checkpoints that keeps the fewest numbers: about √T."""
    return max(1, math.isqrt(timesteps))
