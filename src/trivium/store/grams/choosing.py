"""Which of a pattern's grams are asked: those that together leave the fewest rows for the least work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

LENGTH: Final = 3
"""Characters of the longest gram."""

LISTED: Final = 0.05
"""What a row costs in the list of a gram, in units of a row that is looked into."""

MOST: Final = 4
"""Grams that are asked."""

WEIGHED: Final = 8
"""Grams of a pattern that are weighed; of a longer one those that stand apart alike."""


class Gram(Struct, frozen=True):
    """A gram of a pattern: of which run of plain characters, and where in it."""

    text: str
    run: int
    place: int

    def meets(self, other: Gram) -> bool:
        """Whether the two share characters, so that where one is, the other is likely."""
        return self.run == other.run and abs(self.place - other.place) < LENGTH


def grams(runs: Sequence[str]) -> list[Gram]:
    """The grams that a text must have to hold the runs, of each as long ones as there are."""
    return [
        Gram(run[place : place + LENGTH], number, place)
        for number, run in enumerate(runs)
        for place in range(max(len(run) - LENGTH + 1, 1))
    ]


def chosen(found: Sequence[Gram], share: Callable[[str], float], least: float) -> tuple[list[Gram], float]:
    """The grams that are asked, and what it costs for each row that there is: the lists, and the rows that are left.

    Each list is walked whole, so that of a common gram may cost more than the rows that it would spare. `least` is the
    share of rows that match: no fewer are left.
    """
    step = -(-len(found) // WEIGHED)
    shares = sorted((share(found[place].text), place) for place in range(0, len(found), step))
    left, first = shares[0]
    taken, cost = [found[first]], left * LISTED
    for each, place in shares[1:]:
        if len(taken) == MOST:
            break
        gram = found[place]
        fewer = max(left * each, least)
        if not any(gram.meets(other) for other in taken) and each * LISTED < left - fewer:
            taken.append(gram)
            cost += each * LISTED
            left = fewer
    return taken, cost + left


def phrase_cost(found: Sequence[Gram], share: Callable[[str], float]) -> float:
    """The same for all grams of a run at once, whose places tell what holds the run without looking into any row."""
    step = -(-len(found) // WEIGHED)
    weighed = found[::step]
    return LISTED * 1.5 * sum(share(gram.text) for gram in weighed) * len(found) / len(weighed)
