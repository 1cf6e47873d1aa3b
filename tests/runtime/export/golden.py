"""Comparison of generated texts with files in tests/golden/export; UPDATE_GOLDEN=1 writes them anew."""

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "golden" / "export"


def assert_golden(name, text):
    path = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; if that is right: UPDATE_GOLDEN=1 pytest"
