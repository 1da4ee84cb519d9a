"""Rounds: everything that is compared is measured in turn, so that what else the machine does meets all of it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

K = TypeVar("K")
T = TypeVar("T")


def interleaved(ways: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """What each way measures in each round. A round before the first warms caches up and is not counted."""
    found: dict[K, list[T]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, measure in ways.items():
            measured = measure()
            if number:
                found[name].append(measured)
    return found


def median(found: Sequence[T], figure: Callable[[T], float]) -> float:
    """The median of one figure over the rounds."""
    return statistics.median(figure(one) for one in found)


def ratio(ours: Sequence[T], theirs: Sequence[T], figure: Callable[[T], float]) -> float:
    """How many times their median our median is."""
    return median(ours, figure) / median(theirs, figure)
