"""What is made, and what it takes imported, only when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


def late(make: Callable[[], T]) -> T:
    """An object that `make` makes, once, when somebody first asks for one of its attributes."""
    return cast("T", _Late(make))


class _Late(Generic[T]):
    """Hands on what is asked of it."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._making = Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the other has
        with self._making:
            if not self._made:
                self._made.append(self._make())
        return getattr(self._made[0], name)
