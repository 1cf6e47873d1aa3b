"""What can go wrong in an export."""

from ..errors import DnneError


class ExportError(DnneError):
    """A workflow or a policy cannot be exported, or not to that place."""
