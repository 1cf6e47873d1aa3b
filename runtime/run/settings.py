"""What a host asks of a run."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Dict, Optional, Tuple

import torch

from ..context import MAX_SEED
from ..errors import RunError
from ..modes import INFER, TRAIN
from ..rl.freezing import check_parts
from ..scheduler.engine import SCHEDULERS
from ..scheduler.machine import DEFAULT_QUEUE_SIZE

COUNTS = ("save_interval", "last_k_checkpoints", "log_interval", "eval_interval", "eval_episodes", "longest_episode")
_KINDS = {"int": "a whole number", "float": "a finite number", "str": "text", "bool": "true or false"}


@dataclass(frozen=True)
class RunSettings:
    """Settings of one run; the same in the editor, on the command line and in an export.

    Attributes:
        mode: ``train`` or ``infer``.
        seed: Base of every random generator.
        device: ``cpu``, ``cuda``, ``cuda:1`` or ``auto`` (CUDA where there is one).
        timeout: Seconds until the run ends.
        total_timesteps: Environment steps, from the run's beginning, at which it ends.
        iterations: Training iterations, from the run's beginning, at which it ends.
        stop_reward: Ends when episode/mean_reward reaches this.
        patience: Ends when episode/mean_reward has not improved for this many iterations.
        episodes: In inference, ends after this many whole episodes.
        save_checkpoint_dir: Global switch of saving.
        load_checkpoint_dir: Global switch of loading.
        save_interval: Iterations between two checkpoints of every node, in place of the nodes' own triggers.
        last_k_checkpoints: Newest checkpoints that stay beside the best one, in place of the nodes' own number.
        pretrained_dir: Checkpoints whose weights a new run starts from, as far as they fit.
        freeze: Parts of the model whose parameters do not move: ``actor``, ``critic``, ``trunk``, with commas between.
        log_interval: Metrics are recorded every so many iterations.
        eval_interval: Iterations between two evaluations during a training.
        eval_episodes: Whole episodes of each of them.
        longest_episode: Steps after which an episode of an evaluation is given up, in place of the usual number.
        untrained: Lets inference run on weights that were never trained.
        resume_interval: Seconds between two saved resume states.
        queue_size: Values that a wire may hold before its writer waits.
        scheduler: ``auto``, ``static`` or ``queues``.
        threads: CPU threads of torch.
        tf32: Let NVIDIA GPUs multiply float32 matrices with 10 bits of mantissa.
        visual: Open the simulator's viewer.
        verbose: Log single steps.
    """

    mode: str = TRAIN
    seed: int = 0
    device: str = "cpu"
    timeout: Optional[float] = None
    total_timesteps: Optional[int] = None
    iterations: Optional[int] = None
    stop_reward: Optional[float] = None
    patience: Optional[int] = None
    episodes: Optional[int] = None
    save_checkpoint_dir: Optional[str] = None
    load_checkpoint_dir: Optional[str] = None
    save_interval: Optional[int] = None
    last_k_checkpoints: Optional[int] = None
    pretrained_dir: Optional[str] = None
    freeze: Optional[str] = None
    log_interval: int = 1
    eval_interval: Optional[int] = None
    eval_episodes: int = 64
    longest_episode: Optional[int] = None
    untrained: bool = False
    resume_interval: float = 300.0
    queue_size: int = DEFAULT_QUEUE_SIZE
    scheduler: str = "auto"
    threads: int = 1
    tf32: bool = False
    visual: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            _check_type(field.name, getattr(self, field.name), str(field.type))
        for name in ("total_timesteps", "iterations", "patience", "episodes", "queue_size", "threads", *COUNTS):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise RunError(f"{name} is {value}; expected at least 1")
        if not 0 <= self.seed <= MAX_SEED:
            raise RunError(f"seed is {self.seed}; expected 0 to {MAX_SEED}")
        check_parts(self.frozen_parts)
        if self.pretrained_dir is not None and self.load_checkpoint_dir is not None:
            raise RunError("load_checkpoint_dir and pretrained_dir both give weights to start from; leave one out")
        if self.scheduler not in SCHEDULERS:
            raise RunError(f"scheduler is {self.scheduler!r}; expected one of {', '.join(SCHEDULERS)}")
        if self.mode not in (TRAIN, INFER):
            raise RunError(f"mode is {self.mode!r}; expected {TRAIN!r} or {INFER!r}")
        if self.inference and self.load_checkpoint_dir is None and not self.untrained:
            raise RunError(
                "inference needs trained weights: give --load-checkpoint-dir DIR (or --untrained to run on random ones)"
            )

    @property
    def frozen_parts(self) -> Tuple[str, ...]:
        """The names in `freeze`."""
        return tuple(part.strip() for part in (self.freeze or "").split(",") if part.strip())

    @property
    def inference(self) -> bool:
        """True where nothing is trained."""
        return self.mode == INFER

    def torch_device(self, local_rank: Optional[int] = None) -> torch.device:
        """The device, checked.

        Args:
            local_rank: Of several processes on this machine; each takes the GPU of its number.

        Raises:
            RunError: The name is no device, or this machine lacks it.
        """
        name = self.device
        if name == "auto":
            name = "cuda" if torch.cuda.is_available() else "cpu"
        if local_rank is not None and name.startswith("cuda:"):
            raise RunError(f"device {name!r} is one GPU, but each of several processes needs its own: give cuda")
        try:
            device = torch.device(f"cuda:{local_rank}" if local_rank is not None and name == "cuda" else name)
        except RuntimeError as error:
            raise RunError(f"device {self.device!r} is unknown; expected cpu, cuda, cuda:N or auto") from error
        if device.type not in ("cpu", "cuda"):
            raise RunError(f"device {self.device!r} is not supported; expected cpu, cuda, cuda:N or auto")
        if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
            raise RunError(
                f"device {self.device!r} is not there: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA "
                "devices; use --device cpu"
            )
        return device

    def as_dict(self) -> Dict[str, Any]:
        """For the run folder."""
        return asdict(self)


def _check_type(name: str, value: Any, annotation: str) -> None:
    kind = annotation.replace("Optional[", "").rstrip("]")
    if not (_fits(value, kind) or (value is None and kind != annotation)):
        raise RunError(f"{name} is {value!r}; expected {_KINDS[kind]}")


def _fits(value: Any, kind: str) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "str":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int if kind == "int" else (int, float)):
        return False
    return kind == "int" or _is_finite(value)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


SETTING_FIELDS = tuple(field.name for field in fields(RunSettings))
