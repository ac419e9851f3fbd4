"""The paper's tasks, and its units themselves, as step-wise Gymnasium environments.

`import aru_keras` registers `aru/Digits-v0`, `aru/sMNIST-v0`, `aru/psMNIST-v0`, `aru/sCIFAR10-v0`
and `aru/UnitRig-v0`; so does `gymnasium.make("aru_keras:aru/Digits-v0")`.
"""

import gymnasium as gym

from aru_keras.envs import protocols
from aru_keras.envs.probe import Probe, VectorProbe
from aru_keras.envs.rig import UnitRigEnv, UnitRigVectorEnv
from aru_keras.envs.sequence_lanes import SequenceVectorEnv
from aru_keras.envs.sequences import SequenceEnv
from aru_keras.envs.wrappers import Perturb, VectorPerturb
from aru_keras.registration import TASK_IDS, register_envs

__all__ = [
    "TASK_IDS",
    "Perturb",
    "Probe",
    "SequenceEnv",
    "SequenceVectorEnv",
    "UnitRigEnv",
    "UnitRigVectorEnv",
    "VectorPerturb",
    "VectorProbe",
    "protocols",
]

register_envs(gym)
