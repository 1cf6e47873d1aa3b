"""Export: a workflow as a Python folder that runs with torch alone, and a trained policy as one file."""

from .errors import ExportError
from .policy_export import PolicyReport, export_policy
from .workflow_export import ExportReport, export_workflow

__all__ = ["ExportError", "ExportReport", "PolicyReport", "export_policy", "export_workflow"]
