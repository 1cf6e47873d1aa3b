"""One set of options out of presets, configuration files and the command line, in this order of increasing weight."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from ..configuration import reference_keys
from ..configuration.files import find_config, flatten, load_config
from ..configuration.presets import load_preset
from ..errors import ConfigError
from ..graph import Graph
from ..recording.run_folder import slug
from ..suggest import did_you_mean
from ..validation import Problem
from .options import DEFAULT_LOG_DIR, INFERENCE_ONLY, NEW_RUN_ONLY, TRAINING_ONLY, add_run_options, is_given
from .overrides import Assignment, apply_overrides, elsewhere, find_targets, overruled, parse_assignment
from .resuming import AUTO, resolve_auto

NODE_WIDE = {
    "num_envs": "num_envs",
    reference_keys.MINIBATCH_KEY: "minibatch_size",
    "minibatch_size": "minibatch_size",
    "num_minibatches": "num_minibatches",
}
"""Keys that stand for a parameter of whichever nodes have it."""

NOT_IN_FILES = ("config", "config_path", "config_name", "preset", "overrides", "assignments", "inference", "help")
CHECKPOINTING = ("save_interval", "last_k_checkpoints")
COMMAND_LINE = ""
Target = Tuple[str, str]
"""What a key sets: the id of a node and its parameter, or ``""`` and an option."""
OF_EVALUATIONS = ("eval_episodes", "longest_episode")
BOTH_WAYS = ("visual", "headless")


class Layer(NamedTuple):
    """Keys and values from one place; the command line has the origin ``""``."""

    origin: str
    values: Dict[str, Any]
    optional: bool = False


class Configuration(NamedTuple):
    """What a run is asked for.

    Attributes:
        args: Options, those of all layers included.
        assignments: Parameters of nodes, the later ones counting more.
        unknown: Keys that are no option, as assignments without a node.
        notes: What was chosen, for the log.
        repeated: Settings that do not count, as the same place gives another value after them.
        said: Options that the command line has given, in whichever form.
    """

    args: argparse.Namespace
    assignments: Sequence[Assignment]
    unknown: Sequence[Assignment] = ()
    notes: Sequence[str] = ()
    repeated: Sequence[str] = ()
    said: FrozenSet[str] = frozenset()

    def warnings(self, graph: Graph) -> List[str]:
        """What was given and does not count, for the log."""
        return [*self.repeated, *overruled(graph, self.assignments)]

    def adjust(self, graph: Graph) -> List[Problem]:
        """Set the parameters of a graph, and return what could not be done."""
        problems = [_unknown(graph, assignment) for assignment in self.unknown]
        return problems + apply_overrides(graph, self.assignments)


def configure(args: argparse.Namespace, inference: bool, workflow_name: str) -> Configuration:
    """Merge all layers.

    Args:
        args: Parsed options; stays as it is.
        inference: Files may hold settings of a training; they do not count then.
        workflow_name: For names of run folders.

    Raises:
        ConfigError: A file or preset cannot be read, or a key or its value is wrong.
    """
    notes: List[str] = []
    assignments: List[Assignment] = []
    unknown: List[Assignment] = []
    settings = _Settings()
    for layer in _layers(args, notes):
        for key, value in _split(layer, assignments, unknown).items():
            settings.add(layer.origin, key, value)
    assignments += _from_options(args)
    options = reference_keys.translate(settings.values, workflow_name)
    merged_args = _with_options(args, options, settings.said, inference)
    said = {name for name, (_, keys) in options.items() if settings.said & set(keys)}
    said |= {name for name in known_options() if is_given(args, name)}
    if not inference:
        _choose_places(merged_args, workflow_name, notes)
        _check_company(merged_args, said)
    return Configuration(merged_args, assignments, unknown, notes, settings.repeated, frozenset(said))


def _check_company(args: argparse.Namespace, said: Set[str]) -> None:
    """Refuse options of the command line that act only beside another one."""
    for name in said & set(OF_EVALUATIONS):
        if not is_given(args, "eval_interval") and not args.resume:
            raise ConfigError(f"--{name.replace('_', '-')} has no effect without --eval-interval")


def key_targets(word: str, graph: Graph) -> FrozenSet[Target]:
    """What a word ``KEY=VALUE`` of the command line sets.

    Raises:
        ConfigError: Nothing reads the key.
    """
    key, _, value = word.partition("=")
    assignments: List[Assignment] = []
    unknown: List[Assignment] = []
    settings = _split(Layer(COMMAND_LINE, {key: value}), assignments, unknown)
    found = {("", _option(name)) for name in settings}
    problems = [_unknown(graph, assignment) for assignment in unknown]
    for assignment in assignments:
        nodes, more = find_targets(graph, assignment)
        found |= {(node.id, assignment.name) for node in nodes}
        problems += more
    if problems:
        raise ConfigError(problems[0].message)
    return frozenset(found)


def _option(key: str) -> str:
    """The option whose value a key gives."""
    return reference_keys.SAME_AS.get(key, key)


class _Settings:
    """Settings of the run out of all layers. Of those that say the same the last one counts.

    Attributes:
        values: By key, in the order in which they were given last.
        repeated: What gave way to another one of the same place, for the log.
    """

    def __init__(self) -> None:
        self.values: Dict[str, Any] = {}
        self.repeated: List[str] = []
        self._origins: Dict[str, str] = {}

    def add(self, origin: str, key: str, value: Any) -> None:
        """Take a setting of the next layer; of the command line every word is one."""
        same = [name for name in self.values if _option(name) == _option(key)]
        if same and self._origins[same[-1]] == origin and str(self.values[same[-1]]) != str(value):
            given, later = f"{origin} {same[-1]}={self.values[same[-1]]}".strip(), f"{origin} {key}={value}".strip()
            self.repeated.append(f"{given} does not count: {later} comes after it")
        self.values.pop(key, None)
        self.values[key], self._origins[key] = value, origin

    @property
    def said(self) -> Set[str]:
        """Keys whose values are those of the command line."""
        return {key for key, origin in self._origins.items() if origin == COMMAND_LINE}


def _choose_places(args: argparse.Namespace, workflow_name: str, notes: List[str]) -> None:
    if args.resume == AUTO:
        notes.append(resolve_auto(args, args.log_dir or DEFAULT_LOG_DIR, workflow_name))
    wants_checkpoints = args.checkpoints_in_run or any(is_given(args, name) for name in CHECKPOINTING)
    if wants_checkpoints and not args.resume:
        _choose_run_folder(args, workflow_name)


def _choose_run_folder(args: argparse.Namespace, workflow_name: str) -> None:
    """Name the run's folder beforehand, so that checkpoints can lie in it; an own ``--save-checkpoint-dir`` stays."""
    if args.save_checkpoint_dir is None:
        args.log_dir = args.log_dir or DEFAULT_LOG_DIR
        args.run_name = args.run_name or f"{slug(workflow_name)}-{time.strftime('%Y%m%d-%H%M%S')}"
        args.save_checkpoint_dir = str(Path(args.log_dir, args.run_name, "checkpoints"))


