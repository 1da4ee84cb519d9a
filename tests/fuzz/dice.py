"""Where a generator's choices come from: hypothesis, which makes failing ones small, or a seed, which is fast."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Dice(Protocol):
    """What makes choices."""

    def whole(self, least: int, most: int) -> int:
        """A whole number between these, both included."""
        ...

    def raw(self, most: int) -> bytes:
        """Up to so many bytes."""
        ...


class Seeded:
    """Choices that follow from a seed."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def whole(self, least: int, most: int) -> int:
        """A whole number between these, both included."""
        return self._random.randint(least, most)

    def raw(self, most: int) -> bytes:
        """Up to so many bytes."""
        return self._random.randbytes(self._random.randint(0, most))


class Drawn:
    """Choices that hypothesis makes."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def whole(self, least: int, most: int) -> int:
        """A whole number between these, both included."""
        return self._data.draw(_wholes(least, most))

    def raw(self, most: int) -> bytes:
        """Up to so many bytes."""
        return self._data.draw(_raws(most))


@cache
def _wholes(least: int, most: int) -> st.SearchStrategy[int]:
    return st.integers(least, most)


@cache
def _raws(most: int) -> st.SearchStrategy[bytes]:
    return st.binary(max_size=most)


def one_of(dice: Dice, choices: Sequence[T]) -> T:
    """One of them; the first is the simplest."""
    return choices[dice.whole(0, len(choices) - 1)]


def chance(dice: Dice, percent: int) -> bool:
    """True so often."""
    return dice.whole(1, 100) > 100 - percent
