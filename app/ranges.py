"""Lists of values on a command line: ``0..4``, ``1e-4,3e-4``, ``[64,64],[32]``."""

import argparse
import re
from typing import List

RANGE = re.compile(r"(-?[0-9]+)\.\.(-?[0-9]+)")


def split_values(text: str) -> List[str]:
    """The values between commas that stand in no brackets or quotes; ``0..4`` is 0, 1, 2, 3 and 4."""
    values: List[str] = []
    for part in _split(text):
        match = RANGE.fullmatch(part)
        if match is None:
            values.append(part)
            continue
        first, last = int(match[1]), int(match[2])
        step = 1 if last >= first else -1
        values += [str(number) for number in range(first, last + step, step)]
    return values


def parse_seeds(text: str) -> List[int]:
    """An argparse type: seeds, each once."""
    values = split_values(text)
    if not values or not all(value.isdecimal() for value in values):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds such as 0..4 or 0,3,7")
    return list(dict.fromkeys(int(value) for value in values))


def _split(text: str) -> List[str]:
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
