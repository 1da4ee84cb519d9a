"""What a process caches about substring searches: samples of the searched texts, and totals."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from trivium.store.bounded_cache import BoundedCache

MOST_SAMPLES: Final = 128
MOST_TOTALS: Final = 8192
LONGEST: Final = 128
"""Characters of a pattern whose total is cached."""


class Sample(Struct, frozen=True):
    """The newest texts of some parts of an index, from which the frequencies of grams are estimated."""

    texts: tuple[str, ...]
    taken: datetime
    rows: int  # estimated rows of the parts; an upper limit where there are very many

    def holding(self, gram: str) -> tuple[str, ...]:
        """The sampled texts that hold the gram."""
        return tuple([text for text in self.texts if gram in text])

    def share(self, count: float) -> float:
        """The estimated share of all rows, when so many sampled texts match. Never 0, for a sample cannot tell that."""
        return (count + 0.5) / (len(self.texts) + 1)


class SearchCache:
    """Samples and totals, for several threads.

    Samples only decide how a search is carried out. Totals are exact: each belongs to a generation of its parts, a
    number that every change of their texts moves, and is used only for transactions that read the same generation.
    """

    def __init__(self) -> None:
        self.samples = BoundedCache[Sample](MOST_SAMPLES)
        self._totals = BoundedCache[tuple[int, int]](MOST_TOTALS)

    def total(self, key: tuple[Any, ...], generation: int) -> int | None:
        """The total of that generation, or None."""
        found = self._totals.get(key)
        return found[1] if found is not None and found[0] == generation else None

    def put_total(self, key: tuple[Any, ...], generation: int, total: int) -> None:
        """Cache the total of a generation."""
        self._totals.put(key, (generation, total))

    def clear_totals(self) -> None:
        """Remove all totals."""
        self._totals.clear()