def _layers(args: argparse.Namespace, notes: List[str]) -> Iterator[Layer]:
    if args.preset is not None:
        preset = load_preset(args.preset)
        notes.append(preset.text)
        yield Layer(f"preset {preset.name}:", preset.values, optional=True)
    for path in _config_files(args):
        yield Layer(f"{path}:", dict(flatten(load_config(path))))
    for word in args.overrides:
        key, _, value = word.partition("=")
        yield Layer(COMMAND_LINE, {key: value})


def _config_files(args: argparse.Namespace) -> Iterator[str]:
    if args.config_name is not None:
        yield str(find_config(args.config_path, args.config_name))
    elif args.config_path is not None:
        raise ConfigError(f"--config-path {args.config_path} is a folder; name the file in it with --config-name")
    if args.config is not None:
        yield args.config


def _split(layer: Layer, assignments: List[Assignment], unknown: List[Assignment]) -> Dict[str, Any]:
    """The keys of options; those of nodes go to the lists."""
    settings: Dict[str, Any] = {}
    options = known_options()
    is_text = layer.origin == COMMAND_LINE
    for key, value in layer.values.items():
        node, _, name = key.rpartition(".")
        refusal = reference_keys.refusal(key)
        if refusal:
            raise ConfigError(f"{layer.origin} {key}: {refusal}".strip())
        if key in options or key in reference_keys.SPECIAL:
            settings[key] = value
        elif key in NODE_WIDE:
            given = Assignment(layer.origin, None, NODE_WIDE[key], value, is_text, key, layer.optional)
            assignments.append(given)
        elif node and node != reference_keys.GROUP:
            assignments.append(Assignment(layer.origin, node, name, value, is_text))
        else:
            unknown.append(Assignment(layer.origin, None, key, value, is_text))
    return settings


