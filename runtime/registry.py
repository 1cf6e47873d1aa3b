"""Finds node types: in packages, in installed distributions, and in a user's own folder of node files."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Dict, Iterable, Iterator, List, Optional, Type, Union

from .errors import NodeDefinitionError
from .node import Node
from .suggest import did_you_mean

ENTRY_POINT_GROUP = "dnne.nodes"
TASK_ENTRY_POINT_GROUP = "dnne.tasks"


@dataclass(frozen=True)
class LoadFailure:
    """A module that could not be loaded; its node types are missing."""

    source: str
    error: str
    traceback: str


class NodeRegistry:
    """Node classes by name, with the earlier names that they replace."""

    def __init__(self) -> None:
        self.types: Dict[str, Type[Node]] = {}
        self.renamed: Dict[str, str] = {}
        self.sources: Dict[str, str] = {}
        self.failures: List[LoadFailure] = []

    def resolve(self, class_type: str) -> Optional[Type[Node]]:
        """The class of this name, or the one that replaced it; ``None`` if unknown."""
        return self.types.get(self.renamed.get(class_type, class_type))

    def hint(self, class_type: str) -> str:
        """A close match for an unknown type, or what failed to load."""
        hint = did_you_mean(class_type, self.types)
        if self.failures:
            failed = "; ".join(f"{failure.source}: {failure.error}" for failure in self.failures)
            hint += f" (not loaded: {failed})"
        return hint

    def add(self, node_class: Type[Node], source: str) -> None:
        """Register one class.

        Raises:
            NodeDefinitionError: Another class has the same name, present or earlier.
        """
        name = node_class.__name__
        if self.types.get(name, node_class) is not node_class:
            raise NodeDefinitionError(f"two node types are named {name}: in {self.sources[name]} and in {source}")
        if name in self.renamed:
            raise NodeDefinitionError(f"{name} in {source} is an earlier name of {self.renamed[name]}; choose another")
        for old in node_class.replaces:
            if self.renamed.get(old, name) != name:
                raise NodeDefinitionError(f"{name} and {self.renamed[old]} both replace {old}")
            if old in self.types:
                raise NodeDefinitionError(f"{name} replaces {old}, which is a node type in {self.sources[old]}")
        self.renamed.update(dict.fromkeys(node_class.replaces, name))
        self.types[name] = node_class
        self.sources[name] = source

    def add_module(self, module: ModuleType, source: str) -> None:
        """Register every node class that the module itself defines; a class without ``compute`` is a base of others."""
        for _, value in sorted(vars(module).items()):
            is_node = inspect.isclass(value) and issubclass(value, Node) and value.__module__ == module.__name__
            if is_node and hasattr(value, "compute") and not value.__name__.startswith("_"):
                self.add(value, source)

    def add_package(self, package: ModuleType) -> None:
        """Register the nodes of all modules of a package; a module that does not load raises (it is ours)."""
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            module = importlib.import_module(info.name)
            self.add_module(module, str(getattr(module, "__file__", info.name)))

    def add_folder(self, folder: Union[str, Path]) -> None:
        """Register the nodes of a user's folder; a file that does not load is kept in ``failures``."""
        for path in sorted(Path(folder).glob("*.py")):
            if not path.name.startswith("_"):
                with self._failures_of(str(path)):
                    self.add_module(load_file(path), str(path))

    def add_entry_points(self) -> None:
        """Register the nodes of installed distributions that announce ``dnne.nodes``, and load their ``dnne.tasks``."""
        for entry_point in _entry_points(ENTRY_POINT_GROUP):
            source = f"entry point {entry_point.name} = {entry_point.value}"
            with self._failures_of(source):
                self._add_loaded(entry_point.load(), source)
        for entry_point in _entry_points(TASK_ENTRY_POINT_GROUP):
            with self._failures_of(f"entry point {entry_point.name} = {entry_point.value}"):
                entry_point.load()  # its tasks are declared with `own_task`, which lists them

    def _add_loaded(self, loaded: object, source: str) -> None:
        if inspect.isclass(loaded) and issubclass(loaded, Node):
            self.add(loaded, source)
        elif inspect.ismodule(loaded):
            self.add_module(loaded, source)
        else:
            raise NodeDefinitionError(f"{source} is neither a node class nor a module")

    @contextmanager
    def _failures_of(self, source: str) -> Iterator[None]:
        """Keep whatever a stranger's module raises; it is shown to the user, and our own types still load."""
        try:
            yield
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self.failures.append(LoadFailure(source, f"{type(error).__name__}: {error}", traceback.format_exc()))


def load_file(path: Path) -> ModuleType:
    """Import a Python file under a name of its own and with a full path as ``__file__``; ``sys.path`` is left alone."""
    path = Path(path).absolute()  # Python 3.8 leaves it as it is given
    name = f"dnne_user_nodes.{path.stem}_{zlib.crc32(str(path.resolve()).encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise NodeDefinitionError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _entry_points(group: str) -> Iterable:
    from importlib import metadata

    found = metadata.entry_points()
    if hasattr(found, "select"):
        return found.select(group=group)
    return found.get(group, ())


def discover(packages: Iterable[ModuleType], folders: Iterable[Union[str, Path]] = ()) -> NodeRegistry:
    """All node types: the given packages, entry points, and folders of node files.

    Raises:
        NodeDefinitionError: A folder does not exist, or one of our own modules is declared wrongly.
    """
    registry = NodeRegistry()
    for package in packages:
        registry.add_package(package)
    registry.add_entry_points()
    for folder in {Path(folder).resolve(): folder for folder in folders}.values():
        if not Path(folder).is_dir():
            raise NodeDefinitionError(f"the nodes folder {folder} does not exist")
        registry.add_folder(folder)
    return registry
