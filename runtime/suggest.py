"""Close matches for misspelt names."""

import difflib
from typing import Iterable, Optional


def close_match(name: str, candidates: Iterable[str]) -> Optional[str]:
    """Return the candidate that looks most like ``name``, or None when nothing is close.

    Case is ignored, so that ``PpoAgentNode`` finds ``PPOAgentNode``.
    """
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    matches = difflib.get_close_matches(name.casefold(), list(by_folded), n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"``, to be appended to a message, or an empty string."""
    match = close_match(name, candidates)
    return f"; did you mean {match!r}?" if match is not None else ""
