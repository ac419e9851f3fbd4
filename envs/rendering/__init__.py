"""Pictures of an episode: the image read so far, the signals of units, and the drive."""

from aru_keras.envs.rendering.frames import ReadingView

__all__ = ["ReadingView"]
