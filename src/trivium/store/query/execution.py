"""Executing queries: pages and totals of a resource, in one transaction."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace

from trivium.base.query import After, Clause, Not, Offset, Op, Query, Related, Scalar
from trivium.base.query import Condition as Narrower
from trivium.base.values import Value
from trivium.store.database import Flavour
from trivium.store.fields import Resource
from trivium.store.grams import AccessPath
from trivium.store.query import audience_scan, block_skipping, compiling, leading, scopes, text_search, validation
from trivium.store.query.block_skipping import SkipStatements
from trivium.store.query.compiling import PageStatement, Target
from trivium.store.query.leading import Leading, Way
from trivium.store.query.scopes import Condition
from trivium.store.query.validation import Part, Shape
from trivium.store.statements import Statement
from trivium.store.transactions import Read


class Found(Value, frozen=True):
    """A page. `total` is exact, of the same snapshot as the page, and None unless the query wanted it.

    Rows are named tuples: of the resource's columns by their names, or of the fields that the query asked for by
    theirs. `next` is the key that the next page comes after; None for the last page.
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
    found: Found | None = tx.cached(place)
    if found is None:
        found = _found(tx, _Asked(resource, scope, key, own), query)
        tx.cache(place, found, rows=len(found.rows))
    return found


def _types(query: Query) -> tuple[Hashable, ...]:
    """The types of the values: 1, 1.0 and True are equal, and not every field has all of them."""
    values = (condition.value for condition in query.where)
    own = tuple(tuple(map(type, value)) if isinstance(value, tuple) else type(value) for value in values)
    return own if query.tree is None else (*own, _types_in(query.tree))


def _types_in(clause: Clause) -> Hashable:
    if isinstance(clause, Narrower):
        value = clause.value
        return tuple(map(type, value)) if isinstance(value, tuple) else type(value)
    return _types_in(clause.part) if isinstance(clause, (Not, Related)) else tuple(map(_types_in, clause.parts))


def _found(tx: Read, asked: _Asked, query: Query) -> Found:
    shape, values = validation.shape(asked.resource, query)
    number = sum(part.values for part in shape.where)
    near = _skipped(tx, asked, query.page, shape=shape, values=values)
    rows, following = _rows(tx, asked, (*near, query.page.limit))
    if not query.total:
        return Found(rows=rows, total=None, next=following)
    seen = _total_of_page(query.page, len(rows), following)
    total = _total(tx, asked, shape.where, values=values[:number], group=query.group) if seen is None else seen
    return Found(rows=rows, total=total, next=following)


def count(tx: Read, resource: Resource, query: Query, *, scope: Sequence[Condition] = ()) -> int:
    """How many rows satisfy the query's conditions within the scope, whatever its page. Raises what `page` raises."""
    where, values = validation.matches(resource, query)
    key, own = scopes.taken(scope)
    return _total(tx, _Asked(resource, scope, key, own), where, values=values, group=query.group)


def remaining(tx: Read, resource: Resource, query: Query, *, found: Found, scope: Sequence[Condition] = ()) -> int:
    """How many rows follow the page that was found, exactly. Where the page is after a key, it must be in id order.

    Where blocks have the numbers of rows, it costs the same however many there are. Raises what `page` raises.
    """
    if found.next is None and query.page.limit:
        return 0
    if isinstance(query.page, Offset):
        total = count(tx, resource, query, scope=scope) if found.total is None else found.total
        return max(0, total - query.page.offset - len(found.rows))
    order = validation.steps(resource, [(step.field, step.descending) for step in query.order])
    last = (query.page.key if found.next is None else found.next)[-1]
    if order[0].column is not resource.id or not isinstance(last, int):
        raise ValueError("what follows a key is only known in the order of ids")
    return _following(tx, _Asked(resource, scope, *scopes.taken(scope)), query, id=last, descending=order[0].descending)


class _Asked(NamedTuple):
    """The resource and the scope of a query."""

    resource: Resource
    scope: Sequence[Condition]
    key: Hashable  # what the scope's text depends on
    values: list[Any]  # the scope's


