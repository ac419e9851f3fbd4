"""Looking inside a network: whole sequences at once, or one compiled step at a time."""

from aru_keras.probing.history import SignalHistory
from aru_keras.probing.networks import load_network, recurrent_layer
from aru_keras.probing.online import OnlineStep
from aru_keras.probing.recording import Record, Recorder, record

__all__ = [
    "OnlineStep",
    "Record",
    "Recorder",
    "SignalHistory",
    "load_network",
    "record",
    "recurrent_layer",
]
