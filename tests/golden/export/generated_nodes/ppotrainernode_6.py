"""PPO Trainer, node 6: "Trainer".

Change a value below and start runner.py again; one that is not allowed is reported with those that are. What
the node does is in framework/nodes/rl/ppo_trainer.py.
"""

from framework.nodes.rl.ppo_trainer import PPOTrainerNode


class PPOTrainerNode_6(PPOTrainerNode):
    """Proximal policy optimisation with generalised advantage estimation."""

    type_name = "PPOTrainerNode"

    # Save checkpoints while the run has --save-checkpoint-dir. True or False.
    checkpoint_enabled = True

    # Save every n iterations, every so often, or at a new best metric. Allowed: one of 'epoch', 'time',
    # 'best_metric'.
    checkpoint_trigger_type = "epoch"

    # epoch: n iterations; time: 10m or 1h30m; best_metric: max, min, max:METRIC or min:METRIC. Type: text.
    checkpoint_trigger_value = "50"

    # Newest checkpoints that stay, beside the best one. Allowed: 1 to 1000.
    checkpoint_keep_last = 1

    # Steps of each environment per iteration, T. Unit: steps. Allowed: 1 to 1000000.
    horizon_length = 16

    # Passes over the rollout per iteration. Allowed: 1 to 1000.
    num_epochs = 8

    # Transitions per minibatch; 0: by num_minibatches. Allowed: 1 to 100000000, 0 or "auto" to infer.
    minibatch_size = 0

    # Minibatches per epoch where minibatch_size is 0. Allowed: 1 to 100000.
    num_minibatches = 4

    # Discount per step. Allowed: 0 to 1.
    gamma = 0.99

    # λ of generalised advantage estimation. Allowed: 0 to 1.
    gae_lambda = 0.95

    # ε of the clipped surrogate objective. Allowed: 0.001 to 10.
    clip_param = 0.2

    # Clip the change of the value prediction, too. True or False.
    clip_value = False

    # Largest change of the value where clip_value is on. Allowed: 0.001 to 1000000.
    value_clip_param = 0.2

    # Weight of the mean squared value error. Allowed: 0 to 1000.
    value_coef = 2.0

    # Weight of the entropy bonus. Allowed: 0 to 10.
    entropy_coef = 0.0

    # Weight of the penalty on action means beyond the bounds. Allowed: 0 to 1000.
    bounds_coef = 0.0

    # Magnitude from which on action means are penalised. Allowed: 0 to 100.
    bounds_limit = 1.1

    # Gradients are scaled down to this norm; 0 for no limit. Allowed: 0 to 1000000.
    max_grad_norm = 1.0

    # Adam's step size at the start. Allowed: 0 to 1. Default: 0.0003.
    learning_rate = 0.001

    # fixed; linear to 0 at the end of the run; adaptive to the KL divergence. Allowed: one of 'fixed',
    # 'linear', 'adaptive'. Default: "fixed".
    learning_rate_schedule = "adaptive"

    # Lower end of the adaptive learning rate. Allowed: 0 to 1.
    learning_rate_low = 1e-06

    # Upper end of the adaptive learning rate. Allowed: 0 to 1. Default: 0.01.
    learning_rate_high = 0.001

    # KL divergence that the adaptive schedule aims at. Unit: nats. Allowed: 1e-06 to 10.
    desired_kl = 0.008

    # No further epoch beyond 1.5 of this; 0 for never. Unit: nats. Allowed: 0 to 10.
    target_kl = 0.0

    # Zero mean and unit variance of advantages in each minibatch. True or False.
    normalize_advantages = True

    # Factor on rewards before returns are computed. Allowed: 1e-09 to 1000000000. Default: 1.0.
    reward_scale = 0.1

    # Take V of the true successor where an episode timed out. True or False.
    bootstrap_timeouts = True

    # Precision of forward passes in updates. Allowed: one of 'off', 'bf16', 'fp16'.
    amp = "off"

    # Adam's ε. Allowed: 1e-12 to 1.
    adam_epsilon = 1e-05

    # Parts of a minibatch computed one after another, to save memory. Allowed: 1 to 100000.
    gradient_accumulation = 1
