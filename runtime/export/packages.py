"""Where the modules of an import name lie, and where an export puts them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple, Type

from ..node import Node
from .errors import ExportError
from .names import identifier, module_name

RUNTIME = __name__.split(".")[0]
FRAMEWORK = "framework"
NODES = f"{FRAMEWORK}.nodes"
USER_NODES = f"{NODES}.user"
INSTALLED_NODES = f"{NODES}.installed"
USER_MODULES = "dnne_user_nodes"


@dataclass(frozen=True)
class Place:
    """One module's file and its name in the export."""

    path: Path
    target: str

    @property
    def is_package(self) -> bool:
        """True for ``__init__.py``."""
        return self.path.name == "__init__.py"

    @property
    def package(self) -> str:
        """The package that its relative imports start from."""
        return self.target if self.is_package else self.target.rpartition(".")[0]

    @property
    def file(self) -> str:
        """Its path in the export."""
        return self.target.replace(".", "/") + ("/__init__.py" if self.is_package else ".py")


@dataclass(frozen=True)
class Package:
    """Modules that go to one place of the export.

    Attributes:
        name: What import statements call it; empty for a folder of files that import each other by their own names.
        path: Its folder, or its file where it is a single module.
        target: Its name in the export.
        verbatim: Its imports are relative, so nothing in it is rewritten.
    """

    name: str
    path: Path
    target: str
    verbatim: bool = False

    def find(self, module: str) -> Optional[Place]:
        """The place of a module by its name in import statements, or in the export; ``None`` if it is not here."""
        for name in (self.name, self.target):
            if module == name or module.startswith(f"{name}."):
                return self._locate(module[len(name) :].strip("."))
        return None if self.name else self._locate(module)

    def parents(self, place: Place) -> Iterator[Place]:
        """The packages above a module, as far as they belong to this package."""
        parts = place.target.split(".")
        for length in range(len(self.target.split(".")), len(parts)):
            found = self.find(".".join(parts[:length]))
            if found is not None:
                yield found

    def _locate(self, inner: str) -> Optional[Place]:
        if self.path.is_file():
            return Place(self.path, self.target) if not inner else None
        parts = [part for part in inner.split(".") if part]
        target = ".".join([self.target, *map(module_name, parts)])
        folder = self.path.joinpath(*parts)
        if parts and folder.with_name(folder.name + ".py").is_file():
            return Place(folder.with_name(folder.name + ".py"), target)
        if (parts or self.name) and (folder / "__init__.py").is_file():
            return Place(folder / "__init__.py", target)
        return None


def runtime_package() -> Package:
    """This package, which every export carries as ``framework``."""
    return Package(RUNTIME, Path(__file__).resolve().parents[1], FRAMEWORK, verbatim=True)


def nodes_package() -> List[Package]:
    """The built-in node types, where they are installed."""
    spec = util.find_spec("nodes")
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    return [Package("nodes", Path(folder), NODES) for folder in folders[:1]]


def package_of(node_class: Type[Node], known: Sequence[Package]) -> Tuple[Package, Place]:
    """The package that a node type comes from, and the place of its module.

    Args:
        node_class: A node type.
        known: Packages that were found before; two folders of users' files must not go to one place.

    Raises:
        ExportError: The type has no source file that could be carried.
    """
    path, top = _source_file(node_class), node_class.__module__.split(".")[0]
    if top == USER_MODULES:
        package = _user_folder(path.parent, known)
        return package, Place(path, f"{package.target}.{module_name(path.stem)}")
    package = _installed(top, path)
    place = package.find(node_class.__module__)
    if place is None or place.path.resolve() != path:
        found = f"module {node_class.__module__} of node type {node_class.__name__} is not in {package.path}"
        raise ExportError(f"{found}, so an export cannot carry it")
    return package, place


def _installed(top: str, path: Path) -> Package:
    folders = list(getattr(sys.modules[top], "__path__", ()))
    root = Path(folders[0]) if folders else path
    return Package(top, root, NODES if top == "nodes" else f"{INSTALLED_NODES}.{identifier(top)}")


def _user_folder(folder: Path, known: Sequence[Package]) -> Package:
    folders = [package.path for package in known if package.target.startswith(USER_NODES)]
    number = folders.index(folder) + 1 if folder in folders else len(folders) + 1
    return Package("", folder, USER_NODES if number == 1 else f"{USER_NODES}_{number}")


def _source_file(node_class: Type[Node]) -> Path:
    module = sys.modules.get(node_class.__module__)
    path = Path(getattr(module, "__file__", None) or "?")
    if module is None or path.suffix != ".py" or not path.is_file():
        raise ExportError(
            f"node type {node_class.__name__} (module {node_class.__module__}) has no Python source file on this disk, "
            "so an export cannot carry it; install it as plain files, or put it into a folder for --nodes-dir"
        )
    return path.resolve()
