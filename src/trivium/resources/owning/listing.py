"""Lists of a resource as its callers see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Column, Row, bindparam, select

from trivium.base.caller import Caller
from trivium.base.query import Listed, Query
from trivium.resources.owning.rights import sees
from trivium.resources.owning.types import EVERYBODY
from trivium.store import Prepared, Read, Resource, query
from trivium.store.query import Audience, Condition, Summed

T = TypeVar("T")


class Listing(Generic[T]):
    """A resource, and what makes a value of its rows.

    Members of a project see what is their project's and what is public, here and across relations, administrators
    everything. Conditions raise what `query.page` raises.
    """

    def __init__(self, resource: Resource, value_of: Callable[[Row[Any]], T]) -> None:
        if resource.audience is None:
            message = f"{resource.name} does not say who sees its rows"
            raise ValueError(message)
        self.resource = resource
        self._value_of = value_of
        self._seen = Audience(resource.audience, everybody=EVERYBODY)

    def page(self, tx: Read, caller: Caller, asked: Query) -> Listed[T]:
        """The page that is asked for, with whole values whatever fields are asked for."""
        found = query.page(tx, self.resource, asked, scope=self._scope(caller))
        return Listed(rows=tuple(map(self._value_of, found.rows)), total=found.total, next=found.next)

    def count(self, tx: Read, caller: Caller, asked: Query) -> int:
        """How many there are that satisfy what is asked."""
        return query.count(tx, self.resource, asked, scope=self._scope(caller))

    def summed(self, tx: Read, caller: Caller, asked: Query, *, of: Sequence[str]) -> list[Summed]:
        """The sums of the fields `of` by the groups that are asked for."""
        return query.summed(tx, self.resource, asked, of=of, scope=self._scope(caller))

    def find(self, tx: Read, caller: Caller, uuid: UUID) -> T | None:
        """The one of that uuid; None where there is none that the caller may see."""
        row = tx.first(select(self.resource.table).where(self.resource.table.c.uuid == uuid))
        return self._value_of(row) if row is not None and sees(caller, row) else None

    def by(self, tx: Read, caller: Caller, column: Column[Any], *, values: Collection[UUID]) -> Mapping[UUID, list[T]]:
        """Those whose column has one of these values, by value, oldest first: with one look for all of a page."""
        found: dict[UUID, list[T]] = {value: [] for value in values}
        if found:
            asked = sorted(found)
            number = 1 << (len(asked) - 1).bit_length()
            asked += asked[-1:] * (number - len(asked))
            for row in _looking_for(self.resource, column, number).rows(tx, *asked):
                if sees(caller, row):
                    found[getattr(row, column.key)].append(self._value_of(row))
        return found

    def _scope(self, caller: Caller) -> tuple[Condition, ...]:
        return () if caller.is_admin else (self._seen.of(project=caller.project),)


@cache
def _looking_for(resource: Resource, column: Column[Any], number: int) -> Prepared:
    """The rows whose column has one of so many values, oldest first. Few numbers are asked for: the powers of two."""
    names = [f"value_{place}" for place in range(number)]
    values = [bindparam(name, type_=column.type) for name in names]
    return Prepared(select(resource.table).where(column.in_(values)).order_by(resource.id), *names)
