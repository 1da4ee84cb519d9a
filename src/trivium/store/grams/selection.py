"""Which of a pattern's grams are looked up: those that together leave the fewest candidates for the least work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trivium.store.search_cache import Sample

LENGTH: Final = 3
"""Characters of the longest gram."""

LISTED: Final = 0.02
"""What an entry in the list of a gram costs, relative to a candidate row, which may have to be read from disk."""

MOST: Final = 4
"""Grams that are looked up."""

WEIGHED: Final = 8
"""Grams of a pattern whose costs are compared; of a longer pattern, evenly spaced ones."""

UNSEEN: Final = -0.4
"""The count that is assumed where no sampled text holds several grams together: grams of one word are correlated."""


class Gram(Struct, frozen=True):
    """A gram of a pattern: its run (text between wildcards) and its place in it."""

    text: str
    run: int
    place: int

    def overlaps(self, other: Gram) -> bool:
        """Whether the two share characters, so that a text with one is likely to have the other."""
        return self.run == other.run and abs(self.place - other.place) < LENGTH


def grams(runs: Sequence[str]) -> list[Gram]:
    """All longest grams of the runs: every text that matches has them."""
    return [
        Gram(run[place : place + LENGTH], number, place)
        for number, run in enumerate(runs)
        for place in range(max(len(run) - LENGTH + 1, 1))
    ]


class Choice(Struct, frozen=True):
    """The grams to look up, and the estimated cost per row of the part, including the comparison of candidates.

    `phrase` is the cost of all grams as one phrase, after which SQLite need not compare any row.
    """

    grams: list[Gram]
    cost: float
    phrase: float


def disjoint(found: Sequence[Gram]) -> list[Gram]:
    """Some grams that share no characters: what is looked up where no sample tells which are rare."""
    taken: list[Gram] = []
    for gram in found:
        if len(taken) < MOST and not any(gram.overlaps(other) for other in taken):
            taken.append(gram)
    return taken


def selected(found: Sequence[Gram], sample: Sample) -> Choice:
    """The grams to look up. The list of each is read whole, so a frequent one may cost more than it saves."""
    weighed = found[:: -(-len(found) // WEIGHED)]
    holding = sorted(((sample.holding(gram.text), gram) for gram in weighed), key=lambda pair: len(pair[0]))
    texts, first = holding[0]
    taken, left = [first], sample.share(len(texts))
    cost = left * LISTED
    for others, gram in holding[1:]:
        if len(taken) == MOST:
            break
        share, both = sample.share(len(others)), tuple([text for text in texts if gram.text in text])
        fewer = sample.share(len(both)) if both else max(share * left, sample.share(UNSEEN))
        if not any(gram.overlaps(other) for other in taken) and share * LISTED < left - fewer:
            taken.append(gram)
            cost += share * LISTED
            texts, left = both, fewer
    phrase = LISTED * 1.5 * sum(sample.share(len(others)) for others, _ in holding) * len(found) / len(weighed)
    return Choice(taken, cost + left, phrase)
