"""Finds the modules that an export needs: all that its nodes and its runner import, and what these import in turn."""

from __future__ import annotations

import ast
import io
import sys
import sysconfig
import tokenize
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Type

from ..node import Node
from .errors import ExportError
from .imports import Import, imports_of, rename_imports
from .model_files import referenced_files
from .packages import Package, Place, nodes_package, package_of, runtime_package

ENTRY_MODULES = ("command.launch", "exported")
FORBIDDEN = {"app": "the desktop program", "resources": "the desktop program's files"}
PROVIDED = {"torch", "isaacgym"}


@dataclass(frozen=True)
class Library:
    """A library that a carried node file imports.

    Attributes:
        name: As it is imported.
        needed_by: The file.
        lazy: The file loads without it.
    """

    name: str
    needed_by: str
    lazy: bool


class Carrier:
    """Collects the files of ``framework/``.

    Attributes:
        files: Content by path in the export.
        libraries: What the node files import besides the standard library and torch.
    """

    def __init__(self) -> None:
        self.files: Dict[str, bytes] = {}
        self.libraries: List[Library] = []
        self._runtime = runtime_package()
        self._packages: List[Package] = [*nodes_package(), self._runtime]
        self._sources: Dict[str, Path] = {}
        for name in ("", *ENTRY_MODULES):
            self._add(self._runtime, self._runtime.find(f"{self._runtime.name}.{name}".rstrip(".")))

    def add_node_type(self, node_class: Type[Node]) -> str:
        """Carry a node type's file and all that it imports; the name of its module in the export.

        Raises:
            ExportError: It cannot be carried; the text names file, line and import.
        """
        package, place = package_of(node_class, self._packages)
        if package not in self._packages:
            self._packages.append(package)
        self._add(package, place)
        return place.target

    def add_class(self, carried: type) -> str:
        """Carry the file of a class that a node names, and the files that it reads; the name of its module there.

        Raises:
            ExportError: It cannot be carried, or reads a file that does not lie beside its own.
        """
        package, place = package_of(carried, self._packages)
        if package not in self._packages:
            self._packages.append(package)
        self._add(package, place)
        for name in getattr(carried, "files", tuple)():
            path = Path(name).parent.resolve() / Path(name).name
            for data in (path, *(referenced_files(path) if path.is_file() else ())):
                self._add_data(place, data)
        return place.target

    def _add_data(self, place: Place, path: Path) -> None:
        folder = place.path.resolve().parent
        if not path.is_file() or not all(folder in each.parents for each in (path, path.resolve())):
            raise ExportError(f"{place.path} reads {path}: an export can carry only files that lie beside it")
        target = Path(place.file).parent / path.relative_to(folder)
        self.files[target.as_posix()] = path.read_bytes()

    def finish(self) -> Dict[str, bytes]:
        """All files; folders of modules that have no ``__init__.py`` get one."""
        for path in [name for name in self.files if name.endswith(".py")]:
            for folder in list(Path(path).parents)[:-1]:
                text = '"""Node types that this export carries."""\n'
                self.files.setdefault((folder / "__init__.py").as_posix(), text.encode())
        return {path: self.files[path] for path in sorted(self.files)}

    def _add(self, package: Package, place: Optional[Place]) -> None:
        if place is None or self._is_known(place):
            return
        content = place.path.read_bytes()
        tree, source, encoding = _parse(content, place.path)
        self._sources[place.file] = place.path
        self.files[place.file] = content
        for parent in package.parents(place):
            self._add(package, parent)
        imports = imports_of(tree, place.package)
        for imported in imports:
            self._follow(imported, package, place)
        if not package.verbatim:
            _refuse_dynamic_imports(tree, place.path)
            renamed = rename_imports(source, lambda module: self._new_name(module, package), str(place.path))
            self.files[place.file] = renamed.encode(encoding)

    def _is_known(self, place: Place) -> bool:
        earlier = self._sources.get(place.file)
        if earlier is not None and earlier != place.path:
            raise ExportError(f"{earlier} and {place.path} would both be {place.file} in the export; rename one")
        return earlier is not None

    def _follow(self, imported: Import, package: Package, place: Place) -> None:
        where = f"{place.path}, line {imported.line}"
        owner = self._owner(imported.module, package)
        if owner is not None:
            found = owner.find(f"{imported.module}.{imported.name}") if imported.name else None
            found = found or owner.find(imported.module)
            if found is None:
                raise ExportError(f"{where}: there is no module {imported.module} that an export could carry")
            self._add(owner, found)
            return
        top = imported.module.split(".")[0]
        if top in FORBIDDEN:
            raise ExportError(f"{where}: {imported.module} belongs to {FORBIDDEN[top]}, which an export does not carry")
        if not package.verbatim and top not in PROVIDED and not is_standard_library(top):
            self.libraries.append(Library(top, place.file, imported.lazy))

    def _owner(self, module: str, importer: Package) -> Optional[Package]:
        """The package that a module belongs to, as the importing file sees it."""
        top = module.split(".")[0]
        for candidate in (importer, *self._packages):
            if top == candidate.name or _is_inside(module, candidate.target):
                return candidate
        is_beside = not importer.name and not is_standard_library(top) and importer.find(top) is not None
        return importer if is_beside else None

    def _new_name(self, module: str, importer: Package) -> Optional[str]:
        owner = self._owner(module, importer)
        place = owner.find(module) if owner is not None else None
        return place.target if place is not None else None


def _is_inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _parse(content: bytes, path: Path) -> Tuple[ast.Module, str, str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        source = content.decode(encoding)
        return ast.parse(content, str(path)), source, encoding
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} is no Python source: {error}") from error


def _refuse_dynamic_imports(tree: ast.AST, path: Path) -> None:
    """A module's name in a text is not renamed, and would be missing in the export."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        module = getattr(node.args[0], "value", None)
        is_ours = isinstance(module, str) and module.split(".")[0] in ("runtime", "nodes")
        if called in ("import_module", "__import__") and is_ours:
            raise ExportError(
                f"{path}, line {node.lineno}: an export cannot carry {called}({module!r}); write an import statement"
            )


def is_standard_library(name: str) -> bool:
    """Whether a top-level module belongs to Python itself."""
    known = getattr(sys, "stdlib_module_names", None)  # since Python 3.10
    if known is not None or name in sys.builtin_module_names or name == "__future__":
        return name in (known or (name,))
    spec = util.find_spec(name)
    if spec is None or not spec.origin:
        return False
    folders = [Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib")]
    origin = Path(spec.origin).resolve()
    return "site-packages" not in origin.parts and any(folder in origin.parents for folder in folders)


def libraries_by_name(libraries: Sequence[Library]) -> Dict[str, Library]:
    """One entry per library; one that a file cannot do without counts first."""
    found: Dict[str, Library] = {}
    for library in sorted(libraries, key=lambda library: library.lazy):
        found.setdefault(library.name, library)
    return found
