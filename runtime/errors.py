"""The exceptions of DNNE. Every message names what is wrong, where, and what would be right."""


class DnneError(Exception):
    """Base of all errors that DNNE raises on purpose."""


class StorageError(DnneError):
    """A file or folder could not be written. Names the path and the reason."""


class CheckpointError(DnneError):
    """A checkpoint or a resume state cannot be saved, read, or does not fit."""


class DurationError(DnneError, ValueError):
    """A text is not a duration such as 1h30m."""
