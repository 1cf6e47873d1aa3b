"""Checkpoints of nodes, resume states of runs, and when and where they are saved."""

from .disk import enough_space
from .format import NodeCheckpoint, load_node_checkpoint, save_node_checkpoint
from .inspect import describe_checkpoint
from .layout import node_folder, node_folders
from .matching import check_state_fits, state_shapes
from .metadata import node_metadata
from .resume import ResumeState, ResumeStore
from .triggers import DEFAULT_METRIC, TRIGGER_TYPES, BestMetric, CheckpointTrigger

__all__ = [
    "DEFAULT_METRIC",
    "TRIGGER_TYPES",
    "BestMetric",
    "CheckpointTrigger",
    "NodeCheckpoint",
    "ResumeState",
    "ResumeStore",
    "check_state_fits",
    "describe_checkpoint",
    "enough_space",
    "load_node_checkpoint",
    "node_folder",
    "node_folders",
    "node_metadata",
    "save_node_checkpoint",
    "state_shapes",
]
