"""The command line of a run, the same for ``dnne train|infer`` and for an exported ``runner.py``."""
