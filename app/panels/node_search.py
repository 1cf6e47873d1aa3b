"""Finds node types by what a person types: title, class name, earlier names, and words of the documentation."""

from __future__ import annotations

from typing import Iterable, List, Optional, Type

from runtime.node import Node

from .widgets import paragraphs

EXACT, WORD_START, INSIDE, EARLIER_NAME, LETTERS, IN_DOC = 0, 1, 2, 3, 4, 5


def find_node_types(query: str, types: Iterable[Type[Node]]) -> List[Type[Node]]:
    """Types that match every word of the query, the best first; all of them in title order for an empty query."""
    words = query.casefold().split()
    scored = []
    for node_class in types:
        scores = [_score(word, node_class) for word in words]
        if None not in scores:
            scored.append((sum(score for score in scores if score is not None), node_class.title, node_class))
    return [node_class for _, _, node_class in sorted(scored, key=lambda entry: entry[:2])]


def _score(word: str, node_class: Type[Node]) -> Optional[int]:
    """How far a word is from a type, 0 the nearest; ``None`` where it does not match."""
    title, name = node_class.title.casefold(), node_class.__name__.casefold()
    if word in (title, name):
        return EXACT
    if any(part.startswith(word) for part in [*title.split(), name, title.replace(" ", "")]):
        return WORD_START
    if word in title or word in name:
        return INSIDE
    if any(word in old.casefold() for old in node_class.replaces):
        return EARLIER_NAME
    if len(word) > 1 and (_is_spread_over(word, title) or _is_spread_over(word, name)):
        return LETTERS
    if len(word) > 2 and word in f"{node_class.category}\n{paragraphs(node_class)}".casefold():
        return IN_DOC
    return None


def _is_spread_over(letters: str, text: str) -> bool:
    """True if the letters occur in this order and the first one starts a word."""
    starts = [index for index in range(len(text)) if index == 0 or text[index - 1] == " "]
    return any(text[start] == letters[0] and _follows(letters, text[start:]) for start in starts)


def _follows(letters: str, text: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)
