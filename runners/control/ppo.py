"""Proximal policy optimization (Schulman et al. 2017), with generalized advantages (2016).

The steps of a segment: every step is weighed alike, but for those whose action was ignored.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras.runners.control.actions import Actions
from aru_keras.runners.control.agent import segment_model
from aru_keras.runners.control.config import ControlConfig
from aru_keras.runners.control.segments import Segment

ADAM_EPSILON = 1e-5


def advantages(
    rewards: np.ndarray,
    values: np.ndarray,
    next_values: np.ndarray,
    terminated: np.ndarray,
    ended: np.ndarray,
    *,
    discount: float,
    gae_lambda: float,
) -> np.ndarray:
    """Generalised advantage estimation (Schulman et al. 2016, equations 11 and 16).

    ::

        δ_t = r_t + γ (1 − terminated_t) V(o_{t+1}) − V(o_t)
        A_t = δ_t + γ λ (1 − ended_t) A_{t+1}

    An episode that was only broken off goes on in its value: `next_values` holds that of its last
    observation.

    Args:
        rewards: r_t, (T, B).
        values: V(o_t), (T, B).
        next_values: V(o_{t+1}), (T, B).
        terminated: Whether nothing follows step t, (T, B).
        ended: Whether the episode ends with step t, (T, B).
        discount: γ.
        gae_lambda: λ.

    Returns:
        A_t, (T, B).
    """
    deltas = rewards + discount * np.where(terminated, 0, next_values) - values
    estimates, later = np.zeros_like(deltas), np.zeros_like(deltas[0])
    for t in reversed(range(len(deltas))):
        later = estimates[t] = deltas[t] + discount * gae_lambda * np.where(ended[t], 0, later)
    return estimates


class ReturnScale:
    """The deviation of the discounted returns so far, as `gymnasium.wrappers.NormalizeReward` has.

    Values of dozens would drive recurrent units, which have no layer between them and the value,
    into saturation.

    Args:
        discount: Discount of the rewards.
        moments: Number, mean and sum of squared deviations of the returns so far.
    """

    def __init__(self, discount: float, moments: Sequence[float] = (0.0, 0.0, 0.0)):
        self.discount, self.moments = discount, tuple(moments)
        self._returns: Any = 0.0

    def begin(self) -> None:
        """Episodes begin everywhere."""
        self._returns = 0.0

    def update(self, rewards: np.ndarray, ended: np.ndarray) -> float:
        """Count the steps of a segment, (T, B), and give the deviation."""
        returns = []
        for reward, over in zip(rewards.astype(float), ended, strict=True):
            self._returns = self._returns * self.discount + reward
            returns.append(self._returns)
            self._returns = np.where(over, 0.0, self._returns)
        self.moments = _with_values(self.moments, np.array(returns))
        count, _, squares = self.moments
        return math.sqrt(squares / count + 1e-8)


def _with_values(moments, values):
    """Number, mean and sum of squared deviations, with further values (Chan et al. 1979)."""
    count, mean, squares = moments
    more, shift = values.size, float(values.mean()) - mean
    total = count + more
    squares += float(values.var()) * more + shift**2 * count * more / total
    return float(total), mean + shift * more / total, squares


class Learner:
    """Learns from segments, in minibatches of whole sub-environments.

    Args:
        model: Network, as `build_agent` makes it. If it is not compiled, it gets Adam, which is
            saved with it.
        actions: What the agent can do.
        config: The configuration.
        moments: Of the returns so far, as `ReturnScale` takes them.
        driven: Whether the segments have a drive.
    """

    def __init__(
        self,
        model: keras.Model,
        actions: Actions,
        config: ControlConfig,
        moments: Sequence[float] = (0.0, 0.0, 0.0),
        *,
        driven: bool = False,
    ):
        self.config, self.actions = config, actions
        self.scale = ReturnScale(config.discount, moments)
        if getattr(model, "optimizer", None) is None:
            model.compile(optimizer=_adam(config))
            model.optimizer.build(model.trainable_variables)
        self.optimizer = model.optimizer
        self.model = segment_model(model, config.num_steps, driven=driven)
        losses = _Losses(actions, config)
        self.model.compile(
            optimizer=model.optimizer,
            loss=losses.total,
            metrics=[losses.policy_loss, losses.value_loss, losses.entropy, losses.approx_kl],
        )

    def learn(self, segment: Segment, update: int, rng: np.random.Generator) -> dict[str, float]:
        """Several passes over a segment.

        Args:
            segment: What the agent did.
            update: Number of the update, from 0, which decides the learning rate.
            rng: Draws the minibatches.

        Returns:
            `loss`, `policy_loss`, `value_loss`, `entropy`, `approx_kl`: means over the minibatches.
        """
        self.optimizer.learning_rate = self.config.learning_rate_at(update)
        inputs, targets = segment.inputs(), self.targets(segment)
        self.model.reset_metrics()
        logs: dict[str, Any] = {}
        for _ in range(self.config.update_epochs):
            order = rng.permutation(len(targets))
            for chosen in np.split(order, self.config.num_minibatches):
                batch = {name: values[chosen] for name, values in inputs.items()}
                logs = self.model.train_on_batch(batch, targets[chosen], return_dict=True)
        return {name: float(value) for name, value in logs.items()}

    def targets(self, segment: Segment) -> np.ndarray:
        """What the loss compares with: actions, old y, advantages, returns, weights, (B, T, …)."""
        values, rewards = segment.outputs[..., -1], segment.rewards
        if self.config.norm_reward:
            rewards = rewards / self.scale.update(rewards, segment.ended)
        estimates = advantages(
            rewards,
            values,
            segment.next_values,
            segment.terminated,
            segment.ended,
            discount=self.config.discount,
            gae_lambda=self.config.gae_lambda,
        )
        columns = np.stack([estimates, estimates + values, ~segment.ignored], axis=-1)
        packed = np.concatenate([segment.actions, segment.outputs, columns], axis=-1)
        return packed.swapaxes(0, 1).astype("float32")


def _adam(config):
    return keras.optimizers.Adam(
        config.learning_rate, epsilon=ADAM_EPSILON, global_clipnorm=config.max_grad_norm
    )


class _Losses:
    """The losses of PPO as Keras takes them: functions of the targets and y."""

    def __init__(self, actions, config):
        self.actions, self.config = actions, config

    def total(self, targets, y):
        """Equation 9 of Schulman et al. 2017, with the sign of a loss."""
        config = self.config
        loss = self.policy_loss(targets, y) + config.vf_coef * self.value_loss(targets, y)
        return loss - config.ent_coef * self.entropy(targets, y)

    def policy_loss(self, targets, y):
        """Equation 7: the clipped surrogate objective."""
        _, _, estimates, _, weights = self._unpacked(targets, y)
        if self.config.norm_adv:
            mean = _mean(estimates, weights)
            deviation = ops.sqrt(_mean((estimates - mean) ** 2, weights))
            estimates = (estimates - mean) / (deviation + 1e-8)
        ratio, clip = ops.exp(self._log_ratio(targets, y)), self.config.clip_coef
        clipped = ops.clip(ratio, 1 - clip, 1 + clip)
        return -_mean(ops.minimum(estimates * ratio, estimates * clipped), weights)

    def value_loss(self, targets, y):
        """Half the squared error of the value, whose change is clipped as the ratio is."""
        _, old, _, returns, weights = self._unpacked(targets, y)
        value, before, clip = y[..., -1], old[..., -1], self.config.clip_coef
        error = (value - returns) ** 2
        if self.config.clip_vloss:
            clipped = before + ops.clip(value - before, -clip, clip)
            error = ops.maximum(error, (clipped - returns) ** 2)
        return 0.5 * _mean(error, weights)

    def entropy(self, targets, y):
        """Mean entropy of the policy, in nats."""
        *_, weights = self._unpacked(targets, y)
        return _mean(self.actions.entropy(y[..., :-1]), weights)

    def approx_kl(self, targets, y):
        """How far the policy has gone from the old one (Schulman 2020, k3)."""
        log_ratio, (*_, weights) = self._log_ratio(targets, y), self._unpacked(targets, y)
        return _mean(ops.exp(log_ratio) - 1 - log_ratio, weights)

    def _log_ratio(self, targets, y):
        actions, old, *_ = self._unpacked(targets, y)
        log_probability = self.actions.log_probability
        return log_probability(y[..., :-1], actions) - log_probability(old[..., :-1], actions)

    def _unpacked(self, targets, y):
        targets, count, width = ops.convert_to_tensor(targets), self.actions.count, y.shape[-1]
        actions, old = targets[..., :count], targets[..., count : count + width]
        return actions, old, targets[..., -3], targets[..., -2], targets[..., -1]


def _mean(values, weights):
    return ops.sum(values * weights) / ops.maximum(ops.sum(weights), 1.0)
