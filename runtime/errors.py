"""The exceptions of DNNE. Every message names what is wrong, where, and what would be right."""


class DnneError(Exception):
    """Base of all errors that DNNE raises on purpose."""


class StorageError(DnneError):
    """A file or folder could not be written. Names the path and the reason."""


class CheckpointError(DnneError):
    """A checkpoint or a resume state cannot be saved, read, or does not fit."""


class DurationError(DnneError, ValueError):
    """A text is not a duration such as 1h30m."""


class NodeDefinitionError(DnneError):
    """A node class is declared wrongly. Raised when the class is created."""


class ParameterError(DnneError, ValueError):
    """A parameter is unknown, of the wrong type or out of range."""


class WorkflowError(DnneError):
    """A workflow file cannot be read, or what it says is wrong."""


class DeadlockError(DnneError):
    """No node can fire although values are left. Names the ring of waiting ports."""


class RateError(DnneError):
    """A node emitted something else than its declared firing rate."""


class NodeFailure(DnneError):
    """A node raised during a run; the original exception is the cause.

    Attributes:
        node_id: Id of the node in the workflow.
        label: Its title.
    """

    def __init__(self, node_id: str, label: str, cause: BaseException):
        super().__init__(f"node {node_id} ({label}): {type(cause).__name__}: {cause}")
        self.node_id = node_id
        self.label = label


class ConfigError(DnneError):
    """A configuration file, a preset or an override cannot be read or used. Names file and key."""


class RunError(DnneError):
    """A run cannot start with these settings."""


class NoEpisodeEnded(RunError):
    """An evaluation has come to nothing."""


class TaskDefinitionError(DnneError):
    """A task is declared in a way that cannot work; names the class and what is wrong."""


class DistributedError(DnneError):
    """The processes of a run cannot be started, cannot reach each other, or have parted."""


class TrackingError(DnneError):
    """An experiment tracker is unknown, not installed, or refuses the run."""
