"""What a process remembers of searches: samples of names, and totals as long as they hold."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct

V = TypeVar("V")
MOST_SAMPLES: Final = 128
MOST_TOTALS: Final = 8192
LONGEST: Final = 128
"""Characters of a pattern whose total is remembered."""


class Sample(Struct, frozen=True):
    """The newest texts of some parts: how common grams are there, about."""

    texts: tuple[str, ...]
    taken: datetime
    rows: int  # about how many there are in all; where there are very many, no more than that is known

    def holding(self, gram: str) -> tuple[str, ...]:
        """Those texts that hold the gram."""
        return tuple([text for text in self.texts if gram in text])

    def share(self, count: float) -> float:
        """The share of all texts that so many of the sample stand for. A sample does not know that there are none."""
        return (count + 0.5) / (len(self.texts) + 1)


class Searches:
    """What is remembered, safe in several threads.

    Samples decide only how something is found. Totals are exact: each is of a generation of its parts, which every
    change of their texts moves, so it is given only to views that see the same texts.
    """

    def __init__(self) -> None:
        self.samples = _Latest[Sample](MOST_SAMPLES)
        self._totals = _Latest[tuple[int, int]](MOST_TOTALS)

    def total(self, key: tuple[Any, ...], generation: int) -> int | None:
        """The total of that generation, if it is remembered."""
        found = self._totals.get(key)
        return found[1] if found is not None and found[0] == generation else None

    def put_total(self, key: tuple[Any, ...], generation: int, total: int) -> None:
        """Remember the total of a generation."""
        self._totals.put(key, (generation, total))

    def forget_totals(self) -> None:
        """Forget all totals: each is counted once more."""
        self._totals = _Latest[tuple[int, int]](MOST_TOTALS)


class _Latest(Generic[V]):
    """Values by key, those that were used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[Hashable, V] = {}

    def get(self, key: Hashable) -> V | None:
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def put(self, key: Hashable, value: V) -> None:
        values = self._values
        values[key] = value
        if len(values) > self._most:
            for oldest in list(values)[: self._most // 4]:
                values.pop(oldest, None)
