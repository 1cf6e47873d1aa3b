"""`OnPolicyRunner`: the graph of the editor, built, trained and evaluated from Python."""

from __future__ import annotations

import inspect
import os
from functools import partial
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

import torch

from ..atomic import PathLike
from ..checkpoints import ResumeStore
from ..command.signals import stop_on_signals
from ..errors import ParameterError, RunError
from ..evaluation.episodes import derived_seed, evaluation_settings, run_episodes
from ..evaluation.periodic import PeriodicEvaluation, evaluation_metrics
from ..events import Sink
from ..graph import Graph, graph_to_workflow
from ..registry import NodeRegistry
from ..run.continued import ContinuedRun
from ..run.run import RunResult
from ..run.settings import SETTING_FIELDS, RunSettings
from ..scheduler.control import RunControl
from ..suggest import did_you_mean
from ..validation import build_graph
from ..workflow import save_workflow
from . import checkpoint
from .callbacks import Callbacks
from .declarations import ALGORITHMS, PPO, NetworkClass, PPOConfig
from .document import AGENT, ENV, built_in_types, runner_workflow, with_type
from .environments import NO_FILE, NamedEnvironment, environment_of
from .files import RunFiles
from .generators import kept_global_generators
from .object_env_node import ObjectEnvNode
from .progress import LearnProgress
from .threads import outside_event_loops

OWN_SETTINGS = (
    "mode",
    "seed",
    "device",
    "total_timesteps",
    "log_interval",
    "save_interval",
    "save_checkpoint_dir",
    "verbose",
)


