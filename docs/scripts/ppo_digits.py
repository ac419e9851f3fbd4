"""Stable-Baselines3's PPO names the class of the 8×8 digits, from the reward alone.

A policy without memory that sees one pixel a step cannot know the image. So two wrappers of
Gymnasium's hand it the last 64 pixels, which at the last step are the whole image: what PPO learns
here is to classify from reward, and the memory is the wrapper's. It is told only whether the class
that it named was right, at every step (`reward="every_step"`). No action changes what is shown
next, so the discount is 0.

    pip install stable-baselines3
    python ppo_digits.py --steps 160000 --seed 0
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers import FlattenObservation, FrameStackObservation
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

import aru_keras.envs  # Registers the environments.

DIGITS = aru_keras.envs.TASK_IDS["digits"]


def with_past(env):
    """The pixels so far, (T,), the newest last; 0 where none has been shown yet."""
    stacked = FrameStackObservation(env, env.unwrapped.timesteps, padding_type="zero")
    return FlattenObservation(stacked)


def accuracy(model):
    """Fraction of the test images whose class the policy names right at the last step."""
    env = with_past(gym.make(DIGITS, split="test", shuffle=False))
    seen, labels = [], []
    for _ in range(env.unwrapped.task.sizes["test"]):
        pixels, over = env.reset()[0], False
        while not over:
            seen_last = pixels
            pixels, _, over, _, info = env.step(0)
        seen.append(seen_last)
        labels.append(info["label"])
    actions, _ = model.predict(np.stack(seen), deterministic=True)
    return np.mean(actions == labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=160_000, help="pixels to train on")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()

    torch.set_num_threads(1)  # Threads only slow down so small a policy.
    envs = make_vec_env(
        DIGITS,
        n_envs=16,
        seed=arguments.seed,
        env_kwargs={"reward": "every_step"},
        wrapper_class=with_past,
    )
    model = PPO(
        "MlpPolicy",
        envs,
        n_steps=256,
        batch_size=512,
        gamma=0.0,
        learning_rate=1e-3,
        clip_range=0.3,
        ent_coef=0.02,
        policy_kwargs={"net_arch": [256, 256], "activation_fn": torch.nn.ReLU},
        seed=arguments.seed,
        device="cpu",
    )
    print(f"before: test accuracy {accuracy(model):.3f}", flush=True)
    model.learn(arguments.steps)
    print(f"after {model.num_timesteps} steps: test accuracy {accuracy(model):.3f}")


if __name__ == "__main__":
    main()