def _following(tx: Read, asked: _Asked, query: Query, *, id: int, descending: bool) -> int:
    where, values = validation.matches(asked.resource, query)
    statements = _skip_statements(tx, asked, where)
    bounds = [Narrower(field="id", op=Op.LT if descending else Op.GT, value=id)]
    rows = 0
    if statements is not None:
        whole = block_skipping.beyond(tx, statements, [*asked.values, *values], id=id, descending=descending)
        rows = whole.rows
        other = (Op.GE, whole.low) if descending else (Op.LT, whole.high)
        bounds.append(Narrower(field="id", op=other[0], value=other[1]))
    return rows + count(tx, asked.resource, replace(query, where=(*query.where, *bounds)), scope=asked.scope)


def _skipped(
    tx: Read, asked: _Asked, page: Offset | After, *, shape: Shape, values: list[Any]
) -> tuple[Shape, list[Any]]:
    """The shape and values of the same page; where blocks have the numbers of rows, of one that begins near it."""
    blocks = asked.resource.counted and asked.resource.counted.blocks
    if blocks is None or shape.group or not isinstance(page, Offset) or page.offset < blocks.worth:
        return shape, values
    order = validation.steps(asked.resource, shape.order)
    statements = _skip_statements(tx, asked, shape.where) if order[0].column is asked.resource.id else None
    if statements is None:
        return shape, values
    own = values[:-2]  # without limit and offset
    given = [*asked.values, *own]
    start = block_skipping.start(tx, statements, given, offset=page.offset, descending=order[0].descending)
    return replace(shape, after=(True,)), [*own, start.id, page.limit + 1, start.offset]


def _skip_statements(tx: Read, asked: _Asked, where: tuple[Part, ...]) -> SkipStatements | None:
    place = (asked.resource, asked.key, where, SkipStatements)
    known: tuple[SkipStatements | None] | None = tx.statements.get(place)
    if known is None:
        known = (block_skipping.skip_statements(_target(tx, asked), where),)
        tx.statements.put(place, known)
    return known[0]


def _rows(
    tx: Read, asked: _Asked, wanted: tuple[Shape, list[Any], int]
) -> tuple[list[Any], tuple[Scalar | None, ...] | None]:
    """The rows of the page, and the key of the next one."""
    shape, values, limit = wanted
    if limit == 0:
        return [], None
    page, raw = _raw(tx, asked, shape, values=values)
    rows = page.statement.converted(raw[:limit])
    following = tuple(rows[-1][index] for index in page.key) if len(raw) > limit else None
    return [page.row(row[: page.wanted]) for row in rows], following


def _raw(tx: Read, asked: _Asked, shape: Shape, *, values: list[Any]) -> tuple[PageStatement, list[Any]]:
    """The rows as the driver returns them, one more than the page has where there are more."""
    paths = text_search.paths_to_page(tx, asked.resource, asked.scope, shape=shape, values=values)
    way = _way(tx, asked, shape, values=values) if paths[0] is None else compiling.ANY_WAY
    page, raw = _along(tx, asked, shape, values=values, path=paths[0], way=way)
    for path in paths[1:]:
        if len(raw) < values[-2]:
            page, raw = _along(tx, asked, shape, values=values, path=path)
    return page, raw


def _way(tx: Read, asked: _Asked, shape: Shape, *, values: list[Any]) -> Way:
    """How the page is read: by the condition that finds the least, unless that is more than should be sorted."""
    if shape.group:
        return Way(leading.leading(asked.resource, shape.where, tx.flavour))
    candidates = leading.candidates(asked.resource, shape.where, tx.flavour)
    first = validation.steps(asked.resource, shape.order)[0].column
    is_sorted = [led for led in candidates if leading.is_sorted(led, first)]
    given = [*asked.values, *values[: sum(part.values for part in shape.where)]]
    found = _least(tx, asked, is_sorted, where=shape.where, given=given, most=leading.MOST)
    if found is None:
        found = next((led for led in candidates if not leading.is_sorted(led, first)), None)
    equal = [led for led in is_sorted if led.is_equal]
    if found is None and len(shape.where) > 1:
        found = _least(tx, asked, equal, where=shape.where, given=given, most=leading.MOST_EQUAL)
    return Way(found, is_hidden=found is None and bool(equal))


