"""The imports of a source file: which there are, and how their module names are replaced without touching the rest."""

from __future__ import annotations

import ast
import io
import tokenize
from dataclasses import dataclass
from typing import Callable, Iterator, List, Optional, Tuple

from .errors import ExportError

Rename = Callable[[str], Optional[str]]


@dataclass(frozen=True)
class Import:
    """One imported name.

    Attributes:
        module: Dotted name of the module, absolute: ``runtime.node``.
        name: What is taken out of it (``Node``); empty for ``import runtime.node``.
        line: Where.
        lazy: In a function, or where its absence is handled: the file loads without it.
    """

    module: str
    name: str
    line: int
    lazy: bool


def imports_of(tree: ast.AST, package: str) -> List[Import]:
    """Every import of a file, also those in functions; blocks for type checkers are left out.

    Args:
        tree: The parsed file.
        package: Dotted name of the package that relative imports start from.
    """
    return list(_walk(tree, package, lazy=False))


def _walk(node: ast.AST, package: str, lazy: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", node.lineno, lazy)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Import(_absolute(node, package), alias.name, node.lineno, lazy)
    elif isinstance(node, ast.If) and _is_for_type_checkers(node.test):
        for branch in node.orelse:
            yield from _walk(branch, package, lazy)
        return
    lazy = lazy or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try))
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from _walk(child, package, lazy)


def _is_for_type_checkers(test: ast.AST) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join(base + ([node.module] if node.module else []))


def rename_imports(source: str, rename: Rename, where: str) -> str:
    """The source with the module names of absolute imports replaced, and every other character as it was.

    Args:
        source: Python source.
        rename: Gives the new name of a module, or ``None`` to keep it.
        where: The file, for errors.

    Raises:
        ExportError: ``import a.b`` without ``as`` cannot be renamed, since the file goes on to say ``a.b``.
    """
    lines = list(io.StringIO(source, newline=""))
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    replaced, done = [], 0
    for name in _module_names(source):
        new = rename(name.text)
        if new is None:
            continue
        if name.binds_itself:
            new = _bound(name.text, new, where, name.start[0])
        begin, end = starts[name.start[0] - 1] + name.start[1], starts[name.end[0] - 1] + name.end[1]
        replaced += [source[done:begin], new]
        done = end
    return "".join(replaced) + source[done:]


def _bound(old: str, new: str, where: str, line: int) -> str:
    if "." in old:
        parent, _, last = old.rpartition(".")
        right = f"from {parent} import {last}"
        raise ExportError(f"{where}, line {line}: an export cannot carry 'import {old}'; write '{right}'")
    return f"{new} as {old}"


@dataclass(frozen=True)
class _ModuleName:
    text: str
    start: Tuple[int, int]
    end: Tuple[int, int]
    binds_itself: bool


_BEFORE_STATEMENT = {tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT}


def _module_names(source: str) -> Iterator[_ModuleName]:
    """The dotted names after ``import`` and ``from``; ``import`` is a keyword, so each is the name of a module."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source, newline="").readline))
    for index, token in enumerate(tokens):
        if token.string not in ("from", "import") or not _starts_statement(tokens, index):
            continue
        if token.string == "from":
            yield from _dotted(tokens, index + 1)[0]
        else:
            yield from _imported(tokens, index + 1)


def _starts_statement(tokens: List[tokenize.TokenInfo], index: int) -> bool:
    return index == 0 or tokens[index - 1].type in _BEFORE_STATEMENT or tokens[index - 1].string in (";", ":")


def _imported(tokens: List[tokenize.TokenInfo], index: int) -> Iterator[_ModuleName]:
    """The names of ``import a.b, c as d``."""
    while True:
        names, index = _dotted(tokens, index)
        aliased = tokens[index].string == "as"
        for name in names:
            yield _ModuleName(name.text, name.start, name.end, binds_itself=not aliased)
        index += 2 if aliased else 0
        if tokens[index].string != ",":
            return
        index += 1


def _dotted(tokens: List[tokenize.TokenInfo], index: int) -> Tuple[List[_ModuleName], int]:
    """The absolute dotted name that starts at a token, none if it is relative, and the index after it."""
    first = index
    while tokens[index].string in (".", "...") or (
        tokens[index].type == tokenize.NAME and tokens[index].string not in ("import", "as")
    ):
        index += 1
    words = tokens[first:index]
    text = "".join(word.string for word in words)
    if not text or text.startswith("."):
        return [], index
    return [_ModuleName(text, words[0].start, words[-1].end, binds_itself=False)], index
