"""A network as an agent, which acts in an environment and learns from its episodes."""

from typing import Any

import gymnasium as gym
import keras
import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops
from numpy.typing import ArrayLike

from aru_keras._util.arguments import finite, one_of, whole
from aru_keras.probing import OnlineStep

LEARNS_FROM = {
    "label": "cross-entropy of the class in info at the end: the training step of `fit`",
    "reward": "policy gradient with the reward of the last action and the entropy",
}


class Agent:
    """A network that names a class after every pixel, and learns by backpropagation through time.

    It is for classification at the end of a sequence, as in the environments of `aru_keras.envs`
    with `reward="final"`, and in similar vector environments: they show one vector per step; an
    action is the number of a class, and does not change what is shown; all episodes end together;
    and only the last action is rewarded, or info["label"] has the class at the end. The agent is
    not for control: for rewards at every step, continuous actions, or a world that actions change,
    use an algorithm of reinforcement learning (docs/clients.md).

    The agent collects one episode in every sub-environment, and then learns from the whole
    sequences in one training step of the model, with the optimizer of the model. As actions do not
    change what the environments show, and only the last action is rewarded, the loss over B
    sub-environments is that of REINFORCE (Williams 1992), mean_b (r_b − b̄_b) · (−log π(action_b)).
    Here π = softmax(y) after the last pixel, and the baseline b̄_b is the mean of r over the other
    sub-environments. The baseline does not depend on action_b, so the gradient is unbiased, and
    nothing has to be stored between episodes. A single sub-environment has no baseline. The reward
    is r_b = reward_b − β log π(action_b), whose mean is the mean reward plus β times the entropy of
    π (Williams and Peng 1991). With β = 0 the agent soon names the same few classes for all inputs,
    and never tries another.

    The agent has no drive: of the perturbations of an environment, only a contrast affects it.

    Args:
        model: A classifier, compiled with a `SparseCategoricalCrossentropy` of its logits, whose
            one recurrent layer reads the pixels directly and has signals: the networks arun, gamma
            and relu, but neither lstm nor gru, as `runners.train.compiled_network` makes them.
        learns_from: "label" or "reward".
        env: The vector environment, which is checked at once; None to check it in `play`.
        seed: Seed of the sampling of actions.
        entropy: β, in units of reward per nat.

    Attributes:
        over: Whether all episodes are over.
        step_network: The compiled step, an `OnlineStep`.
        rng: The `numpy.random.Generator` that samples actions. It may be set.

    Raises:
        ValueError: If the model is not such a classifier, the environment is not of this kind, or
            an argument is out of its range.

    Example:
        >>> agent = Agent(model, env=env)
        >>> pixels, info = env.reset()
        >>> agent.reset()
        >>> while not agent.over:
        ...     actions = agent.act(pixels)
        ...     pixels, rewards, terminated, truncated, info = env.step(actions)
        ...     agent.observe(rewards, terminated, truncated, info)
        >>> logs = agent.learn()
    """

    def __init__(
        self,
        model: keras.Model,
        learns_from: str = "label",
        *,
        env: gym.vector.VectorEnv | None = None,
        seed: int = 0,
        entropy: float = 0.1,
    ):
        self.learns_from = one_of("learns_from", learns_from, LEARNS_FROM)
        self.entropy = finite("entropy", entropy, 0)
        self.rng = np.random.default_rng(whole("seed", seed, 0))
        self.model, self.step_network = model, _step_network(model)
        if env is not None:
            self.check(env)
        self.reset()

    def check(self, env: Any) -> None:
        """Check that the agent can play and learn in an environment, as far as this can be known.

        Args:
            env: A vector environment.

        Raises:
            ValueError: If it is not a vector environment, its observations or actions do not fit
                the model, it rewards actions before the last one, or it starts another episode in
                the step that would give the label.
        """
        if not isinstance(env, gym.vector.VectorEnv):
            raise _unfit_env("be a vector environment", f"{env}. Make it with gym.make_vec")
        shown, actions = env.single_observation_space, env.single_action_space
        features, classes = self.step_network.features, self.model.outputs[0].shape[-1]
        if not isinstance(shown, gym.spaces.Box) or shown.shape != (features,):
            raise _unfit_env(f"show {features} number(s) per step, Box({features},)", shown)
        if not isinstance(actions, gym.spaces.Discrete) or (actions.n, actions.start) != (
            classes,
            0,
        ):
            raise _unfit_env(f"take the number of a class, Discrete({classes})", actions)
        reward = getattr(env.unwrapped, "reward", None)
        if self.learns_from == "reward" and reward in ("every_step", "log_probability"):
            raise _unfit_env('pay the last action alone, reward="final"', f"reward={reward!r}")
        mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        if self.learns_from == "label" and mode is AutoresetMode.SAME_STEP:
            raise _unfit_env(
                "tell the label at the end, with autoreset_mode=AutoresetMode.DISABLED or "
                "NEXT_STEP",
                mode,
            )

    def reset(self) -> None:
        """Begin new episodes: forget the collected ones, and reset the state of the network."""
        self.over = False
        self._pixels: list[np.ndarray] = []
        self._state = None
        self._logits: Any = None
        self._actions: Any = None
        self._labels: Any = None
        self._returns: Any = 0.0

    def act(self, pixels: ArrayLike) -> np.ndarray:
        """Read the pixels that are shown now, and name a class in each sub-environment.

        Args:
            pixels: x_t of every sub-environment, (B, I).

        Returns:
            Classes, (B,) int64: the most likely ones by the output y of the model after the pixels
            so far, or, if the agent learns from the reward, a sample of softmax(y).

        Raises:
            RuntimeError: If the episodes are over.
        """
        if self.over:
            raise RuntimeError("The episodes are over: call reset() before the next act().")
        pixels = np.array(pixels, np.float32)
        if self._state is None:
            self._state = self.step_network.initial_state(len(pixels))
        _, self._state, signals = self.step_network(pixels, self._state)
        self._pixels.append(pixels)
        self._logits = preferred = ops.convert_to_numpy(signals["y"])
        if self.learns_from == "reward":  # The largest of logits plus Gumbel noise is a sample.
            preferred = preferred + self.rng.gumbel(size=preferred.shape)
        self._actions = preferred.argmax(axis=1)
        return self._actions.copy()

    def observe(
        self, rewards: ArrayLike, terminated: ArrayLike, truncated: ArrayLike, info: dict
    ) -> None:
        """Take in the results of the actions. The next observation is an argument of `act`.

        Args:
            rewards: Rewards of the sub-environments, (B,).
            terminated: Whether each episode was terminated, (B,) bool.
            truncated: Whether each episode was truncated, (B,) bool.
            info: The info, whose "label", (B,), is the class at the end.

        Raises:
            ValueError: If the episodes do not end together, or if an agent that learns from the
                reward gets a reward before the last action.
        """
        ended = np.asarray(terminated) | np.asarray(truncated)
        if ended.any() != ended.all():
            raise ValueError(
                "All sub-environments must begin and end their episodes together. Received: the "
                f"end of only {np.flatnonzero(ended).tolist()} of {len(ended)} sub-environments."
            )
        self.over = bool(ended.all())
        if self.learns_from == "reward" and not self.over and np.any(rewards):
            raise ValueError(
                "`rewards` must be 0 before the last action, the only one that the agent learns "
                f"from. Received: {rewards}. An agent is for tasks with a reward at the end, such "
                'as those of aru_keras.envs with reward="final". If every step has a reward, use '
                "an algorithm of reinforcement learning."
            )
        self._returns = self._returns + np.asarray(rewards, float)
        if self.over and np.all(info.get("_label", False)):
            self._labels = np.asarray(info["label"], np.int32)

    def learn(self) -> dict[str, float]:
        """One training step on the collected episodes.

        Returns:
            `loss`; `reward`, the mean over episodes of the sum of rewards; and, if the labels are
            known, `accuracy`, the share of correct last actions.

        Raises:
            RuntimeError: If the episodes are not over.
            ValueError: If the agent learns from the label, and the environment did not give it.
        """
        if not self.over:
            raise RuntimeError("The episodes are not over: act() and observe() until `over`.")
        targets, weights = self._lesson()
        pixels = np.stack(self._pixels, axis=1)
        metrics = self.model.train_on_batch(pixels, targets, weights, return_dict=True)
        logs = {"loss": float(metrics["loss"]), "reward": float(self._returns.mean())}
        if self._labels is not None:
            logs["accuracy"] = float((self._actions == self._labels).mean())
        return logs

    def _lesson(self):
        """The class in each sub-environment whose cross-entropy is the loss, and the weights."""
        if self.learns_from == "reward":
            counted = self._returns - self.entropy * log_policy(self._logits, self._actions)
            return self._actions.astype("int32"), advantages(counted).astype("float32")
        if self._labels is None:
            raise ValueError(
                'To learn from the label, info["label"] must have it for every sub-environment at '
                "the end. Received: an info without labels. Use an environment of aru_keras.envs, "
                "without AutoresetMode.SAME_STEP, or learn from the reward."
            )
        return self._labels, None


