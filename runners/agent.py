"""A network as an agent: it acts in an environment, and learns from the episodes it collected."""

from typing import Any

import gymnasium as gym
import keras
import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops

from aru_keras._util.arguments import finite, one_of, whole
from aru_keras.probing import OnlineStep

LEARNS_FROM = {
    "label": "cross-entropy of the class that info tells at the end: the step of `fit`",
    "reward": "policy gradient on the reward of the last action alone, and its entropy",
}


class Agent:
    """A network that names a class after every pixel, and learns by backpropagation through time.

    It is for classification at the end of a sequence, as in the environments of `aru_keras.envs`
    with `reward="final"`, and for others of their kind: vector environments that show one vector a
    step, whose action is the number of a class and changes nothing of what is shown, whose
    episodes end together, and which pay the last action alone, or give the class at the end in
    info["label"]. It is no agent for control: for rewards at every step, continuous actions or a
    world that actions change, take an algorithm of reinforcement learning (docs/clients.md).

    It collects one episode in every sub-environment, which must begin and end together, and learns
    from the whole sequences in one training step of the model, with the model's own optimizer.
    Nothing that an agent does changes what the environments of `aru_keras.envs` show, so the credit
    of an action is its own reward; and `reward="final"` pays the last action alone. From the reward
    the loss over B sub-environments is that of REINFORCE (Williams 1992), mean_b (r_b − b̄_b) ·
    (−log π(action_b)), where π = softmax(y) after the last pixel and the baseline b̄_b is the mean
    of r over the others: it does not depend on the action in its own, so the gradient stays
    unbiased, and nothing has to be kept between episodes. One sub-environment alone has no
    baseline. The agent counts as its reward r_b = reward_b − β log π(action_b), whose mean is the
    reward plus β times the entropy of π (Williams and Peng 1991): with β = 0 it soon names the same
    few classes whatever it sees, and then never tries another.

    The agent is not driven: of an environment's perturbations it sees the contrast alone.

    Args:
        model: A classifier, compiled with a `SparseCategoricalCrossentropy` of its logits, whose
            one recurrent layer reads the pixels directly and has signals: the networks arun, gamma
            and relu, but neither lstm nor gru, as `runners.train.compiled_network` makes them.
        learns_from: "label" or "reward".
        env: The vector environment that it is for, checked at once; None: `play` checks its own.
        seed: Of the sampling of actions.
        entropy: β, in units of reward a nat.

    Attributes:
        over: Whether all episodes are over.
        step_network: The compiled step, an `OnlineStep`.
        rng: The `numpy.random.Generator` that actions are sampled with; may be set.

    Raises:
        ValueError: If the model is not such a classifier, the environment not of this kind, or an
            argument is out of range.

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

    def check(self, env) -> None:
        """Whether the agent can play in an environment and learn there, as far as can be known.

        Args:
            env: A vector environment.

        Raises:
            ValueError: If it is no vector environment, shows what the network cannot read, takes
                other actions than the model's classes, pays before the end, or begins another
                episode in the step that would give the label.
        """
        if not isinstance(env, gym.vector.VectorEnv):
            raise _unfit_env("be a vector environment", f"{env}. Make it with gym.make_vec")
        shown, actions = env.single_observation_space, env.single_action_space
        features, classes = self.step_network.features, self.model.outputs[0].shape[-1]
        if not isinstance(shown, gym.spaces.Box) or shown.shape != (features,):
            raise _unfit_env(f"show {features} number(s) a step, Box({features},)", shown)
        if not isinstance(actions, gym.spaces.Discrete) or (actions.n, actions.start) != (
            classes,
            0,
        ):
            raise _unfit_env(f"take the number of a class, Discrete({classes})", actions)
        reward = getattr(env.unwrapped, "reward", None)
        if self.learns_from == "reward" and reward in ("every_step", "log_probability"):
            raise _unfit_env('pay the last action alone, reward="final"', f"reward={reward!r}")
        mode = env.metadata.get("autoreset_mode")
        if self.learns_from == "label" and mode is AutoresetMode.SAME_STEP:
            raise _unfit_env(
                "tell the label at the end, with autoreset_mode=AutoresetMode.DISABLED or "
                "NEXT_STEP",
                mode,
            )

    def reset(self) -> None:
        """Episodes begin: forget what was collected; the network starts from its initial state."""
        self.over = False
        self._pixels: list[np.ndarray] = []
        self._state = None
        self._logits: Any = None
        self._actions: Any = None
        self._labels: Any = None
        self._returns: Any = 0.0

    def act(self, pixels) -> np.ndarray:
        """See the pixels shown now, and name the classes.

        Args:
            pixels: x_t of every sub-environment, (B, I).

        Returns:
            Classes, (B,) int64: the most likely ones of the model's output y after the pixels so
            far, or, where it learns from the reward, a sample of softmax(y).

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

    def observe(self, rewards, terminated, truncated, info: dict) -> None:
        """See the results of the actions. What the environment shows next is for `act`.

        Args:
            rewards: (B,).
            terminated: (B,) bool.
            truncated: (B,) bool.
            info: Its "label", (B,), is the class at the end.

        Raises:
            ValueError: If the episodes do not end together, or if an agent that learns from the
                reward is paid before the last action.
        """
        ended = np.asarray(terminated) | np.asarray(truncated)
        if ended.any() != ended.all():
            raise ValueError(
                "All sub-environments must begin and end their episodes together. Received: the "
                f"end of sub-environments {np.flatnonzero(ended).tolist()} of {len(ended)} alone."
            )
        self.over = bool(ended.all())
        if self.learns_from == "reward" and not self.over and np.any(rewards):
            raise ValueError(
                "`rewards` must be 0 before the last action, the only one that is learned from. "
                f"Received: {rewards}. An agent is for tasks that pay at their end, as those of "
                'aru_keras.envs with reward="final"; where every step pays, take an algorithm of '
                "reinforcement learning."
            )
        self._returns = self._returns + np.asarray(rewards, float)
        if self.over and np.all(info.get("_label", False)):
            self._labels = np.asarray(info["label"], np.int32)

    def learn(self) -> dict[str, float]:
        """One training step on the collected episodes.

        Returns:
            `loss`; `reward`, the mean sum of rewards over an episode; and, where the
            labels are known, `accuracy`, the share of last actions that were right.

        Raises:
            RuntimeError: If the episodes are not over.
            ValueError: If it learns from the label, and the environment did not tell it.
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
        """The class whose cross-entropy is the loss in each sub-environment, and their weights."""
        if self.learns_from == "reward":
            counted = self._returns - self.entropy * log_policy(self._logits, self._actions)
            return self._actions.astype("int32"), advantages(counted).astype("float32")
        if self._labels is None:
            raise ValueError(
                'To learn from the label, info["label"] must hold it for every sub-environment at '
                "the end, which it did not. Take one of aru_keras.envs, without "
                "AutoresetMode.SAME_STEP, or learn from the reward."
            )
        return self._labels, None


def log_policy(logits: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Log π of the actions taken, in nats.

    Args:
        logits: (B, classes).
        actions: (B,).

    Returns:
        (B,) float64.
    """
    logits = logits.astype(float) - logits.max(axis=1, keepdims=True)
    taken = np.take_along_axis(logits, actions[:, None], axis=1)[:, 0]
    return taken - np.log(np.exp(logits).sum(axis=1))


def advantages(rewards: np.ndarray) -> np.ndarray:
    """Reward of each sub-environment minus the mean reward of the others; of one alone, its reward.

    Args:
        rewards: (B,).

    Returns:
        (B,).
    """
    count = len(rewards)
    if count == 1:
        return rewards
    return rewards - (rewards.sum() - rewards) / (count - 1)


def play(agent: Agent, env, **options) -> None:
    """Let an agent play one episode, from reset to end, in every sub-environment.

    Args:
        agent: The agent.
        env: A vector environment.
        **options: Of the environment's `reset`: `index=` names the images.

    Raises:
        ValueError: If the environment is not of the kind that the agent is for.
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
