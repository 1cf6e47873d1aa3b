"""Who may import whom, checked on the source: app -> nodes -> runtime, and Qt where the desktop program needs it."""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Set, Tuple

QT = {"PySide6", "PySide2", "PyQt6", "PyQt5", "shiboken6", "Qt", "NodeGraphQt", "pyqtgraph"}
HEADLESS_ENTRY = "app.cli"
COMMANDS = "app.commands"  # app.cli imports the chosen one of these by name
EDITOR_ENTRY = "app.editor"  # may be imported in a function, where the editor is opened; headless commands never do

_OWN_PACKAGES_OF = {
    "app": {"app", "nodes", "runtime", "resources"},
    "nodes": {"nodes", "runtime"},
    "runtime": {"runtime"},
    "resources": {"resources"},
}
_NODE_LIBRARIES = {"numpy", "torch"}
_RUNTIME_LIBRARIES = {"torch"}


@dataclass(frozen=True)
class Violation:
    rule: str
    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} [{self.rule}] {self.reason}"


@dataclass(frozen=True)
class _Import:
    target: str
    line: int
    relative: bool
    when_loaded: bool

    @property
    def package(self) -> str:
        return self.target.split(".")[0]


@dataclass(frozen=True)
class _Module:
    name: str
    file: str
    imports: Tuple[_Import, ...]

    @property
    def package(self) -> str:
        return self.name.split(".")[0]


def violations(root: Path) -> List[Violation]:
    """Return every import below ``root`` that breaks a rule; ``root`` holds app, nodes, runtime and resources."""
    modules = read_modules(root)
    found = [v for module in modules.values() for v in _violations_of(module)]
    return found + list(_qt_in_headless_commands(modules))


def read_modules(root: Path) -> Dict[str, _Module]:
    """Return the modules of the four packages by dotted name."""
    modules = {}
    for package in _OWN_PACKAGES_OF:
        for path in sorted((root / package).rglob("*.py")):
            module = _read(path, root)
            modules[module.name] = module
    return modules


def _read(path: Path, root: Path) -> _Module:
    parts = list(path.relative_to(root).with_suffix("").parts)
    is_package = parts[-1] == "__init__"
    if is_package:
        parts.pop()
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    parent = parts if is_package else parts[:-1]
    imports = tuple(_imports(tree, parent, when_loaded=True))
    return _Module(".".join(parts), path.relative_to(root).as_posix(), imports)


def _imports(node: ast.AST, parent: List[str], when_loaded: bool) -> Iterator[_Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield _Import(alias.name, node.lineno, False, when_loaded)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield _Import(_target(node, alias.name, parent), node.lineno, node.level > 0, when_loaded)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) or _is_type_checking_block(node):
        when_loaded = False
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, parent, when_loaded)


def _is_type_checking_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _target(node: ast.ImportFrom, name: str, parent: List[str]) -> str:
    kept = len(parent) - (node.level - 1)
    base = parent[: max(kept, 0)] if node.level else []
    if node.level and kept <= 0:
        base = ["<above the package>"]
    return ".".join(base + ([node.module] if node.module else []) + [name])


def _violations_of(module: _Module) -> Iterator[Violation]:
    for imported in module.imports:
        for rule, reason in _broken_rules(module, imported):
            yield Violation(rule, module.file, imported.line, reason)


def _broken_rules(module: _Module, imported: _Import) -> Iterator[Tuple[str, str]]:
    own, target = imported.package in _OWN_PACKAGES_OF or imported.relative, imported.target
    if own and imported.package not in _OWN_PACKAGES_OF[module.package]:
        yield "direction", f"{module.package} imports {target}; imports go app -> nodes -> runtime"
        return
    if imported.package in QT:
        if module.package != "app":
            yield "qt", f"{module.package} imports {target}; only app may import Qt"
        return
    third_party = not own and imported.package not in sys.stdlib_module_names
    if module.package == "runtime":
        if own and not imported.relative:
            yield "runtime-relative", f"{target} is imported by its full name; an export renames the package"
        if third_party and imported.when_loaded and imported.package not in _RUNTIME_LIBRARIES:
            yield "runtime-libraries", f"{target} is imported on loading; an export has torch alone"
    if module.package == "nodes":
        if own and imported.package == "nodes":
            yield "node-imports-node", f"{target} is another node file; shared behaviour belongs to runtime"
        if third_party and imported.package not in _NODE_LIBRARIES:
            yield "node-libraries", f"{target} is neither the standard library, numpy, torch nor runtime"


def _qt_in_headless_commands(modules: Dict[str, _Module]) -> Iterator[Violation]:
    """Yield each import of Qt that the commands lead to, also through imports in functions, but not by the editor."""
    entries = [name for name in modules if name == HEADLESS_ENTRY or name.startswith(COMMANDS + ".")]
    waiting: List[Tuple[str, ...]] = [(name,) for name in entries]
    seen: Set[str] = set()
    while waiting:
        chain = waiting.pop()
        if chain[-1] in seen:
            continue
        seen.add(chain[-1])
        module = modules[chain[-1]]
        for imported in module.imports:
            if imported.package in QT:
                reason = " -> ".join((*chain, imported.target))
                yield Violation("headless-qt", module.file, imported.line, reason)
            waiting += [(*chain, name) for name in _loaded_by(imported, modules)]


def _loaded_by(imported: _Import, modules: Dict[str, _Module]) -> Iterator[str]:
    parts = imported.target.split(".")
    prefixes = [".".join(parts[:n]) for n in range(1, len(parts) + 1)]
    if EDITOR_ENTRY in prefixes and not imported.when_loaded:
        return
    yield from (name for name in prefixes if name in modules)
