"""The Keras backends that networks of this package run on."""

BACKENDS = ("tensorflow", "jax", "torch")
"""Their names, as `keras.config.backend()` returns them."""


def checked_backend() -> str:
    """The backend of this process, which must be one of `BACKENDS`.

    Raises:
        ValueError: If it is another, on which Keras does not differentiate.
    """
    import keras

    backend = keras.config.backend()
    if backend not in BACKENDS:
        raise ValueError(
            f"`KERAS_BACKEND` must be one of {', '.join(BACKENDS)}. Received: {backend!r}. Set the "
            "environment variable before Keras is imported, or the entry backend in "
            "~/.keras/keras.json."
        )
    return backend