def known_options() -> Dict[str, argparse.Action]:
    """Every option that a file may set, by its name."""
    parser = argparse.ArgumentParser(add_help=False)
    add_run_options(parser)
    return {
        action.dest: action
        for action in parser._actions
        if action.dest not in NOT_IN_FILES and action.dest not in NODE_WIDE
    }


def _unknown(graph: Graph, assignment: Assignment) -> Problem:
    known = [*reference_keys.known_keys(list(known_options())), *NODE_WIDE]
    hint = elsewhere(graph, assignment.name) or did_you_mean(assignment.name, known)
    right = "NODE.PARAM=VALUE or a setting of the run, see --help"
    return Problem("", "", f"{assignment.text}: nothing reads the key {assignment.name!r}{hint}", right)


def _from_options(args: argparse.Namespace) -> Iterator[Assignment]:
    if args.num_envs is not None:
        yield Assignment("", None, "num_envs", args.num_envs, False, "--num-envs")
    yield from map(parse_assignment, args.assignments)


def _with_options(
    args: argparse.Namespace, options: Mapping[str, reference_keys.Setting], said: Set[str], inference: bool
) -> argparse.Namespace:
    merged = argparse.Namespace(**vars(args))
    merged.checkpoints_in_run = False
    known = known_options()
    for name, (value, keys) in options.items():
        is_said = bool(said & set(keys))
        if value is None or (not is_said and _is_out_of_place(name, args, inference)):
            continue
        if name == "checkpoints_in_run":
            merged.checkpoints_in_run = True
            continue
        if is_given(args, name) or (name in BOTH_WAYS and any(is_given(args, way) for way in BOTH_WAYS)):
            if is_said:
                raise ConfigError(f"--{name.replace('_', '-')} and {keys[0]}= are both given; leave one out")
            continue
        setattr(merged, name, _option_value(known[name], value, keys[0]))
    return merged


def _is_out_of_place(name: str, args: argparse.Namespace, inference: bool) -> bool:
    """Whether a setting of a file does not count here: one of training in inference, of the beginning in a resume."""
    if inference:
        return name in TRAINING_ONLY or name == "checkpoints_in_run"
    return name in INFERENCE_ONLY or (args.resume not in (None, AUTO) and name in (*NEW_RUN_ONLY, "checkpoints_in_run"))


def _option_value(action: argparse.Action, value: Any, key: str) -> Any:
    """A value as the option's own parser takes it."""
    if action.nargs == 0:
        words = {"true": True, "false": False}
        if str(value).lower() not in words:
            raise ConfigError(f"{key} is {value!r}; expected true or false")
        return words[str(value).lower()]
    if isinstance(value, (list, tuple)):
        value = ",".join(map(str, value))
    text = str(value)
    try:
        result = action.type(text) if callable(action.type) else text
    except argparse.ArgumentTypeError as error:
        raise ConfigError(f"{key}: {error}") from error
    if action.choices is not None and result not in action.choices:
        expected = ", ".join(map(str, action.choices))
        raise ConfigError(f"{key} is {text!r}; expected one of {expected}{did_you_mean(text, action.choices)}")
    return result
