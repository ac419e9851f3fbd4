"""Remake gamma.npz and arun.npz from the equations: 60 digits, and no line of the library.

    python tests/golden/make.py            # compare what stands in the files with the equations
    python tests/golden/make.py --write    # and write the files anew

The inputs and weights are read from the files, where they stand as they were drawn. Everything else
is computed from them. Gradients come from a tape of elementary operations (sum, product, quotient,
exp, log(1 + u), tanh), not from a derivation by hand: what is derived by hand is tested with them.
"""

import argparse
import itertools
import operator
import sys
from pathlib import Path

import mpmath
import numpy as np

DIGITS = 60
TOLERANCE = 1e-13
"""A larger relative difference between a file and the equations is an error."""

FOLDER = Path(__file__).parent


class Number:
    """A number on the tape: its value, and the numbers that it came from, each with ∂self/∂it."""

    __slots__ = ("gradient", "order", "sources", "value")
    _count = itertools.count()

    def __init__(self, value, *sources):
        self.value = mpmath.mpf(value)
        self.sources = sources
        self.order = next(Number._count)
        self.gradient = mpmath.mpf(0)

    def __add__(self, other):
        return Number(self.value + other.value, (self, 1), (other, 1))

    def __sub__(self, other):
        return Number(self.value - other.value, (self, 1), (other, -1))

    def __mul__(self, other):
        return Number(self.value * other.value, (self, other.value), (other, self.value))

    def __truediv__(self, other):
        value = self.value / other.value
        return Number(value, (self, 1 / other.value), (other, -value / other.value))

    def backward(self):
        """Add ∂self/∂u to `gradient` of every number u that `self` came from."""
        self.gradient = mpmath.mpf(1)
        for number in sorted(self._origins(), key=operator.attrgetter("order"), reverse=True):
            for source, slope in number.sources:
                source.gradient += number.gradient * slope

    def _origins(self):
        found, waiting = {self}, [self]
        while waiting:
            new = {source for source, _ in waiting.pop().sources} - found
            found |= new
            waiting += new
        return found


def _elementwise(function):
    return np.vectorize(function, otypes=[object])


numbers = _elementwise(Number)
values = np.vectorize(lambda number: float(number.value), otypes=["float64"])
gradients = np.vectorize(lambda number: float(number.gradient), otypes=["float64"])
ONE = numbers(1.0)


@_elementwise
def exp(number):
    value = mpmath.exp(number.value)
    return Number(value, (number, value))


@_elementwise
def log1p(number):
    return Number(mpmath.log1p(number.value), (number, 1 / (1 + number.value)))


@_elementwise
def tanh(number):
    value = mpmath.tanh(number.value)
    return Number(value, (number, 1 - value**2))


def gamma(x, n, s):
    """γ(x; n, s) = (1 − s)·softplus(n·x)/n + s·σ(n·x)."""
    grown = exp(n * x)
    return (ONE - s) * log1p(grown) / n + s * grown / (ONE + grown)


def make_gamma(stored):
    """γ of `x`, `n` and `s`, and the gradients of sum(`upstream`·γ) in all three."""
    x, n, s, upstream = (numbers(stored[name]) for name in ("x", "n", "s", "upstream"))
    y = gamma(x, n, s)
    np.sum(upstream * y).backward()
    slopes = {f"d{name}": gradients(of) for name, of in (("x", x), ("n", n), ("s", s))}
    return {"y": values(y), **slopes}


def make_arun(stored):
    """A driven forward pass of the adaptive network, its loss and the gradients of the loss."""
    weights = {
        name.removeprefix("param_"): numbers(array)
        for name, array in stored.items()
        if name.startswith("param_")
    }
    x, drive = numbers(stored["x"]), numbers(stored["drive"])
    signals = adaptive_network(x, drive, weights)
    logits = signals["h"][:, -1] @ weights["lin.weight"].T + weights["lin.bias"]
    loss = cross_entropy(logits, stored["y"])
    loss.backward()
    return {
        **{name: values(signal) for name, signal in signals.items()},
        "logits": values(logits),
        "loss": values(loss),
        "grad_x": gradients(x),
        "grad_drive": gradients(drive),
        **{f"grad_{name}": gradients(weight) for name, weight in weights.items()},
    }


def adaptive_network(x, drive, weights):
    """a, n, s and h, each (B, T, N), of the adaptive network under a drive; h_0 = 0, g_0 = 0."""
    batch, steps, units = drive.shape
    h = numbers(np.zeros((batch, units)))
    g = numbers(np.zeros((batch, units, len(weights["Wgg.bias"]))))
    signals = {name: np.empty(drive.shape, object) for name in "ansh"}
    for t in range(steps):
        a = _linear(x[:, t], weights, "Uxh") + _linear(h, weights, "Whh") + drive[:, t]
        g = tanh(_linear(a[..., None], weights, "Uag") + _linear(g, weights, "Wgg"))
        n, s = _linear(g, weights, "Wgn")[..., 0], _linear(g, weights, "Wgs")[..., 0]
        h = gamma(a, n, s)
        for name, signal in zip("ansh", (a, n, s, h), strict=True):
            signals[name][:, t] = signal
    return signals


def _linear(inputs, weights, name):
    return inputs @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def cross_entropy(logits, labels):
    """The mean over sequences of log(sum(exp(logits))) − the logit of the label."""
    totals = exp(logits).sum(axis=1)
    chosen = logits[np.arange(len(labels)), labels]
    return (log1p(totals - ONE) - chosen).sum() / Number(len(labels))


MAKERS = {"gamma.npz": make_gamma, "arun.npz": make_arun}


def make(path):
    """The outputs in a golden file, by name, remade from the inputs in it.

    Args:
        path: A file with the name of one of `MAKERS`.
    """
    with mpmath.workdps(DIGITS):
        return MAKERS[Path(path).name](dict(np.load(path)))


def differences(path, made):
    """For each remade array its largest difference from the stored one, over the largest entry."""
    stored = np.load(path)
    return {name: _difference(stored[name], array) for name, array in made.items()}


def _difference(stored, made):
    assert stored.shape == made.shape, f"shapes {stored.shape} and {made.shape}"
    return np.abs(stored - made).max() / np.abs(made).max()


def write(path, made):
    """Write a golden file anew: the inputs as they stand in it, and the remade outputs."""
    stored = dict(np.load(path))
    np.savez_compressed(path, **(stored | made))


def main(arguments=None):
    """Compare the golden files with the equations; 1 if one differs, and is not written anew."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path, default=[FOLDER / name for name in MAKERS])
    parser.add_argument("--write", action="store_true", help="write the files anew")
    options = parser.parse_args(arguments)
    close = True
    for path in options.files:
        made = make(path)
        found = differences(path, made)
        print(path.name)
        print("\n".join(f"  {name:<16} {value:.1e}" for name, value in found.items()))
        close = close and all(value <= TOLERANCE for value in found.values())
        if options.write:
            write(path, made)
    return 0 if close or options.write else 1


if __name__ == "__main__":
    sys.exit(main())
