"""What a person takes away from an episode of an agent."""

from collections.abc import Sequence

from aru_keras import plots
from aru_keras.runners.live.agent_session import AgentSession
from aru_keras.runners.live.takeaway import saved


def table(session: AgentSession) -> str:
    """The episode as CSV, as `aru-keras probe` writes it, with columns of what was changed.

    Args:
        session: The episode.
    """
    return session.acted.table(**session.changed)


def picture(session: AgentSession, units: Sequence[int], suffix: str) -> bytes:
    """The picture of the episode that `aru-keras probe` draws.

    Args:
        session: The episode.
        units: The units to draw.
        suffix: The format, one of `takeaway.PICTURES`.
    """
    acted, units = session.acted, session.chosen_units(0, units)
    drawn = plots.agent_episode(acted.observations, acted.rewards, acted.signals, units)
    return saved(drawn, suffix)


def python(session: AgentSession, units: Sequence[int]) -> str:
    """Lines of Python that make the same episode in the unchanged world.

    Args:
        session: The episode.
        units: The units to draw.
    """
    run = session.networks[0].run
    lines = [
        "from aru_keras.runners.control.acting import act",
        "",
        f"acted = act({run!r}, index={session.index}, units={list(units)})",
        'print(acted.signals["h"].shape, "return", acted.rewards.sum())',
        "print(acted.pictures, acted.recording)",
    ]
    if session.changed:
        lines.insert(0, f"# What was turned is left out: {', '.join(session.changed)}.")
    return "\n".join(lines)
