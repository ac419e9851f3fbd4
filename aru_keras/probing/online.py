"""One step of a network at a time: a compiled call whose results stay on the device."""

import contextlib
import functools

import keras
import numpy as np
from keras import ops

from aru_keras.arguments import LARGEST_SIZE, flag, one_of, whole
from aru_keras.probing import networks
from aru_keras.probing.compiled import check_process, checked_device, without_gradients


class OnlineStep:
    """Steps a network through any number of sequences at once, one compiled call a step.

    Args:
        network: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their cells, a
            model whose recurrent layer reads its pixels directly, or the folder of a run.
        signals: Names of what each call gives: "a" the pre-activation, "n", "s", "h", for an ARU
            "g" the controller states, and for a model "y" its output, as if the sequence ended
            here. None: all but "g". A step knows no mask: to skip it for some sequences, take
            their states of before with `chosen`.
        isolated: Whether each unit hears only itself: W_hh reduced to its diagonal.
        device: Where to run, as in `keras.device`, "cpu:0" or "gpu:0"; None: Keras' own choice.
            On torch the network moves there.

    A copy is the step itself, which keeps nothing between calls but what it compiled; a pickle
    holds the network, as Keras saves it.

    Attributes:
        network: The layer or model.
        layer: The recurrent layer.
        signals: Names of the signals that a call gives.
        traces: Number of times that the step was traced: once a shape on TensorFlow and JAX; every
            call is one on torch, which traces nothing.

    Raises:
        ValueError: If there is no such layer or signal, or the network cannot go step by step.
        RuntimeError: In a process that was forked from one that had loaded the backend.

    Example:
        >>> step = OnlineStep(network, ("n", "y"))
        >>> state = step.initial_state(batch_size=32)
        >>> h, state, signals = step(pixels, state)  # pixels (32, 1), signals["n"] (32, N)
    """

    def __init__(self, network, signals=None, *, isolated: bool = False, device: str | None = None):
        check_process()
        self.network = network = networks.load_network(network)
        self.layer = networks.recurrent_layer(network)
        _check_reads_forwards(network, self.layer)
        self._read_out = networks.read_out(network, self.layer)
        if network is not self.layer and self._read_out is None:
            _check_without_output(signals, network, self.layer)
        self.signals = self._checked(signals)
        self.isolated, self.device = flag("isolated", isolated), checked_device(device)
        self.traces = 0
        if device is not None and keras.config.backend() == "torch":
            network.to(device)
        self._compiled = without_gradients(self._trace, self._variables, jit=True, device=device)
        self._widths = np.atleast_1d(self.layer.cell.state_size).tolist()
        self._where = without_gradients(_where, variables=list)

    def __deepcopy__(self, memo) -> "OnlineStep":
        return self

    def __reduce__(self):
        options = {"isolated": self.isolated, "device": self.device}
        return functools.partial(OnlineStep, **options), (self.network, self.signals)

    @property
    def units(self) -> int:
        """Number of units N."""
        return self.layer.cell.units

    @property
    def features(self) -> int | None:
        """Number of input features I; None before the layer is built."""
        return self.layer.cell.kernel.shape[0] if self.layer.cell.built else None

    def initial_state(self, batch_size: int) -> list:
        """The states before the first step of `batch_size` sequences: [h_0] or [h_0, g_0]."""
        with self.placed():
            batch_size = whole("batch_size", batch_size, 1, most=LARGEST_SIZE)
            return self.layer.cell.get_initial_state(batch_size)

    def __call__(self, x, state, drive=None):
        """One step.

        Args:
            x: x_t, (B, I); or (I,) for one sequence alone, with a state of one.
            state: Of the step before, or `initial_state`.
            drive: ξ_t, broadcastable to (B, N), added to the pre-activation.

        Returns:
            `(h, state, signals)`: h_t (B, N), the new states, and the chosen signals by name, (B,
            N), (B, N·G) for "g", (B, classes) for "y", all tensors of the backend. For one
            sequence alone h and signals are without the B.

        Raises:
            ValueError: If x is neither.
        """
        with self.placed():
            x = self._tensor(x)
            if len(x.shape) not in (1, 2) or self.features not in (None, x.shape[-1]):
                raise ValueError(
                    f"`x` must be one step, (batch, features) or (features,), of {self.features} "
                    f"features. Received: x.shape={tuple(x.shape)}."
                )
            self._check_state(x, state)
            if not self.layer.cell.built:
                self.layer.cell.build((None, x.shape[-1]))
            return self._compiled(x, list(state), None if drive is None else self._tensor(drive))

    def restarted(self, lanes, state) -> list:
        """`state`, but in the lanes of a mask, (B,) bool, the initial one."""
        return self.chosen(lanes, self.initial_state(len(lanes)), state)

    def chosen(self, lanes, there, elsewhere) -> list:
        """The states `there` in the lanes of a mask, (B,) bool, and `elsewhere` in the others."""
        with self.placed():
            return self._where(ops.convert_to_tensor(lanes), list(there), list(elsewhere))

    def _trace(self, x, state, drive):
        self.traces += 1
        alone = len(x.shape) == 1
        found, new = self.layer.cell.step(x[None] if alone else x, state, drive, self.isolated)
        new = [ops.cast(value, old.dtype) for value, old in zip(new, state, strict=True)]
        if "y" in self.signals:
            found["y"] = self._read_out(found["h"])
        if alone:
            found = {name: value[0] for name, value in found.items()}
        return found["h"], new, {name: found[name] for name in self.signals}

    def _variables(self):
        return self.layer.variables + (self._read_out.variables if self._read_out else [])

    def _check_state(self, x, state):
        batch = x.shape[0] if len(x.shape) == 2 else 1
        wanted = [(batch, size) for size in self._widths]
        came = None
        if isinstance(state, list | tuple):
            came = [tuple(one.shape) for one in state]
        if came != wanted:
            raise ValueError(
                f"`state` must be a list of tensors of shapes {wanted}. Received: {came}. Take "
                f"initial_state({batch}) to start from."
            )

    def _tensor(self, value):
        dtype = self.layer.cell.compute_dtype
        if self.device is None and isinstance(value, np.ndarray) and value.dtype == dtype:
            return value if keras.config.backend() == "jax" else ops.convert_to_tensor(value)
        return ops.convert_to_tensor(value, dtype=dtype)

    def placed(self):
        """A context in which tensors are made on the device."""
        check_process()
        return contextlib.nullcontext() if self.device is None else keras.device(self.device)

    def _checked(self, signals):
        known = [*self.layer.cell.signal_sizes, *(["y"] if self._read_out else [])]
        if signals is None:
            return tuple(name for name in known if name != "g")
        if isinstance(signals, str) or not np.iterable(signals):
            signals = (signals,)
        return tuple(one_of("signals", name, known) for name in signals)


