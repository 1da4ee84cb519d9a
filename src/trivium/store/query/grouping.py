"""Groups: the first row of each, how many there are, and what numbers and sums they have.

All rows that satisfy the conditions are gone through, so such queries belong where the time is limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, select

from trivium.store.fields import Field, Manner, Resource
from trivium.store.query import seconds


def first_of_each(
    resource: Resource,
    group: Sequence[str],
    where: Sequence[ColumnElement[bool]],
    *,
    order: Sequence[ColumnElement[Any]],
) -> Subquery:
    """The ids of the rows, and as `place` which of its group each one is."""
    place = func.row_number().over(partition_by=columns(resource, group), order_by=order)
    return select(resource.id.label("id"), place.label("place")).where(*where).subquery("placed")


def number(resource: Resource, group: Sequence[str], where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """How many groups there are."""
    keys = [column.label(f"g{index}") for index, column in enumerate(columns(resource, group))]
    return select(func.count()).select_from(
        select(*keys).select_from(resource.table).where(*where).distinct().subquery("groups")
    )


def columns(resource: Resource, group: Sequence[str]) -> list[ColumnElement[Any]]:
    """What the rows of a group are equal in."""
    return [_key(resource.field(name)) for name in group]


def _key(field: Field) -> ColumnElement[Any]:
    return seconds.whole(field.column) if field.type.manner is Manner.SECONDS else field.compared
