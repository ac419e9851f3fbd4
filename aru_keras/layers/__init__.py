"""γ, the cells and the layers, ready for any Keras model."""

from aru_keras.layers.actor_critic import ActorCriticReadout
from aru_keras.layers.aru import ARU
from aru_keras.layers.aru_cell import ARUCell
from aru_keras.layers.bidirectional import Bidirectional
from aru_keras.layers.cell import DrivenRNNCell
from aru_keras.layers.gamma import Gamma
from aru_keras.layers.gamma_rnn import GammaRNN
from aru_keras.layers.gamma_rnn_cell import GammaRNNCell
from aru_keras.layers.restarting import Restarting
from aru_keras.layers.rnn import DrivenRNN

__all__ = [
    "ARU",
    "ARUCell",
    "ActorCriticReadout",
    "Bidirectional",
    "DrivenRNN",
    "DrivenRNNCell",
    "Gamma",
    "GammaRNN",
    "GammaRNNCell",
    "Restarting",
]
