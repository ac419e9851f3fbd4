"""The paper's tasks, and its units themselves, as step-wise Gymnasium environments.

Importing this package registers `aru/Digits-v0`, `aru/sMNIST-v0`, `aru/psMNIST-v0`,
`aru/sCIFAR10-v0` and `aru/UnitRig-v0`; so does `gymnasium.make("aru_keras.envs:aru/Digits-v0")`.
"""

import gymnasium as gym

from aru_keras.envs import protocols
from aru_keras.envs.probe import Probe, VectorProbe
from aru_keras.envs.rig import UnitRigEnv, UnitRigVectorEnv
from aru_keras.envs.sequence_lanes import SequenceVectorEnv
from aru_keras.envs.sequences import SequenceEnv
from aru_keras.envs.wrappers import Perturb, VectorPerturb

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

TASK_IDS = {
    "digits": "aru/Digits-v0",
    "smnist": "aru/sMNIST-v0",
    "psmnist": "aru/psMNIST-v0",
    "scifar10": "aru/sCIFAR10-v0",
}
"""Task -> id of its environment."""

for _task, _id in TASK_IDS.items():
    gym.register(
        _id,
        entry_point="aru_keras.envs.sequences:SequenceEnv",
        vector_entry_point="aru_keras.envs.sequence_lanes:SequenceVectorEnv",
        kwargs={"task": _task},
    )

gym.register(
    "aru/UnitRig-v0",
    entry_point="aru_keras.envs.rig:UnitRigEnv",
    vector_entry_point="aru_keras.envs.rig:UnitRigVectorEnv",
)
