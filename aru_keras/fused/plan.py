"""How a sequence is cut into segments: what is kept of it for the way back, and what is redone."""

import math
from dataclasses import dataclass

REVERSE_ALONE = (
    "The whole-sequence path of a recurrent layer has a gradient for reverse mode alone. Make the "
    "layer with fused=False for forward mode (jvp, jacfwd)"
)


@dataclass(frozen=True)
class Block:
    """`count` segments of `length` steps each, from step `start` on.

    With `redo`, only the state at the beginning of each segment is kept, and its steps are run
    again on the way back; otherwise all that the way back needs is kept. `ends` marks the last step
    of a sequence whose last state has a cotangent.
    """

    start: int
    count: int
    length: int
    redo: bool
    ends: bool = False

    @property
    def end(self) -> int:
        """The step after the last."""
        return self.start + self.count * self.length

    @property
    def steps(self) -> slice:
        """Its steps."""
        return slice(self.start, self.length and self.end)


def blocks(timesteps: int, every: int | None, *, with_state: bool = False) -> list[Block]:
    """The blocks of a sequence of `timesteps` steps.

    Args:
        timesteps: T.
        every: A border of states is kept every so many steps; None: everything is kept.
        with_state: Whether the last state has a cotangent of its own: then the last step stands in
            a block by itself.
    """
    last = timesteps - (1 if with_state else 0)
    length = min(every or last, last)
    found = []
    if last:
        found.append(Block(0, last // length, length, every is not None))
    if last and last % length:
        found.append(Block(found[0].end, 1, last % length, every is not None))
    if with_state:
        found.append(Block(last, 1, 1, every is not None, ends=True))
    return found


def border_every(timesteps: int) -> int:
    """The steps between borders that keep the fewest numbers: about √T."""
    return max(1, math.isqrt(timesteps))
