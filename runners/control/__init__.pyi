from aru_keras.runners.control.actions import Categorical, Gaussian, actions_of
from aru_keras.runners.control.agent import ControlAgent, build_agent, segment_model
from aru_keras.runners.control.changed_worlds import CHANGES, changed_returns
from aru_keras.runners.control.config import ControlConfig
from aru_keras.runners.control.environments import make_scalar, make_world
from aru_keras.runners.control.evaluation import evaluate
from aru_keras.runners.control.folder import AgentFolder
from aru_keras.runners.control.observations import MaskedFeatures, ScaledFeatures
from aru_keras.runners.control.ppo import Learner, ReturnScale, advantages
from aru_keras.runners.control.segments import Collector, Segment
from aru_keras.runners.control.training import resume, train
from aru_keras.runners.control.world import Outcome, World
from aru_keras.runners.run_folder import WorldError

__all__ = [
    "CHANGES",
    "AgentFolder",
    "Categorical",
    "Collector",
    "ControlAgent",
    "ControlConfig",
    "Gaussian",
    "Learner",
    "MaskedFeatures",
    "Outcome",
    "ReturnScale",
    "ScaledFeatures",
    "Segment",
    "World",
    "WorldError",
    "actions_of",
    "advantages",
    "build_agent",
    "changed_returns",
    "evaluate",
    "make_scalar",
    "make_world",
    "resume",
    "segment_model",
    "train",
]
