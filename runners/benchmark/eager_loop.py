"""A network of adaptive units in its simplest form: an eager loop in torch, with autograd.

The published experiments were run with a loop of this kind; this one is written from the equations
(Geadah et al. 2024, "Adaptive recurrent units").
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional


class EagerLoop(nn.Module):
    """ARU network of N units and G controller units on sequences (B, T, 1); logits (B, classes)."""

    def __init__(self, units: int, controller_units: int, classes: int = 10):
        super().__init__()
        self.units, self.controller_units = units, controller_units
        self.from_input = nn.Linear(1, units)
        self.from_units = nn.Linear(units, units, bias=False)
        self.into_controller = nn.Linear(1, controller_units)
        self.from_controller = nn.Linear(controller_units, controller_units, bias=False)
        self.gain = nn.Linear(controller_units, 1)
        self.saturation = nn.Linear(controller_units, 1)
        self.readout = nn.Linear(units, classes)
        nn.init.constant_(self.gain.bias, 6.0)
        nn.init.normal_(self.from_units.weight, std=0.5 / math.sqrt(units))

    def forward(self, x: Any) -> Any:
        h, g = self.initial_state(len(x))
        for t in range(x.shape[1]):
            h, g = self.step(x[:, t], h, g)
        return self.readout(h)

    def initial_state(self, batch_size: int) -> Any:
        """The zeros h (B, N) and g (B, N, G)."""
        return (
            torch.zeros(batch_size, self.units),
            torch.zeros(batch_size, self.units, self.controller_units),
        )

    def step(self, x: Any, h: Any, g: Any) -> tuple:
        """One step from x (B, 1), h and g to the new h and g."""
        a = self.from_input(x) + self.from_units(h)
        # One temporary less of g's size: with two of them freed memory comes in pieces of the wrong
        # size, and a batch of 100 does not fit 24 GB.
        g = torch.tanh(self.from_controller(g).add_(self.into_controller(a[..., None])))
        n, s = self.gain(g)[..., 0], self.saturation(g)[..., 0]
        z = n * a
        return (1 - s) * functional.softplus(z) / n + s * torch.sigmoid(z), g


def training(batch: int, timesteps: int, units: int, controller_units: int) -> Callable:
    """A function that makes a given number of training steps: loss, gradients, Adam."""
    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_default_device(device)
    network = EagerLoop(units, controller_units)
    optimizer = torch.optim.Adam(network.parameters(), 1e-4)
    x, y = torch.rand(batch, timesteps, 1), torch.randint(0, 10, (batch,))

    def run(count):
        for _ in range(count):
            optimizer.zero_grad()
            loss = functional.cross_entropy(network(x), y)
            loss.backward()
            optimizer.step()
        loss.item()  # Waits.

    return run


def online(units: int, controller_units: int) -> Callable:
    """A function that makes a given number of steps of a single sequence."""
    network = EagerLoop(units, controller_units)
    x = torch.full((1, 1), 0.5)

    def run(count):
        h, g = network.initial_state(1)
        with torch.no_grad():
            for _ in range(count):
                h, g = network.step(x, h, g)
        h.numpy(force=True)

    return run
