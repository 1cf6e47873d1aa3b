"""Small pieces of Python source: literals, comments and docstrings from texts that may hold anything."""

from __future__ import annotations

import textwrap
from typing import Any, Iterable, List

INDENT = "    "
WIDTH = 110


def one_line(text: str) -> str:
    """The text without line ends and characters that cannot be shown."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def comment(text: str, indent: str = "") -> List[str]:
    """The text as comment lines."""
    return _wrapped(one_line(text), f"{indent}# ", f"{indent}# ")


def docstring(paragraphs: Iterable[str], indent: str = "") -> List[str]:
    """The paragraphs as a docstring; the first stands behind the opening quotes."""
    blocks = [_quotable(one_line(paragraph)) for paragraph in paragraphs if one_line(paragraph)]
    if len(blocks) == 1 and len(blocks[0]) + len(indent) <= WIDTH:
        return [f'{indent}"""{blocks[0]}"""']
    lines: List[str] = []
    for number, block in enumerate(blocks):
        quotes = "" if number else '"""'
        lines += _wrapped(block, indent + quotes, indent)
        lines.append("" if number + 1 < len(blocks) else f'{indent}"""')
    return lines


def _wrapped(text: str, first: str, others: str) -> List[str]:
    wrapper = textwrap.TextWrapper(WIDTH, first, others, break_long_words=False, break_on_hyphens=False)
    return wrapper.wrap(text)


def _quotable(text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    ends_it = '"""' in escaped or escaped.endswith('"')
    return escaped.replace('"', r"\"") if ends_it else escaped


def literal(value: Any, indent: str = "", used: int = 0) -> str:
    """The value as Python source, with double quotes; long lists and dictionaries get a line per item.

    Args:
        value: Numbers, texts, and lists, longer tuples and dictionaries of them.
        indent: Of the lines after the first.
        used: Characters that stand before it on its first line.
    """
    if isinstance(value, str):
        return _text(value)
    if not isinstance(value, (list, tuple, dict)) or not value:
        return repr(value)
    deeper = indent + INDENT
    items = [f"{literal(item, deeper)}," for item in value]
    opening, closing = "[]" if isinstance(value, list) else "()"
    if isinstance(value, dict):
        items = [f"{_text(key)}: {literal(item, deeper, len(key) + 4)}," for key, item in value.items()]
        opening, closing = "{}"
    short = opening + " ".join(items)[:-1] + closing
    if used + len(indent) + len(short) <= WIDTH and "\n" not in short:
        return short
    return "\n".join([opening, *(deeper + item for item in items), indent + closing])


def _text(value: str) -> str:
    quoted = repr(value)
    return quoted if '"' in quoted else f'"{quoted[1:-1]}"'


def join_lines(lines: Iterable[str]) -> str:
    """A file's text."""
    return "\n".join(lines) + "\n"