def log_policy(logits: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The log-probabilities of the actions taken, log π, in nats.

    Args:
        logits: Logits of the classes, (B, classes).
        actions: Numbers of the classes, (B,).

    Returns:
        The log-probabilities, (B,) float64.
    """
    logits = logits.astype(float) - logits.max(axis=1, keepdims=True)
    taken = np.take_along_axis(logits, actions[:, None], axis=1)[:, 0]
    return taken - np.log(np.exp(logits).sum(axis=1))


def advantages(rewards: np.ndarray) -> np.ndarray:
    """The reward of each sub-environment minus the mean reward of the others.

    Args:
        rewards: Rewards, (B,). From a single one, B = 1, nothing is subtracted.

    Returns:
        The differences, (B,).
    """
    count = len(rewards)
    if count == 1:
        return rewards
    return rewards - (rewards.sum() - rewards) / (count - 1)


def play(agent: Agent, env: Any, **options: Any) -> None:
    """Let an agent play one episode, from reset to end, in every sub-environment.

    Args:
        agent: The agent.
        env: A vector environment.
        **options: Options of the `reset` of the environment, for example `index`.

    Raises:
        ValueError: If the agent cannot play in the environment.
    """
    agent.check(env)
    pixels, _ = env.reset(options=options)
    agent.reset()
    while not agent.over:
        pixels, *outcome = env.step(agent.act(pixels))
        agent.observe(*outcome)


def _step_network(model):
    loss = getattr(model, "loss", None)
    on_logits = isinstance(loss, keras.losses.SparseCategoricalCrossentropy) and loss.from_logits
    try:
        step = OnlineStep(model, "y")
    except ValueError as error:
        raise _unfit(model, error) from error
    if not on_logits:
        raise _unfit(model, f"its loss is {loss!r}")
    return step


def _unfit(model, reason):
    return ValueError(
        "`model` must be a classifier that can be stepped pixel by pixel (arun, gamma or relu), "
        "compiled with keras.losses.SparseCategoricalCrossentropy(from_logits=True). "
        f"Received: {model!r} ({reason})."
    )


def _unfit_env(must, received):
    return ValueError(
        f"`env` must {must}: an agent is for classification at the end of a sequence, as in the "
        f"environments of aru_keras.envs. Received: {received}."
    )
