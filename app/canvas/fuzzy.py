"""Search that forgives: the letters of the query in their order, with a score for how well they hit."""

from __future__ import annotations

from typing import Optional


def score(query: str, text: str) -> Optional[int]:
    """Points for a match, more for word starts and neighbouring letters; ``None`` if letters are missing."""
    wanted, folded = query.casefold().replace(" ", ""), text.casefold()
    if not wanted:
        return 0
    whole = folded.find(query.casefold().strip())
    if whole >= 0:
        place = 1500 if whole == 0 else 1200 if _starts_word(text, whole) else 8 * len(wanted)
        return place - whole - len(text)
    points, position, previous = 0, 0, -2
    for letter in wanted:
        found = folded.find(letter, position)
        if found < 0:
            return None
        points += (8 if found == previous + 1 else 0) + (12 if _starts_word(text, found) else 0) - (found - position)
        previous, position = found, found + 1
    return points - len(text)


def _starts_word(text: str, index: int) -> bool:
    if index == 0:
        return True
    before, letter = text[index - 1], text[index]
    return not before.isalnum() or (letter.isupper() and not before.isupper())