def _where(lanes, there, elsewhere):
    return [ops.where(lanes[:, None], a, b) for a, b in zip(there, elsewhere, strict=True)]


def _check_without_output(signals, network, layer):
    """Whether "y" is asked of a model whose output is not made of one step."""
    if signals != "y" and (isinstance(signals, str) or "y" not in (signals or ())):
        return
    reason = "its output is not made of the last output of that layer alone"
    if layer.return_sequences:
        reason = "that layer has return_sequences=True, so the output is made of all steps"
    raise ValueError(
        '`signals` names "y", the output as if the sequence ended here. Received: '
        f"{network.name!r} with the recurrent layer {layer.name!r}, but {reason}. Ask for "
        '"h" and apply the layers above to it, or build the model with return_sequences=False.'
    )


def _check_reads_forwards(network, layer):
    """Whether each step of what `layer` reads is there when its time comes."""
    if layer.go_backwards:
        raise ValueError(
            "A network can only be stepped in the order of time. Received: a layer with "
            "go_backwards=True. Record whole sequences with `record` instead."
        )
    if network is layer:
        return
    sequences, mask = networks.sequences_into(network, layer)
    if mask is not None:
        raise ValueError(
            "A step reads what it is given and skips nothing. Received: a model that masks the "
            f"input of its layer {layer.name!r}. Pass the layer itself, with what it reads, and "
            "take the states of before where a step is to be skipped, by `chosen`."
        )
    if not any(sequences is pixels for pixels in network.inputs):
        raise ValueError(
            "To be stepped, a network's recurrent layer must read its pixels directly. Received: "
            f"{network.name!r}, whose layer {layer.name!r} reads what other layers make of them. "
            "Pass the layer itself, with what it reads, or record whole sequences with `record`."
        )
