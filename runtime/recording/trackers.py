"""Experiment trackers, which are optional: Weights & Biases and MLflow as sinks of events.

Both get the metrics of every recorded iteration over environment steps, by the names that all other files have, and
the parameters of the run at its start. A tracker that fails while the run goes on is left out from there on, with a
warning: the run's own files hold everything.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Type

from ..errors import TrackingError
from ..events import Event, Failed, Metrics
from ..graph import Graph
from ..suggest import did_you_mean

DEFAULT_PROJECT = "dnne"
LONGEST_PARAMETER = 500
BATCH = 100

logger = logging.getLogger(__name__)


class Tracked(NamedTuple):
    """The run that is tracked.

    Attributes:
        project: Project or experiment.
        folder: The run's folder; its name is the run's.
        parameters: By name.
    """

    project: str
    folder: Path
    parameters: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The same for every process that goes on with the run."""
        digest = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()
        return f"{re.sub('[^A-Za-z0-9_-]', '-', self.folder.name)[:50]}-{digest[:8]}"


class Tracker:
    """A sink; a subclass knows the library.

    Args:
        tracked: The run.

    Raises:
        TrackingError: The library is missing, or refuses.
    """

    name = ""

    def __init__(self, tracked: Tracked):
        self._is_active, self._failed = True, False
        try:
            self._open(tracked)
        except ImportError as error:
            raise TrackingError(
                f"--track {self.name}: it is not installed ({error}): pip install {self.name}"
            ) from error
        except Exception as error:
            raise TrackingError(f"--track {self.name}: {type(error).__name__}: {error}{self._remedy()}") from error

    def __call__(self, event: Event) -> None:
        """Send the metrics of an iteration."""
        if isinstance(event, Metrics):
            self._guarded(lambda: self._log(event))
        elif isinstance(event, Failed):
            self._failed = True

    def close(self) -> None:
        """End the tracked run. May be called twice."""
        self._guarded(self._close)
        self._is_active = False

    def _guarded(self, action: Callable[[], None]) -> None:
        if not self._is_active:
            return
        try:
            action()
        except Exception as error:  # noqa: BLE001 - of whatever kind: the training is worth more than its tracker
            self._is_active = False
            logger.warning("%s is left out from here on: %s: %s", self.name, type(error).__name__, error)

    def _open(self, tracked: Tracked) -> None:
        raise NotImplementedError

    def _log(self, event: Metrics) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        raise NotImplementedError

    def _remedy(self) -> str:
        return ""


class WandbTracker(Tracker):
    """Weights & Biases. ``WANDB_MODE=offline`` writes into the run's folder, for ``wandb sync``."""

    name = "wandb"

    def _open(self, tracked: Tracked) -> None:
        import wandb

        self._run = wandb.init(
            project=tracked.project, name=tracked.folder.name, id=tracked.id, resume="allow", dir=str(tracked.folder),
            config=dict(tracked.parameters),
            settings=wandb.Settings(silent=True, console="off", disable_git=True, disable_code=True),
        )  # fmt: skip

    def _log(self, event: Metrics) -> None:
        self._run.log({"iteration": event.iteration, **event.values}, step=event.step)

    def _close(self) -> None:
        self._run.finish(exit_code=int(self._failed))

    def _remedy(self) -> str:
        return "; `wandb login`, or set WANDB_MODE=offline"


class MlflowTracker(Tracker):
    """MLflow: the server of ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` (SQLite) beside the run's folder."""

    name = "mlflow"

    def _open(self, tracked: Tracked) -> None:
        from mlflow.tracking import MlflowClient

        parent = tracked.folder.resolve().parent
        place = os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{parent / 'mlflow.db'}"
        self._client = MlflowClient(tracking_uri=place)
        experiment = self._experiment(tracked.project, place, parent)
        same = f"tags.`dnne.run` = '{tracked.id}'"
        earlier = self._client.search_runs([experiment], same)
        if earlier:
            self._run_id = earlier[0].info.run_id
            self._client.update_run(self._run_id, "RUNNING")
            return
        tags = {"dnne.run": tracked.id, "dnne.folder": str(tracked.folder.resolve())}
        self._run_id = self._client.create_run(experiment, tags=tags, run_name=tracked.folder.name).info.run_id
        self._send_parameters(tracked.parameters)

    def _experiment(self, name: str, place: str, parent: Path) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        artifacts = (parent / "mlflow_artifacts").as_uri() if place.startswith("sqlite:") else None
        return str(self._client.create_experiment(name, artifact_location=artifacts))

    def _send_parameters(self, parameters: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        sent = [Param(_plain(name), str(value)[:LONGEST_PARAMETER]) for name, value in parameters.items()]
        for first in range(0, len(sent), BATCH):
            self._client.log_batch(self._run_id, params=sent[first : first + BATCH])

    def _log(self, event: Metrics) -> None:
        from mlflow.entities import Metric

        now, values = int(time.time() * 1000), {"iteration": event.iteration, **event.values}
        sent = [Metric(_plain(name), float(value), now, event.step) for name, value in values.items()]
        for first in range(0, len(sent), BATCH):
            self._client.log_batch(self._run_id, metrics=sent[first : first + BATCH])

    def _close(self) -> None:
        self._client.set_terminated(self._run_id, "FAILED" if self._failed else "FINISHED")


TRACKERS: Dict[str, Type[Tracker]] = {kind.name: kind for kind in (WandbTracker, MlflowTracker)}


def check_trackers(text: str) -> List[List[str]]:
    """``wandb:cartpole,mlflow`` as names and projects.

    Raises:
        TrackingError: a name is unknown.
    """
    parts = [part.strip().partition(":") for part in text.split(",")]
    for name, _, _ in parts:
        if name not in TRACKERS:
            raise TrackingError(
                f"--track {name!r}: expected {' or '.join(TRACKERS)}, with a project after a colon"
                f"{did_you_mean(name, TRACKERS)}"
            )
    return [[name, project or DEFAULT_PROJECT] for name, _, project in parts]


def open_trackers(text: str, folder: Path, settings: Mapping[str, Any], graph: Graph) -> List[Tracker]:
    """The trackers of ``--track``.

    Args:
        text: As `check_trackers` takes it.
        folder: The run's.
        settings: Of the run.
        graph: With its parameters as they are in force.

    Raises:
        TrackingError: A name is unknown, or a tracker is missing or refuses.
    """
    opened: List[Tracker] = []
    parameters = {**settings, **_parameters(graph)}
    try:
        for name, project in check_trackers(text):
            opened.append(TRACKERS[name](Tracked(project, folder, parameters)))
    except TrackingError:
        for tracker in opened:
            tracker.close()
        raise
    return opened


def _parameters(graph: Graph) -> Dict[str, Any]:
    """``Trainer.learning_rate`` and so on; by id where several nodes have one title."""
    labels = [node.label for node in graph.nodes.values()]
    named = {
        (node.label if labels.count(node.label) == 1 else node_id): node.parameter_values()
        for node_id, node in graph.nodes.items()
    }
    return {f"{label}.{name}": value for label, values in named.items() for name, value in values.items()}


def _plain(name: str) -> str:
    """A name as MLflow takes it."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)
