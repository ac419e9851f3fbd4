"""Training, evaluation and the command line, installed as `aru_keras.runners`."""
