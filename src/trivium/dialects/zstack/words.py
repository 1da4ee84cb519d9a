"""Comparisons of a few known words, without the database."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from trivium.base.query import Op
from trivium.base.text import fold

ANY: Final = None
"""Any run of characters, in a pattern that was taken apart."""

ONE: Final = ""
"""Any one character."""

_COMPARED: Final[Mapping[Op, Callable[[str, str], bool]]] = MappingProxyType(
    {
        Op.EQ: operator.eq,
        Op.NE: operator.ne,
        Op.LT: operator.lt,
        Op.LE: operator.le,
        Op.GT: operator.gt,
        Op.GE: operator.ge,
    }
)


def fitting(op: Op, values: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a word, without regard to case, satisfies the operator with the values."""
    if op in (Op.LIKE, Op.NOT_LIKE):
        pattern = list(_parts(values[0]))
        return lambda word: _is_like(fold(word), pattern) is (op is Op.LIKE)
    folded = [fold(value) for value in values]
    if op in (Op.IN, Op.NOT_IN):
        return lambda word: (fold(word) in folded) is (op is Op.IN)
    return lambda word: _COMPARED[op](fold(word), folded[0])


def _parts(pattern: str) -> Iterator[str | None]:
    """The characters of the pattern, folded, with its wildcards as `ANY` and `ONE`."""
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "%":
            yield ANY
        elif character == "_":
            yield ONE
        else:
            if character == "\\" and place < len(pattern):
                character = pattern[place]
                place += 1
            yield from fold(character)


def _is_like(word: str, pattern: list[str | None]) -> bool:
    """Whether the word matches: it goes back to the last run only, so long patterns cost no more than they are long."""
    at, part, run, behind_run = 0, 0, -1, 0
    while at < len(word):
        has_part = part < len(pattern)
        if has_part and pattern[part] is ANY:
            run, behind_run, part = part, at, part + 1
        elif has_part and pattern[part] in (ONE, word[at]):
            at, part = at + 1, part + 1
        elif run >= 0:
            behind_run, part = behind_run + 1, run + 1
            at = behind_run
        else:
            return False
    return all(each is ANY for each in pattern[part:])
