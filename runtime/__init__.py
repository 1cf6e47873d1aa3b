"""The DNNE runtime: everything that a workflow needs to run. Imports only the standard library and torch."""

__version__ = "0.1.0"
