"""Which of a pattern's grams are asked: those that together leave the fewest rows for the least work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from trivium.store.searches import Sample

LENGTH: Final = 3
"""Characters of the longest gram."""

LISTED: Final = 0.02
"""What a row costs in the list of a gram, in units of a row that is looked into, which may have to be read first."""

MOST: Final = 4
"""Grams that are asked."""

WEIGHED: Final = 8
"""Grams of a pattern that are weighed; of a longer one those that stand apart alike."""


UNSEEN: Final = -0.4
"""What is added to none where a sample has no text that holds several grams: some may have, for words hang together."""


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


class Choice(Struct, frozen=True):
    """The grams that are asked, and what it costs for each row that there is to look into those that are left then.

    `phrase` is what it costs to ask all grams one after the other, which on SQLite tells without looking into any row.
    """

    grams: list[Gram]
    cost: float
    phrase: float


def apart(found: Sequence[Gram]) -> list[Gram]:
    """Some grams that share no characters: what is asked where nothing is known of them."""
    taken: list[Gram] = []
    for gram in found:
        if len(taken) < MOST and not any(gram.meets(other) for other in taken):
            taken.append(gram)
    return taken


def chosen(found: Sequence[Gram], sample: Sample) -> Choice:
    """The grams to ask. The list of each is walked whole, so a common one may cost more than it spares."""
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
        if not any(gram.meets(other) for other in taken) and share * LISTED < left - fewer:
            taken.append(gram)
            cost += share * LISTED
            texts, left = both, fewer
    phrase = LISTED * 1.5 * sum(sample.share(len(others)) for others, _ in holding) * len(found) / len(weighed)
    return Choice(taken, cost + left, phrase)
