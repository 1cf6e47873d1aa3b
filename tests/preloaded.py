"""What the server imports from which `tests.commands` forks processes: all that a command needs."""

import app.cli
import app.commands.infer
import app.commands.train
import nodes
import runtime.distributed.process_group
import runtime.recording
import runtime.registry

__all__ = ["app", "nodes", "runtime"]
runtime.registry.discover([nodes])
