import pickle
import zipfile
from pathlib import Path
from typing import Callable

import pytest
import torch


class _Attack:
    """Unpickled with code allowed, this creates a file."""

    def __init__(self, victim: Path) -> None:
        self._victim = victim

    def __reduce__(self):
        return Path.touch, (self._victim,)


@pytest.fixture
def write_hostile(tmp_path) -> Callable[[Path, str], Path]:
    """Write a hostile pickle of a given form; return the file whose existence betrays that its code ran."""

    def write(path: Path, form: str) -> Path:
        victim = tmp_path / "the code ran"
        path.parent.mkdir(parents=True, exist_ok=True)
        payload = {"weight": torch.ones(2), "attack": _Attack(victim)}
        if form == "zip":
            torch.save(payload, path)
        elif form == "legacy":
            torch.save(payload, path, _use_new_zipfile_serialization=False)
        elif form == "pickle":
            path.write_bytes(pickle.dumps(payload))
        elif form == "torchscript":
            torch.save(payload, path)
            with zipfile.ZipFile(path, "a") as archive:
                archive.writestr("archive/constants.pkl", pickle.dumps(_Attack(victim)))
        return victim

    return write
