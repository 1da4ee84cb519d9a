"""A cache with a fixed number of entries."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class BoundedCache(Generic[V]):
    """Values by key, for several threads; when it is full, the quarter that was put first is evicted."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, V] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> V | None:
        """The value, or None."""
        return self._values.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Set the value; it counts as the newest entry."""
        values = self._values
        values.pop(key, None)
        if len(values) >= self._most:
            for oldest in list(values)[: max(self._most // 4, 1)]:
                values.pop(oldest, None)
        values[key] = value

    def clear(self) -> None:
        """Remove every entry."""
        self._values.clear()
