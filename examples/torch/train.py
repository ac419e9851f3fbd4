"""Train on several devices with torch, each of which takes its share of every batch.

torchrun --nproc-per-node 2 examples/torch/train.py

This starts two processes, one for each card, or on a machine without cards two on its cores.
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from aru_keras import models, tasks

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def step(model, shared, optimizer, x, y):
    """Train on this process's share of a batch (x, y), and return the loss of the whole batch.

    `shared` is `model` in `DistributedDataParallel`, whose backward pass averages the gradients of
    all processes. The shares must be equal for this to be the gradient of the whole batch.
    """
    rank, count = dist.get_rank(), dist.get_world_size()
    x, y = (keras.ops.convert_to_tensor(values[rank::count]) for values in (x, y))
    model.zero_grad()
    loss = LOSS(y, shared(x))
    loss.backward()
    weights = model.trainable_weights
    with torch.no_grad():
        optimizer.apply([weight.value.grad for weight in weights], weights)
    total = loss.detach()
    dist.all_reduce(total)
    return float(total) / count


def main():
    """Train an ARUN on digits for three epochs."""
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    task = tasks.load_task("digits")
    keras.utils.set_random_seed(0)  # All processes start from the same weights.
    model = models.network_for(task, "arun", units=32, controller_units=4)
    shared = DistributedDataParallel(model)
    optimizer = keras.optimizers.Adam(1e-3, clipnorm=1.0)
    batches = task.batches("train", 64, seed=0, drop_remainder=True)
    for epoch in range(3):
        losses = [step(model, shared, optimizer, *batches[index]) for index in range(len(batches))]
        batches.on_epoch_end()
        if dist.get_rank() == 0:
            print(f"epoch {epoch + 1}: loss {sum(losses) / len(losses):.4f}", flush=True)
    if dist.get_rank() == 0:
        model.save("digits.keras")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
