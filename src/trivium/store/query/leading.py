"""Which condition leads on SQLite, which has no statistics and would rather go along the order's index.

Where a resource says that conditions lead, an index is gone along for a condition of equal values or on a range, or
from the related rows that satisfy one; what it finds is sorted. Of several conditions the one that finds the least
leads. Where each finds too much for that, a page is read along the order's index after all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Table

from trivium.base.query import Op
from trivium.store.database import Flavour
from trivium.store.fields import Field, Manner, Resource, is_unique
from trivium.store.query.validation import Match, Part
from trivium.store.query.values import BOUNDED

_EQUAL: Final = frozenset({Op.EQ, Op.IN})
_RANGES: Final = frozenset({Op.LT, Op.LE, Op.GT, Op.GE})

MOST: Final = 5000
"""Rows of what leads that are sorted for a page. Where more satisfy it, the order's index soon comes upon enough."""

FEW: Final = 100
"""Rows of what leads, of which no other condition would make a page much faster."""

MOST_EQUAL: Final = 20_000
"""Rows of equal values that are gone through for a page where other conditions leave who knows how few of them."""


class Leading(NamedTuple):
    """The condition that leads, by its place, and its column; None where it goes across relations."""

    place: int
    over: ColumnElement[Any] | None
    is_equal: bool = False  # SQLite prefers an index for it by itself


class Way(NamedTuple):
    """How a page is read: what leads, None where it is left to the database.

    `is_hidden`: SQLite is to know no index for equal values, for too many rows have them.
    """

    led: Leading | None
    is_hidden: bool = False

    @property
    def key(self) -> tuple[int | None, bool]:
        """What the statement of a page depends on."""
        return (None if self.led is None else self.led.place), self.is_hidden


def is_sorted(led: Leading, by: ColumnElement[Any]) -> bool:
    """Whether what is found has to be sorted for an order by that column first."""
    return led.over is not by


def leading(resource: Resource, parts: Sequence[Part], flavour: Flavour) -> Leading | None:
    """What leads; None where it is left to the database."""
    if flavour is not Flavour.SQLITE or not resource.conditions_lead:
        return None
    found = [(place, part, *resource.path(part.path)) for place, part in enumerate(parts) if isinstance(part, Match)]
    own = [
        (place, part, field) for place, part, hops, field in found if not hops and _is_indexed(resource.table, field)
    ]
    if any(_is_equal(part, field) for _, part, field in own):
        return None
    for place, part, field in own:
        if _is_range(part, field):
            return Leading(place, field.compared)
    for place, part, hops, field in found:
        if hops and _is_indexed(hops[-1].target().table, field) and (_is_equal(part, field) or _is_range(part, field)):
            return Leading(place, None)
    return None


def candidates(resource: Resource, parts: Sequence[Part], flavour: Flavour) -> list[Leading]:
    """What may lead a page: equal values first, then ranges, then relations.

    There is none where it is left to the database, as it is where equal values find a single row.
    """
    if flavour is not Flavour.SQLITE or not resource.conditions_lead:
        return []
    equal: list[Leading] = []
    ranges: list[Leading] = []
    related: list[Leading] = []
    for place, part in enumerate(parts):
        if not isinstance(part, Match):
            continue
        hops, field = resource.path(part.path)
        if not _is_indexed(hops[-1].target().table if hops else resource.table, field):
            continue
        if hops and (_is_equal(part, field) or _is_range(part, field)):
            related.append(Leading(place, None))
        elif not hops and _is_level(part, field):
            if is_unique(field.column):
                return []
            equal.append(Leading(place, field.compared, is_equal=True))
        elif not hops and _is_range(part, field):
            ranges.append(Leading(place, field.compared))
    return [*equal, *ranges, *related]


def hidden(resource: Resource, parts: Sequence[Part], way: Way) -> frozenset[int]:
    """The places of the conditions that SQLite must know no index for, so that what is to lead does."""
    if way.led is None and not way.is_hidden:
        return frozenset()
    places = {each.place for each in candidates(resource, parts, Flavour.SQLITE) if each.is_equal}
    return frozenset(places - ({way.led.place} if way.led is not None else set()))


def has_equal(resource: Resource, parts: Sequence[Part]) -> bool:
    """Whether a condition of equal values on an indexed column is among them: it leads by itself."""
    own = ((part, *resource.path(part.path)) for part in parts if isinstance(part, Match))
    return any(not hops and _is_indexed(resource.table, field) and _is_equal(part, field) for part, hops, field in own)


def _is_equal(match: Match, field: Field) -> bool:
    return match.op in _EQUAL and field.type.manner in (Manner.PLAIN, Manner.FOLDED)


def _is_level(match: Match, field: Field) -> bool:
    return _is_equal(match, field) or match.op is Op.NULL


def _is_range(match: Match, field: Field) -> bool:
    if match.op is Op.LIKE:
        return match.values == BOUNDED
    return match.op in _RANGES or (match.op in _EQUAL and field.type.manner is Manner.SECONDS)


def _is_indexed(table: Table, field: Field) -> bool:
    column: Any = field.column if field.type.name == "uuid" else field.compared
    if getattr(column, "table", None) is not table:
        return False
    if column.primary_key or column.unique:
        return True
    return any(next(iter(index.columns)).key == column.key for index in table.indexes)
