"""Running queries: pages and totals of a resource, in one view of the store."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from trivium.base.query import After, Offset, Query, Scalar
from trivium.base.values import Value
from trivium.store.fields import Resource
from trivium.store.grams import Way
from trivium.store.query import checking, scopes, searching, shapes, skipping
from trivium.store.query.checking import Match, Shape
from trivium.store.query.scopes import Condition
from trivium.store.query.shapes import CountPlan, Ground, PagePlan
from trivium.store.query.skipping import SkipPlan
from trivium.store.transactions import Read


class Found(Value, frozen=True):
    """A page. `total` is exact, of the same moment as the page, and None unless the query wanted it.

    Rows are named tuples: of the resource's columns by their names, or of the fields that the query asked for by
    theirs. `next` is the key that the next page comes after; None behind the last row.
    """

    rows: list[Any]
    total: int | None
    next: tuple[Scalar | None, ...] | None


def page(tx: Read, resource: Resource, query: Query, *, scope: Sequence[Condition] = ()) -> Found:
    """The page that the query asks for, within the scope.

    Raises `UnknownField`, `BadOperator` or `BadValue` for a query that the resource cannot answer.
    """
    key, own = scopes.taken(scope)
    place = (resource, key, tuple(own), query, _types(query))
    found: Found | None = tx.recall(place)
    if found is None:
        found = _found(tx, _Asked(resource, scope, key, own), query)
        tx.keep(place, found, rows=len(found.rows))
    return found


def _types(query: Query) -> tuple[Hashable, ...]:
    """The types of the values: 1, 1.0 and True are equal, and not every field has all of them."""
    values = (condition.value for condition in query.where)
    return tuple(tuple(map(type, value)) if isinstance(value, tuple) else type(value) for value in values)


def _found(tx: Read, asked: _Asked, query: Query) -> Found:
    shape, values = checking.shape(asked.resource, query)
    number = sum(match.values for match in shape.where)
    near = _nearer(tx, asked, query.page, shape=shape, values=values)
    rows, following = _rows(tx, asked, (*near, query.page.limit))
    if not query.total:
        return Found(rows=rows, total=None, next=following)
    seen = _seen(query.page, len(rows), following)
    total = _total(tx, asked, shape.where, values=values[:number]) if seen is None else seen
    return Found(rows=rows, total=total, next=following)


def count(tx: Read, resource: Resource, query: Query, *, scope: Sequence[Condition] = ()) -> int:
    """How many rows the query's conditions find within the scope, whatever its page. Raises what `page` raises."""
    where, values = checking.matches(resource, query)
    key, own = scopes.taken(scope)
    return _total(tx, _Asked(resource, scope, key, own), where, values=values)


def size(tx: Read, resource: Resource, *, scope: Sequence[Condition] = ()) -> int | None:
    """How many rows the scope has, where a counter tells without looking at them; else None."""
    key, own = scopes.taken(scope)
    asked = _Asked(resource, scope, key, own)
    plan = _count_plan(tx, asked, ())
    return tx.fetch(plan.sql, plan.bound([*asked.values]))[0][0] if plan.counters else None


class _Asked(NamedTuple):
    """The rows that a question is about, before its conditions."""

    resource: Resource
    scope: Sequence[Condition]
    key: Hashable
    values: list[Any]


def _nearer(
    tx: Read, asked: _Asked, page: Offset | After, *, shape: Shape, values: list[Any]
) -> tuple[Shape, list[Any]]:
    """The shape and values of the same page, behind an id that is near it where blocks tell of one."""
    blocks = asked.resource.counted and asked.resource.counted.blocks
    if blocks is None or not isinstance(page, Offset) or page.offset < blocks.worth:
        return shape, values
    order = checking.steps(asked.resource, shape.order)
    plan = _skip_plan(tx, asked, shape.where) if order[0].column is asked.resource.id else None
    if plan is None:
        return shape, values
    own = values[:-2]  # without limit and offset
    given = [*asked.values, *own]
    start = skipping.start(tx, plan, given, offset=page.offset, descending=order[0].descending)
    return replace(shape, after=(True,)), [*own, start.id, page.limit + 1, start.offset]


def _skip_plan(tx: Read, asked: _Asked, where: tuple[Match, ...]) -> SkipPlan | None:
    place = (asked.resource, asked.key, where, SkipPlan)
    kept: tuple[SkipPlan | None] | None = tx.shapes.get(place)
    if kept is None:
        kept = (skipping.skip_plan(_ground(tx, asked), where),)
        tx.shapes.put(place, kept)
    return kept[0]


def _rows(
    tx: Read, asked: _Asked, wanted: tuple[checking.Shape, list[Any], int]
) -> tuple[list[Any], tuple[Scalar | None, ...] | None]:
    """The rows of the page, and the key of the next one."""
    shape, values, limit = wanted
    if limit == 0:
        return [], None
    plan, raw = _raw(tx, asked, shape, values=values)
    rows = plan.converted(raw[:limit])
    following = tuple(rows[-1][index] for index in plan.key) if len(raw) > limit else None
    return [plan.row(row[: plan.wanted]) for row in rows], following


def _raw(tx: Read, asked: _Asked, shape: Shape, *, values: list[Any]) -> tuple[PagePlan, list[Any]]:
    """The rows as the driver gives them, one more than the page has where there are more."""
    ways = searching.ways_to_page(tx, asked.resource, asked.scope, shape=shape, values=values)
    plan, raw = _by(tx, asked, shape, values=values, way=ways[0])
    for way in ways[1:]:
        if len(raw) < values[-2]:
            plan, raw = _by(tx, asked, shape, values=values, way=way)
    return plan, raw


def _by(tx: Read, asked: _Asked, shape: Shape, *, values: list[Any], way: Way | None) -> tuple[PagePlan, list[Any]]:
    """The rows that one way gives."""
    place = (asked.resource, asked.key, shape, None if way is None else way.key)
    plan: PagePlan | None = tx.shapes.get(place)
    if plan is None:
        plan = shapes.page_plan(_ground(tx, asked), shape, way)
        tx.shapes.put(place, plan)
    return plan, tx.fetch(plan.sql, plan.bound([*asked.values, *values, *(() if way is None else way.values)]))


def _seen(page: Offset | After, rows: int, following: object) -> int | None:
    """The total, where the page itself shows it: it is the last one, and where it begins is known."""
    if following is not None or page.limit == 0 or isinstance(page, After):
        return None
    return page.offset + rows if rows or page.offset == 0 else None


def _total(tx: Read, asked: _Asked, where: tuple[Match, ...], *, values: list[Any]) -> int:
    """The exact total: of counters where they tell, else by counting."""

    def counted(way: Way | None) -> int:
        plan = _count_plan(tx, asked, where, way=way)
        return tx.fetch(plan.sql, plan.bound([*asked.values, *values, *(() if way is None else way.values)]))[0][0]

    return searching.total(tx, asked.resource, asked.scope, where=where, values=values, count=counted)


def _count_plan(tx: Read, asked: _Asked, where: tuple[Match, ...], *, way: Way | None = None) -> CountPlan:
    place = (asked.resource, asked.key, where, None if way is None else way.key)
    plan: CountPlan | None = tx.shapes.get(place)
    if plan is None:
        plan = shapes.count_plan(_ground(tx, asked), where, way)
        tx.shapes.put(place, plan)
    return plan


def _ground(tx: Read, asked: _Asked) -> Ground:
    return Ground(asked.resource, asked.scope, tx.flavour, tx.connection.dialect)
