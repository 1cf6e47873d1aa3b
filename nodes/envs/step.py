"""The step node: one physics step of every environment."""

import math
from collections import deque
from typing import Any, Deque, Dict, Iterable, Optional, Sequence, Tuple

import torch

from runtime.context import LONGEST_EPISODE
from runtime.distributed.metrics import mean_metrics, merged_episode_metrics
from runtime.evaluation.statistics import Episodes
from runtime.node import Finding, Node
from runtime.parameters import param
from runtime.ports import (
    ACTIONS,
    DONES,
    HELD,
    INFO,
    OBSERVATIONS,
    REWARDS,
    SIMULATOR,
    TASK_PARAMETERS,
    TRIGGER,
    In,
    Out,
)
from runtime.simulators.episodes import EpisodeTracker
from runtime.simulators.interface import Simulator
from runtime.simulators.log_averages import PREFIX, LogAverages
from runtime.specs import Spec, check_task_parameters, shapes_agree

Held = Tuple[torch.Tensor, Optional[torch.Tensor]]


class IsaacGymStepNode(Node):
    """Steps the simulation as soon as actions arrive and sends rewards, dones and info at once.

    With ``trigger`` wired it holds the observations until the trainer releases them, so that the policy never acts
    on weights that are about to change. Episodes that ended are reset within the same step.
    """

    title, category = "Step", "Environments"
    single = True
    sim = In(SIMULATOR, "The simulation", kind=HELD, replaces=("sim_handle",))
    actions = In(ACTIONS, "Actions in [-1, 1]. Shape: (N, A)")
    task_parameters = In(
        TASK_PARAMETERS, "Task settings, in force at each environment's next reset", kind=HELD, optional=True
    )
    trigger = In(TRIGGER, "Releases the held observations")
    observations = Out(
        OBSERVATIONS, "Observations after the step and any reset. Shape: (N, obs)", on_release=True,
        replaces=("next_observations",),
    )  # fmt: skip
    critic_observations = Out(
        OBSERVATIONS, "Privileged observations of the critic, where the task has them", on_release=True
    )
    rewards = Out(REWARDS, "Reward of the step. Shape: (N,)")
    dones = Out(DONES, "terminated (N,), truncated (N,), final_observations (N, obs)", replaces=("done",))
    info = Out(INFO, "Reward components (N,) and logged values of the step")

    episode_window: int = param(64, low=1, high=100_000, doc="Finished episodes that episode/* metrics average over")

    log_reward_components: bool = param(True, doc="Report each part of the reward per episode, too", advanced=True)

    def infer(self, inputs: Dict[str, Spec]) -> Dict[str, Spec]:
        """Shapes by the task's spaces."""
        task = inputs["sim"].task if "sim" in inputs else None
        if task is None:
            return {}
        observations = Spec((task.num_envs,) + tuple(task.observation_space.shape), "float32", task)
        specs = {
            "observations": observations,
            "dones": Spec(None, "", task),
            "rewards": Spec((task.num_envs,), "float32", task),
            "info": Spec(None, "", task),
        }
        if task.critic_observation_space is not None:
            shape = (task.num_envs,) + tuple(task.critic_observation_space.shape)
            specs["critic_observations"] = Spec(shape, "float32", task)
        return specs

    def check(self, inputs: Dict[str, Spec]) -> Iterable[Finding]:
        """The actions have the task's shape."""
        task, actions = inputs["sim"].task, inputs["actions"]
        if task is None:
            yield "sim", "it comes from no environment", "link the sim output of an environment node"
            return
        expected = (task.num_envs,) + tuple(task.action_space.shape)
        if not shapes_agree(actions.shape, expected):
            yield "actions", f"they are {actions.text}; {task.name} takes {Spec(expected, 'float32').text}", ""
        if "critic_observations" in self.connected and task.critic_observation_space is None:
            yield "critic_observations", f"the task {task.name} has no privileged observations", "unlink the port"
        yield from check_task_parameters(task, inputs["task_parameters"].keys, "task_parameters")

    def setup(self) -> None:
        """Prepare the episode statistics."""
        task = self.input_specs["sim"].task
        assert task is not None
        self.num_envs = task.num_envs
        window = math.ceil(self.episode_window / self.context.world_size)
        self.episodes = EpisodeTracker(self.num_envs, self.device, window=window)
        if self.context.inference and self.context.episodes:
            self.episodes.quota(self.context.episodes)
        self.longest_episode = self.context.longest_episode or max(LONGEST_EPISODE, task.max_episode_length)
        self.averages = LogAverages()
        self.waits_for_trigger = "trigger" in self.connected
        self.held: Deque[Held] = deque()
        self.applied_parameters: Any = None
        self.simulation: Optional[Simulator] = None

    def compute(self, sim: Any, actions: torch.Tensor, task_parameters: Any = None) -> Dict[str, Any]:
        """One step of every environment."""
        if task_parameters != self.applied_parameters:
            sim.set_task_parameters(task_parameters)
            self.applied_parameters = task_parameters
        self.simulation = sim
        partial = sim.partial
        result = sim.step(actions)
        self.context.count_steps(self.num_envs)
        self._track(result, partial)
        if sim.stop_reason is not None:
            self.context.request_stop(sim.stop_reason)
        outputs = {
            "rewards": result.rewards,
            "dones": result.dones,
            "info": {"reward_components": result.reward_components, "log": result.log},
        }
        if self.waits_for_trigger:
            self.held.append((result.observations, result.critic_observations))
        else:
            outputs["observations"] = result.observations
            outputs["critic_observations"] = result.critic_observations
        return outputs

    def _track(self, result: Any, partial: torch.Tensor) -> None:
        components = result.reward_components if self.log_reward_components else {}
        self.episodes.add(result.rewards, result.dones.ended, components, partial)
        if result.log:
            self.averages.add(result.log)
        if self.context.inference and self.context.episodes:
            self._end_evaluation(self.context.episodes)

    def _end_evaluation(self, wanted: int) -> None:
        """Stop when all episodes have ended, or when one goes on after the steps that it may take."""
        if self.episodes.complete:
            self.context.request_stop(f"{wanted} episodes")
        elif self.episodes.goes_on(self.longest_episode):
            ended = self.episodes.count
            self.context.unfinished_episodes = wanted - ended
            reason = f"{ended} of {wanted} episodes have ended, and one goes on after {self.longest_episode:,} steps"
            self.context.request_stop(reason)
            self.context.log(f"{reason}; --longest-episode N allows more", "warning", self.id)

    def release(self) -> Dict[str, Any]:
        """Send the observations of the oldest step that still waits."""
        observations, critic_observations = self.held.popleft()
        return {"observations": observations, "critic_observations": critic_observations}

    def collect_metrics(self) -> Dict[str, float]:
        """episode/mean_reward, … over the last finished episodes; in inference eval/mean_reward, …

        An inference of N episodes averages over these, any other over the last ones of `eval/ended_episodes`.

        In training also env/…, what the environments logged, averaged over the steps since the last call.
        """
        if self.context.inference:
            ended = {} if self.context.episodes else {"ended_episodes": float(self.episodes.count)}
            return {f"eval/{name}": value for name, value in {**self.episodes.summary(), **ended}.items()}
        engine = self.simulation.metrics() if self.simulation else {}
        return {**self.episodes.metrics(), **self.averages.take(), **engine}

    def merge_metrics(self, parts: Sequence[Dict[str, float]]) -> Dict[str, float]:
        """Over the episodes of all processes; logged figures are averaged, those of the engine are added up."""
        own = [_beginning_with("episode/", part) for part in parts]
        logged = [_beginning_with(PREFIX, part) for part in parts]
        engine = {name for part in parts for name in part if not name.startswith(("episode/", PREFIX))}
        sums = {name: sum(part.get(name, 0.0) for part in parts) for name in sorted(engine)}
        return {**merged_episode_metrics(own, self.episodes.capacity), **mean_metrics(logged), **sums}

    def finished_episodes(self) -> Episodes:
        """In inference, all episodes that were counted."""
        returns, lengths = self.episodes.finished()
        task = self.input_specs["sim"].task
        success = task.success_return if task is not None else None
        return Episodes(returns, lengths, success, self.context.unfinished_episodes, self.longest_episode)

    def state_dict(self) -> Dict[str, Any]:
        """Held observations, and the statistics of running episodes and of the iteration."""
        held = [[observations, critic] for observations, critic in self.held]
        return {"held": held, "episodes": self.episodes.state_dict(), "logged": self.averages.state_dict()}

    def load_state_dict(self, state: Dict[str, Any]) -> None:
        """Go on with the held observations."""
        self.held = deque((observations, critic) for observations, critic in state["held"])
        self.episodes.load_state_dict(state["episodes"])
        self.averages.load_state_dict(state.get("logged", {}))


def _beginning_with(prefix: str, metrics: Dict[str, float]) -> Dict[str, float]:
    return {name: value for name, value in metrics.items() if name.startswith(prefix)}