class OnPolicyRunner:
    """Trains an agent with PPO. It builds a workflow and runs it with the engine that all hosts use.

    Args:
        env: Name of a task (``"Cartpole"``) or of a registered Gymnasium id (``"CartPole-v1"``); a `Simulator`; a
            ``gymnasium.vector.VectorEnv``; or a vectorised object, see `vector_simulator.VectorSimulator`.
        algorithm: ``"ppo"``.
        actor_class, critic_class, actor_cfg, critic_cfg: The networks; see `PPO`.
        log_dir: Where the run's folder is made; ``None`` for no files.
        save_dir: Where checkpoints of the nodes are saved every ``save_interval`` iterations; ``None`` for none.
        device: ``None`` for CUDA where there is one.
        log_interval: Metrics are recorded every so many iterations; callbacks get those of all.
        save_interval: Iterations between two checkpoints in ``save_dir``.
        log_reward_components: Report the parts of the reward per episode.
        agent: The agent declared beforehand, in place of the arguments of its kind.
        cfg: Hyperparameters: a `PPOConfig` or their values by name.
        seed: Base of every random generator.
        num_envs: Parallel environments of a task by name; ``None`` for the node's default.
        simulator: Physics engine of a task by name.
        eval_env: Environments for `eval`, where ``env`` is an object that cannot be copied.
        registry: Node types; ``None`` for those that come with DNNE.
        name: Of the workflow and the run's folder.
        track: Experiment trackers, as ``--track`` takes them: ``"wandb:my-project"``, ``"mlflow"``.
        sinks: Further consumers of the run's events.
        verbose: What `learn` shows on standard error: 0 nothing, 1 a progress line and at the end the run's folder,
            2 also all metrics.
        settings: More of `RunSettings`: ``last_k_checkpoints``, ``eval_interval``, ``threads``, ….

    Raises:
        DnneError: An argument is wrong; says which, and what would be right.

    Attributes:
        graph: The nodes in training.
    """

    def __init__(
        self,
        env: Any = None,
        algorithm: str = "ppo",
        actor_class: Optional[NetworkClass] = None,
        critic_class: Optional[NetworkClass] = None,
        actor_cfg: Optional[Mapping[str, Any]] = None,
        critic_cfg: Optional[Mapping[str, Any]] = None,
        log_dir: Optional[PathLike] = None,
        save_dir: Optional[PathLike] = None,
        device: Union[str, torch.device, None] = None,
        log_interval: int = 10,
        save_interval: int = 100,
        log_reward_components: bool = True,
        agent: Optional[PPO] = None,
        cfg: Union[PPOConfig, Mapping[str, Any], None] = None,
        seed: int = 0,
        num_envs: Optional[int] = None,
        simulator: str = "auto",
        eval_env: Any = None,
        registry: Optional[NodeRegistry] = None,
        name: str = "",
        track: Optional[str] = None,
        sinks: Sequence[Sink] = (),
        verbose: int = 1,
        **settings: Any,
    ):
        if algorithm not in ALGORITHMS:
            raise ParameterError(f"algorithm is {algorithm!r}; expected one of {', '.join(ALGORITHMS)}")
        networks = {
            "actor_class": actor_class, "critic_class": critic_class, "actor_cfg": actor_cfg, "critic_cfg": critic_cfg,
        }  # fmt: skip
        declared = _declared(agent, env, cfg, networks)
        self._networks, config = declared.networks(), declared.config
        self._environment = environment_of(declared.env, num_envs, simulator)
        self._eval_environment = None if eval_env is None else _for_evaluations(eval_env, self._environment)
        self._registry = with_type(built_in_types() if registry is None else registry, ObjectEnvNode)
        self._workflow = runner_workflow(
            name or f"{self._environment.name} PPO", self._environment,
            {**config.agent_parameters(), **self._networks.parameters}, config.trainer_parameters(),
            log_reward_components,
        )  # fmt: skip
        self.graph = self._build(self._environment)
        self._callbacks = Callbacks(self)
        self._control = RunControl()
        run_settings = _run_settings(seed, device, log_interval, save_interval, save_dir, settings)
        self._shown = LearnProgress(verbose)
        self._files = RunFiles(
            log_dir, self.graph, self._document() if self._can_be_saved else None, track, self._shown
        )
        self._sinks: List[Sink] = [self._files, *sinks]
        self._run = self._new_run(run_settings)

    def _new_run(self, settings: RunSettings) -> ContinuedRun:
        folder = self._files.open(settings, self._workflow.name)
        store = ResumeStore(folder) if folder is not None and self._can_be_saved else None
        return ContinuedRun(
            self._callbacks, self.graph, settings, self._workflow.name, self._sinks, self._control,
            resume_store=store, run_dir=None if folder is None else str(folder),
            new_evaluation=partial(PeriodicEvaluation, self._evaluation_graph),
        )  # fmt: skip

    def _build(self, environment: Any) -> Graph:
        def adjust(graph: Graph) -> List[Any]:
            nodes: Dict[str, Any] = graph.nodes
            environment.bind(nodes[ENV])
            nodes[AGENT].make_actor, nodes[AGENT].make_critic = self._networks.make_actor, self._networks.make_critic
            return []

        return build_graph(self._workflow, self._registry, adjust)

    # What there is

    @property
    def iteration(self) -> int:
        """Training iterations so far."""
        return self._progress.iterations

    @property
    def total_timesteps(self) -> int:
        """Environment steps so far, of all environments together."""
        return self._progress.environment_steps

    @property
    def _progress(self) -> Any:
        return self._run.context.progress

    @property
    def env(self) -> Any:
        """The object that was given, or the simulator of the task."""
        if self._environment.object is not None:
            return self._environment.object
        self._run.begin()
        return self.graph.nodes[ENV].simulation  # type: ignore[attr-defined]

    @property
    def agent(self) -> Any:
        """The network in training, an `ActorCritic`."""
        self._run.begin()
        return self.graph.nodes[AGENT].network  # type: ignore[attr-defined]

    @property
    def run_dir(self) -> Optional[str]:
        """The run's folder, where there is a ``log_dir``."""
        return self._run.context.run_dir

    # Training

    def learn(self, total_timesteps: int) -> RunResult:
        """Train for so many more environment steps; goes on where the last call ended, as if it had never stopped.

        A number that is no multiple of environments × horizon_length ends within a rollout, which the next call goes on
        with. A linear learning rate falls to 0 at the end of every call.

        Raises:
            KeyboardInterrupt: Ctrl-C, after the step has been finished and saved; `learn` can be called again.
            DnneError: What went wrong. What a callback raises comes as it is. The run is over then.
        """
        if isinstance(total_timesteps, bool) or not isinstance(total_timesteps, int) or total_timesteps < 1:
            raise ParameterError(f"total_timesteps is {total_timesteps!r}; expected a whole number of at least 1")
        self._shown.begin(self._run.end_after(total_timesteps))
        try:
            with stop_on_signals(self._control) as signals:
                result = outside_event_loops(lambda: self._run.advance(total_timesteps))
            self._shown.end(self._places())
        finally:
            self._shown.end()
        if signals.received:
            os.kill(os.getpid(), signals.received)
        return result

    def _places(self) -> Dict[str, str]:
        places = {"run": self.run_dir, "checkpoints": self._run.settings.save_checkpoint_dir}
        return {name: place for name, place in places.items() if place}

    def stop(self, reason: str = "stopped by the program") -> None:
        """End the present `learn` in order, after the step or update that is being done. Any thread may call it."""
        self._control.stop(reason)

    def add_callback(self, event: str, function: Callable[..., Any], optional: bool = False) -> None:
        """Call a function in every iteration: ``f(runner)`` at ``pre_…``, ``f(runner, stats)`` at ``post_…``.

        The order is ``pre_iteration``, ``pre_rollout``, ``post_rollout``, ``pre_update``, ``post_update``,
        ``post_iteration``; of one event, that of the calls of this method.

        Args:
            event: One of these.
            function: What it raises ends the run and comes out of `learn`.
            optional: What it raises is logged as a warning instead.
        """
        self._callbacks.add(event, function, optional)
        self._run.listen_to_phases()

    # Evaluation

    def eval(self, num_episodes: int, seed: Optional[int] = None) -> Dict[str, float]:
        """Play whole episodes with the most probable actions, in environments and with random generators of their own.

        Args:
            num_episodes: Each environment plays its share of them.
            seed: Of the evaluation; the same in every call where it is ``None``, so that calls can be compared.

        Returns:
            ``eval/mean_reward``, ``eval/std_reward``, ``eval/min_reward``, ``eval/max_reward``, ``eval/iqm_reward``,
            ``eval/mean_length`` and ``eval/episodes``; ``eval/success_rate`` where the task defines success.
        """
        self._run.begin()
        settings = self._run.settings
        own_seed = derived_seed(settings.seed, "evaluation") if seed is None else seed
        wanted = evaluation_settings(
            num_episodes, own_seed, settings.device, threads=settings.threads, longest_episode=settings.longest_episode
        )
        with kept_global_generators():
            graph, states = self._evaluation_graph(), self._run.node_states()
            return evaluation_metrics(outside_event_loops(lambda: run_episodes(graph, wanted, states)))

    def _evaluation_graph(self) -> Graph:
        return self._build(self._eval_environment or self._environment.for_evaluation())

    # Files

    def save_checkpoint(self, path: PathLike) -> None:
        """Write weights, normalisers, optimiser, counters and configuration into one file, atomically."""
        self._run.begin()
        checkpoint.save(path, self._run)

    def load_checkpoint(self, path: PathLike) -> None:
        """Take over what `save_checkpoint` wrote. Episodes and random numbers go on as they are.

        Raises:
            CheckpointError: The file is damaged, or is of other networks; names every tensor that does not fit.
        """
        self._run.begin()
        checkpoint.load(path, self._run)

    def to_workflow(self, path: PathLike) -> None:
        """Write the workflow file: it opens in the editor, and ``dnne train`` with this seed trains the same.

        Raises:
            RunError: No file can hold the environments or the networks; says what to do.
        """
        if isinstance(self._environment, NamedEnvironment) and self._networks.are_own:
            raise RunError(
                "a workflow file cannot hold an actor_class or critic_class of your own: take MLPActor and MLPCritic, "
                "or write a node (docs/nodes.md)"
            )
        if not self._can_be_saved:
            raise RunError(NO_FILE)
        save_workflow(self._document(), str(path))

    @property
    def _can_be_saved(self) -> bool:
        return isinstance(self._environment, NamedEnvironment) and not self._networks.are_own

    def _document(self) -> Any:
        return graph_to_workflow(self.graph, self._workflow)

    def close(self) -> None:
        """End the run: close its files and its simulation; environments that were given stay open."""
        try:
            self._run.close()
        finally:
            self._files.close()

    def __enter__(self) -> OnPolicyRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _declared(agent: Optional[PPO], env: Any, cfg: Any, networks: Mapping[str, Any]) -> PPO:
    if agent is None:
        if env is None:
            raise ParameterError("env is missing: give the name of a task, or environments")
        given = {name: value for name, value in networks.items() if value is not None}
        return PPO(env, cfg, **given)
    if not isinstance(agent, PPO):
        raise ParameterError(f"agent is {type(agent).__name__}; expected runtime.runner.PPO(env, cfg, …)")
    for name, value in {**networks, "cfg": cfg if cfg != agent.cfg else None}.items():
        if value is not None:
            raise ParameterError(f"agent and {name} are both given, and say different things; leave {name} out")
    if env is not None and env is not agent.env and env != agent.env:
        raise ParameterError("env is another one than that of agent; leave it out")
    return agent


def _for_evaluations(env: Any, trained: Any) -> Any:
    found = environment_of(env, None, "auto")
    if found.class_type != trained.class_type or isinstance(trained, NamedEnvironment):
        raise ParameterError("eval_env is for environments that a program made, where env is an object, too")
    return found


def _run_settings(
    seed: int, device: Any, log_interval: int, save_interval: int, save_dir: Any, others: Mapping[str, Any]
) -> RunSettings:
    known = [name for name in SETTING_FIELDS if name not in OWN_SETTINGS]
    for name in others:
        if name not in known:
            hint = did_you_mean(name, [*known, *ARGUMENTS])
            raise ParameterError(f"OnPolicyRunner has no argument {name!r}{hint}")
    return RunSettings(
        seed=seed, device="auto" if device is None else str(device), log_interval=log_interval,
        save_interval=save_interval, save_checkpoint_dir=None if save_dir is None else str(save_dir), **others,
    )  # fmt: skip


ARGUMENTS = tuple(name for name in inspect.signature(OnPolicyRunner).parameters if name != "settings")
