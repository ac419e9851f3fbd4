"""The data room: where images come from (`sources`), what becomes of them (`transforms`), and how
they reach a model (`pipelines`). Users go through `aru_keras.tasks`.
"""