def _least(
    tx: Read, asked: _Asked, candidates: Sequence[Leading], *, where: tuple[Part, ...], given: list[Any], most: int
) -> Leading | None:
    """What of the candidates finds the fewest rows; None where each finds more than `most`."""
    best: Leading | None = None
    least = most + 1
    for led in candidates:
        place = (asked.resource, asked.key, where, Leading, led.place, most)
        statement: Statement | None = tx.statements.get(place)
        if statement is None:
            statement = compiling.number_led(_target(tx, asked), where, led, most=most)
            tx.statements.put(place, statement)
        number = statement.fetch(tx, given)[0][0]
        if number < least:
            best, least = led, number
        if least <= leading.FEW:
            break
    return best


def _along(
    tx: Read, asked: _Asked, shape: Shape, *, values: list[Any], path: AccessPath | None, way: Way = compiling.ANY_WAY
) -> tuple[PageStatement, list[Any]]:
    """The rows that one access path finds."""
    crowded = path is None and way.led is None and _is_crowded(tx, asked, shape, way=way)
    place = (asked.resource, asked.key, shape, None if path is None else path.key, way.key, crowded)
    page: PageStatement | None = tx.statements.get(place)
    if page is None:
        page = compiling.page_statement(_target(tx, asked), shape, path, way=way, crowded=crowded)
        tx.statements.put(place, page)
    return page, page.statement.fetch(tx, _with_path(asked, values, path))


def _is_crowded(tx: Read, asked: _Asked, shape: Shape, *, way: Way) -> bool:
    """Whether SQLite would sort all that an audience sees, and that is too much: then the order's index leads."""
    if tx.flavour is not Flavour.SQLITE or shape.group or audience_scan.place_of(asked.scope) is None:
        return False
    order = validation.steps(asked.resource, shape.order)
    if audience_scan.has_index(asked.resource, order[0].column):
        return False
    if not way.is_hidden and leading.has_equal(asked.resource, shape.where):
        return False
    place = (asked.resource, asked.key, compiling.number_seen)
    statement: Statement | None = tx.statements.get(place)
    if statement is None:
        statement = compiling.number_seen(_target(tx, asked))
        tx.statements.put(place, statement)
    return statement.fetch(tx, asked.values)[0][0] > leading.MOST


def _total_of_page(page: Offset | After, rows: int, following: object) -> int | None:
    """The total, where the page itself shows it: it is the last one, and where it begins is known."""
    if following is not None or page.limit == 0 or isinstance(page, After):
        return None
    return page.offset + rows if rows or page.offset == 0 else None


def _total(tx: Read, asked: _Asked, where: tuple[Part, ...], *, values: list[Any], group: tuple[str, ...] = ()) -> int:
    """The exact total: from counters where they have it, else by counting."""

    def counted(path: AccessPath | None) -> int:
        statement = _total_statement(tx, asked, where, group=group, path=path)
        return statement.fetch(tx, _with_path(asked, values, path))[0][0]

    if group:
        return counted(None)
    return text_search.total(tx, asked.resource, asked.scope, where=where, values=values, count=counted)


def _total_statement(
    tx: Read, asked: _Asked, where: tuple[Part, ...], *, group: tuple[str, ...], path: AccessPath | None
) -> Statement:
    place = (asked.resource, asked.key, where, group, None if path is None else path.key)
    statement: Statement | None = tx.statements.get(place)
    if statement is None:
        statement = compiling.total_statement(_target(tx, asked), where, group, path=path)
        tx.statements.put(place, statement)
    return statement


def _with_path(asked: _Asked, values: list[Any], path: AccessPath | None) -> list[Any]:
    return [*asked.values, *values, *(() if path is None else path.values)]


def _target(tx: Read, asked: _Asked) -> Target:
    return Target(asked.resource, asked.scope, tx.flavour, tx.connection.dialect)
