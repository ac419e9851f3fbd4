"""The paper's tasks, sequences of your own, and the units themselves, as Gymnasium environments.

`import aru_keras` registers `aru/Digits-v0`, `aru/sMNIST-v0`, `aru/psMNIST-v0`, `aru/sCIFAR10-v0`,
`aru/Sequence-v0`, whose argument is any task, and `aru/UnitRig-v0`. So does
`gymnasium.make("aru_keras:aru/Digits-v0")`.
"""

import gymnasium as gym

from aru_keras._registration import TASK_IDS, register_envs
from aru_keras.envs import protocols, rendering
from aru_keras.envs.base import NativeVectorEnv, SingleEnv
from aru_keras.envs.perturb import Perturb, VectorPerturb
from aru_keras.envs.probe import Probe, VectorProbe
from aru_keras.envs.recorder import Recorder, VectorRecorder
from aru_keras.envs.rig import UnitRigEnv, UnitRigVectorEnv
from aru_keras.envs.sequence import SequenceEnv, SequenceVectorEnv
from aru_keras.envs.specs import WritableSpec

__all__ = [
    "TASK_IDS",
    "NativeVectorEnv",
    "Perturb",
    "Probe",
    "Recorder",
    "SequenceEnv",
    "SequenceVectorEnv",
    "SingleEnv",
    "UnitRigEnv",
    "UnitRigVectorEnv",
    "VectorPerturb",
    "VectorProbe",
    "VectorRecorder",
    "WritableSpec",
    "protocols",
    "rendering",
]

register_envs(gym)
