"""Numbers that are added at the end: a numpy array with room for more."""

from __future__ import annotations

from typing import Any, Sequence, Union

import numpy as np

_FIRST_SIZE = 256
_LARGE = 1 << 16


class Column:
    """A numpy array that grows by doubling, and a large one by a quarter."""

    def __init__(self, dtype: Any = np.float64):
        self._data = np.empty(_FIRST_SIZE, dtype=dtype)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> np.ndarray:
        """All values so far, as a view. Shape: (n,)."""
        return self._data[: self._size]

    def append(self, value: float) -> None:
        """Add one value."""
        self._reserve(1)
        self._data[self._size] = value
        self._size += 1

    def extend(self, values: Union[Sequence[float], np.ndarray]) -> None:
        """Add many values."""
        count = len(values)
        self._reserve(count)
        self._data[self._size : self._size + count] = values
        self._size += count

    def cut(self, size: int) -> None:
        """Keep the first ``size`` values."""
        self._size = min(size, self._size)

    def replace(self, values: np.ndarray) -> None:
        """Hold these values in place of all others."""
        self.cut(0)
        self.extend(values)

    def _reserve(self, count: int) -> None:
        needed = self._size + count
        if needed > len(self._data):
            size = len(self._data)
            grown = np.empty(max(needed, size + (size if size < _LARGE else size // 4)), dtype=self._data.dtype)
            grown[: self._size] = self.values
            self._data = grown
