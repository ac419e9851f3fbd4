"""Our agents beside sb3-contrib's RecurrentPPO, at equal environment steps, options and seeds.

The options are those of `aru-keras train gym:ID`. RecurrentPPO gets them too. As it comes, it has
an LSTM for the policy, a second one for the values, and two layers of 64 units behind each. In the
form "RecurrentPPO-shared" it has, as our agents, one LSTM for both and nothing behind it. Every run
is evaluated with its most likely actions in new episodes. RecurrentPPO-shared lets no gradient go
from the value into the LSTM; with --detach-value our agents do the same.

    pip install stable-baselines3 sb3-contrib
    python compare_agents.py CartPole-v1 --mask-velocities --total-timesteps 100000 --seeds 3
"""

import argparse
import json
import statistics
import time
from pathlib import Path

from aru_keras.analysis import estimate
from aru_keras.models import NETWORKS
from aru_keras.runners import control
from aru_keras.runners.control.training import stretch_seed

PEERS = {
    "RecurrentPPO": {},
    "RecurrentPPO-shared": {"shared_lstm": True, "enable_critic_lstm": False, "net_arch": []},
}
"""Options of the policy, by the name of the form of RecurrentPPO."""


def peer(config, policy):
    """Train RecurrentPPO with the options of a configuration and a policy, and evaluate it."""
    from sb3_contrib import RecurrentPPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy
    from stable_baselines3.common.vec_env import VecNormalize

    def make():
        return control.make_scalar(config.environment, **config.scalar_options)

    envs = make_vec_env(make, config.num_envs, seed=config.seed)
    if config.norm_reward:
        envs = VecNormalize(envs, norm_obs=False, gamma=config.discount)
    agent = RecurrentPPO(
        "MlpLstmPolicy",
        envs,
        learning_rate=lambda left: config.learning_rate * (left if config.anneal_lr else 1),
        n_steps=config.num_steps,
        batch_size=config.batch_size // config.num_minibatches,
        n_epochs=config.update_epochs,
        gamma=config.discount,
        gae_lambda=config.gae_lambda,
        clip_range=config.clip_coef,
        clip_range_vf=config.clip_coef if config.clip_vloss else None,
        normalize_advantage=config.norm_adv,
        ent_coef=config.ent_coef,
        vf_coef=config.vf_coef,
        max_grad_norm=config.max_grad_norm,
        policy_kwargs={"lstm_hidden_size": config.units, **policy},
        seed=config.seed,
        device="cpu",
    )
    started, steps = time.perf_counter(), config.updates * config.batch_size
    agent.learn(steps)
    seconds = time.perf_counter() - started
    test = make_vec_env(make, config.num_envs, seed=stretch_seed(config.seed, 2**31))
    count = config.evaluation_episodes
    returns, _ = evaluate_policy(agent, test, count, return_episode_rewards=True, warn=False)
    return {
        "mean_return": statistics.fmean(returns),
        "steps_per_second": steps / seconds,
        "parameters": sum(value.numel() for value in agent.policy.parameters()),
    }


def ours(config, folder):
    """Train one of our agents, or take the results of an earlier run of this script."""
    if (folder / "config.json").exists():
        return control.resume(folder, verbose=0)
    return control.train(config, run_dir=folder, verbose=0)


def table(results):
    """A row for each network: mean return over seeds with its 95 % interval, and steps a second."""
    rows = ["| network | parameters | mean return | of each seed | steps a second |"]
    rows.append("|---|---|---|---|---|")
    for name, runs in results.items():
        means = [run["mean_return"] for run in runs]
        summary = estimate(means) if len(means) > 1 else f"{means[0]:.4g}"
        speed = statistics.median(run["steps_per_second"] for run in runs)
        seeds = ", ".join(f"{value:.4g}" for value in means)
        rows.append(f"| {name} | {runs[0]['parameters']:,} | {summary} | {seeds} | {speed:.0f} |")
    return "\n".join(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("environment")
    parser.add_argument("--mask-velocities", action="store_true")
    parser.add_argument("--detach-value", action="store_true")
    parser.add_argument("--total-timesteps", type=int, default=100_000)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=[*NETWORKS, *PEERS])
    parser.add_argument("--folder", type=Path, default=Path("runs/compare-agents"))
    options = parser.parse_args()
    results = {}
    for seed in range(options.seeds):
        for name in options.networks:
            config = control.ControlConfig(
                f"gym:{options.environment}",
                "lstm" if name in PEERS else name,
                units=options.units,
                mask_velocities=options.mask_velocities,
                detach_value=options.detach_value,
                total_timesteps=options.total_timesteps,
                evaluation_episodes=40,
                seed=seed,
            )
            folder = options.folder / f"{name}-{seed}"
            file = folder / "results.json"
            if name in PEERS and not file.exists():
                folder.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps(peer(config, PEERS[name])))
            run = json.loads(file.read_text()) if name in PEERS else ours(config, folder)
            results.setdefault(name, []).append(run)
            print(f"seed {seed}, {name}: {run['mean_return']:.4g}", flush=True)
    print(table(results))


if __name__ == "__main__":
    main()
