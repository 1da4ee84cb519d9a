"""Which of a pattern's grams are looked up: those that together leave the fewest candidates for the least work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trivium.store.search_cache import Sample

LISTED: Final = 0.02
"""What an entry in the list of a gram costs, relative to a candidate row, which may have to be read from disk."""

MOST: Final = 4
"""Grams that are looked up."""

APART: Final = 3
"""Characters from one gram to the next that tells more: a text that has the one is likely to have those in between."""

WEIGHED: Final = 8
"""Grams of a pattern whose costs are compared; of a longer pattern, evenly spaced ones."""

UNSEEN: Final = -0.4
"""The count that is assumed where no sampled text holds several grams together: grams of one word are correlated."""

LEFT: Final = 1
"""The sampled texts that at least count as candidates: a sample of hundreds does not tell one in 1,000 from none."""


class Gram(Struct, frozen=True):
    """A gram of a pattern: its run (text between wildcards) and its place in it."""

    text: str
    run: int
    place: int

    def is_near(self, other: Gram) -> bool:
        """Whether a text with one is likely to have the other, because they share most of their characters."""
        return self.run == other.run and abs(self.place - other.place) < APART


def grams(runs: Sequence[str], sizes: Sequence[int]) -> list[Gram]:
    """All longest grams of the runs: every text that matches has them. Those of one run are of one size."""
    found: list[Gram] = []
    for number, run in enumerate(runs):
        size = max(size for size in sizes if size <= len(run))
        found += [Gram(run[place : place + size], number, place) for place in range(len(run) - size + 1)]
    return found


class Choice(Struct, frozen=True):
    """The grams to look up, and the estimated cost per row of the part, including the comparison of candidates.

    `phrase` is the cost of all grams as one phrase, after which SQLite need not compare any row.
    """

    grams: list[Gram]
    cost: float
    phrase: float


def spread(found: Sequence[Gram]) -> list[Gram]:
    """Some grams that are not near each other: what is looked up where no sample tells which are rare."""
    taken: list[Gram] = []
    for gram in found:
        if len(taken) < MOST and not any(gram.is_near(other) for other in taken):
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
        if not any(gram.is_near(other) for other in taken) and share * LISTED < left - fewer:
            taken.append(gram)
            cost += share * LISTED
            texts, left = both, fewer
    phrase = LISTED * 1.5 * sum(sample.share(len(others)) for others, _ in holding) * len(found) / len(weighed)
    return Choice(taken, cost + max(left, sample.share(LEFT)), phrase)
