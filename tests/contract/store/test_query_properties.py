"""Whatever a query asks of whatever rows: the databases answer what plain Python answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests import shelf
from tests.rollback import rolled_back
from trivium.base.query import After, Condition, Offset, Op, Order, Query
from trivium.base.text import fold
from trivium.store import Store, Write, query
from trivium.store.fields import Field

Row = dict[str, Any]

TEXTS = some.text("aAbB%_\\ 测试数ßéÉ％＿ﬁİ1", max_size=5)
MOMENTS = [datetime(2026, 11, 4, 18, 20, 7, count, UTC) for count in (0, 1, 999_999)] + [
    datetime(1969, 7, 20, tzinfo=UTC)
]
EAST = timezone(timedelta(hours=8))
POOLS: dict[str, some.SearchStrategy[Any]] = {
    "integer": some.sampled_from([-3, 0, 1, 2, 10, 12, (1 << 63) - 1, -(1 << 63)]),
    "number": some.sampled_from([-1.5, 0.0, 0.1, 3.0, 1e300, 2, 0]),
    "boolean": some.booleans(),
    "text": TEXTS,
    "enum": some.sampled_from(shelf.COLOURS),
    "time": some.sampled_from(MOMENTS + [moment.astimezone(EAST) for moment in MOMENTS]),
    "uuid": some.sampled_from([UUID(int=number << 100, version=4) for number in range(1, 5)]),
}
IDS = some.integers(1, 12)

PERSON = some.fixed_dictionaries(
    {
        "id": some.integers(1, 4),
        "name": some.none() | TEXTS,
        "age": some.none() | some.sampled_from([1, 2, 30]),
        "boss_id": some.none() | some.integers(1, 5),
    }
)
BOOK = some.fixed_dictionaries(
    {
        "id": IDS,
        "uuid": POOLS["uuid"],
        "title": TEXTS,
        "note": some.none() | TEXTS,
        "pages": some.none() | POOLS["integer"],
        "shelf": some.integers(1, 3),
        "weight": some.none() | POOLS["number"].map(float),
        "lent": some.none() | some.booleans(),
        "colour": some.none() | POOLS["enum"],
        "bought": some.none() | some.sampled_from(MOMENTS),
        "owner_id": some.none() | some.integers(1, 5),
    }
)
PATHS = [name for name in shelf.BOOKS.fields if name != "secret"] + [
    "owner.name",
    "owner.age",
    "owner.boss.name",
    "owner.books.title",
    "owner.books.pages",
    "owner.lent.colour",
    "owner.boss.books.owner.boss.age",
]


@some.composite
def conditions(draw: some.DrawFn) -> Condition:
    path = draw(some.sampled_from(PATHS))
    field = shelf.BOOKS.path(path)[1]
    op = draw(some.sampled_from([op for op in Op if field.allows(op)]))
    return Condition(field=path, op=op, value=draw(_values(field, op)))


def _values(field: Field, op: Op) -> some.SearchStrategy[Any]:
    if op in (Op.NULL, Op.NOT_NULL):
        return some.none()
    if op in (Op.IN, Op.NOT_IN):
        return some.lists(POOLS[field.type.name], max_size=5).map(tuple)
    if op in (Op.LIKE, Op.NOT_LIKE, Op.CONTAINS, Op.NOT_CONTAINS):
        digits = some.text("0123%_-4", max_size=4)
        return TEXTS if field.type.name == "text" else digits
    return POOLS[field.type.name]


ORDERS = some.lists(
    some.builds(Order, field=some.sampled_from(PATHS[:10]), descending=some.booleans()), max_size=4
).map(tuple)
PEOPLE = some.lists(PERSON, max_size=4, unique_by=lambda row: row["id"])
BOOKS = some.lists(BOOK, max_size=12, unique_by=lambda row: row["id"])
WHERE = some.lists(conditions(), max_size=3).map(tuple)


same = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)


@same
@given(people=PEOPLE, books=BOOKS, where=WHERE, order=ORDERS, limit=some.integers(1, 5))
def test_both_walks_give_every_row_once_and_in_order_with_the_exact_total(
    store: Store,
    people: list[Row],
    books: list[Row],
    where: tuple[Condition, ...],
    order: tuple[Order, ...],
    limit: int,
) -> None:
    wanted = [row["id"] for row in expected(people, books, where, order)]

    def look(tx: Write) -> None:
        shelf.fill(tx, people, books)
        asked = Query(where=where, order=order, page=Offset(limit=limit))
        assert query.count(tx, shelf.BOOKS, asked) == len(wanted)
        for following in (by_offset, by_key):
            assert walked(tx, asked, following, most=len(wanted) + 1) == wanted

    rolled_back(store, look)


@same
@given(people=PEOPLE, books=BOOKS, where=WHERE, order=ORDERS, ghost=BOOK)
def test_a_page_after_a_row_that_is_gone_goes_on_where_it_was(
    store: Store,
    people: list[Row],
    books: list[Row],
    where: tuple[Condition, ...],
    order: tuple[Order, ...],
    ghost: Row,
) -> None:
    ghost = {**ghost, "id": max((row["id"] for row in books), default=0) + ghost["id"]}
    everywhere = [row["id"] for row in sorted_rows([*books, ghost], order)]
    behind = everywhere[everywhere.index(ghost["id"]) + 1 :]
    wanted = [row["id"] for row in expected(people, books, where, order) if row["id"] in behind]

    def look(tx: Write) -> None:
        shelf.fill(tx, people, books)
        page = After(limit=20, key=tuple(ghost[name] for name in names_of(order)))
        found = query.page(tx, shelf.BOOKS, Query(where=where, order=order, page=page))
        assert [row.id for row in found.rows] == wanted
        assert found.next is None

    rolled_back(store, look)


@same
@given(books=BOOKS, names=some.lists(some.sampled_from(PATHS[:10]), min_size=1, max_size=6).map(tuple))
def test_rows_have_what_was_stored_in_the_fields_that_were_asked_for(
    store: Store, books: list[Row], names: tuple[str, ...]
) -> None:
    def look(tx: Write) -> None:
        shelf.fill(tx, [], books)
        found = query.page(tx, shelf.BOOKS, Query(fields=names))
        assert found.total == len(books)
        assert [row._asdict() for row in found.rows] == [
            {name: row[name] for name in names} for row in sorted_rows(books, ())
        ]
        whole = query.page(tx, shelf.BOOKS, Query())
        assert [row.owner_id for row in whole.rows] == [row["owner_id"] for row in sorted_rows(books, ())]

    rolled_back(store, look)


def by_offset(page: Offset | After, _found: query.Found) -> Offset | After:
    assert isinstance(page, Offset)
    return Offset(limit=page.limit, offset=page.offset + page.limit)


def by_key(page: Offset | After, found: query.Found) -> Offset | After:
    assert found.next is not None
    return After(limit=page.limit, key=found.next)


def walked(
    tx: Write, asked: Query, following: Callable[[Offset | After, query.Found], Offset | After], *, most: int
) -> list[int]:
    total, page, ids = query.count(tx, shelf.BOOKS, asked), asked.page, list[int]()
    for _ in range(most):
        found = query.page(tx, shelf.BOOKS, Query(where=asked.where, order=asked.order, page=page))
        assert found.total == total
        assert len(found.rows) <= page.limit
        ids += [row.id for row in found.rows]
        if found.next is None:
            break
        page = following(page, found)
    return ids


# ---- the same, in plain Python ----------------------------------------------------------------------------------


def expected(people: list[Row], books: list[Row], where: tuple[Condition, ...], order: tuple[Order, ...]) -> list[Row]:
    world = World(people, books)
    return sorted_rows([row for row in books if all(world.holds(row, condition) for condition in where)], order)


class World:
    """The rows, and how they are related."""

    def __init__(self, people: list[Row], books: list[Row]) -> None:
        self._people = people
        self._books = books

    def holds(self, row: Row, condition: Condition) -> bool:
        *hops, last = condition.field.split(".")
        reached = [row]
        for hop in hops:
            reached = [there for here in reached for there in self._related(here, hop)]
        return any(compares(there[last], condition.op, condition.value) for there in reached)

    def _related(self, row: Row, relation: str) -> list[Row]:
        if relation == "owner":
            return [person for person in self._people if person["id"] == row["owner_id"]]
        if relation == "boss":
            return [person for person in self._people if person["id"] == row["boss_id"]]
        owned = [book for book in self._books if book["owner_id"] == row["id"]]
        return [book for book in owned if book["lent"]] if relation == "lent" else owned


def compares(mine: Any, op: Op, value: Any) -> bool:
    if op is Op.NULL:
        return mine is None
    if mine is None:
        return False
    written = fold(mine.hex if isinstance(mine, UUID) else str(mine))
    return {
        Op.NOT_NULL: lambda: True,
        Op.EQ: lambda: mine == value,
        Op.NE: lambda: mine != value,
        Op.LT: lambda: mine < value,
        Op.LE: lambda: mine <= value,
        Op.GT: lambda: mine > value,
        Op.GE: lambda: mine >= value,
        Op.IN: lambda: mine in value,
        Op.NOT_IN: lambda: mine not in value,
        Op.LIKE: lambda: is_like(written, value),
        Op.NOT_LIKE: lambda: not is_like(written, value),
        Op.CONTAINS: lambda: fold(value) in written,
        Op.NOT_CONTAINS: lambda: fold(value) not in written,
    }[op]()


def is_like(written: str, pattern: str) -> bool:
    expression, plain, place = "", "", 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character in "%_":
            expression += re.escape(fold(plain)) + {"%": ".*", "_": "."}[character]
            plain = ""
            continue
        if character == "\\" and place < len(pattern):
            character = pattern[place]
            place += 1
        plain += character
    return re.fullmatch(expression + re.escape(fold(plain)), written, re.DOTALL) is not None


def names_of(order: tuple[Order, ...]) -> list[str]:
    names = list(dict.fromkeys(step.field for step in order))
    return names[: names.index("id") + 1] if "id" in names else [*names, "id"]


def sorted_rows(rows: list[Row], order: tuple[Order, ...]) -> list[Row]:
    found = sorted(rows, key=lambda row: row["id"], reverse=True)
    for step in reversed(order):
        found.sort(key=lambda row, name=step.field: Place(row[name]), reverse=step.descending)
    return found


class Place:
    """A value as orders see it: nulls before everything."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __lt__(self, other: Place) -> bool:
        if self.value is None or other.value is None:
            return self.value is None and other.value is not None
        return self.value < other.value
