"""Defaults of the page, which need neither Keras nor Panel."""

from aru_keras.models.pretrained import PREFIX

DEFAULT_RUN = f"{PREFIX}arun-digits"
"""The network of the page if none is named."""

ADDRESS, PORT = "127.0.0.1", 5006
"""Where the page is served by default."""
