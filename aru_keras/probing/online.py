"""Single steps of a network: a compiled call whose results stay on the device."""

import contextlib
import functools
import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras._util.arguments import LARGEST_SIZE, flag, one_of, whole
from aru_keras._util.compiled import check_process, checked_device, without_gradients
from aru_keras._util.step_programs import holding, step_program
from aru_keras.probing import _steppable, graph
from aru_keras.probing._masks import mask_of_states


class OnlineStep:
    """Step a network through any number of sequences at once, with one compiled call for a step.

    Between calls the object stores nothing but the compiled programs, so a copy is the object
    itself. A pickle contains the network as Keras saves it. A step is not for training: on some
    backends no gradient goes through it. Masks are not supported: to skip a step for some
    sequences, keep their previous states with `chosen`. A model whose input goes through a
    `Masking` layer is stepped without it, and must be shown no padding.

    Args:
        network: An `ARU`, `GammaRNN` or `DrivenRNN`, a `keras.layers.RNN` around one of their
            cells, a model whose recurrent layer reads the pixels directly, a `.keras` file, or the
            folder of a run or `pretrained:NAME`.
        signals: The names of the signals that a call returns: the pre-activation "a", "n", "s",
            "h", the controller states "g" of an ARU, and of a model "y", its output at this step,
            or if the sequence ended at this step. None stands for all but "g".
        isolated: Whether each unit receives input from itself alone: W_hh is reduced to its
            diagonal.
        hold_weights: Whether all steps read the weights that the network has at the first one,
            also if it is trained in between. By default a step follows the training. On JAX a
            small network takes its steps faster if it need not look for new weights. A pickle
            holds the weights that the network has when it is pickled.
        device: The device, as in `keras.device`, for example "cpu:0" or "gpu:0"; None for the
            choice of Keras. On torch the network is moved to it.

    Attributes:
        network: The layer or model.
        layer: The recurrent layer.
        signals: The names of the signals that a call returns.
        traces: The number of times that the step was traced, which is once for each shape.

    Raises:
        ValueError: If there is no such layer or signal, or the network cannot be stepped.
        RuntimeError: If the process was forked from one that had loaded the backend.

    Example:
        >>> step = OnlineStep(network, ("n", "y"))
        >>> state = step.initial_state(batch_size=32)
        >>> h, state, signals = step(pixels, state)  # pixels (32, 1), signals["n"] (32, N)
    """

    def __init__(
        self,
        network: keras.layers.Layer | str | os.PathLike,
        signals: str | Sequence[str] | None = None,
        *,
        isolated: bool = False,
        hold_weights: bool = False,
        device: str | None = None,
    ):
        check_process()
        self.network = network = graph.load_network(network)
        self.layer = graph.recurrent_layer(network)
        _steppable.check_reads_forwards(network, self.layer)
        self._read_out = graph.read_out(network, self.layer)
        if network is not self.layer and self._read_out is None:
            _steppable.check_without_output(signals, network, self.layer)
        self.signals = self._checked(signals)
        self._others = sum(name != "h" for name in self.signals)
        self.isolated, self.traces = flag("isolated", isolated), 0
        self.hold_weights = flag("hold_weights", hold_weights)
        self.device = device = checked_device(device)
        self._backend = keras.config.backend()
        if device is not None and self._backend == "torch":
            network.to(device)
        self._program = self._on_device(self._first)
        self._cell = self.layer.cell
        self._widths = np.atleast_1d(self._cell.state_size).tolist()
        with self.placed():
            self._input = ops.zeros((), self._cell.compute_dtype)
            self._states = [ops.zeros((), dtype) for dtype in self._cell.state_dtypes]
        # To ask a new array of JAX for its dtype takes longer than to run a small program, which
        # casts. Where every tensor is looked at, this is a type that none has.
        jax_alone = self._backend == "jax" and device is None
        self._taken = type(self._input) if jax_alone else type(self)
        self._keeps_dtype = self._states[0].dtype == self._input.dtype
        self._where = without_gradients(_where, variables=list)

    def __copy__(self) -> "OnlineStep":
        return self

    def __deepcopy__(self, memo: dict) -> "OnlineStep":
        return self

    def __reduce__(self) -> tuple:
        names = ("isolated", "hold_weights", "device")
        options: dict[str, Any] = {name: getattr(self, name) for name in names}
        return functools.partial(OnlineStep, **options), (self.network, self.signals)

    @property
    def units(self) -> int:
        """The number of units N."""
        return self.layer.cell.units

    @property
    def features(self) -> int | None:
        """The number of input features I; None before the layer is built."""
        return self.layer.cell.kernel.shape[0] if self.layer.cell.built else None

    def initial_state(self, batch_size: int) -> list:
        """The states before the first step, [h_0] or [h_0, g_0].

        Args:
            batch_size: The number of sequences B.
        """
        with self.placed():
            batch_size = whole("batch_size", batch_size, 1, most=LARGEST_SIZE)
            return self.layer.cell.get_initial_state(batch_size)

    def __call__(
        self, x: Any, state: Sequence, drive: Any = None
    ) -> tuple[Any, list, dict[str, Any]]:
        """Take a step.

        Args:
            x: The input x_t, (B, I); or (I,) for a single sequence, with the states of B = 1.
            state: The states of the previous step, or `initial_state`.
            drive: The drive ξ_t, broadcastable to (B, N), which is added to the pre-activation.

        Returns:
            `(h, state, signals)`, all of them tensors of the backend: h_t (B, N), the new states,
            and the signals by name, (B, N), or (B, N·G) for "g" and (B, classes) for "y". For a
            single sequence h and the signals have no batch axis.

        Raises:
            ValueError: If `x`, `state` or `drive` has another shape.
        """
        check_process()
        kind = self._taken
        if type(x) is not kind:
            x = self._tensor(x, self._input)
        if not (drive is None or type(drive) is kind):
            drive = self._tensor(drive, self._input)
        try:
            pairs = zip(state, self._states, strict=True)
            state = [old if type(old) is kind else self._tensor(old, like) for old, like in pairs]
        except Exception:
            self._check_state(x, state)
            raise
        results = self._program(x, drive, *state)
        count = len(state)
        new, others = results[:count], iter(results[count:])
        h = new[0] if len(results) == count + self._others else results[-1]
        return h, new, {name: h if name == "h" else next(others) for name in self.signals}

    def restarted(self, mask: np.ndarray, state: Sequence) -> list:
        """States in which some sequences have their initial states.

        Args:
            mask: A mask (B,) bool, True for the sequences that restart.
            state: The states of the others.
        """
        mask = mask_of_states(mask, state)
        return self._chosen(mask, self.initial_state(len(mask)), state)

    def chosen(self, mask: np.ndarray, state: Sequence, otherwise: Sequence) -> list:
        """States chosen for each sequence.

        Args:
            mask: A mask (B,) bool.
            state: The states of the sequences where the mask is True.
            otherwise: The states of the sequences where the mask is False.

        Raises:
            ValueError: If `mask` has another shape or is no bool.
        """
        return self._chosen(mask_of_states(mask, state), state, otherwise)

    def _chosen(self, mask, state, otherwise):
        with self.placed():
            return self._where(ops.convert_to_tensor(mask), list(state), list(otherwise))

    def _first(self, x, drive, *state):
        """The first step, with which the cell is built and the program made."""
        if not self._cell.built:
            self._check(x, drive, *state)
            self._cell.build((None, x.shape[-1]))
        variables = self.layer.variables + (self._read_out.variables if self._read_out else [])
        function = holding(self._trace, variables) if self.hold_weights else self._trace
        followed = [] if self.hold_weights else variables
        program = step_program(function, followed, check=self._check, device=self.device)
        self._program = self._on_device(program)
        return self._program(x, drive, *state)

    def _on_device(self, function):
        if self.device is None:
            return function

        def call(*arguments):
            with self.placed():
                return function(*arguments)

        return call

    def _is_state(self, x):
        """Whether h_t is the first of the new states: not without a batch axis, or cast."""
        return self._keeps_dtype and len(x.shape) == 2

    def _trace(self, x, drive, *state):
        """The new states, the signals but h, and h unless it is one of the states."""
        self.traces += 1
        alone = len(x.shape) == 1
        x, drive, *state = self._of_its_dtypes(x, drive, *state)
        signals, new = self._cell.step(x[None] if alone else x, state, drive, self.isolated)
        new = [ops.cast(value, old.dtype) for value, old in zip(new, state, strict=True)]
        if "y" in self.signals:
            signals["y"] = self._read_out(signals["h"])
        if alone:
            signals = {name: value[0] for name, value in signals.items()}
        others = [signals[name] for name in self.signals if name != "h"]
        return [*new, *others, *([] if self._is_state(x) else [signals["h"]])]

    def _check(self, x, drive, *state):
        """Check the shapes of the arguments; done once for each of them."""
        if len(x.shape) not in (1, 2) or self.features not in (None, x.shape[-1]):
            raise ValueError(
                f"`x` must be one step, (batch, features) or (features,), of {self.features} "
                f"features. Received: x.shape={tuple(x.shape)}."
            )
        self._check_state(x, state)
        if drive is not None:
            self._check_drive(x, drive)

    def _check_state(self, x, state):
        batch = x.shape[0] if len(x.shape) == 2 else 1
        wanted = [(batch, size) for size in self._widths]
        shapes = None
        if isinstance(state, list | tuple):
            shapes = [tuple(getattr(value, "shape", ())) for value in state]
        if shapes != wanted:
            raise ValueError(
                f"`state` must be a list of tensors of shapes {wanted}. Received: {shapes}. Start "
                f"with initial_state({batch})."
            )

    def _check_drive(self, x, drive):
        shape, wanted = tuple(drive.shape), (*x.shape[:-1], self.layer.cell.units)
        pairs = zip(reversed(shape), reversed(wanted), strict=False)
        if len(shape) > len(wanted) or any(size not in (1, other) for size, other in pairs):
            raise ValueError(
                f"`drive` must broadcast to {wanted}, a number for each unit. Received: "
                f"drive.shape={shape}. Give a scalar, (B, 1) or (B, N)."
            )

    def _of_its_dtypes(self, *values):
        """The arguments of a step in the dtypes of the cell, which JAX is given as they are."""
        if self._backend != "jax":
            return values
        likes = (self._input, self._input, *self._states)
        pairs = zip(values, likes, strict=True)
        return [value if value is None else ops.cast(value, like.dtype) for value, like in pairs]

    def _tensor(self, value, like):
        """A value as a tensor, of the dtype of another one and on its device."""
        alike = type(value) is type(like) and value.dtype == like.dtype
        on_torch = self._backend == "torch"
        if alike and (value.device == like.device if on_torch else self.device is None):
            return value
        dtype = keras.backend.standardize_dtype(like.dtype)
        if isinstance(value, np.ndarray):
            # JAX may read the memory after the call, when its owner has written other values.
            value = value.copy() if self._backend == "jax" else value
            if self.device is None and value.dtype == dtype:
                return value if self._backend == "jax" else ops.convert_to_tensor(value)
        with self.placed():
            return ops.convert_to_tensor(value, dtype=dtype)

    def placed(self) -> contextlib.AbstractContextManager:
        """A context in which tensors are created on the device."""
        check_process()
        return contextlib.nullcontext() if self.device is None else keras.device(self.device)

    def _checked(self, signals):
        known = [*self.layer.cell.signal_sizes, *(["y"] if self._read_out else [])]
        if signals is None:
            return tuple(name for name in known if name != "g")
        if isinstance(signals, str) or not np.iterable(signals):
            signals = (signals,)
        return tuple(one_of("signals", name, known) for name in signals)


def _where(mask, state, otherwise):
    return [ops.where(mask[:, None], a, b) for a, b in zip(state, otherwise, strict=True)]
